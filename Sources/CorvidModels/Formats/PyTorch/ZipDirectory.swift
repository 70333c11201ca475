import CorvidTensors

/// What lies where in a ZIP archive. Only entries that are stored as they are, so that nothing is unpacked.
///
/// Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 (records) and 4.5.3 (64-bit sizes). Stricter in what a
/// checkpoint never needs: no compression, encryption or second disk; names are plain relative paths that do
/// not repeat; the header before an entry says what the directory says; nothing overlaps, and the directory
/// ends where the end record begins. Checksums are not compared: writers may leave them out.
struct ZipDirectory: Sendable {
    struct Entry: Sendable {
        let name: String
        /// Of the header before the data, from the start of the file.
        let header: Int
        /// Of the data, from the start of the file.
        let offset: Int
        let byteCount: Int
    }

    /// In the order of the directory.
    let entries: [Entry]
    private let places: [String: Int]

    /// What a file of this kind begins with, the header of an entry.
    static let signature: UInt32 = 0x0403_4B50

    func entry(named name: String) -> Entry? { places[name].map { entries[$0] } }

    /// - Throws: ``FormatError``.
    init(_ bytes: Bytes, file: String) throws {
        var reader = try Reader(bytes, file: file)
        entries = try reader.entries()
        try reader.checkOverlaps(entries)
        var places: [String: Int] = [:]
        for (index, entry) in entries.enumerated() {
            guard places.updateValue(index, forKey: entry.name) == nil else {
                throw FormatError.duplicate(file: file, item: "entry \(FormatError.shown(entry.name))")
            }
        }
        self.places = places
    }
}

private struct Reader {
    private let bytes: Bytes
    private let file: String
    private let count: Int
    private var cursor: ByteCursor
    /// Where the directory begins and ends.
    private let start: Int
    private let end: Int

    init(_ bytes: Bytes, file: String) throws {
        let record = try ZipEndRecord(bytes, file: file)
        self.bytes = bytes
        self.file = file
        count = record.count
        start = record.start
        end = record.end
        cursor = ByteCursor(bytes, file: file, offset: record.start)
    }

    mutating func entries() throws -> [ZipDirectory.Entry] {
        // An entry of the directory has at least 46 bytes: a false count reserves no more than there is.
        var entries: [ZipDirectory.Entry] = []
        entries.reserveCapacity(min(count, (end - start) / 46))
        for index in 0..<count { entries.append(try entry(index)) }
        guard cursor.offset == end else {
            throw FormatError.archive(
                file: file, item: "the directory of the archive",
                reason: "has \(end - cursor.offset) bytes behind its last entry")
        }
        return entries
    }

    /// What both headers of an entry say.
    private struct Head {
        let flags: UInt16
        let method: UInt16
        let packed: UInt32
        let unpacked: UInt32
        let nameBytes: Int
        let extraBytes: Int

        /// From the flags on. Reads the fields that both have in this order; moves over the rest.
        init(_ cursor: inout ByteCursor, _ place: String) throws {
            flags = try cursor.integer(place)
            method = try cursor.integer(place)
            try cursor.advance(by: 8, place)
            packed = try cursor.integer(place)
            unpacked = try cursor.integer(place)
            nameBytes = Int(try cursor.integer(place, as: UInt16.self))
            extraBytes = Int(try cursor.integer(place, as: UInt16.self))
        }

        var isEncrypted: Bool { flags & 1 != 0 }
        /// The sizes may follow the data instead of standing before it.
        var sizesFollow: Bool { flags & 8 != 0 }
    }

    private mutating func entry(_ index: Int) throws -> ZipDirectory.Entry {
        let place = "entry \(index) of the archive's directory"
        guard try cursor.integer(place, as: UInt32.self) == 0x0201_4B50 else {
            throw FormatError.archive(file: file, item: place, reason: "does not begin as one")
        }
        try cursor.advance(by: 4, place)
        let head = try Head(&cursor, place)
        let commentBytes = Int(try cursor.integer(place, as: UInt16.self))
        let disk: UInt16 = try cursor.integer(place)
        try cursor.advance(by: 6, place)
        let shortHeader: UInt32 = try cursor.integer(place)
        let name = try self.name(head.nameBytes, place)
        let item = "entry \(FormatError.shown(name))"

        // 64-bit fields stand in this order, each only if its short one is all ones.
        var wide = try Wide(&cursor, head, item)
        let unpacked = try wide.value(head.unpacked, file, item)
        let packed = try wide.value(head.packed, file, item)
        let header = try wide.value(shortHeader, file, item)
        try cursor.advance(by: commentBytes, item)
        func refuse(_ reason: String) -> FormatError {
            .archive(file: file, item: item, reason: reason)
        }
        guard disk == 0 || disk == UInt16.max else { throw refuse("lies on another disk") }
        guard !head.isEncrypted else { throw refuse("is encrypted") }
        guard head.method == 0 else {
            throw refuse("is compressed (method \(head.method)), expected to be stored as it is")
        }
        guard packed == unpacked else {
            throw refuse("is stored in \(packed) bytes but has \(unpacked)")
        }
        guard let start = CheckedArithmetic.size(header), let count = CheckedArithmetic.size(unpacked) else {
            throw refuse("has \(unpacked) bytes at offset \(header)")
        }
        let offset = try dataOffset(name, item, header: start, count: count, head)
        guard CheckedArithmetic.end(offset: offset, count: count, within: self.start) != nil else {
            throw refuse(
                "has \(count) bytes at offset \(offset), beyond the \(self.start) before the directory")
        }
        return ZipDirectory.Entry(name: name, header: start, offset: offset, byteCount: count)
    }

    private mutating func name(_ count: Int, _ place: String) throws -> String {
        let limit = PyTorchFile.Limits.entryNameBytes
        guard count <= limit else {
            throw FormatError.limit(
                file: file, item: "the length of the name of \(place)", found: UInt64(count), limit: limit)
        }
        let start = cursor.offset
        try cursor.advance(by: count, place)
        guard let name = bytes.string(offset: start, count: count) else {
            throw FormatError.text(file: file, item: "the name of \(place)", offset: start)
        }
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
                && !part.contains(UInt8(ascii: "\\")) && !part.contains(0)
        }
        guard isPlain else {
            throw FormatError.archive(
                file: file, item: place,
                reason: "is named '\(FormatError.shown(name))', expected a plain path inside the archive")
        }
        return name
    }

    /// Where the data of an entry begin: behind a header that repeats what the directory says.
    private func dataOffset(
        _ name: String, _ item: String, header: Int, count: Int, _ directory: Head
    ) throws -> Int {
        func refuse(_ reason: String) -> FormatError {
            .archive(file: file, item: item, reason: reason)
        }
        guard header < start, bytes.integer(at: header, as: UInt32.self) == ZipDirectory.signature else {
            throw refuse("has no header at offset \(header), where the directory says")
        }
        var cursor = ByteCursor(bytes, file: file, offset: header)
        try cursor.advance(by: 6, item)
        let head = try Head(&cursor, item)
        let nameStart = cursor.offset
        try cursor.advance(by: head.nameBytes, item)
        guard bytes.array(offset: nameStart, count: head.nameBytes) == Array(name.utf8) else {
            throw refuse("has another name in the header at offset \(header)")
        }
        guard head.method == directory.method, head.flags == directory.flags else {
            throw refuse("is stored in another way by the header at offset \(header)")
        }
        var wide = try Wide(&cursor, head, item)
        let unpacked = try wide.value(head.unpacked, file, item)
        let packed = try wide.value(head.packed, file, item)
        let sizes = [unpacked, packed]
        let agrees =
            sizes.allSatisfy { $0 == UInt64(count) } || head.sizesFollow && sizes.allSatisfy { $0 == 0 }
        guard agrees else {
            throw refuse("has \(unpacked) bytes by the header at offset \(header), \(count) by the directory")
        }
        return cursor.offset
    }

    /// The 64-bit fields in the extra fields of an entry (number 1), handed out one after another.
    private struct Wide {
        private var values: [UInt64] = []

        /// Moves over all extra fields.
        init(_ cursor: inout ByteCursor, _ head: Head, _ item: String) throws {
            let start = cursor.offset
            try cursor.advance(by: head.extraBytes, item)
            var inner = ByteCursor(cursor.bytes, file: cursor.file, offset: start)
            while cursor.offset - inner.offset >= 4 {
                let number: UInt16 = try inner.integer(item)
                let length = Int(try inner.integer(item, as: UInt16.self))
                guard length <= cursor.offset - inner.offset else { break }
                if number == 1, values.isEmpty {
                    for place in stride(from: 0, through: length - 8, by: 8) {
                        if let value = inner.bytes.integer(at: inner.offset + place, as: UInt64.self) {
                            values.append(value)
                        }
                    }
                }
                try inner.advance(by: length, item)
            }
            values.reverse()
        }

        mutating func value(_ short: UInt32, _ file: String, _ item: String) throws -> UInt64 {
            guard short == UInt32.max else { return UInt64(short) }
            guard let value = values.popLast() else {
                throw FormatError.archive(file: file, item: item, reason: "lacks its 64-bit size or offset")
            }
            return value
        }
    }

    /// Throws if two entries, their headers included, share bytes.
    func checkOverlaps(_ entries: [ZipDirectory.Entry]) throws {
        let sorted = entries.sorted { ($0.header, $0.offset) < ($1.header, $1.offset) }
        for (previous, next) in zip(sorted, sorted.dropFirst())
        where next.header < previous.offset || next.header - previous.offset < previous.byteCount {
            throw FormatError.archive(
                file: file, item: "entry \(FormatError.shown(next.name))",
                reason: "overlaps entry \(FormatError.shown(previous.name))")
        }
    }
}
