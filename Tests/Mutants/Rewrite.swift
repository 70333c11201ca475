import CorvidModels
import CorvidTensors
import Foundation

/// Writes a safetensors file of 300,000 equal numbers, then one of 64, and so on until the process is killed,
/// or
/// for a minute if nobody does.
func rewrite(_ path: String) throws -> Never {
    alarm(60)
    var round: Float = 0
    while true {
        round += 1
        let count = Int(round) % 2 == 0 ? 64 : 300_000
        let tensor = try Tensor([Float](repeating: round, count: count), shape: [count])
        try SafetensorsWriter.write([("values", tensor)], metadata: ["count": "\(count)"], to: path)
    }
}
