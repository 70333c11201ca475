import CorvidModels
import CorvidTensors
import CorvidText
import TestSupport

extension MutantFormats {
    /// Patches: the tokens of the header inside the header are damaged, or the file's bytes.
    static let patch: MutantFormat = {
        let changes: [(json: String, tensors: [(String, String, [Int])])] = [
            (
                #"{"kind":"low-rank","target":"1.down","shape":[4,6],"rank":2,"scale":0.5}"#,
                [("down", "F32", [2, 6]), ("up", "BF16", [4, 2])]
            ),
            (
                #"{"kind":"rows","target":"head","shape":[9,4],"scale":-1}"#,
                [("indices", "I32", [2]), ("values", "F16", [2, 4])]
            ),
            (
                #"{"kind":"addition","site":"1.output","positions":{"from":"promptEnd","ranges":[[-3,-1],[0,null]]},"part":{"columns":[0,2]},"first":-3,"scale":2}"#,
                [("values", "F32", [2, 2])]
            ),
            (
                #"{"kind":"mask","site":"0.attention.heads","by_heads":true}"#, [("values", "F32", [2])]
            ),
            (
                #"{"kind":"operation","site":"0.mlp.output","function":"clamp","amount":1,"low":-1,"high":1}"#,
                []
            ),
            (
                #"{"kind":"prefix","shape":[2,1,4]}"#,
                [("keys", "F32", [2, 1, 4]), ("values", "F32", [2, 1, 4])]
            ),
            (
                #"{"kind":"label-prior","labels":["a","b"],"task":{"prompt":"x"},"context":"\#(digest)","scale":1}"#,
                [("prior", "F32", [2])]
            ),
        ]
        let header =
            #"{"name":"n","method":"m","settings":{"r":2},"created":"now","corvid":"0","seed":3,"#
            + #""data":[{"name":"d","sha256":"\#(digest)"}],"report":{"a":[1,2]},"#
            + #""base":{"family":"gptj","structure":"\#(digest)","weights":{"1.down":"\#(digest)"},"#
            + #""requires":[{"name":"p","fingerprint":"\#(digest)","scale":1}]},"#
            + #""changes":[\#(changes.map(\.json).joined(separator: ","))]}"#
        let tensors = changes.enumerated().flatMap { index, change in
            change.tensors.map { ("\(index).\($0.0)", $0.1, $0.2) }
        }
        let mutator = TokenMutator.json(Array(header.utf8))
        return MutantFormat(
            name: "patch", inputs: [file(Array(header.utf8), tensors)],
            structured: [{ generator in file(mutator.mutate(using: &generator), tensors) }],
            read: { bytes in
                let patch = try PatchFile.read(SafetensorsFile(bytes: Bytes(bytes), path: "mutant.patch"))
                _ = patch.fingerprint
                _ = patch.touchedWeights
                _ = try? patch.scaled(by: 0.5)
                _ = try? PatchSummary(patch)
                _ = try? PatchStack([.init(patch)]).combined(PatchHeader(name: "s", method: "stack"))
            })
    }()

    private static let digest = String(repeating: "0a", count: 32)

    private static func file(_ header: [UInt8], _ tensors: [(String, String, [Int])]) -> [UInt8] {
        var data: [UInt8] = []
        var items: [String] = []
        for (name, type, shape) in tensors {
            let count = shape.reduce(1, *)
            let begin = data.count
            for index in 0..<count {
                // Small numbers; indices ascend.
                switch type {
                case "I32": data += [UInt8(2 * index + 1), 0, 0, 0]
                case "F32": data += [0, 0, 0x80, 0x3F]
                default: data += [0, 0x3C]
                }
            }
            items.append(
                "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(data.count)]}"
            )
        }
        let quoted = JSON.string(String(decoding: header, as: UTF8.self)).encoded()
        let text =
            #"{"__metadata__":{"format":"corvid-patch","format_version":"1","header":\#(quoted)},"#
            + items.joined(separator: ",") + "}"
        return SafetensorsBuilder.file(header: text, data: data)
    }
}
