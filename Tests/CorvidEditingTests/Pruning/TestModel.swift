import CorvidModels
import CorvidTensors
import Foundation
import TestSupport

/// Tiny golden models as tests of methods load them.
enum TestModel {
    static func load(_ name: String, type: DType? = .f32) throws -> Model {
        try Model.load(
            path: Fixtures.path("Models/\(name)"), options: LoadOptions(threads: 2, computeType: type))
    }

    /// Ids that vary, within the vocabulary.
    static func ids(_ count: Int, below size: Int, seed: UInt64 = 3) -> [Int32] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Int32(generator.index(below: size)) }
    }
}
