import CorvidTensors
import CorvidText

/// Writes a safetensors file: all of it or nothing.
public enum SafetensorsWriter {
    /// Writes beside `path`, flushes to the disk, and then takes the place of `path` in one step.
    ///
    /// The same tensors give the same bytes whatever their order: wide types first, then by name, as the
    /// safetensors library orders them, so that every tensor is aligned to its element.
    ///
    /// - Throws: ``WriteError``.
    public static func write(
        _ tensors: [(String, Tensor)], metadata: [String: String] = [:], to path: String
    ) throws {
        let named = Dictionary(tensors, uniquingKeysWith: { first, _ in first })
        let plans = try tensors.map { try TensorPlan(name: $0.0, type: $0.1.type, shape: $0.1.shape) }
        try write(plans, metadata: metadata, to: path) { plan, emit in
            if let tensor = named[plan.name] { try emit(tensor.bytes) }
        }
    }

    /// The same for tensors that are made while they are written, so that memory holds a piece of one.
    /// - Parameter body: gives `emit` the bytes of the tensor that it is asked for, in order. Tensors are asked
    ///   for in the order of the file.
    /// - Throws: ``WriteError``, or what `body` throws.
    public static func write(
        _ plans: [TensorPlan], metadata: [String: String] = [:], to path: String,
        _ body: (_ plan: TensorPlan, _ emit: (Bytes) throws -> Void) throws -> Void
    ) throws {
        let sorted = plans.sorted { left, right in
            let widths = (left.type.blockBytes, right.type.blockBytes)
            return widths.0 != widths.1 ? widths.0 > widths.1 : left.name < right.name
        }
        let header = try header(sorted, metadata: metadata, path: path)
        try AtomicFile.write(to: path) { file in
            try file.write(header)
            for plan in sorted {
                var output = TensorOutput(file, plan)
                try body(plan) { try output.write($0) }
                try output.finish(path)
            }
        }
    }

    /// The length, then the JSON padded with blanks to a multiple of 8 bytes.
    private static func header(
        _ plans: [TensorPlan], metadata: [String: String], path: String
    ) throws -> [UInt8] {
        var object = JSONObject()
        if !metadata.isEmpty {
            var texts = JSONObject()
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { texts[key] = .string(value) }
            object["__metadata__"] = .object(texts)
        }
        for (plan, offset) in try TensorPlan.placed(plans, alignment: 1, file: path) {
            guard let type = SafetensorsType.name(of: plan.type) else {
                throw WriteError.elementType(file: path, tensor: plan.name, found: plan.type)
            }
            guard plan.name != "__metadata__", object[plan.name] == nil else {
                throw WriteError.name(file: path, tensor: plan.name)
            }
            object[plan.name] = [
                "dtype": .string(type), "shape": .array(plan.shape.map { .integer(Int64($0)) }),
                "data_offsets": [.integer(Int64(offset)), .integer(Int64(offset + plan.byteCount))],
            ]
        }
        var text = JSON.object(object).encodedBytes()
        text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        let length = UInt64(text.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text
    }
}
