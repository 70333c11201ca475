import CorvidTensors
import CorvidText
import Foundation
import TestSupport
import Testing

@testable import CorvidModels

/// Patches as files.
@Suite struct PatchFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("a patch of every kind is read as it was written", arguments: Patch.Kind.allCases)
    func roundTrip(kind: Patch.Kind) throws {
        let subject = try PatchSubject("gptj")
        var samples = subject.samples
        let made = try #require(try samples.patch(kind))
        let patch = try made.bound(to: subject.model)
        let path = folder.path(of: "a.patch")
        try patch.save(to: path)
        let read = try Patch(path: path)
        #expect(read.header == patch.header)
        #expect(read.header.base != nil)
        #expect(read.fingerprint == patch.fingerprint)
        #expect(read.changes.map(\.kind) == [kind])
        #expect(read.changes.map(\.place) == patch.changes.map(\.place))
        let second = folder.path(of: "b.patch")
        try read.save(to: second)
        let bytes = try [path, second].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        #expect(bytes[0] == bytes[1])
        #expect(try folder.names() == ["a.patch", "b.patch"])
    }

    @Test("name, date and report do not count for the fingerprint; numbers, targets and scales do")
    func fingerprint() throws {
        let c = try PatchSubject("gptj").model.configuration
        var one = PatchSamples(c)
        var two = PatchSamples(c)
        var other = PatchSamples(c, seed: 6)
        let a = try #require(try one.patch(.lowRank, name: "a"))
        var b = try #require(try two.patch(.lowRank, name: "b"))
        b.header.report = nil
        b.header.created = "2000-01-01T00:00:00Z"
        #expect(a.fingerprint == b.fingerprint)
        #expect(try #require(try other.patch(.lowRank)).fingerprint != a.fingerprint)
        #expect(try a.scaled(by: 2).fingerprint != a.fingerprint)
        var third = PatchSamples(c)
        #expect(try #require(try third.patch(.lowRank, layer: 0)).fingerprint != a.fingerprint)
    }

    @Test("numbers in bf16 and f16 are kept as they are") func halves() throws {
        let bytes = try Bytes([UInt8](repeating: 0x3C, count: 24))
        for type in [DType.bf16, .f16] {
            let tensor = try Tensor(type: type, shape: [3, 4], bytes: bytes)
            let patch = try Patch(
                PatchHeader(name: "half", method: "test"),
                [.dense(try DenseDelta(WeightTarget(.up, layer: 0), tensor))])
            let path = folder.path(of: "half.patch")
            try patch.save(to: path)
            let read = try Patch(path: path)
            #expect(read.changes[0].tensors[0].tensor.type == type)
            #expect(read.fingerprint == patch.fingerprint)
        }
    }

    // MARK: Malformed files

    private static let dense =
        #"{"kind":"dense","target":"0.up","shape":[2,2],"scale":1}"#

    private static func header(_ change: String, _ more: String = "") -> String {
        #"{"name":"n","method":"m","settings":{},"created":"now","corvid":"0"\#(more),"changes":[\#(change)]}"#
    }

    private static func file(
        _ header: String, version: String = "1", format: String = "corvid-patch", metadata: String = "",
        tensor: String = "0.values", shape: [Int] = [2, 2], type: String = "F32",
        values: [Float] = [1, 2, 3, 4]
    ) -> [UInt8] {
        var data = ByteWriter()
        for value in values { data.integer(value.bitPattern, "value") }
        let quoted = JSON.string(header).encoded()
        let text =
            #"{"__metadata__":{"format":"\#(format)","format_version":"\#(version)","header":\#(quoted)\#(metadata)},"#
            + #""\#(tensor)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[0,\#(data.bytes.count)]}}"#
        return SafetensorsBuilder.file(header: text, data: data.bytes)
    }

    private static let bad: [(String, [UInt8], String)] = [
        ("other format", file(header(dense), format: "pt"), "no patch"),
        ("version 2", file(header(dense), version: "2"), "version 2"),
        ("more metadata", file(header(dense), metadata: #","x":"y""#), "unknown"),
        ("no JSON", file("{"), "JSON"),
        ("a list", file("[]"), "an object"),
        ("no name", file(#"{"changes":[]}"#), "name"),
        ("unknown kind", file(header(#"{"kind":"magic"}"#)), "magic"),
        (
            "unknown field",
            file(header(#"{"kind":"dense","target":"0.up","shape":[2,2],"scale":1,"dora":true}"#)),
            "dora"
        ),
        ("unknown header field", file(header(dense, #","x":1"#)), "unknown"),
        ("unknown target", file(header(dense.replacingOccurrences(of: "0.up", with: "0.wing"))), "0.wing"),
        (
            "a table as matrix", file(header(dense.replacingOccurrences(of: "0.up", with: "tokenEmbedding"))),
            "matrix"
        ),
        ("shape of three", file(header(dense.replacingOccurrences(of: "[2,2]", with: "[2,2,1]"))), "shape"),
        ("other shape", file(header(dense.replacingOccurrences(of: "[2,2]", with: "[2,3]"))), "0.values"),
        ("negative size", file(header(dense.replacingOccurrences(of: "[2,2]", with: "[-2,-2]"))), "shape"),
        (
            "huge scale", file(header(dense.replacingOccurrences(of: "\"scale\":1", with: "\"scale\":1e39"))),
            "scale"
        ),
        ("no scale", file(header(dense.replacingOccurrences(of: ",\"scale\":1", with: ""))), "scale"),
        ("tensor of another change", file(header(dense), tensor: "1.values"), "missing"),
        ("tensor too many", file(header("")), "belongs to no change"),
        ("integers", file(header(dense), type: "I32"), "i32"),
        ("NaN", file(header(dense), values: [1, .nan, 3, 4]), "NaN"),
        ("infinity", file(header(dense), values: [1, .infinity, 3, 4]), "NaN"),
        (
            "no change list", file(#"{"name":"n","method":"m","created":"","corvid":"","changes":3}"#),
            "changes"
        ),
        (
            "a site that is none",
            file(header(#"{"kind":"addition","site":"0.mlp","scale":1}"#), shape: [1, 4]), "0.mlp"
        ),
        (
            "positions backwards",
            file(
                header(
                    #"{"kind":"addition","site":"0.output","positions":{"from":"start","ranges":[[5,2]]},"scale":1}"#
                ),
                shape: [1, 4]), "ranges"
        ),
        (
            "a base without digests",
            file(header(dense, #","base":{"family":"gptj","structure":"12","weights":{}}"#)), "hexadecimal"
        ),
        (
            "parts that are not all",
            file(
                header(dense, #","parts":[]"#).replacingOccurrences(of: "\"parts\":[]", with: "\"parts\":7")),
            "parts"
        ),
        (
            "clamp upside down",
            file(
                header(
                    #"{"kind":"operation","site":"0.output","function":"clamp","low":2,"high":1,"amount":1}"#)
            ),
            "low"
        ),
    ]

    @Test("malformed files are refused with the file and the reason", arguments: bad.indices)
    func malformed(_ index: Int) throws {
        let (name, bytes, word) = Self.bad[index]
        let path = try folder.write(bytes, to: "bad.patch")
        let error = try #require(throws: PatchFileError.self, "\(name)") { try Patch(path: path) }
        #expect(error.description.contains(word), "\(name): \(error)")
        #expect(error.description.contains("bad.patch"))
    }

    @Test("positions from before the prompt's end to the end of everything can be shown")
    func shownPositions() {
        #expect(Positions([-3..<Int.max], from: .promptEnd).description == "prompt end: -3-")
        #expect(Positions([-1..<0], from: .promptEnd).description == "prompt end: -1")
    }

    @Test("the file that the malformed ones are made of is right") func right() throws {
        let path = try folder.write(Self.file(Self.header(Self.dense)), to: "right.patch")
        #expect(try Patch(path: path).changes.map(\.kind) == [.dense])
    }

    @Test("changes whose numbers do not fit one another cannot be made") func shapes() throws {
        let up = WeightTarget(.up, layer: 0)
        let (a, b) = (try Tensor([1, 2, 3, 4], shape: [2, 2]), try Tensor([1, 2, 3], shape: [1, 3]))
        #expect(throws: PatchError.self) { try LowRankDelta(up, down: a, up: b) }
        #expect(throws: PatchError.self) { try LowRankDelta(.init(.attentionNorm, layer: 0), down: a, up: a) }
        #expect(throws: PatchError.self) { try RowDelta(up, outputs: 4, indices: [1, 1], values: a) }
        #expect(throws: PatchError.self) { try RowDelta(up, outputs: 4, indices: [1, 4], values: a) }
        #expect(throws: PatchError.self) { try BiasDelta(up, a) }
        #expect(throws: PatchError.self) { try DenseDelta(up, a, scale: .nan) }
        #expect(throws: PatchError.self) { try SiteAddition(a, at: .output(of: 0)) }
        #expect(throws: PatchError.self) { try SiteMask.heads([1, 0], at: .output(of: 0)) }
        #expect(throws: PatchError.self) {
            try LabelPrior(
                labels: ["a", "a"], prior: Tensor([1, 1], shape: [2]), task: [:], context: Digest(of: []))
        }
        #expect(throws: PatchError.self) {
            try LabelPrior(
                labels: ["a", "b"], prior: Tensor([1, 0], shape: [2]), task: [:], context: Digest(of: []))
        }
    }
}
