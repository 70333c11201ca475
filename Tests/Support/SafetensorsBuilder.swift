/// Makes small safetensors files for tests, right ones and wrong ones.
public enum SafetensorsBuilder {
    /// A file with `header` as it is, its right length before and `data` behind.
    public static func file(header: String, data: [UInt8]) -> [UInt8] {
        file(header: Array(header.utf8), data: data)
    }

    public static func file(header: [UInt8], data: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(UInt64(header.count), "header length")
        writer.raw(header)
        writer.raw(data)
        return writer.bytes
    }

    /// A right file with f32 tensors of these shapes whose values are 0, 1, 2, ...
    public static func floats(_ tensors: [(name: String, shape: [Int])]) -> [UInt8] {
        var items: [String] = ["\"__metadata__\":{\"format\":\"pt\"}"]
        var data = ByteWriter()
        for (name, shape) in tensors {
            let begin = data.bytes.count
            for value in 0..<shape.reduce(1, *) { data.integer(Float(value).bitPattern, "value") }
            let sizes = shape.map(String.init).joined(separator: ",")
            items.append(
                "\"\(name)\":{\"dtype\":\"F32\",\"shape\":[\(sizes)],\"data_offsets\":[\(begin),\(data.bytes.count)]}"
            )
        }
        return file(header: "{" + items.joined(separator: ",") + "}", data: data.bytes)
    }
}
