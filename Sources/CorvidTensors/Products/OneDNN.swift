import COneDNN
import CorvidKernels
import Synchronization

/// oneDNN's matmul primitive for f32 and bf16 with f32 sums, on AVX-512.
///
/// Its rows have the same bits whatever the number of rows and the split of the columns (measured), which
/// `dnnl_sgemm` does not promise. Each call runs on the calling thread alone.
enum OneDNN {
    /// Operand types of a product; sums and results are f32.
    enum Operands: UInt8 {
        case f32, bf16
        var code: dnnl_data_type_t { self == .f32 ? dnnl_f32 : dnnl_bf16 }
    }

    /// What a primitive depends on. Strides in elements.
    struct Key: Hashable {
        var operands: Operands
        var rows, outputs, inputs: Int
        var inputStride, weightRowStride, weightColumnStride, outputStride: Int
    }

    /// out[r, j] = sum_i x[r, i] w[j, i].
    static func product(
        _ key: Key, x: UnsafeRawPointer, weights: UnsafeRawPointer, out: UnsafeMutablePointer<Float>
    ) throws {
        let primitive = try Self.primitive(key)
        var arguments: [dnnl_exec_arg_t] = []
        arguments.reserveCapacity(3)
        var memories: [dnnl_memory_t?] = []
        defer { for memory in memories { dnnl_memory_destroy(memory) } }
        func add(_ argument: Int32, _ description: dnnl_memory_desc_t, _ handle: UnsafeMutableRawPointer) throws {
            var description = description
            var memory: dnnl_memory_t?
            try check(dnnl_memory_create(&memory, &description, try engine().value, handle))
            memories.append(memory)
            arguments.append(dnnl_exec_arg_t(arg: argument, memory: memory))
        }
        // oneDNN takes mutable pointers for inputs, too, and does not write through them.
        try add(DNNL_ARG_SRC, primitive.source, UnsafeMutableRawPointer(mutating: x))
        try add(DNNL_ARG_WEIGHTS, primitive.weights, UnsafeMutableRawPointer(mutating: weights))
        try add(DNNL_ARG_DST, primitive.destination, out)
        let stream = try Self.stream()
        try check(dnnl_primitive_execute(primitive.handle, stream, Int32(arguments.count), &arguments))
        try check(dnnl_stream_wait(stream))
    }

    // MARK: Engine, streams and primitives live as long as the program

    /// Sound: a oneDNN handle, made once and used only through oneDNN's thread-safe functions.
    private struct Handle<Value>: @unchecked Sendable { let value: Value }

    private struct Primitive: @unchecked Sendable {
        let handle: dnnl_primitive_t?
        let source, weights, destination: dnnl_memory_desc_t
    }

    private static let engineResult: Result<Handle<dnnl_engine_t?>, OneDNNError> = {
        var engine: dnnl_engine_t?
        let status = dnnl_engine_create(&engine, dnnl_cpu, 0)
        guard status == dnnl_success else { return .failure(OneDNNError(status: status.rawValue)) }
        return .success(Handle(value: engine))
    }()

    private static func engine() throws -> Handle<dnnl_engine_t?> { try engineResult.get() }

    private static let primitives = Mutex<[Key: Primitive]>([:])
    /// A run with many prompt lengths makes many shapes; beyond this many all are made anew.
    private static let primitiveLimit = 512

    private static func stream() throws -> dnnl_stream_t? {
        if let stream = ThreadStream.current { return stream }
        var stream: dnnl_stream_t?
        try check(dnnl_stream_create(&stream, try engine().value, UInt32(dnnl_stream_default_flags.rawValue)))
        ThreadStream.current = stream
        return stream
    }

    private static func primitive(_ key: Key) throws -> Primitive {
        if let found = primitives.withLock({ $0[key] }) { return found }
        var source = try description(
            key.operands.code, key.rows, key.inputs, key.inputStride, 1)
        var weights = try description(
            key.operands.code, key.inputs, key.outputs, key.weightColumnStride, key.weightRowStride)
        var destination = try description(dnnl_f32, key.rows, key.outputs, key.outputStride, 1)
        var operation = dnnl_matmul_desc_t()
        try check(dnnl_matmul_desc_init(&operation, &source, &weights, nil, &destination))
        var details: dnnl_primitive_desc_t?
        try check(dnnl_primitive_desc_create(&details, &operation, nil, try engine().value, nil))
        defer { dnnl_primitive_desc_destroy(details) }
        var handle: dnnl_primitive_t?
        try check(dnnl_primitive_create(&handle, details))
        let made = Primitive(handle: handle, source: source, weights: weights, destination: destination)
        return primitives.withLock { known in
            if known.count >= primitiveLimit {
                // Another worker may still run one of them, so they are dropped, not destroyed; oneDNN's own
                // cache of primitives holds the code either way.
                known.removeAll()
            }
            if let earlier = known[key] { return earlier }
            known[key] = made
            return made
        }
    }

    private static func description(
        _ type: dnnl_data_type_t, _ rows: Int, _ columns: Int, _ rowStride: Int, _ columnStride: Int
    ) throws -> dnnl_memory_desc_t {
        var description = dnnl_memory_desc_t()
        let sizes = [dnnl_dim_t(rows), dnnl_dim_t(columns)]
        let strides = [dnnl_dim_t(rowStride), dnnl_dim_t(columnStride)]
        try check(dnnl_memory_desc_init_by_strides(&description, 2, sizes, type, strides))
        return description
    }

    private static func check(_ status: dnnl_status_t) throws {
        if status != dnnl_success { throw OneDNNError(status: status.rawValue) }
    }
}

/// A refusal of oneDNN, which only a fault of ours or a broken installation can cause.
public struct OneDNNError: Error, CustomStringConvertible {
    public let status: UInt32
    public var description: String {
        "oneDNN refused a matrix product (status \(status)); check that libdnnl 2.6.3 or later is installed"
    }
}
