import CorvidModels
import CorvidStore
import CorvidTensors
import CorvidText

/// What is in a model's files.
struct InspectReport: Report {
    let location: ModelLocation
    let format: String
    let entries: [TensorEntry]
    let listsTensors: Bool
    /// Why Corvid cannot run it; nil if it can, as far as its files' heads say.
    var problem: String?

    private let summary: TensorSummary
    private var configuration: ModelConfiguration?
    private var memory: Memory?
    private var tokenizer: TokenizerFacts?
    private var hasChatTemplate: Bool?
    private var conversion: (type: DType, types: [TypeList.Count])?

    /// Bytes that running takes, by what they are for.
    private struct Memory: Sendable {
        let context: Int
        let cache: Int
        let activations: Int
    }

    private struct TokenizerFacts: Sendable {
        let size: Int
        let beginning: String?
        let end: String?
        let addsBeginning: Bool
    }

    init(
        location: ModelLocation, format: String, entries: [TensorEntry], listsTensors: Bool,
        problem: String? = nil
    ) {
        self.location = location
        self.format = format
        self.entries = entries
        self.listsTensors = listsTensors
        self.problem = problem
        summary = TensorSummary(entries)
        if let entry = entries.first(where: { $0.type == nil }), self.problem == nil {
            self.problem = "tensor \(entry.name) has type \(entry.typeName), which Corvid cannot compute with"
        }
    }

    /// Adds the sizes of the model and what a context of that many tokens takes.
    mutating func describe(_ configuration: ModelConfiguration, context: Int?) {
        self.configuration = configuration
        let context = min(context ?? configuration.context, configuration.context)
        let perPosition = 2 * configuration.layers * configuration.keyValueHeads * configuration.headWidth * 2
        let (cache, overflow) = perPosition.multipliedReportingOverflow(by: context)
        memory = Memory(
            context: context, cache: overflow ? Int.max : cache,
            activations: MemoryNeed.activations(configuration, rows: min(context, Defaults.prefillChunk)))
    }

    /// Adds the types that the tensors would have with weights of `type`.
    mutating func describe(conversion types: [TypeList.Count], to type: DType) {
        conversion = (type, types)
    }

    /// Adds what the tokenizer and the chat template are, or that there is none that can be read.
    mutating func describe(_ files: ModelFiles) {
        do {
            let tokenizer = try files.tokenizer()
            self.tokenizer = TokenizerFacts(
                size: tokenizer.vocabularySize,
                beginning: tokenizer.beginningOfSequence.map { tokenizer.piece(of: $0) },
                end: tokenizer.endOfSequence.map { tokenizer.piece(of: $0) },
                addsBeginning: tokenizer.addsBeginningOfSequence)
            hasChatTemplate = try files.chatTemplate(tokenizer) != nil
        } catch {
            if problem == nil { problem = Launch.failure(error) }
        }
    }
}

extension InspectReport {
    var json: JSON {
        var object: JSONObject = [
            "name": .string(location.name), "path": .string(location.path), "format": .string(format),
            "can_run": .bool(problem == nil), "problem": problem.map { .string($0) } ?? .null,
        ]
        if let configuration { Self.add(configuration, to: &object) }
        object["parameters"] = .count(summary.parameters)
        object["tensor_count"] = .count(summary.tensors)
        object["tensor_bytes"] = .count(summary.bytes)
        object["types"] = .array(
            summary.types.map { type in
                [
                    "type": .string(type.name), "tensors": .count(type.tensors),
                    "parameters": .count(type.parameters), "bytes": .count(type.bytes),
                ]
            })
        if let tokenizer {
            object["tokenizer"] = [
                "size": .count(tokenizer.size), "bos": tokenizer.beginning.map { .string($0) } ?? .null,
                "eos": tokenizer.end.map { .string($0) } ?? .null, "adds_bos": .bool(tokenizer.addsBeginning),
            ]
        }
        object["chat_template"] = hasChatTemplate.map { .bool($0) } ?? .null
        if let memory {
            object["memory"] = [
                "context": .count(memory.context), "weight_bytes": .count(summary.bytes),
                "cache_bytes": .count(memory.cache), "activation_bytes": .count(memory.activations),
            ]
        }
        if let conversion {
            object["converted"] = [
                "dtype": .string(conversion.type.weightName), "types": TypeList.json(conversion.types),
            ]
        }
        if listsTensors {
            object["tensors"] = .array(
                entries.map { entry in
                    [
                        "name": .string(entry.name), "type": .string(entry.typeName),
                        "shape": .array(entry.shape.map { .count($0) }), "bytes": .count(entry.byteCount),
                    ]
                })
        }
        return .object(object)
    }

    private static func add(_ configuration: ModelConfiguration, to object: inout JSONObject) {
        object["family"] = .string(configuration.family.name)
        object["width"] = .count(configuration.width)
        object["layers"] = .count(configuration.layers)
        object["heads"] = .count(configuration.heads)
        object["key_value_heads"] = .count(configuration.keyValueHeads)
        object["head_width"] = .count(configuration.headWidth)
        object["hidden"] = .count(configuration.hidden)
        object["vocabulary"] = .count(configuration.vocabulary)
        object["context"] = .count(configuration.context)
    }
}

extension InspectReport {
    var lines: String {
        var table = TextTable(.left, .left)
        table.add("name", location.name)
        table.add("path", location.path)
        let isPickle = format == WeightFormat.pytorch.rawValue && problem == nil
        table.add("format", isPickle ? "\(format); corvid convert makes safetensors or GGUF of it" : format)
        if let configuration {
            table.add("family", configuration.family.name)
            table.add("layers", "\(configuration.layers)")
            table.add("width", "\(configuration.width), \(configuration.hidden) inside the MLP")
            let shared =
                configuration.keyValueHeads == configuration.heads
                ? "" : ", \(configuration.keyValueHeads) of keys and values"
            table.add("heads", "\(configuration.heads) of \(configuration.headWidth)\(shared)")
            table.add("vocabulary", Figures.grouped(configuration.vocabulary))
            table.add("context", "\(Figures.grouped(configuration.context)) tokens")
        }
        table.add(
            "parameters",
            "\(Figures.short(summary.parameters)) in \(Figures.count(summary.tensors, "tensor"))")
        for (index, type) in summary.types.enumerated() {
            table.add(
                index == 0 ? "types" : "",
                "\(type.name): \(Figures.count(type.tensors, "tensor")), \(Figures.bytes(type.bytes))")
        }
        if let tokenizer {
            let ends = [
                tokenizer.beginning.map { "begins with \($0)" }, tokenizer.end.map { "ends with \($0)" },
            ]
            .compactMap { $0 }
            table.add(
                "tokenizer", (["\(Figures.grouped(tokenizer.size)) tokens"] + ends).joined(separator: ", "))
        }
        if let hasChatTemplate { table.add("chat template", hasChatTemplate ? "yes" : "no") }
        if let memory {
            table.add("memory", "\(Figures.bytes(summary.bytes)) weights (mapped from the file)")
            table.add(
                "",
                "\(Figures.bytes(memory.cache)) keys and values at \(Figures.grouped(memory.context)) tokens")
            table.add("", "\(Figures.bytes(memory.activations)) activations")
        }
        if let conversion {
            for (index, line) in TypeList.lines(conversion.types).enumerated() {
                table.add(index == 0 ? "as \(conversion.type.weightName)" : "", line)
            }
        }
        if let problem { table.add("cannot run", problem) }
        guard listsTensors else { return table.lines }
        var list = TextTable(.left, .left, .left, .right)
        for entry in entries {
            list.add(entry.name, entry.typeName, "\(entry.shape)", Figures.bytes(entry.byteCount))
        }
        return table.lines + "\n\n" + list.lines
    }
}
