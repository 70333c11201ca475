import CorvidTensors
import CorvidText

/// Size of the matrix that a change is for, as the header has it: `"shape": [outputs, inputs]`.
struct MatrixSize: Sendable, Equatable {
    let outputs: Int
    let inputs: Int

    var list: [Int] { [outputs, inputs] }
    var json: JSON { [.integer(Int64(outputs)), .integer(Int64(inputs))] }

    init(outputs: Int, inputs: Int) {
        self.outputs = outputs
        self.inputs = inputs
    }

    init(_ reader: inout ChangeReader) throws {
        let sizes = try reader.fields.integers("shape", 1...PatchFile.Limits.position, limit: 2)
        guard sizes.count == 2 else {
            throw reader.fields.wrong("shape", "\(sizes)", expected: "two sizes")
        }
        outputs = sizes[0]
        inputs = sizes[1]
    }
}

extension PatchError {
    /// What a value of a new change must hold.
    static func require(_ isRight: Bool, _ place: some CustomStringConvertible, _ reason: String) throws {
        guard isRight else { throw PatchError.shape(place: "\(place)", reason: reason) }
    }
}

extension Tensor {
    /// Whether patches may hold it: f32, f16 or bf16.
    var isPatchType: Bool { [.f32, .f16, .bf16].contains(type) }

    /// The values multiplied by a factor, in f32.
    func multiplied(by factor: Float) throws -> Tensor {
        try Tensor(try floats().map { $0 * factor }, shape: shape)
    }
}
