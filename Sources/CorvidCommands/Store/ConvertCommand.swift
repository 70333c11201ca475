import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidTensors
import CorvidText

/// Writes a model in another type or format.
struct ConvertCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Convert a model between types and formats.",
        discussion: """
            DESTINATION is a .gguf file, for any type but int8, or else a folder in Hugging Face layout, for \
            f32, f16, bf16 and int8. Tensors are converted one after another, a piece at a time, and the \
            destination appears when all is written. Matrices and the token embedding get the type; norms and \
            biases do not, and a table of positions stays as it is with int8 and the types of blocks. Where \
            blocks do not divide a row, q4_k becomes q5_0, q5_k q5_1 and q6_k q8_0, or else f16.

            Example: corvid convert models/gpt-j-6b gpt-j-6b.gguf --dtype q8_0
            """)

    @Argument(help: "Folder, .gguf file, name in the store, or ORG/NAME.")
    var source: String?

    @Argument(help: "A .gguf file, or a folder.")
    var destination: String?

    @Option(help: ArgumentHelp("Type of the weights.", valueName: "type"))
    var dtype: ComputeType?

    @Flag(help: "Replace a model that stands at the destination.")
    var force = false

    @Option(help: ArgumentHelp("Worker threads. (default: one for each core)", valueName: "N"))
    var threads: Int?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads); expected 1 to 1024.")
        }
    }

    func checkOptions() throws {
        if source == nil { throw ValidationError("SOURCE is missing; name the model to convert.") }
        if destination?.isEmpty ?? true {
            throw ValidationError("DESTINATION is missing; name a .gguf file or a folder.")
        }
        if dtype == nil {
            let types = ComputeType.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--dtype is missing; give one of \(types).")
        }
    }

    func report(to console: Console) async throws -> ConvertReport {
        guard let source, let destination, let type = dtype?.type else { throw CleanExit.helpRequest(self) }
        let clock = ContinuousClock()
        let start = clock.now
        let files = try ModelFiles(path: try Store().resolve(source).path)
        let conversion = try ModelConversion(files, to: type, at: destination, replacing: force)
        let total = conversion.sourceBytes
        let result = try conversion.write(pool: WorkerPool(threads: threads)) { done in
            console.show("convert", done: done / 1_000_000, total: total / 1_000_000, unit: "MB")
        }
        return ConvertReport(
            result: result, type: type, seconds: (clock.now - start).inSeconds,
            peakMemoryBytes: MachineMemory.peakResident)
    }
}

/// What was written.
struct ConvertReport: Report {
    let result: ModelConversion.Result
    let type: DType
    let seconds: Double
    let peakMemoryBytes: Int?

    private var tensors: Int { result.types.reduce(0) { $0 + $1.tensors } }

    var json: JSON {
        [
            "path": .string(result.path), "format": .string(result.format), "dtype": .string(type.weightName),
            "bytes": .count(result.bytes), "tensors": .count(tensors), "types": TypeList.json(result.types),
            "seconds": .number(seconds), "peak_memory_bytes": peakMemoryBytes.map { .count($0) } ?? .null,
        ]
    }

    var lines: String {
        var table = TextTable(.left, .left)
        table.add("path", result.path)
        table.add("format", result.format)
        for (index, line) in TypeList.lines(result.types).enumerated() {
            table.add(index == 0 ? "types" : "", line)
        }
        table.add("size", Figures.bytes(result.bytes))
        table.add("time", Figures.duration(seconds))
        if let peakMemoryBytes { table.add("peak memory", Figures.bytes(peakMemoryBytes)) }
        return table.lines
    }
}

/// The types of a model's tensors as reports list them.
enum TypeList {
    typealias Count = (type: DType, tensors: Int, bytes: Int)

    static func json(_ types: [Count]) -> JSON {
        .array(
            types.map { type in
                [
                    "type": .string(type.type.weightName), "tensors": .count(type.tensors),
                    "bytes": .count(type.bytes),
                ]
            })
    }

    static func lines(_ types: [Count]) -> [String] {
        types.map { type in
            "\(type.type.weightName): \(Figures.count(type.tensors, "tensor")), \(Figures.bytes(type.bytes))"
        }
    }
}
