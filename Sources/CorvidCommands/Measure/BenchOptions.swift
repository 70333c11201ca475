import ArgumentParser
import CorvidModels
import CorvidTensors

/// The types that weights can be made in.
typealias WeightType = ComputeType

extension ComputeType {
    /// What random weights, which are made in this type, are asked to compute as; nil for their own.
    var computeType: DType? { type.isCompact ? nil : type }
}

extension ModelShape: ExpressibleByArgument {
    public init?(argument: String) {
        guard let shape = ModelShape.named(argument) else { return nil }
        self = shape
    }

    public static var allValueStrings: [String] { all.map(\.name) }
    public var defaultValueDescription: String { name }
}

/// Numbers from 1 to 1024, as `1,2,4`.
enum CountList {
    /// - Throws: `ValidationError`.
    static func parse(_ argument: String) throws -> [Int] {
        var counts: [Int] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let count = Int(part.filter { $0 != " " }), (1...1024).contains(count) else {
                throw ValidationError("expected numbers from 1 to 1024 with commas between, such as 1,2,4.")
            }
            if !counts.contains(count) { counts.append(count) }
        }
        return counts
    }
}
