import CorvidTensors
import CorvidText

/// What a file says about one change: fields of the header, and tensors.
struct ChangeReader {
    var fields: PatchFields
    let index: Int
    private let source: any TensorSource
    private(set) var readTensors: [String] = []

    init(_ fields: PatchFields, index: Int, source: any TensorSource) {
        self.fields = fields
        self.index = index
        self.source = source
    }

    /// What a tensor of a change is called in the file.
    static func name(_ index: Int, _ part: String) -> String { "\(index).\(part)" }

    /// Finite numbers of a type that computes. An expected size that is nil may be anything above 0.
    mutating func numbers(_ part: String, _ shape: [Int?]) throws -> Tensor {
        guard let tensor = try optionalNumbers(part, shape) else {
            throw PatchFileError.tensor(
                file: fields.file, tensor: Self.name(index, part), reason: "is missing")
        }
        return tensor
    }

    mutating func optionalNumbers(_ part: String, _ shape: [Int?]) throws -> Tensor? {
        guard let tensor = try tensor(part, shape) else { return nil }
        guard [.f32, .f16, .bf16].contains(tensor.type) else {
            throw wrong(part, "has type \(tensor.type.rawValue), expected f32, f16 or bf16")
        }
        guard try tensor.isFinite() else { throw wrong(part, "holds NaN or infinite values") }
        return tensor
    }

    /// Ascending indices from 0 on, each once.
    mutating func indices(_ part: String, below bound: Int) throws -> [Int] {
        guard let tensor = try tensor(part, [nil]) else {
            throw wrong(part, "is missing")
        }
        guard tensor.type == .i32 else { throw wrong(part, "has type \(tensor.type.rawValue), expected i32") }
        var last = -1
        return try (0..<tensor.count).map { place in
            let value = Int(tensor.bytes.integer(at: place * 4, as: Int32.self) ?? -1)
            guard value > last, value < bound else {
                throw wrong(part, "holds \(value), expected ascending numbers from 0 to \(bound - 1)")
            }
            last = value
            return value
        }
    }

    private mutating func tensor(_ part: String, _ shape: [Int?]) throws -> Tensor? {
        let name = Self.name(index, part)
        guard let tensor = try source.tensor(named: name) else { return nil }
        readTensors.append(name)
        let fits =
            tensor.shape.count == shape.count
            && zip(tensor.shape, shape).allSatisfy { found, wanted in
                wanted.map { $0 == found } ?? (found > 0)
            }
        guard fits else {
            let expected = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            throw wrong(part, "has shape \(tensor.shape), expected [\(expected)]")
        }
        return tensor
    }

    private func wrong(_ part: String, _ reason: String) -> PatchFileError {
        .tensor(file: fields.file, tensor: Self.name(index, part), reason: reason)
    }
}

extension Tensor {
    /// A tensor of ascending indices.
    static func indices(_ values: [Int]) throws -> Tensor {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * 4)
        for value in values {
            let number = UInt32(truncatingIfNeeded: value)
            for shift in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift)))
            }
        }
        return try Tensor(type: .i32, shape: [values.count], bytes: Bytes(bytes))
    }
}
