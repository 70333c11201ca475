import CorvidModels
import CorvidTensors

/// How many tensors of which types a file has.
struct TensorSummary: Sendable {
    struct TypeCount: Sendable, Equatable {
        /// As the file format calls it.
        let name: String
        /// Nil for types that Corvid cannot compute with.
        let type: DType?
        var tensors: Int
        var parameters: Int
        var bytes: Int
    }

    /// Most bytes first.
    let types: [TypeCount]

    init(_ entries: [TensorEntry]) {
        var counts: [String: TypeCount] = [:]
        for entry in entries {
            var count =
                counts[entry.typeName]
                ?? TypeCount(name: entry.typeName, type: entry.type, tensors: 0, parameters: 0, bytes: 0)
            count.tensors += 1
            count.parameters = Self.sum(count.parameters, entry.count)
            count.bytes = Self.sum(count.bytes, entry.byteCount)
            counts[entry.typeName] = count
        }
        types = counts.values.sorted { ($0.bytes, $1.name) > ($1.bytes, $0.name) }
    }

    var tensors: Int { types.reduce(0) { $0 + $1.tensors } }
    var parameters: Int { types.reduce(0) { Self.sum($0, $1.parameters) } }
    var bytes: Int { types.reduce(0) { Self.sum($0, $1.bytes) } }
    /// The type that holds most bytes.
    var mainType: String? { types.first?.name }

    /// Sizes come from files: a sum that does not fit stays at the greatest number.
    private static func sum(_ a: Int, _ b: Int) -> Int {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? Int.max : sum
    }
}
