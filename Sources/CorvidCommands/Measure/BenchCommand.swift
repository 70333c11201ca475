import ArgumentParser
import CorvidModels
import CorvidStore
import CorvidTensors

/// Measures speed and memory, and how much of what the machine can do was reached.
struct BenchCommand: RecordedCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure speed and memory.",
        discussion: """
            Runs a prompt of random tokens (only the last position's logits are computed) and then generates, \
            --repeat times. Generation is one pass per token, with its logits; no token is drawn from them: \
            the next one is random, too, and sampling is not measured. The machine's read bandwidth is \
            measured before and after with the same threads.

            With --shape there is no file: random weights of a published model's sizes show what this machine \
            would do with it, before anything is downloaded. --layers takes fewer blocks, where the whole \
            does not fit or takes too long.

            Example: corvid bench --prompt-tokens 512 --generate-tokens 128 --repeat 5
                     corvid bench --shape gpt-j-6b --layers 4 --dtype q4_0 --prompt-tokens 256
                     corvid bench --threads 1,2,4 --batch 1,4,8
            """)

    @Argument(help: "Folder, .gguf file, name in the store, or ORG/NAME. (default: \(Defaults.model))")
    var model: String?

    @Option(help: ArgumentHelp("Random weights of a published model's sizes, no file.", valueName: "name"))
    var shape: ModelShape?

    @Option(help: ArgumentHelp("Blocks of the shape. (default: the published model's)", valueName: "N"))
    var layers: Int?

    @Option(
        help: ArgumentHelp(
            "Type of the weights of --shape; of a file: compute as if its weights had this type. (default: \(BenchCommand.defaultType.rawValue); the file's own)",
            valueName: "type"))
    var dtype: WeightType?

    @Option(help: ArgumentHelp("Tokens in the prompt; 0 measures no prompt.", valueName: "N"))
    var promptTokens: Int = 512

    @Option(
        help: ArgumentHelp("Tokens to generate after the prompt; 0 measures no generation.", valueName: "N"))
    var generateTokens: Int = 128

    @Option(name: .customLong("repeat"), help: ArgumentHelp("How often.", valueName: "N"))
    var repetitions: Int = 5

    @Option(
        help: ArgumentHelp(
            "Worker threads; several numbers, such as 1,2,4, show how speed grows. (default: one for each core)",
            valueName: "N,..."), transform: CountList.parse)
    var threads: [Int]?

    @Option(
        help: ArgumentHelp("Generate for so many texts at once, too, such as 1,4,8.", valueName: "N,..."),
        transform: CountList.parse)
    var batch: [Int]?

    @Flag(help: "Show where the time goes, in one more run.")
    var profile = false

    @Option(help: ArgumentHelp("Start of the random numbers.", valueName: "N"))
    var seed: UInt64 = 0

    @OptionGroup var pass: PassOptions
    @OptionGroup var patches: PatchOptions
    @OptionGroup var output: OutputOptions

    static let defaultType = WeightType.q4_0

    func validate() throws {
        if promptTokens < 0 {
            throw ValidationError("--prompt-tokens is \(promptTokens); expected 0 or more.")
        }
        if generateTokens < 0 {
            throw ValidationError("--generate-tokens is \(generateTokens); expected 0 or more.")
        }
        if promptTokens == 0 && generateTokens == 0 {
            throw ValidationError(
                "--prompt-tokens and --generate-tokens are both 0: there is nothing to measure.")
        }
        if !(1...1000).contains(repetitions) {
            throw ValidationError("--repeat is \(repetitions); expected 1 to 1000.")
        }
    }

    func checkOptions() throws {
        if let shape {
            if let model {
                throw ValidationError("'\(model)' and --shape are two models; give one of them.")
            }
            if !patches.with.isEmpty {
                throw ValidationError("--with needs a model; a --shape has random weights.")
            }
            if let layers, !(1...4096).contains(layers) {
                throw ValidationError(
                    "--layers is \(layers); expected 1 or more, \(shape.name) has \(shape.layers).")
            }
        } else {
            if layers != nil {
                throw ValidationError("--layers needs --shape: a file has the layers it has.")
            }
        }
        if batch != nil, generateTokens == 0 {
            throw ValidationError("--batch needs --generate-tokens above 0.")
        }
    }

    var recorded: RunDeclaration {
        RunDeclaration(
            location: shape == nil ? try? Store().resolve(model) : nil, threads: threads?.last,
            patches: patches, seed: seed)
    }

    func report(to console: Console) async throws -> BenchReport {
        let subject: BenchSubject
        let options = LoadOptions(
            computeType: shape == nil ? dtype?.type : dtype?.computeType, contextLength: pass.context,
            cacheType: pass.cacheType?.type)
        if let shape {
            subject = try BenchSubject(
                shape, layers: layers, type: dtype ?? Self.defaultType, seed: seed, options: options)
        } else {
            subject = try BenchSubject(
                try Store().resolve(model), options: options, patches: patches)
        }
        let plan = BenchPlan(
            promptTokens: promptTokens, generateTokens: generateTokens, repetitions: repetitions,
            batches: batch ?? [], prefillChunk: pass.prefillChunk, usesCache: !pass.noCache, seed: seed
        )
        try subject.refuse(plan)
        var runs: [BenchRun] = []
        for count in threads ?? [WorkerPool.availableProcessors] {
            runs.append(try await BenchRun(subject, plan, threads: count))
        }
        MachineMemory.resetPeak()
        for repetition in 0..<repetitions {
            for index in runs.indices {
                try Task.checkCancellation()
                console.show(
                    "bench", done: repetition * runs.count + index, total: repetitions * runs.count,
                    unit: "runs")
                try await runs[index].measure()
            }
        }
        // Measuring bandwidth takes memory of its own: look before.
        let peakMemory = MachineMemory.peakResident
        for index in runs.indices { try runs[index].finish() }
        var report = BenchReport(subject: subject, plan: plan, runs: runs, peakMemoryBytes: peakMemory)
        if profile, let run = runs.last { report.profile = try await BenchProfile(run.trial) }
        return report
    }
}
