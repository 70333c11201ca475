import CorvidTensors

/// A Hugging Face folder or GGUF file of a tiny model, put together by a test.
public struct ModelBuilder {
    /// f32 tensors by name; the innermost size last.
    public var tensors: [String: (shape: [Int], values: [Float])] = [:]
    /// Names of tensors that are written as f16.
    public var halves: Set<String> = []

    public init() {}

    /// The f32 tensors of a safetensors folder, to be changed.
    public init(_ source: [(name: String, tensor: Tensor)]) throws {
        for (name, tensor) in source { tensors[name] = (tensor.shape, try tensor.floats()) }
    }

    /// Adds a tensor of values that vary, around zero.
    public mutating func add(_ name: String, _ shape: [Int]) {
        let seed = name.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) & 0xFFFF }
        let values = (0..<shape.reduce(1, *)).map { Float(($0 &* 7919 &+ seed) % 101 - 50) / 60 }
        tensors[name] = (shape, values)
    }

    /// The bytes of `model.safetensors`.
    public func safetensors() -> [UInt8] {
        var items: [String] = []
        var data = ByteWriter()
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let begin = data.bytes.count
            let isHalf = halves.contains(name)
            for value in tensor.values {
                if isHalf {
                    data.integer(Float16(value).bitPattern, "value")
                } else {
                    data.integer(value.bitPattern, "value")
                }
            }
            let sizes = tensor.shape.map(String.init).joined(separator: ",")
            items.append(
                "\"\(name)\":{\"dtype\":\"\(isHalf ? "F16" : "F32")\",\"shape\":[\(sizes)],"
                    + "\"data_offsets\":[\(begin),\(data.bytes.count)]}")
        }
        return SafetensorsBuilder.file(header: "{" + items.joined(separator: ",") + "}", data: data.bytes)
    }

    /// The bytes of `pytorch_model.bin`, all tensors in f32.
    public func pytorch() -> [UInt8] {
        var pickle = PickleBuilder()
        var storages: [(key: String, elements: Int, bytes: [UInt8])] = []
        pickle.add("}(")
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            var data = ByteWriter()
            for value in tensor.values { data.integer(value.bitPattern, "value") }
            let key = "\(storages.count)"
            storages.append((key, tensor.values.count, data.bytes))
            let strides = tensor.shape.indices.map { tensor.shape[($0 + 1)...].reduce(1, *) }
            pickle.text(name)
            pickle.tensor(
                key, type: "FloatStorage", elements: tensor.values.count, shape: tensor.shape,
                strides: strides)
        }
        pickle.add("u")
        return PyTorchBuilder(pickle, storages: storages).build().bytes
    }

    /// The bytes of a GGUF file with these keys.
    public func gguf(_ keys: [(String, GGUFBuilder.Value)]) -> [UInt8] {
        let entries = tensors.sorted { $0.key < $1.key }.map { name, tensor in
            var data = ByteWriter()
            for value in tensor.values { data.integer(value.bitPattern, "value") }
            return GGUFBuilder.Entry(
                name, dimensions: tensor.shape.reversed().map(UInt64.init), data: data.bytes)
        }
        return GGUFBuilder(keys: keys, tensors: entries).bytes()
    }
}
