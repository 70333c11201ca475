import CorvidTensors

extension Model {
    /// The two matrices with one row for each token.
    public enum TokenMatrix: String, Sendable, CaseIterable {
        /// What a token becomes at the bottom of the model.
        case input
        /// What a state is multiplied with to score a token; the input matrix itself where they are tied.
        case output
    }

    /// The rows and columns of one of the two matrices.
    /// - Throws: ``OutputError`` if the model gives no logits.
    public func size(of matrix: TokenMatrix) throws -> (rows: Int, columns: Int) {
        switch matrix {
        case .input: (transformer.stack.tokenEmbedding.count, transformer.stack.tokenEmbedding.width)
        case .output: (try outputMatrix.outputs, try outputMatrix.inputs)
        }
    }

    /// The rows `ids` of one of the two matrices, `[ids, width]`, as f32; no bias, no scale of the logits. Only
    /// these rows are dequantised.
    /// - Throws: ``PassError/token(id:vocabularySize:)`` for an id without a row, ``OutputError`` if the
    ///   model gives no logits, ``FormatError`` if its file has become shorter, `MemoryError`.
    public func rows(_ ids: [Int32], of matrix: TokenMatrix) throws -> Matrix {
        let count = try size(of: matrix).rows
        if let id = ids.first(where: { $0 < 0 || Int($0) >= count }) {
            throw PassError.token(id: id, vocabularySize: count)
        }
        try source.checkSize()
        let embedding: Embedding
        switch matrix {
        case .input: embedding = transformer.stack.tokenEmbedding
        case .output:
            let linear = try outputMatrix
            guard linear.orientation == .rows else { return try columns(ids, of: linear) }
            embedding = try Embedding(linear.weight)
        }
        let rows = try Matrix(rows: ids.count, columns: embedding.width)
        embedding.look(up: ids.map(Int.init), into: rows)
        return rows
    }

    private var outputMatrix: Linear {
        get throws {
            try transformer.head.check(.logits)
            guard let linear = transformer.head.linears(.vocabulary).last else {
                throw OutputError.missing(.logits, file: path)
            }
            return linear
        }
    }

    /// The rows of a matrix that is stored by columns.
    private func columns(_ ids: [Int32], of linear: Linear) throws -> Matrix {
        let rows = try Matrix(rows: ids.count, columns: linear.inputs)
        for input in 0..<linear.inputs {
            let values = try linear.weight.rows(input..<input + 1).floats()
            for (row, id) in ids.enumerated() { rows[row, input] = values[Int(id)] }
        }
        return rows
    }
}
