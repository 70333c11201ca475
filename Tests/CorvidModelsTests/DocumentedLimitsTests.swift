import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

@testable import CorvidText

/// The numbers in the documentation are those in the code.
@Suite struct DocumentedLimitsTests {
    private static let constants: [String: Int] = [
        "SafetensorsFile.Limits.headerBytes": SafetensorsFile.Limits.headerBytes,
        "SafetensorsFile.Limits.axes": SafetensorsFile.Limits.axes,
        "GGUFFile.Limits.tensors": GGUFFile.Limits.tensors,
        "GGUFFile.Limits.keys": GGUFFile.Limits.keys,
        "GGUFFile.Limits.keyBytes": GGUFFile.Limits.keyBytes,
        "GGUFFile.Limits.tensorNameBytes": GGUFFile.Limits.tensorNameBytes,
        "GGUFFile.Limits.axes": GGUFFile.Limits.axes,
        "GGUFFile.Limits.parts": GGUFFile.Limits.parts,
        "PyTorchFile.Limits.entries": PyTorchFile.Limits.entries,
        "PyTorchFile.Limits.entryNameBytes": PyTorchFile.Limits.entryNameBytes,
        "PyTorchFile.Limits.pickleBytes": PyTorchFile.Limits.pickleBytes,
        "PyTorchFile.Limits.values": PyTorchFile.Limits.values,
        "PyTorchFile.Limits.stack": PyTorchFile.Limits.stack,
        "PyTorchFile.Limits.memo": PyTorchFile.Limits.memo,
        "PyTorchFile.Limits.depth": PyTorchFile.Limits.depth,
        "PyTorchFile.Limits.textBytes": PyTorchFile.Limits.textBytes,
        "PyTorchFile.Limits.nameBytes": PyTorchFile.Limits.nameBytes,
        "PyTorchFile.Limits.axes": PyTorchFile.Limits.axes,
        "PatchFile.Limits.headerBytes": PatchFile.Limits.headerBytes,
        "PatchFile.Limits.changes": PatchFile.Limits.changes,
        "PatchFile.Limits.parts": PatchFile.Limits.parts,
        "PatchFile.Limits.sources": PatchFile.Limits.sources,
        "PatchFile.Limits.nameBytes": PatchFile.Limits.nameBytes,
        "PatchFile.Limits.ranges": PatchFile.Limits.ranges,
        "PatchFile.Limits.position": PatchFile.Limits.position,
        "PatchFile.Limits.indices": PatchFile.Limits.indices,
        "PatchFile.Limits.labels": PatchFile.Limits.labels,
        "ModelFolder.Limits.config": ModelFolder.Limits.config,
        "ModelFolder.Limits.index": ModelFolder.Limits.index,
        "ModelFolder.Limits.tokenizer": ModelFolder.Limits.tokenizer,
        "Transcript.fileBytes": Transcript.fileBytes,
        "JSONLimits.bytes": JSONLimits().bytes,
        "JSONLimits.depth": JSONLimits().depth,
        "JSONLimits.values": JSONLimits().values,
        "JSONLimits.greatestDepth": JSONLimits.greatestDepth,
        "TokenizerLimits.pieces": TokenizerLimits.pieces,
        "TokenizerLimits.pieceBytes": TokenizerLimits.pieceBytes,
        "TokenizerLimits.merges": TokenizerLimits.merges,
        "TokenizerLimits.idGap": TokenizerLimits.idGap,
        "TokenizerLimits.addedTokens": TokenizerLimits.addedTokens,
        "TokenizerLimits.addedTokenBytes": TokenizerLimits.addedTokenBytes,
        "TokenizerLimits.sequence": TokenizerLimits.sequence,
        "TokenizerLimits.templateItems": TokenizerLimits.templateItems,
        "TokenizerLimits.sentinels": TokenizerLimits.sentinels,
        "TemplateLimits.sourceBytes": TemplateLimits.sourceBytes,
        "TemplateLimits.steps": TemplateLimits.steps,
        "TemplateLimits.outputBytes": TemplateLimits.outputBytes,
        "TemplateLimits.depth": TemplateLimits.depth,
        "TemplateLimits.evaluationDepth": TemplateLimits.evaluationDepth,
        "TemplateLimits.rangeElements": TemplateLimits.rangeElements,
        "TemplateLimits.bytesPerStep": TemplateLimits.bytesPerStep,
        "GenerationRequest.samplesLimit": GenerationRequest.samplesLimit,
        "GenerationRequest.stopStringsLimit": GenerationRequest.stopStringsLimit,
    ]

    /// Limits that no constant outside their file gives: the largest value is accepted, one more is refused.
    private static let probes: [String: @Sendable (Int) throws -> Void] = [
        "SafetensorsHeader": openHeader(nesting:),
        "ShardedCheckpoint": openIndex(shardNameBytes:),
        "JSONScanner": { length in _ = try JSON.parse("1." + String(repeating: "0", count: length - 2)) },
    ]

    private static let sizes: [Setting] = [
        .width, .layers, .heads, .keyValueHeads, .headWidth, .hidden, .vocabulary, .context, .rotaryWidth,
        .encoderLayers, .distanceBuckets, .distanceLimit, .senses,
    ]

    @Test("every limit on the page of limits is the one in the code, and none is missing there")
    func limits() throws {
        var documented = try DocumentedTable("FormatLimits").limits
        for (name, value) in Self.constants.sorted(by: { $0.key < $1.key }) {
            #expect(documented.removeValue(forKey: name) == value, "\(name)")
        }
        let others = Set(Self.probes.keys).union(Self.sizes.map { "Setting.\($0.rawValue)" })
        #expect(Set(documented.keys) == others)
    }

    @Test("a limit without a constant is the greatest value that is read", arguments: probes.keys.sorted())
    func probe(name: String) throws {
        let limit = try #require(try DocumentedTable("FormatLimits").limits[name])
        let read = try #require(Self.probes[name])
        try read(limit)
        #expect(throws: (any Error).self) { try read(limit + 1) }
    }

    @Test("a size of a model is accepted up to its limit", arguments: sizes)
    func size(_ setting: Setting) throws {
        let limit = try #require(try DocumentedTable("FormatLimits").limits["Setting.\(setting.rawValue)"])
        let family = try #require(
            [Family.llama, .gptj, .t5, .backpack].first { $0.settings[setting] != nil })
        let key = try #require(family.settings[setting]?.first)
        func refusal(_ size: Int) -> ConfigurationError? {
            #expect(throws: ConfigurationError.self) { try Self.configuration(family, key: key, size: size) }
        }
        let expected = "1...\(limit)"
        for size in [limit + 1, 0] {
            #expect(
                refusal(size) == .setting(file: "config.json", key: key, found: "\(size)", expected: expected)
            )
        }
        // At the limit the other sizes may not fit, which is another refusal.
        do {
            try Self.configuration(family, key: key, size: limit)
        } catch ConfigurationError.relation {}
    }

    @Test("the sampling settings have the defaults and ranges of their page")
    func sampling() throws {
        let rows = try DocumentedTable("SamplingAndGeneration").rows.filter { $0.count == 4 }
        let fields: [String: WritableKeyPath<SamplingSettings, Double>] = [
            "`temperature`": \.temperature, "`top_p`": \.topP, "`min_p`": \.minP,
            "`repetition_penalty`": \.repetitionPenalty, "`frequency_penalty`": \.frequencyPenalty,
            "`presence_penalty`": \.presencePenalty,
        ]
        for (name, field) in fields {
            let row = try #require(rows.first { $0[0] == name }, "\(name)")
            let bounds = row[2].components(separatedBy: " to ").compactMap(Double.init)
            try #require(bounds.count == 2, "\(name)")
            #expect(SamplingSettings()[keyPath: field] == Double(row[1]), "\(name)")
            func validate(_ value: Double) throws {
                var settings = SamplingSettings()
                settings[keyPath: field] = value
                try settings.validate(size: 1)
            }
            try validate(bounds[0])
            try validate(bounds[1])
            #expect(throws: GenerationError.self, "\(name)") { try validate(bounds[0].nextDown) }
            #expect(throws: GenerationError.self, "\(name)") { try validate(bounds[1].nextUp) }
        }
        #expect(rows.first { $0[0] == "`top_k`" }?[1] == "\(SamplingSettings().topK)")
    }

    // MARK: Reading at a limit

    private static func openHeader(nesting: Int) throws {
        // The header and the tensor are objects already.
        let depth = nesting - 2
        let more = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let header = Array(#"{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4],"more":\#(more)}}"#.utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        _ = try SafetensorsFile(bytes: Bytes(length + header + [0, 0, 0, 0]), path: "x.safetensors")
    }

    private static func openIndex(shardNameBytes: Int) throws {
        let name = String(repeating: "s", count: shardNameBytes)
        try ShardedCheckpoint.check(
            index: Array(#"{"weight_map":{"x":"\#(name)"}}"#.utf8), file: "index.json")
    }

    private static func configuration(_ family: Family, key: String, size: Int) throws {
        var config: JSONObject = ["architectures": .array(family.architectures.map { .string($0.name) })]
        for setting in [Setting.width, .layers, .encoderLayers, .heads, .vocabulary, .context] {
            if let name = family.settings[setting]?.first { config[name] = setting == .width ? 16 : 2 }
        }
        config[key] = .integer(Int64(size))
        _ = try ModelConfiguration(huggingFace: .object(config), file: "config.json")
    }
}

/// The rows of all tables of one article.
private struct DocumentedTable {
    let rows: [[String]]

    init(_ article: String) throws {
        let path = "Sources/CorvidModels/Documentation.docc/\(article).md"
        let text = try String(contentsOf: Fixtures.package.appendingPathComponent(path), encoding: .utf8)
        rows = text.split(separator: "\n").filter { $0.hasPrefix("|") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    /// Rows of a name in code voice after a number, by the name.
    var limits: [String: Int] {
        get throws {
            var limits: [String: Int] = [:]
            for row in rows where row.count == 3 && row[2].hasPrefix("`") {
                let number = try #require(Int(row[1].replacingOccurrences(of: ",", with: "")), "\(row)")
                let name = row[2].trimmingCharacters(in: CharacterSet(charactersIn: "`"))
                #expect(limits.updateValue(number, forKey: name) == nil, "\(name) stands on the page twice")
            }
            return limits
        }
    }
}
