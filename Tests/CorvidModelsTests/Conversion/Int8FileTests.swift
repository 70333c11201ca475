import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

/// Folders with int8 matrices and their scales, right and wrong.
@Suite struct Int8FileTests {
    private static let name = "transformer.h.0.mlp.fc_in.weight"
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A folder whose tensors were changed after it was converted to int8.
    private func load(_ change: (inout [String: Tensor]) throws -> Void) throws -> Model {
        let files = try ModelFiles(path: Fixtures.path("Models/gptj"))
        let path = folder.path(of: "int8")
        _ = try ModelConversion(files, to: .i8, at: path, replacing: true).write(pool: WorkerPool(threads: 1))
        let file = try SafetensorsFile(path: path + "/model.safetensors")
        var tensors: [String: Tensor] = [:]
        for name in file.names {
            let tensor = try #require(try file.tensor(named: name))
            tensors[name] = try Tensor(
                type: tensor.type, shape: tensor.shape, bytes: Bytes(tensor.bytes.array))
        }
        try change(&tensors)
        try SafetensorsWriter.write(tensors.map { ($0.key, $0.value) }, to: path + "/model.safetensors")
        return try Model.load(path: path, options: LoadOptions(threads: 1))
    }

    private func error(_ change: (inout [String: Tensor]) throws -> Void) -> WeightError? {
        #expect(throws: WeightError.self) { try load(change) }
    }

    private var scale: String { Self.name + ".scale" }

    @Test("an int8 folder runs")
    func runs() throws {
        let golden = try GoldenModel("gptj")
        let logits = try Schedule().logits(try load { _ in }, golden.ids)
        let all = golden.logits.flatMap { $0 }
        let range = (all.max() ?? 0) - (all.min() ?? 0)
        let squares = zip(logits.flatMap { $0 }, all).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        #expect((squares / Float(all.count)).squareRoot() < 0.02 * range)
    }

    @Test("a scale that is missing, misshapen, of another type or not finite is refused by name")
    func scales() throws {
        let missing = error { $0[scale] = nil }
        guard case .missing(_, scale) = missing else {
            return #expect(Bool(false), "\(String(describing: missing))")
        }
        let short = error { $0[scale] = try Tensor([1, 2, 3], shape: [3]) }
        guard case .shape(_, scale, [3], _) = short else {
            return #expect(Bool(false), "\(String(describing: short))")
        }
        let column = error { tensors in
            let values = try #require(try tensors[scale]?.floats())
            tensors[scale] = try Tensor(values, shape: [values.count, 1])
        }
        guard case .shape(_, scale, _, _) = column else {
            return #expect(Bool(false), "\(String(describing: column))")
        }
        for bad in [Float.nan, .infinity] {
            let damaged = error { tensors in
                var values = try #require(try tensors[scale]?.floats())
                values[1] = bad
                tensors[scale] = try Tensor(values, shape: [values.count])
            }
            guard case .notFinite(_, scale) = damaged else {
                return #expect(Bool(false), "\(String(describing: damaged))")
            }
        }
        let half = error { tensors in
            let count = try #require(tensors[scale]?.count)
            let zeros = try Bytes([UInt8](repeating: 0, count: 2 * count))
            tensors[scale] = try Tensor(type: .f16, shape: [count], bytes: zeros)
        }
        guard case .type(_, scale, .f16) = half else {
            return #expect(Bool(false), "\(String(describing: half))")
        }
    }

    @Test("a scale without an int8 matrix is no part of the model")
    func strayScale() {
        let stray = error { $0["transformer.ln_f.weight.scale"] = try Tensor([1], shape: [1]) }
        guard case .unknown = stray else { return #expect(Bool(false), "\(String(describing: stray))") }
    }

    @Test("integers in another order than outputs as rows are refused")
    func orientation() {
        let turned = error { tensors in
            let matrix = try #require(tensors[Self.name])
            tensors[Self.name] = try Tensor(type: .i8, shape: matrix.shape.reversed(), bytes: matrix.bytes)
            tensors[scale] = try Tensor(
                [Float](repeating: 1, count: matrix.columns), shape: [matrix.columns])
        }
        guard case .shape = turned else { return #expect(Bool(false), "\(String(describing: turned))") }
    }

    @Test("biases and norms are no int8 integers")
    func vectors() {
        let vector = error { tensors in
            let name = "transformer.ln_f.bias"
            let count = try #require(tensors[name]?.count)
            let zeros = try Bytes([UInt8](repeating: 0, count: count))
            tensors[name] = try Tensor(type: .i8, shape: [count], bytes: zeros)
        }
        guard case .type(_, _, .i8) = vector else {
            return #expect(Bool(false), "\(String(describing: vector))")
        }
    }
}
