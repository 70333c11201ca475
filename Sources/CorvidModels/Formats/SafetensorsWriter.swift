import CorvidTensors
import CorvidText
import Foundation

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
        let sorted = tensors.sorted { left, right in
            let widths = (left.1.type.blockBytes, right.1.type.blockBytes)
            return widths.0 != widths.1 ? widths.0 > widths.1 : left.0 < right.0
        }
        let header = try header(sorted, metadata: metadata, path: path)
        try AtomicFile.write(to: path) { file in
            try file.write(header)
            for (_, tensor) in sorted {
                var offset = 0
                while offset < tensor.bytes.count {
                    let count = min(chunkBytes, tensor.bytes.count - offset)
                    try file.write(tensor.bytes.array(offset: offset, count: count) ?? [])
                    offset += count
                }
            }
        }
    }

    private static let chunkBytes = 1 << 22

    /// The length, then the JSON padded with blanks to a multiple of 8 bytes.
    private static func header(
        _ tensors: [(String, Tensor)], metadata: [String: String], path: String
    ) throws -> [UInt8] {
        var object = JSONObject()
        if !metadata.isEmpty {
            var texts = JSONObject()
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { texts[key] = .string(value) }
            object["__metadata__"] = .object(texts)
        }
        var offset = 0
        for (name, tensor) in tensors {
            guard let type = SafetensorsType.name(of: tensor.type) else {
                throw WriteError.elementType(file: path, tensor: name, found: tensor.type)
            }
            guard name != "__metadata__", object[name] == nil else {
                throw WriteError.name(file: path, tensor: name)
            }
            guard let end = CheckedArithmetic.sum(offset, tensor.bytes.count) else {
                throw WriteError.failed(file: path, step: "adding up sizes", reason: "more than 2^63 bytes")
            }
            object[name] = [
                "dtype": .string(type), "shape": .array(tensor.shape.map { .integer(Int64($0)) }),
                "data_offsets": [.integer(Int64(offset)), .integer(Int64(end))],
            ]
            offset = end
        }
        var text = JSON.object(object).encodedBytes()
        text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        let length = UInt64(text.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text
    }
}
