import Foundation
import TestSupport

// Reads damaged inputs of one format and says which it is at. The tests start this program, so that a trap ends
// it and not them. By hand, to see one mutant again: mutants --format gguf --seed 4711 --count 1

var options: [String: String] = [:]
var words = CommandLine.arguments.dropFirst().makeIterator()
while let word = words.next() { options[word] = words.next() }

guard let name = options["--format"], let format = MutantFormats.all.first(where: { $0.name == name }) else {
    let known = MutantFormats.all.map(\.name).joined(separator: ", ")
    FileHandle.standardError.write(Data("usage: mutants --format F --seed S --count N; formats: \(known)\n".utf8))
    exit(64)
}
let seed = options["--seed"].flatMap { UInt64($0) } ?? 1
if let file = options["--write"] {
    try Data(format.mutant(seed: seed)).write(to: URL(fileURLWithPath: file))
} else {
    try MutantWorker.run(format, seed: seed, count: options["--count"].flatMap { Int($0) } ?? 1)
}
