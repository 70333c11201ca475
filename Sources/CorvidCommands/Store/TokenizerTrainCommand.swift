import ArgumentParser
import CorvidModels
import CorvidText
import Foundation

/// Learns a tokenizer from a file of text.
struct TokenizerTrainCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Learn a tokenizer from text.",
        discussion: """
            Writes tokenizer.json and tokenizer_config.json, which Hugging Face tokenizers reads too. The same \
            text gives the same tokenizer.

            Example: corvid tokenizer train --model bpe --vocabulary 32000 --file corpus.txt --output words
            """)

    @Option(help: "What is learned: bpe (over bytes, as GPT-2 has it) or unigram.")
    var model = TokenizerTrainer.Model.bytePairs

    @Option(help: ArgumentHelp("Number of tokens.", valueName: "N"))
    var vocabulary = 32_000

    @Option(help: ArgumentHelp("The text, UTF-8; - reads standard input.", valueName: "path"))
    var file: String

    @Option(
        name: .customLong("output"),
        help: ArgumentHelp("Folder for the files; it is made where there is none.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("The token that ends a text.", valueName: "token"))
    var endToken = "<|endoftext|>"

    @OptionGroup var output: OutputOptions

    private static let chunk = 1 << 20  // bytes

    func checkOptions() throws {
        guard !endToken.isEmpty else { throw ValidationError("--end-token is empty; expected a token.") }
        let least = TokenizerTrainer.leastVocabularySize(model)
        guard vocabulary >= least, vocabulary <= TokenizerLimits.pieces else {
            throw ValidationError(
                "--vocabulary is \(vocabulary); expected \(least) (all bytes and the end token) to "
                    + "\(TokenizerLimits.pieces) tokens.")
        }
    }

    func report(to console: Console) async throws -> TokenizerTrainReport {
        let start = ContinuousClock.now
        var trainer = TokenizerTrainer(model, vocabularySize: vocabulary, specialTokens: [endToken])
        let byteCount = try read(into: &trainer, console)
        let trained = try trainer.train { done, total in
            try Task.checkCancellation()
            console.show("train", done: done, total: total, unit: "pieces")
        }
        try write(trained)
        return TokenizerTrainReport(
            path: folder, model: model, vocabularySize: trained.vocabularySize, byteCount: byteCount,
            seconds: (ContinuousClock.now - start).inSeconds)
    }

    /// Reads the text piece by piece; answers how many bytes it has.
    private func read(into trainer: inout TokenizerTrainer, _ console: Console) throws -> Int {
        let name = file == "-" ? "standard input" : file
        var byteCount = 0
        do {
            let handle =
                file == "-"
                ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            let size =
                file == "-" ? nil : try? URL(fileURLWithPath: file).resourceValues(forKeys: [.fileSizeKey])
            let total = size?.fileSize ?? 0
            while let piece = try handle.read(upToCount: Self.chunk), !piece.isEmpty {
                trainer.read([UInt8](piece))
                byteCount += piece.count
                try Task.checkCancellation()
                console.show("read", done: byteCount, total: max(total, byteCount), unit: "bytes")
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw CommandError.file(path: name, reason: FileReason.text(of: error))
        }
        return byteCount
    }

    private func write(_ trained: TrainedTokenizer) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw CommandError.file(path: folder, reason: FileReason.text(of: error))
        }
        let settings: JSON = [
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": .string(endToken),
            "eos_token": .string(endToken), "unk_token": .string(model == .unigram ? "<unk>" : endToken),
            "clean_up_tokenization_spaces": false,
        ]
        for (name, json) in [("tokenizer.json", trained.json), ("tokenizer_config.json", settings)] {
            let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
            try AtomicFile.write(to: path) { try $0.write(json.encodedBytes() + [UInt8(ascii: "\n")]) }
        }
    }
}

extension TokenizerTrainer.Model: ExpressibleByArgument {}

struct TokenizerTrainReport: Report {
    let path: String
    let model: TokenizerTrainer.Model
    let vocabularySize: Int
    let byteCount: Int
    let seconds: Double

    var json: JSON {
        [
            "path": .string(path), "model": .string(model.rawValue), "vocabulary": .count(vocabularySize),
            "bytes": .count(byteCount), "seconds": .number(seconds),
        ]
    }

    var lines: String {
        "\(path): \(Figures.grouped(vocabularySize)) tokens from \(Figures.bytes(byteCount)) of text, "
            + "\(Figures.duration(seconds))"
    }
}
