import COneDNN
import CorvidKernels
import Synchronization

/// oneDNN's matmul primitive for f32 and bf16 with f32 sums, on AVX-512.
///
/// With dense operands and a dense result it takes its `brg` form, whose rows have the same bits whatever the
/// number of rows and the split of the outputs (measured). With any stride it would fall back to the form of
/// `dnnl_sgemm`, which does not keep them. Each call runs on the calling thread alone.
enum OneDNN {
    /// Operand types of a product; sums and results are f32.
    enum Operands: UInt8 {
        case f32, bf16
        var code: dnnl_data_type_t { self == .f32 ? dnnl_f32 : dnnl_bf16 }
        var byteCount: Int { self == .f32 ? 4 : 2 }
    }

    /// Whether f32 and bf16 products are oneDNN's on the instruction set in use. Asked once, since a change
    /// while products run would change their bits.
    static let isUsed = ck_isa().rawValue >= CK_ISA_AVX512.rawValue
    /// Whether bf16 products are made of bf16 numbers; asked once, too.
    static let multipliesBF16 = isUsed && ck_has_bf16() != 0

    /// What a primitive depends on.
    struct Key: Hashable {
        var operands: Operands
        var rows, outputs, inputs: Int
        /// Whether the weights are `[outputs, inputs]` or `[inputs, outputs]`.
        var orientation: Linear.Orientation
    }

    /// out[r, j] = sum_i x[r, i] w[j, i], all dense: x `[rows, inputs]`, out `[rows, outputs]`.
    static func product(
        _ key: Key, x: UnsafeRawPointer, weights: UnsafeRawPointer, out: UnsafeMutablePointer<Float>
    ) throws {
        let primitive = try Self.primitive(key)
        let thread = try OneDNNThread.current(engine: try engine().value)
        var arguments: [dnnl_exec_arg_t] = []
        arguments.reserveCapacity(4)
        defer { for argument in arguments { dnnl_memory_destroy(argument.memory) } }
        func add(
            _ argument: Int32, _ description: dnnl_memory_desc_t, _ handle: UnsafeMutableRawPointer
        ) throws {
            var description = description
            var memory: dnnl_memory_t?
            try check(dnnl_memory_create(&memory, &description, try engine().value, handle))
            arguments.append(dnnl_exec_arg_t(arg: argument, memory: memory))
        }
        // oneDNN takes mutable pointers for inputs, too, and does not write through them.
        try add(DNNL_ARG_SRC, primitive.source, UnsafeMutableRawPointer(mutating: x))
        try add(DNNL_ARG_WEIGHTS, primitive.weights, UnsafeMutableRawPointer(mutating: weights))
        try add(DNNL_ARG_DST, primitive.destination, out)
        if primitive.scratchBytes > 0 {
            try add(
                DNNL_ARG_SCRATCHPAD, primitive.scratch, try thread.scratch(byteCount: primitive.scratchBytes))
        }
        try check(dnnl_primitive_execute(primitive.handle, thread.stream, Int32(arguments.count), &arguments))
        try check(dnnl_stream_wait(thread.stream))
    }

    // MARK: Engine, streams and primitives live as long as the program

    /// Sound: a oneDNN handle, made once and used only through oneDNN's thread-safe functions.
    private struct Handle<Value>: @unchecked Sendable { let value: Value }

    /// A compiled product; freed when the table has dropped it and its last run has ended.
    private final class Primitive: @unchecked Sendable {
        let handle: dnnl_primitive_t?
        let source, weights, destination, scratch: dnnl_memory_desc_t
        let scratchBytes: Int

        init(
            handle: dnnl_primitive_t?, source: dnnl_memory_desc_t, weights: dnnl_memory_desc_t,
            destination: dnnl_memory_desc_t, scratch: dnnl_memory_desc_t
        ) {
            self.handle = handle
            self.source = source
            self.weights = weights
            self.destination = destination
            self.scratch = scratch
            var description = scratch
            scratchBytes = dnnl_memory_desc_get_size(&description)
        }

        deinit { dnnl_primitive_destroy(handle) }
    }

    /// The products in use. A run with many prompt lengths makes many shapes: the oldest goes first.
    private struct PrimitiveTable {
        private var primitives: [Key: Primitive] = [:]
        private var order: [Key] = []
        private static let limit = 256

        subscript(key: Key) -> Primitive? { primitives[key] }

        /// The one that was there first wins.
        mutating func add(_ primitive: Primitive, _ key: Key) -> Primitive {
            if let earlier = primitives[key] { return earlier }
            if order.count >= Self.limit { primitives[order.removeFirst()] = nil }
            order.append(key)
            primitives[key] = primitive
            return primitive
        }
    }

    private static let engineResult: Result<Handle<dnnl_engine_t?>, OneDNNError> = {
        var engine: dnnl_engine_t?
        let status = dnnl_engine_create(&engine, dnnl_cpu, 0)
        guard status == dnnl_success else { return .failure(OneDNNError(status: status.rawValue)) }
        // The table below is the only cache: two would hold twice the memory.
        dnnl_set_primitive_cache_capacity(0)
        return .success(Handle(value: engine))
    }()

    private static func engine() throws -> Handle<dnnl_engine_t?> { try engineResult.get() }

    private static let primitives = Mutex(PrimitiveTable())

    /// Keeps oneDNN to an instruction set; it must be called before its first product.
    static func use(_ set: InstructionSet) {
        switch set {
        case .portable: dnnl_set_max_cpu_isa(dnnl_cpu_isa_sse41)
        case .avx2: dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2)
        case .avx512: dnnl_set_max_cpu_isa(dnnl_cpu_isa_all)
        }
    }

    private static func primitive(_ key: Key) throws -> Primitive {
        if let found = primitives.withLock({ $0[key] }) { return found }
        var source = try description(key.operands.code, key.rows, key.inputs, key.inputs, 1)
        var weights =
            key.orientation == .rows
            ? try description(key.operands.code, key.inputs, key.outputs, 1, key.inputs)
            : try description(key.operands.code, key.inputs, key.outputs, key.outputs, 1)
        var destination = try description(dnnl_f32, key.rows, key.outputs, key.outputs, 1)
        var operation = dnnl_matmul_desc_t()
        try check(dnnl_matmul_desc_init(&operation, &source, &weights, nil, &destination))
        // oneDNN's own scratch memory belongs to the thread that made the primitive; ours runs on all.
        var attributes: dnnl_primitive_attr_t?
        try check(dnnl_primitive_attr_create(&attributes))
        defer { dnnl_primitive_attr_destroy(attributes) }
        try check(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user))
        var details: dnnl_primitive_desc_t?
        try check(dnnl_primitive_desc_create(&details, &operation, attributes, try engine().value, nil))
        defer { dnnl_primitive_desc_destroy(details) }
        var handle: dnnl_primitive_t?
        try check(dnnl_primitive_create(&handle, details))
        guard let scratch = dnnl_primitive_desc_query_md(details, dnnl_query_scratchpad_md, 0)?.pointee else {
            throw OneDNNError(status: dnnl_runtime_error.rawValue)
        }
        let made = Primitive(
            handle: handle, source: source, weights: weights, destination: destination, scratch: scratch)
        return primitives.withLock { $0.add(made, key) }
    }

    private static func description(
        _ type: dnnl_data_type_t, _ rows: Int, _ columns: Int, _ rowStride: Int, _ columnStride: Int
    ) throws -> dnnl_memory_desc_t {
        var description = dnnl_memory_desc_t()
        // The interface declares arrays of 12; only the first two are read.
        let sizes = [dnnl_dim_t(rows), dnnl_dim_t(columns)] + [dnnl_dim_t](repeating: 0, count: 10)
        let strides =
            [dnnl_dim_t(rowStride), dnnl_dim_t(columnStride)] + [dnnl_dim_t](repeating: 0, count: 10)
        try check(dnnl_memory_desc_init_by_strides(&description, 2, sizes, type, strides))
        return description
    }

    static func check(_ status: dnnl_status_t) throws {
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
