import Foundation
import TestSupport

// Reads damaged inputs of one format and says which it is at. The tests start this program, so that a trap
// ends
// it and not them. By hand, to read one mutant again: mutants --format gguf --seed 4711 --count 1
// With --rewrite PATH it writes a file again and again until it is killed, for the tests of the writer.
// With --record PATH it records runs there until it is killed, or as many as --count says.
// With --write FOLDER the mutants are written there, each under its seed, and what the reader says is
// printed.

var options: [String: String] = [:]
var words = CommandLine.arguments.dropFirst().makeIterator()
while let word = words.next() { options[word] = words.next() }

if let path = options["--rewrite"] { try rewrite(path) }
if let path = options["--record"] { try record(path, count: options["--count"].flatMap { Int($0) }) }
guard let name = options["--format"], let format = MutantFormats.all.first(where: { $0.name == name }) else {
    let known = MutantFormats.all.map(\.name).joined(separator: ", ")
    FileHandle.standardError.write(
        Data("usage: mutants --format F --seed S --count N [--write FOLDER]; formats: \(known)\n".utf8))
    exit(64)
}
let seed = options["--seed"].flatMap { UInt64($0) } ?? 1
let count = options["--count"].flatMap { Int($0) } ?? 1
if let folder = options["--write"] {
    try MutantWorker.write(format, seed: seed, count: count, to: folder)
} else {
    try MutantWorker.run(format, seed: seed, count: count)
}
