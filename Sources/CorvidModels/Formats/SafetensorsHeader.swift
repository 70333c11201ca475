import CorvidTensors
import CorvidText

/// The header of a safetensors file, all of its rules checked.
struct SafetensorsHeader: Sendable {
    struct Item: Sendable {
        let name: String
        let type: SafetensorsType
        let shape: [Int]
        /// Of the first byte, from the start of the file.
        let offset: Int
        let byteCount: Int
    }

    let metadata: [String: String]
    /// In the order of their data.
    let items: [Item]

    /// - Throws: ``FormatError``.
    init(bytes: Bytes, path: String) throws {
        try FileSignature.check(
            bytes, file: path, format: "safetensors",
            isRight: bytes.count < 9 || bytes.integer(at: 8, as: UInt8.self) == UInt8(ascii: "{"))
        var cursor = ByteCursor(bytes, file: path)
        let length = try cursor.integer("the length of the header", as: UInt64.self)
        let limit = SafetensorsFile.Limits.headerBytes
        guard let count = CheckedArithmetic.size(length), count <= limit else {
            throw FormatError.limit(file: path, item: "the length of the header", found: length, limit: limit)
        }
        guard let text = bytes.array(offset: 8, count: count), let start = CheckedArithmetic.sum(8, count)
        else {
            throw cursor.truncated("the header", needed: length)
        }
        var reader = Reader(text: text, path: path)
        do {
            try reader.read()
        } catch let error as JSONError {
            throw FormatError.json(file: path, reason: "the header is not valid at \(error)")
        }
        metadata = reader.metadata
        items = try Self.place(reader.items, start: start, fileBytes: bytes.count, path)
    }

    /// Checks that the tensors cover the data exactly: no hole, no overlap, nothing after the last.
    private static func place(
        _ items: [Reader.Item], start: Int, fileBytes: Int, _ path: String
    ) throws -> [Item] {
        let bound = fileBytes - start
        let sorted = items.sorted { ($0.begin, $0.end) < ($1.begin, $1.end) }
        if let last = sorted.map(\.end).max(), last > bound {
            throw FormatError.truncated(
                file: path, item: "the data of tensor \(FormatError.shown(sorted.last?.name ?? ""))",
                offset: start,
                needed: UInt64(last), available: bound)
        }
        var end = 0
        var previous = ""
        var result: [Item] = []
        result.reserveCapacity(items.count)
        for item in sorted {
            guard item.begin >= end else {
                throw FormatError.overlap(file: path, tensor: item.name, other: previous, offset: item.begin)
            }
            guard item.begin == end else { throw FormatError.hole(file: path, from: end, to: item.begin) }
            guard let offset = CheckedArithmetic.sum(start, item.begin) else {
                throw FormatError.range(
                    file: path, tensor: item.name, offset: UInt64(item.begin),
                    count: UInt64(item.end - item.begin),
                    bound: bound)
            }
            result.append(
                Item(
                    name: item.name, type: item.type, shape: item.shape, offset: offset,
                    byteCount: item.end - item.begin))
            end = item.end
            previous = item.name
        }
        guard end == bound else { throw FormatError.hole(file: path, from: end, to: bound) }
        return result
    }
}

// MARK: - JSON

private struct Reader {
    struct Item {
        let name: String
        let type: SafetensorsType
        let shape: [Int]
        /// `begin <= end`, both at least 0.
        let begin: Int
        let end: Int
    }

    private var scanner: JSONScanner
    private let path: String
    private(set) var metadata: [String: String] = [:]
    private(set) var items: [Item] = []

    init(text: [UInt8], path: String) {
        scanner = JSONScanner(text, limits: JSONLimits(depth: 16))
        self.path = path
    }

    mutating func read() throws {
        var seen: Set<String> = []
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            guard seen.insert(key).inserted else { throw duplicate("tensor \(FormatError.shown(key))") }
            if key == "__metadata__" { try readMetadata() } else { try readTensor(key) }
        }
        try scanner.finish()
    }

    private mutating func readMetadata() throws {
        if try scanner.peek() == .null { return try scanner.readNull() }
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            let value = try scanner.readString()
            guard metadata.updateValue(value, forKey: key) == nil else {
                throw duplicate("__metadata__ key \(FormatError.shown(key))")
            }
        }
    }

    private mutating func readTensor(_ name: String) throws {
        var typeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            let isRepeated: Bool
            switch key {
            case "dtype":
                isRepeated = typeName != nil
                typeName = try scanner.readString()
            case "shape":
                isRepeated = shape != nil
                shape = try readSizes(of: name, "shape", limit: SafetensorsFile.Limits.axes)
            case "data_offsets":
                isRepeated = offsets != nil
                offsets = try readSizes(of: name, "data_offsets", limit: 2)
            default:
                isRepeated = false
                try scanner.skipValue()
            }
            if isRepeated { throw duplicate("\(key) of tensor \(FormatError.shown(name))") }
        }
        items.append(try item(name, typeName: typeName, shape: shape, offsets: offsets))
    }

    private func item(_ name: String, typeName: String?, shape: [Int]?, offsets: [Int]?) throws -> Item {
        guard let typeName else { throw missing("dtype", name) }
        guard let shape else { throw missing("shape", name) }
        guard let offsets else { throw missing("data_offsets", name) }
        guard let type = SafetensorsType.table[typeName] else {
            throw FormatError.elementType(file: path, tensor: name, found: FormatError.shown(typeName))
        }
        guard offsets.count == 2, let begin = offsets.first, let end = offsets.last, begin <= end else {
            throw FormatError.value(
                file: path, item: "data_offsets of tensor \(FormatError.shown(name))", found: "\(offsets)",
                expected: "[begin, end] with begin <= end")
        }
        guard let expected = type.byteCount(shape: shape) else {
            throw FormatError.shape(
                file: path, tensor: name, found: "\(shape)",
                expected: "whole bytes and a size of less than 2^63 bits")
        }
        guard end - begin == expected else {
            throw FormatError.size(file: path, tensor: name, found: end - begin, expected: expected)
        }
        return Item(name: name, type: type, shape: shape, begin: begin, end: end)
    }

    /// An array of at most `limit` integers that are not negative.
    private mutating func readSizes(of name: String, _ field: String, limit: Int) throws -> [Int] {
        let item = "\(field) of tensor \(FormatError.shown(name))"
        var sizes: [Int] = []
        try scanner.beginArray()
        while try scanner.nextElement() {
            guard sizes.count < limit else {
                throw FormatError.limit(
                    file: path, item: "the length of \(item)", found: UInt64(sizes.count + 1), limit: limit)
            }
            guard case .integer(let value) = try scanner.readNumber(), value >= 0,
                let size = Int(exactly: value)
            else {
                throw FormatError.value(
                    file: path, item: item, found: "no size", expected: "integers from 0 to 2^63 - 1")
            }
            sizes.append(size)
        }
        return sizes
    }

    private func duplicate(_ item: String) -> FormatError { .duplicate(file: path, item: item) }

    private func missing(_ field: String, _ name: String) -> FormatError {
        .value(
            file: path, item: "\(field) of tensor \(FormatError.shown(name))", found: "absent",
            expected: "to be there")
    }
}
