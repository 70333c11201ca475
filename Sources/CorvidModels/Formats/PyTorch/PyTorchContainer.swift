import CorvidTensors

/// What a checkpoint's pickle says, and where the numbers of its storages lie.
struct PyTorchContainer: Sendable {
    struct Extent: Sendable {
        /// From the start of the file.
        let offset: Int
        let byteCount: Int
    }

    let pickle: Pickle
    /// Of each storage of the pickle, exactly as many bytes as it says.
    let storages: [Extent]

    /// - Throws: ``FormatError``.
    init(_ bytes: Bytes, file: String) throws {
        let isArchive = bytes.integer(at: 0, as: UInt32.self) == ZipDirectory.signature
        let isPickle = bytes.integer(at: 0, as: UInt8.self) == PickleInstruction.protocol.rawValue
        try FileSignature.check(bytes, file: file, format: "PyTorch", isRight: isArchive || isPickle)
        self = isArchive ? try Self(archive: bytes, file: file) : try Self(stream: bytes, file: file)
    }

    private static func byteCount(_ storage: PickleHeap.Storage, file: String) throws -> Int {
        guard let count = storage.byteCount else {
            throw FormatError.archive(
                file: file, item: item(storage), reason: "has \(storage.count) elements, which is too many")
        }
        return count
    }

    private static func item(_ storage: PickleHeap.Storage) -> String {
        "storage '\(FormatError.shown(storage.key))'"
    }

    // MARK: Since PyTorch 1.6

    /// A ZIP archive with the pickle in NAME/data.pkl and the numbers in NAME/data/KEY.
    private init(archive bytes: Bytes, file: String) throws {
        let directory = try ZipDirectory(bytes, file: file)
        let suffix = "/data.pkl"
        let pickles = directory.entries.filter {
            $0.name.hasSuffix(suffix) && $0.name.split(separator: "/").count == 2
        }
        guard let entry = pickles.first, pickles.count == 1 else {
            throw FormatError.archive(
                file: file, item: "the archive",
                reason: "has \(pickles.count) entries NAME/data.pkl, expected one: is it a checkpoint?")
        }
        let folder = entry.name.dropLast(suffix.count) + "/"
        if let order = directory.entry(named: folder + "byteorder") {
            let text = bytes.string(offset: order.offset, count: min(order.byteCount, 16)) ?? ""
            guard text == "little" else {
                throw FormatError.archive(
                    file: file, item: "entry \(FormatError.shown(order.name))",
                    reason: "says '\(FormatError.shown(text))', but only little-endian numbers can be read")
            }
        }
        // What lies behind the entry is none of the pickle's business.
        guard let visible = bytes.slice(offset: 0, count: entry.offset + entry.byteCount) else {
            throw FormatError.truncated(
                file: file, item: "the pickle", offset: entry.offset, needed: UInt64(entry.byteCount),
                available: bytes.count - entry.offset)
        }
        let pickle = try Pickle(visible, offset: entry.offset, file: file)
        guard pickle.end == visible.count else {
            throw FormatError.archive(
                file: file, item: "entry \(FormatError.shown(entry.name))",
                reason: "has \(visible.count - pickle.end) bytes behind the pickle's end")
        }
        self.pickle = pickle
        storages = try pickle.heap.storages.map { storage in
            let needed = try Self.byteCount(storage, file: file)
            guard let entry = directory.entry(named: folder + "data/" + storage.key) else {
                throw FormatError.archive(
                    file: file, item: Self.item(storage), reason: "has no entry in the archive")
            }
            guard needed <= entry.byteCount else {
                throw FormatError.archive(
                    file: file, item: Self.item(storage),
                    reason: "has \(storage.count) elements of \(storage.typeName), "
                        + "but its entry has \(entry.byteCount) bytes instead of \(needed)")
            }
            return Extent(offset: entry.offset, byteCount: needed)
        }
    }

    // MARK: Before PyTorch 1.6

    /// The magic number 0x1950A86A20F9469CFC6C, the lowest byte first.
    private static let magic = "6cfc9c46f9206aa85019"

    /// Five pickles (a magic number, a version, facts about the machine, the weights, the keys of storages),
    /// then each storage with the number of its elements before it.
    private init(stream bytes: Bytes, file: String) throws {
        let start = try Pickle(bytes, offset: 0, file: file)
        guard case .longInteger(Self.magic) = start.value else {
            throw FormatError.signature(
                file: file, expected: "PyTorch", found: "a pickle of something else")
        }
        let version = try Pickle(bytes, offset: start.end, file: file)
        guard case .integer(1001) = version.value else {
            let found: UInt64 =
                if case .integer(let number) = version.value { UInt64(clamping: number) } else { 0 }
            throw FormatError.version(file: file, found: found, supported: "1001, and archives")
        }
        let machine = try Pickle(bytes, offset: version.end, file: file)
        guard Self.isLittleEndian(machine) else {
            throw FormatError.archive(
                file: file, item: "its description of the machine",
                reason: "does not say little_endian, but only such numbers can be read")
        }
        pickle = try Pickle(bytes, offset: machine.end, file: file)
        let keys = try Pickle(bytes, offset: pickle.end, file: file)
        storages = try Self.storages(of: pickle.heap, keys, bytes, file)
    }

    private static func isLittleEndian(_ machine: Pickle) -> Bool {
        guard case .dictionary(let facts) = machine.value else { return false }
        return machine.heap.pairs(facts).contains { key, value in
            if case .text("little_endian") = key, case .bool(true) = value { true } else { false }
        }
    }

    /// The storages one after another, in the order of the list of keys, up to the end of the file.
    private static func storages(
        of heap: PickleHeap, _ keys: Pickle, _ bytes: Bytes, _ file: String
    ) throws -> [Extent] {
        guard case .list(let list) = keys.value else {
            throw FormatError.archive(
                file: file, item: "the list of storages", reason: "is \(keys.value.kind), expected a list")
        }
        var extents = [Extent?](repeating: nil, count: heap.storages.count)
        var cursor = ByteCursor(bytes, file: file, offset: keys.end)
        for value in keys.heap.items(list) {
            guard case .text(let key) = value, let index = heap.storageOfKey[key], extents[index] == nil
            else {
                let found =
                    if case .text(let key) = value { "'\(FormatError.shown(key))'" } else { value.kind }
                throw FormatError.archive(
                    file: file, item: "the list of storages",
                    reason: "has \(found), expected each storage of the weights once")
            }
            let storage = heap.storages[index]
            let needed = try byteCount(storage, file: file)
            let count: UInt64 = try cursor.integer("the size of \(item(storage))")
            guard count == UInt64(storage.count) else {
                throw FormatError.archive(
                    file: file, item: item(storage),
                    reason:
                        "has \(count) elements at byte \(cursor.offset - 8), \(storage.count) by the pickle")
            }
            extents[index] = Extent(offset: cursor.offset, byteCount: needed)
            try cursor.advance(by: needed, item(storage))
        }
        guard cursor.remaining == 0 else {
            throw FormatError.archive(
                file: file, item: "the file", reason: "has \(cursor.remaining) bytes behind its last storage")
        }
        return try extents.enumerated().map { index, extent in
            guard let extent else {
                throw FormatError.archive(
                    file: file, item: item(heap.storages[index]), reason: "is not in the list of storages")
            }
            return extent
        }
    }
}
