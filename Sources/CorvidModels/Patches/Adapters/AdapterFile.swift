import CorvidTensors

/// Tensors of another program's adapter.
struct AdapterFile {
    let source: any TensorSource
    let path: String

    /// Finite numbers of two axes, in f32, f16 or bf16; block types become f32.
    /// - Throws: ``AdapterError``, ``FormatError``.
    func matrix(_ name: String) throws -> Tensor { try numbers(name, axes: 2) }

    func numbers(_ name: String, axes: Int) throws -> Tensor {
        guard var tensor = try source.tensor(named: name) else {
            throw AdapterError.missing(file: path, name: "tensor \(FormatError.shown(name))")
        }
        guard tensor.shape.count == axes, tensor.count > 0, tensor.holdsWeights else {
            throw AdapterError.tensor(
                file: path, name: name,
                reason:
                    "has shape \(tensor.shape) of \(tensor.type.rawValue), expected numbers of \(axes) axes")
        }
        guard try tensor.isFinite() else {
            throw AdapterError.tensor(file: path, name: name, reason: "holds NaN or infinite values")
        }
        if !tensor.isPatchType { tensor = try Tensor(tensor.floats(), shape: tensor.shape) }
        return tensor
    }

    /// A change, with errors that name the file.
    func change(_ name: String, _ make: () throws -> Patch.Change) throws -> Patch.Change {
        do {
            return try make()
        } catch let error as PatchError {
            throw AdapterError.tensor(file: path, name: name, reason: "does not fit: \(error)")
        }
    }
}

extension Tensor {
    /// A matrix with its axes exchanged, in f32.
    func transposed() throws -> Tensor {
        let values = try floats()
        var turned = [Float](repeating: 0, count: values.count)
        for row in 0..<rows {
            for column in 0..<columns { turned[column * rows + row] = values[row * columns + column] }
        }
        return try Tensor(turned, shape: [columns, rows])
    }
}
