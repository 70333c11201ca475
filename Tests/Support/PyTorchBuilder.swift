/// A pickle for tests, instruction by instruction.
public struct PickleBuilder: Sendable {
    public private(set) var instructions: [[UInt8]]

    public init(protocol number: UInt8 = 2) { instructions = [[0x80, number]] }

    /// The bytes, STOP behind the last instruction.
    public var bytes: [UInt8] { Array(instructions.joined()) + Array(".".utf8) }

    public mutating func add(_ code: UInt8, _ argument: [UInt8] = []) {
        instructions.append([code] + argument)
    }

    /// Instructions without an argument, by the letters that Python gives them.
    public mutating func add(_ letters: String) {
        for letter in letters.utf8 { add(letter) }
    }

    public mutating func text(_ text: String) {
        add(UInt8(ascii: "X"), Self.littleEndian(UInt32(text.utf8.count)) + Array(text.utf8))
    }

    public mutating func integer(_ value: Int) {
        if let byte = UInt8(exactly: value) {
            add(UInt8(ascii: "K"), [byte])
        } else if let short = Int32(exactly: value) {
            add(UInt8(ascii: "J"), Self.littleEndian(short))
        } else {
            add(0x8A, [8] + Self.littleEndian(value))
        }
    }

    public mutating func global(_ module: String, _ name: String) {
        add(UInt8(ascii: "c"), Array("\(module)\n\(name)\n".utf8))
    }

    public mutating func tuple(_ sizes: [Int]) {
        add("(")
        for size in sizes { integer(size) }
        add("t")
    }

    /// A view of a storage with a type of its own.
    public mutating func tensor(
        _ key: String, type: String, elements: Int, offset: Int = 0, shape: [Int], strides: [Int],
        isOld: Bool = false
    ) {
        global("torch._utils", "_rebuild_tensor_v2")
        add("((")
        text("storage")
        global("torch", type)
        text(key)
        text("cpu")
        integer(elements)
        add(isOld ? "NtQ" : "tQ")
        integer(offset)
        tuple(shape)
        tuple(strides)
        add(0x89)
        global("collections", "OrderedDict")
        add(")RtR")
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

/// Makes small PyTorch checkpoints of a pickle and the bytes of its storages.
public struct PyTorchBuilder: Sendable {
    public let pickle: PickleBuilder
    public let storages: [(key: String, elements: Int, bytes: [UInt8])]
    /// Whether to write the stream of pickles that came before the archive.
    public let isOld: Bool

    public init(
        _ pickle: PickleBuilder, storages: [(key: String, elements: Int, bytes: [UInt8])] = [],
        isOld: Bool = false
    ) {
        self.pickle = pickle
        self.storages = storages
        self.isOld = isOld
    }

    public func build() -> ByteWriter { build(pickle: pickle.bytes) }

    /// The same around another pickle.
    public func build(pickle: [UInt8]) -> ByteWriter { isOld ? stream(pickle) : archive(pickle) }

    private func archive(_ pickle: [UInt8]) -> ByteWriter {
        let entries =
            [("m/data.pkl", pickle), ("m/byteorder", Array("little".utf8))]
            + storages.map { ("m/data/" + $0.key, $0.bytes) }
        var writer = ByteWriter()
        var directory = ByteWriter()
        func head(_ writer: inout ByteWriter, _ name: String, _ size: Int) {
            writer.integer(UInt16(0), "flags")
            writer.integer(UInt16(0), "method")
            writer.raw([UInt8](repeating: 0, count: 8))
            writer.integer(UInt32(size), "length of packed data")
            writer.integer(UInt32(size), "length of data")
            writer.integer(UInt16(name.utf8.count), "length of name")
            writer.integer(UInt16(0), "length of extra fields")
        }
        for (name, data) in entries {
            let offset = writer.bytes.count
            writer.raw(Array("PK\u{3}\u{4}\0\0".utf8))
            head(&writer, name, data.count)
            writer.raw(Array(name.utf8) + data)
            directory.raw(Array("PK\u{1}\u{2}\0\0\0\0".utf8))
            head(&directory, name, data.count)
            directory.integer(UInt16(0), "length of comment")
            directory.integer(UInt16(0), "disk")
            directory.raw([UInt8](repeating: 0, count: 6))
            directory.integer(UInt32(offset), "offset")
            directory.raw(Array(name.utf8))
        }
        let start = writer.bytes.count
        writer.append(directory)
        let end = writer.bytes.count
        writer.raw(Array("PK\u{6}\u{6}".utf8))
        writer.integer(UInt64(44), "length of record")
        writer.integer(UInt32(0), "versions")
        writer.integer(UInt64(0), "disks")
        writer.integer(UInt64(entries.count), "entry count")
        writer.integer(UInt64(entries.count), "entry count")
        writer.integer(UInt64(end - start), "length of directory")
        writer.integer(UInt64(start), "offset")
        writer.raw(Array("PK\u{6}\u{7}\0\0\0\0".utf8))
        writer.integer(UInt64(end), "offset")
        writer.integer(UInt32(1), "disks")
        writer.raw(Array("PK\u{5}\u{6}".utf8))
        writer.integer(UInt32(0), "disks")
        writer.integer(UInt16(clamping: entries.count), "entry count")
        writer.integer(UInt16(clamping: entries.count), "entry count")
        writer.integer(UInt32(end - start), "length of directory")
        writer.integer(UInt32(start), "offset")
        writer.integer(UInt16(0), "length of comment")
        return writer
    }

    private func stream(_ pickle: [UInt8]) -> ByteWriter {
        var writer = ByteWriter()
        // The magic number, version 1001, and the facts about the machine.
        writer.raw([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E])
        writer.raw([0x80, 2, 0x4D, 0xE9, 3, 0x2E])
        var machine = PickleBuilder()
        machine.add("}")
        machine.text("little_endian")
        machine.add(0x88)
        machine.add("s")
        writer.raw(machine.bytes)
        writer.raw(pickle)
        var keys = PickleBuilder()
        keys.add("](")
        for storage in storages { keys.text(storage.key) }
        keys.add("e")
        writer.raw(keys.bytes)
        for storage in storages {
            writer.integer(UInt64(storage.elements), "length of storage")
            writer.raw(storage.bytes)
        }
        return writer
    }
}
