import CorvidTensors

/// Where the directory of a ZIP archive lies, by the record at the end of the file and the 64-bit one before.
struct ZipEndRecord: Sendable {
    /// Entries of the directory.
    let count: Int
    /// Where the directory begins and ends, from the start of the file.
    let start: Int
    let end: Int

    /// - Throws: ``FormatError``.
    init(_ bytes: Bytes, file: String) throws {
        guard let record = Self.endRecord(bytes) else {
            throw FormatError.truncated(
                file: file, item: "the directory of the archive", offset: bytes.count, needed: 22,
                available: 0)
        }
        var cursor = ByteCursor(bytes, file: file, offset: record + 4)
        let place = "the end record of the archive"
        let disk: UInt16 = try cursor.integer(place)
        let directoryDisk: UInt16 = try cursor.integer(place)
        let countHere = UInt64(try cursor.integer(place, as: UInt16.self))
        let shortCount = UInt64(try cursor.integer(place, as: UInt16.self))
        let shortSize = UInt64(try cursor.integer(place, as: UInt32.self))
        let shortOffset = UInt64(try cursor.integer(place, as: UInt32.self))
        guard disk == 0, directoryDisk == 0, countHere == shortCount else {
            throw FormatError.archive(file: file, item: place, reason: "speaks of several disks")
        }
        var fields = (count: shortCount, size: shortSize, offset: shortOffset)
        var directoryEnd = record
        if let wide = try Self.wideRecord(bytes, file: file, before: record) {
            fields = (wide.count, wide.size, wide.offset)
            directoryEnd = wide.start
            let pairs = [
                (shortCount, fields.count, UInt64(UInt16.max)), (shortSize, fields.size, UInt64(UInt32.max)),
                (shortOffset, fields.offset, UInt64(UInt32.max)),
            ]
            guard pairs.allSatisfy({ short, wide, most in short == wide || short == most }) else {
                throw FormatError.archive(file: file, item: place, reason: "differs from the 64-bit one")
            }
        }
        let limit = PyTorchFile.Limits.entries
        guard let entryCount = CheckedArithmetic.size(fields.count), entryCount <= limit else {
            throw FormatError.limit(
                file: file, item: "the number of entries of the archive", found: fields.count, limit: limit)
        }
        guard let offset = CheckedArithmetic.size(fields.offset),
            let size = CheckedArithmetic.size(fields.size),
            CheckedArithmetic.sum(offset, size) == directoryEnd
        else {
            throw FormatError.archive(
                file: file, item: "the directory of the archive",
                reason: "has \(fields.size) bytes at offset \(fields.offset), "
                    + "expected to end where its end record begins, at \(directoryEnd)")
        }
        count = entryCount
        start = offset
        end = directoryEnd
    }

    /// The record whose comment ends with the file.
    private static func endRecord(_ bytes: Bytes) -> Int? {
        let last = bytes.count - 22
        guard last >= 0 else { return nil }
        for offset in stride(from: last, through: max(0, last - Int(UInt16.max)), by: -1)
        where bytes.integer(at: offset, as: UInt32.self) == 0x0605_4B50 {
            if let comment = bytes.integer(at: offset + 20, as: UInt16.self), Int(comment) == last - offset {
                return offset
            }
        }
        return nil
    }

    /// The record with 64-bit fields, which a locator before the end record points to; nil if there is none.
    private static func wideRecord(
        _ bytes: Bytes, file: String, before record: Int
    ) throws -> (start: Int, count: UInt64, size: UInt64, offset: UInt64)? {
        let locator = record - 20
        guard locator >= 0, bytes.integer(at: locator, as: UInt32.self) == 0x0706_4B50 else { return nil }
        let place = "the 64-bit end record of the archive"
        func refuse(_ reason: String) -> FormatError {
            .archive(file: file, item: place, reason: reason)
        }
        guard bytes.integer(at: locator + 4, as: UInt32.self) == 0,
            let found = bytes.integer(at: locator + 8, as: UInt64.self),
            let disks = bytes.integer(at: locator + 16, as: UInt32.self), disks <= 1
        else { throw refuse("lies on another disk") }
        guard let start = CheckedArithmetic.size(found), start < locator,
            bytes.integer(at: start, as: UInt32.self) == 0x0606_4B50
        else { throw refuse("is not at offset \(found), where its locator says") }
        var cursor = ByteCursor(bytes, file: file, offset: start + 4)
        let length: UInt64 = try cursor.integer(place)
        guard let size = CheckedArithmetic.size(length), size >= 44,
            CheckedArithmetic.sum(start + 12, size) == locator
        else { throw refuse("has a length of \(length), expected to end where its locator begins") }
        try cursor.advance(by: 4, place)
        let disk: UInt32 = try cursor.integer(place)
        let directoryDisk: UInt32 = try cursor.integer(place)
        let countHere: UInt64 = try cursor.integer(place)
        let count: UInt64 = try cursor.integer(place)
        guard disk == 0, directoryDisk == 0, countHere == count else {
            throw refuse("speaks of several disks")
        }
        return (start, count, try cursor.integer(place), try cursor.integer(place))
    }
}
