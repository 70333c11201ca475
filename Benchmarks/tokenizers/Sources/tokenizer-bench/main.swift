import CorvidModels
import CorvidText
import Foundation

// tokenizer-bench MODEL TEXT [ROUNDS]
//
// Loads the tokenizer of a folder or GGUF file and encodes a file, each so many times; prints the best times
// in milliseconds, the number of ids and a sum over them as JSON.

/// The least time of some runs, in milliseconds, and the last result.
func best<Result>(_ rounds: Int, _ body: () throws -> Result) rethrows -> (Double, Result) {
    let clock = ContinuousClock()
    var result = try body()
    var least = Duration.seconds(1_000)
    for _ in 0..<rounds {
        let time = try clock.measure { result = try body() }
        least = min(least, time)
    }
    return (least / .milliseconds(1), result)
}

/// Ends the program with a line that says why.
func stop(_ message: String, code: Int32) -> Never {
    FileHandle.standardError.write(Data("tokenizer-bench: \(message)\n".utf8))
    exit(code)
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else { stop("usage: tokenizer-bench MODEL TEXT [ROUNDS]", code: 64) }
let rounds = arguments.count > 3 ? Int(arguments[3]) ?? 5 : 5
guard let data = FileManager.default.contents(atPath: arguments[2]) else {
    stop("\(arguments[2]) cannot be read", code: 1)
}
let text = [UInt8](data)
let loadTime: Double
let tokenizer: any Tokenizer
do {
    (loadTime, tokenizer) = try best(rounds) { try TokenizerFiles.load(path: arguments[1]) }
} catch {
    stop("\(error)", code: 1)
}
let (encodeTime, ids) = best(rounds) {
    tokenizer.encode(bytes: text, addSpecialTokens: false, parseSpecial: true)
}
// The order of the ids counts.
let sum = ids.reduce(UInt32(0)) { $0 &* 31 &+ UInt32(bitPattern: $1) }
print("{\"load\": \(loadTime), \"encode\": \(encodeTime), \"ids\": \(ids.count), \"sum\": \(sum)}")
