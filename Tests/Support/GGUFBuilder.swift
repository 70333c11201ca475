/// Makes small GGUF files for tests, right ones and wrong ones.
public struct GGUFBuilder: Sendable {
    public indirect enum Value: Sendable {
        case u8(UInt8), i8(Int8), u16(UInt16), i16(Int16), u32(UInt32), i32(Int32), f32(Float), bool(UInt8)
        case string(String), bytes([UInt8]), u64(UInt64), i64(Int64), f64(Double)
        /// Elements of one type, given by its number.
        case array(UInt32, [Value])

        var type: UInt32 {
            switch self {
            case .u8: 0
            case .i8: 1
            case .u16: 2
            case .i16: 3
            case .u32: 4
            case .i32: 5
            case .f32: 6
            case .bool: 7
            case .string, .bytes: 8
            case .array: 9
            case .u64: 10
            case .i64: 11
            case .f64: 12
            }
        }

        public static func strings(_ values: [String]) -> Value { .array(8, values.map(Value.string)) }
        public static func integers(_ values: [Int32]) -> Value { .array(5, values.map(Value.i32)) }
        public static func floats(_ values: [Float]) -> Value { .array(6, values.map(Value.f32)) }
    }

    public struct Entry: Sendable {
        public var name: String
        /// The file's order: the contiguous axis first.
        public var dimensions: [UInt64]
        public var type: UInt32
        public var data: [UInt8]
        /// nil puts the data behind that of the tensor before.
        public var offset: UInt64?

        public init(
            _ name: String, dimensions: [UInt64], type: UInt32 = 0, data: [UInt8], offset: UInt64? = nil
        ) {
            self.name = name
            self.dimensions = dimensions
            self.type = type
            self.data = data
            self.offset = offset
        }
    }

    public var version: UInt32 = 3
    public var keys: [(String, Value)]
    public var tensors: [Entry]
    public var alignment = 32

    public init(keys: [(String, Value)] = [], tensors: [Entry] = []) {
        self.keys = keys
        self.tensors = tensors
    }

    public func bytes() -> [UInt8] { build().bytes }

    /// The file, with the places of all its fields.
    public func build() -> ByteWriter {
        var writer = ByteWriter()
        writer.raw(Array("GGUF".utf8))
        writer.integer(version, "version")
        writer.integer(UInt64(tensors.count), "tensor count")
        writer.integer(UInt64(keys.count), "key count")
        for (key, value) in keys {
            writer.text(key, "key")
            writer.integer(value.type, "type")
            Self.write(value, to: &writer)
        }
        var data: [UInt8] = []
        for tensor in tensors {
            data += [UInt8](repeating: 0, count: (alignment - data.count % alignment) % alignment)
            writer.text(tensor.name, "tensor name")
            writer.integer(UInt32(tensor.dimensions.count), "axes")
            for size in tensor.dimensions { writer.integer(size, "size") }
            writer.integer(tensor.type, "tensor type")
            writer.integer(tensor.offset ?? UInt64(data.count), "offset")
            data += tensor.data
        }
        if !tensors.isEmpty { writer.pad(to: alignment) }
        writer.raw(data)
        return writer
    }

    private static func write(_ value: Value, to writer: inout ByteWriter) {
        switch value {
        case .u8(let value): writer.integer(value, "u8")
        case .i8(let value): writer.integer(value, "i8")
        case .u16(let value): writer.integer(value, "u16")
        case .i16(let value): writer.integer(value, "i16")
        case .u32(let value): writer.integer(value, "u32")
        case .i32(let value): writer.integer(value, "i32")
        case .f32(let value): writer.integer(value.bitPattern, "f32")
        case .bool(let value): writer.integer(value, "bool")
        case .string(let value): writer.text(value, "string")
        case .bytes(let value): writer.text(value, "string")
        case .u64(let value): writer.integer(value, "u64")
        case .i64(let value): writer.integer(value, "i64")
        case .f64(let value): writer.integer(value.bitPattern, "f64")
        case .array(let type, let values):
            writer.integer(type, "element type")
            writer.integer(UInt64(values.count), "array length")
            for value in values { write(value, to: &writer) }
        }
    }
}
