/// Reads the fields of a Protocol Buffers message, as they are encoded, within bounds.
struct ProtocolBufferReader {
    enum Value {
        case number(UInt64)
        /// Four bytes, such as a `float`.
        case word(UInt32)
        /// A text, an array of bytes or another message: where it lies.
        case bytes(Range<Int>)
    }

    /// Why a message cannot be read, and where in the file.
    struct Failure: Error {
        let reason: String
        let offset: Int
    }

    private let bytes: [UInt8]
    private var place: Int
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        place = range.lowerBound
        end = range.upperBound
    }

    /// The number of the next field and its value; nil at the end of the message.
    mutating func next() throws(Failure) -> (field: Int, value: Value)? {
        if place >= end { return nil }
        let start = place
        let key = try number()
        let field = Int(clamping: key >> 3)
        guard field > 0 else { throw Failure(reason: "a field has the number 0", offset: start) }
        switch key & 7 {
        case 0: return (field, .number(try number()))
        case 1:
            let range = try take(8)
            let value = range.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) }
            return (field, .number(value))
        case 2:
            let length = try number()
            return (field, .bytes(try take(Int(clamping: length))))
        case 5:
            let range = try take(4)
            return (field, .word(range.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[$1]) }))
        case let other: throw Failure(reason: "a field is of kind \(other)", offset: start)
        }
    }

    /// Seven bits in each byte, the lowest first.
    private mutating func number() throws(Failure) -> UInt64 {
        let start = place
        var value: UInt64 = 0
        for index in 0..<10 {
            guard place < end else { break }
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte < 0x80 { return value }
        }
        throw Failure(reason: "a number does not end", offset: start)
    }

    private mutating func take(_ count: Int) throws(Failure) -> Range<Int> {
        guard count <= end - place else {
            throw Failure(reason: "a field of \(count) bytes does not end within the file", offset: place)
        }
        defer { place += count }
        return place..<(place + count)
    }
}
