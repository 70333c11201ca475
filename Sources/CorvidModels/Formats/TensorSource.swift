import CorvidTensors

/// Named tensors of a checkpoint, whatever its files look like.
public protocol TensorSource: Sendable {
    /// Names in the order of the file.
    var names: [String] { get }
    /// What the file says about each tensor, in the order of ``names``.
    var entries: [TensorEntry] { get }
    /// The tensor of that name, sharing the file's mapping; nil if there is none.
    /// - Throws: ``FormatError/elementType(file:tensor:found:)`` if its type is one that Corvid cannot
    /// compute with.
    func tensor(named name: String) throws -> Tensor?
    /// What the file says about the tensor of that name.
    func entry(named name: String) -> TensorEntry?
    /// Throws if a file has become shorter since it was opened. Call before a long use: reading a page that
    /// is gone ends the process.
    func checkSize() throws
}

/// What a file says about one tensor.
public struct TensorEntry: Sendable, Equatable {
    public let name: String
    /// The type as the file format calls it, e.g. `Q4_1` or `BF16`.
    public let typeName: String
    /// nil if Corvid cannot compute with this type.
    public let type: DType?
    /// Sizes, the innermost last.
    public let shape: [Int]
    public let byteCount: Int
    /// The file that holds it.
    public let file: String

    /// Number of elements. Readers refuse shapes for which this does not fit.
    public var count: Int { CheckedArithmetic.product(of: shape) ?? 0 }
}
