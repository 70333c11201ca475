import Foundation
import TestSupport
import Testing

/// The built `corvid`, run as a child the way a user runs it.
struct Program: Sendable {
    struct Outcome: Sendable {
        let status: Int32
        let output: String
        let errors: String

        /// Standard output as one JSON object.
        func object() throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
            return try #require(value as? [String: Any], "standard output is not an object: \(output)")
        }
    }

    /// Beside the test bundle, where the package manager puts all products.
    static let path: String = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("corvid").path

    /// A child that runs longer hangs, and is killed so that the test fails.
    private static let mostSeconds = 300

    /// A store without models, so that nothing outside the test is seen.
    private let home: TemporaryFolder

    init() throws { home = try TemporaryFolder() }

    /// Starts the program and waits for its end.
    /// - Parameters:
    ///   - input: bytes of standard input, which then ends.
    ///   - environment: beside PATH, HOME and CORVID_HOME.
    ///   - signal: sent as soon as the program has written `trigger` to one of its outputs, or after `delay`.
    ///   - keepsInputOpen: whether standard input stays open until the program has ended.
    func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:],
        signal: Int32? = nil, after trigger: String = "", delay: Duration? = nil, keepsInputOpen: Bool = false
    ) async throws -> Outcome {
        try await run(
            Self.path, arguments, input: input, environment: environment, signal: signal, after: trigger,
            delay: delay, keepsInputOpen: keepsInputOpen)
    }

    /// Runs a line of shell.
    func run(script: String, input: String, environment: [String: String]) async throws -> Outcome {
        try await run("/bin/sh", ["-c", script], input: input, environment: environment)
    }

    private func run(
        _ executable: String, _ arguments: [String], input: String, environment: [String: String],
        signal: Int32? = nil, after trigger: String = "", delay: Duration? = nil, keepsInputOpen: Bool = false
    ) async throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        let inherited = ProcessInfo.processInfo.environment["PATH"] ?? ""
        // Models may be those of the user, whose run store is none of the tests' business.
        process.environment = [
            "PATH": inherited, "HOME": home.path, "CORVID_HOME": home.path, "CORVID_RECORD": "0",
        ]
        .merging(environment) { _, given in given }
        let pipes = (input: Pipe(), output: Pipe(), errors: Pipe())
        process.standardInput = pipes.input
        process.standardOutput = pipes.output
        process.standardError = pipes.errors
        let identifier = Watched()
        try process.run()
        identifier.started(process.processIdentifier)
        let child = process.processIdentifier
        let watchdog = DispatchWorkItem { kill(child, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Self.mostSeconds), execute: watchdog)
        defer { watchdog.cancel() }
        try pipes.input.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        if !keepsInputOpen { try pipes.input.fileHandleForWriting.close() }
        if let delay, let signal {
            try await Task.sleep(for: delay)
            identifier.send(signal)
        }
        async let output = Self.read(pipes.output, identifier, signal, trigger)
        async let errors = Self.read(pipes.errors, identifier, signal, trigger)
        let outcome = await (output, errors)
        process.waitUntilExit()
        if keepsInputOpen { try? pipes.input.fileHandleForWriting.close() }
        return Outcome(status: process.terminationStatus, output: outcome.0, errors: outcome.1)
    }

    private static func read(
        _ pipe: Pipe, _ watched: Watched, _ signal: Int32?, _ trigger: String
    ) async -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var data = Data()
                while true {
                    let piece = pipe.fileHandleForReading.availableData
                    if piece.isEmpty { break }
                    data.append(piece)
                    if let signal, !trigger.isEmpty, String(decoding: data, as: UTF8.self).contains(trigger) {
                        watched.send(signal)
                    }
                }
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
    }

    /// The child, to which a signal goes once.
    private final class Watched: @unchecked Sendable {
        // Sound: all access is behind the lock.
        private let lock = NSLock()
        private var identifier: Int32?

        func started(_ identifier: Int32) { lock.withLock { self.identifier = identifier } }

        func send(_ signal: Int32) {
            let target = lock.withLock {
                defer { identifier = nil }
                return identifier
            }
            if let target { kill(target, signal) }
        }
    }
}

/// Models that the tests run.
enum Models {
    /// A tiny random LLaMA with a tokenizer, 64 tokens of context.
    static let tiny = Fixtures.path("Models/gguf-q8_0/model.gguf")
    /// A tiny random GPT-J with tokenizer.json.
    static let gptj = Fixtures.path("Models/gptj")
    /// A tiny model without a tokenizer.
    static let withoutTokenizer = Fixtures.path("Models/llama")

    /// The folder that holds the default model, or nil where it was not fetched.
    static let storeWithDefault: String? = {
        guard let store else { return nil }
        let model = store + "/models/SmolLM2-135M-Instruct/SmolLM2-135M-Instruct.Q4_1.gguf"
        return FileManager.default.fileExists(atPath: model) ? store : nil
    }()

    /// The folder of a sentence encoder with real weights, or nil where it was not fetched.
    static let encoder: String? = {
        guard let folder = store.map({ $0 + "/models/all-MiniLM-L6-v2" }) else { return nil }
        return FileManager.default.fileExists(atPath: folder + "/model.safetensors") ? folder : nil
    }()

    private static let store: String? = {
        let environment = ProcessInfo.processInfo.environment
        let candidates = [
            environment["CORVID_HOME"], environment["XDG_DATA_HOME"].map { $0 + "/corvid" },
            environment["HOME"].map { $0 + "/.local/share/corvid" },
        ]
        return candidates.compactMap { $0 }.first { !$0.isEmpty }
    }()
}

/// Checks what holds for every failure: the exit code, nothing on standard output, one or two lines of reason.
func expectFailure(
    _ outcome: Program.Outcome, status: Int32 = 1, naming words: String...,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: sourceLocation)
    #expect(outcome.output == "", sourceLocation: sourceLocation)
    let lines = outcome.errors.split(separator: "\n")
    #expect((1...2).contains(lines.count), "\(outcome.errors)", sourceLocation: sourceLocation)
    #expect(outcome.errors.hasPrefix("corvid: "), "\(outcome.errors)", sourceLocation: sourceLocation)
    for word in words {
        #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: sourceLocation)
    }
}

/// All suites that run the program: one after the other, since each child takes all cores.
@Suite(.serialized) enum EndToEnd {}
