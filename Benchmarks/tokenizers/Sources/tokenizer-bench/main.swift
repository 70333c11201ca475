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

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    FileHandle.standardError.write(Data("usage: tokenizer-bench MODEL TEXT [ROUNDS]\n".utf8))
    exit(64)
}
let rounds = arguments.count > 3 ? Int(arguments[3]) ?? 5 : 5
let text = [UInt8](try Data(contentsOf: URL(fileURLWithPath: arguments[2])))

let path = arguments[1]
let isFolder = !path.hasSuffix(".gguf")
let (loadTime, tokenizer) = try best(rounds) { () throws -> any Tokenizer in
    if isFolder {
        let folder = try ModelFolder(path: path)
        return try PipelineTokenizer.load(in: path) { try folder.bytes(of: $0) }
    }
    return try ModelFiles(path: path).tokenizer()
}
let (encodeTime, ids) = best(rounds) {
    tokenizer.encode(bytes: text, addSpecialTokens: false, parseSpecial: true)
}
// The order of the ids counts.
let sum = ids.reduce(UInt32(0)) { $0 &* 31 &+ UInt32(bitPattern: $1) }
print("{\"load\": \(loadTime), \"encode\": \(encodeTime), \"ids\": \(ids.count), \"sum\": \(sum)}")
