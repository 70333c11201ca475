import CorvidTensors

/// A metadata value on its way into a GGUF file.
public enum GGUFNewValue: Sendable, Equatable {
    case u32(UInt32)
    case f32(Float)
    case bool(Bool)
    case string(String)
    case strings([String])
    case integers([Int32])
    /// A value as another file holds it: its type and what follows.
    case stored([UInt8])
}

/// Writes a GGUF file, version 3: all of it or nothing.
///
/// Source: the GGUF specification of the ggml project.
public enum GGUFWriter {
    static let alignment = 32

    /// Writes beside `path`, flushes to the disk, and then takes the place of `path` in one step.
    /// - Parameters:
    ///   - keys: the metadata, in this order. `general.alignment` must not be among them.
    ///   - plans: the tensors, in the order of the file.
    ///   - body: gives `emit` the bytes of the tensor that it is asked for, in order.
    /// - Throws: ``WriteError``, or what `body` throws.
    public static func write(
        keys: [(key: String, value: GGUFNewValue)], _ plans: [TensorPlan], to path: String,
        _ body: (_ plan: TensorPlan, _ emit: (Bytes) throws -> Void) throws -> Void
    ) throws {
        let header = try header(keys: keys, plans, path: path)
        try AtomicFile.write(to: path) { file in
            try file.write(header)
            for plan in plans {
                var output = TensorOutput(file, plan)
                try body(plan) { try output.write($0) }
                try output.finish(path)
                try file.write([UInt8](repeating: 0, count: padding(plan.byteCount)))
            }
        }
    }

    private static func padding(_ count: Int) -> Int { (alignment - count % alignment) % alignment }

    private static func header(
        keys: [(key: String, value: GGUFNewValue)], _ plans: [TensorPlan], path: String
    ) throws -> [UInt8] {
        var head = ByteList()
        head.bytes = Array("GGUF".utf8)
        head.integer(UInt32(3))
        head.integer(UInt64(plans.count))
        head.integer(UInt64(keys.count))
        for (key, value) in keys {
            head.text(key)
            head.value(value)
        }
        var names = Set<String>()
        for (plan, offset) in try TensorPlan.placed(plans, alignment: alignment, file: path) {
            guard let number = GGMLType.number(of: plan.type) else {
                throw WriteError.elementType(file: path, tensor: plan.name, found: plan.type)
            }
            guard names.insert(plan.name).inserted, plan.name.utf8.count <= GGUFFile.Limits.tensorNameBytes
            else { throw WriteError.name(file: path, tensor: plan.name) }
            head.text(plan.name)
            head.integer(UInt32(plan.shape.count))
            for size in plan.shape.reversed() { head.integer(UInt64(size)) }
            head.integer(number)
            head.integer(UInt64(offset))
        }
        return head.bytes + [UInt8](repeating: 0, count: padding(head.bytes.count))
    }
}

extension GGMLType {
    /// ggml's number of one of our types; nil for types that its files are not meant to hold.
    static func number(of type: DType) -> UInt32? {
        guard type.holdsWeights else { return nil }
        return table.first { $0.value.type == type }?.key
    }
}

/// Little-endian fields one after another.
private struct ByteList {
    var bytes: [UInt8] = []

    mutating func integer<T: FixedWidthInteger>(_ value: T) {
        for shift in stride(from: 0, to: T.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }

    mutating func text(_ text: String) {
        integer(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func start(_ type: GGUFValueType) { integer(type.rawValue) }

    private mutating func array<T>(_ type: GGUFValueType, _ values: [T], _ write: (inout ByteList, T) -> Void)
    {
        start(.array)
        start(type)
        integer(UInt64(values.count))
        for value in values { write(&self, value) }
    }

    mutating func value(_ value: GGUFNewValue) {
        switch value {
        case .u32(let number):
            start(.u32)
            integer(number)
        case .f32(let number):
            start(.f32)
            integer(number.bitPattern)
        case .bool(let flag):
            start(.bool)
            integer(UInt8(flag ? 1 : 0))
        case .string(let string):
            start(.string)
            text(string)
        case .strings(let strings): array(.string, strings) { $0.text($1) }
        case .integers(let numbers): array(.i32, numbers) { $0.integer($1) }
        case .stored(let stored): bytes.append(contentsOf: stored)
        }
    }
}

extension GGUFFile {
    /// The value of `key` as the file holds it, its type first; nil if there is none.
    func storedValue(_ key: String) -> GGUFNewValue? {
        guard let part = metadataPart, let field = part.fields[key],
            let content = part.bytes.array(offset: field.offset, count: field.end - field.offset)
        else { return nil }
        var list = ByteList()
        if field.isArray {
            list.integer(GGUFValueType.array.rawValue)
            list.integer(field.type.rawValue)
            list.integer(UInt64(field.count))
        } else {
            list.integer(field.type.rawValue)
        }
        return .stored(list.bytes + content)
    }
}
