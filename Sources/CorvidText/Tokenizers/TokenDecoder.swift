/// How the pieces of a vocabulary become text.
struct TokenDecoder: Sendable {
    enum Step: Sendable, Equatable {
        /// The pieces' bytes are the text's.
        case bytes
        /// One string for another in a piece.
        case replace([UInt8], with: [UInt8])
        /// A piece such as `<0x0A>` is a byte.
        case byteFallback
        /// From here on steps see the whole text, not pieces.
        case fuse
        /// Up to so many of a string are taken from the start and the end of a piece or text.
        case strip([UInt8], start: Int, end: Int)
        /// Pieces that begin with the prefix go on with the word, before others comes a blank; `cleans` takes
        /// blanks away before punctuation.
        case wordPiece(prefix: [UInt8], cleans: Bool)
        /// A piece with the mark begins a word, before which comes a blank.
        case markedWords(mark: [UInt8], cleans: Bool)
        /// Marks are blanks, and nothing in the first piece when `dropsFirst`.
        case metaspace(mark: [UInt8], dropsFirst: Bool)
        /// A piece with this suffix ends a word, after which comes a blank unless it is the last.
        case wordEnd([UInt8])
        /// A blank goes between pieces.
        case joined
    }

    var steps: [Step]

    /// Appends what a piece stands for, given what came before.
    func append(_ piece: ArraySlice<UInt8>, _ place: inout DecodingPlace, to output: inout [UInt8]) {
        if steps == [.bytes] {
            output.append(contentsOf: piece)
            return
        }
        if place.owesBlank { output.append(UInt8(ascii: " ")) }
        place.owesBlank = false
        let isFirst = place.isFirst
        place.isFirst = false
        var bytes = Array(piece)
        var isWhole = false
        for step in steps {
            switch step {
            case .bytes: break
            case .fuse: isWhole = true
            case .replace(let pattern, let replacement): bytes = Self.replace(bytes, pattern, replacement)
            case .byteFallback:
                if let byte = ByteTokens.byte(spelledBy: bytes) { bytes = [byte] }
            case .strip(let text, let start, let end):
                if isWhole {
                    // Only what begins the whole text is taken away.
                    var left = isFirst ? start : place.leftToStrip
                    while left > 0, bytes.starts(with: text) {
                        bytes.removeFirst(text.count)
                        left -= 1
                    }
                    place.leftToStrip = bytes.isEmpty ? left : 0
                } else {
                    Self.strip(&bytes, text, start: start, end: end)
                }
            case .wordPiece(let prefix, let cleans):
                if !isFirst {
                    if !prefix.isEmpty, bytes.starts(with: prefix) {
                        bytes.removeFirst(prefix.count)
                    } else {
                        bytes.insert(UInt8(ascii: " "), at: 0)
                    }
                }
                if cleans { bytes = Self.clean(bytes) }
            case .markedWords(let mark, let cleans):
                if bytes.starts(with: mark) {
                    bytes.replaceSubrange(..<mark.count, with: isFirst ? [] : [UInt8(ascii: " ")])
                }
                if cleans { bytes = Self.clean(bytes) }
            case .metaspace(let mark, let dropsFirst):
                bytes = Self.replace(bytes, mark, dropsFirst && isFirst ? [] : [UInt8(ascii: " ")])
            case .wordEnd(let suffix):
                let shortened = Self.replace(bytes, suffix, [])
                place.owesBlank = shortened.count < bytes.count
                bytes = shortened
            case .joined:
                if !isFirst { bytes.insert(UInt8(ascii: " "), at: 0) }
            }
        }
        output.append(contentsOf: bytes)
    }

    private static func replace(_ bytes: [UInt8], _ pattern: [UInt8], _ replacement: [UInt8]) -> [UInt8] {
        guard let first = pattern.first, bytes.contains(first) else { return bytes }
        var output: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == first, bytes[place...].starts(with: pattern) {
                output.append(contentsOf: replacement)
                place += pattern.count
            } else {
                output.append(bytes[place])
                place += 1
            }
        }
        return output
    }

    private static func strip(_ bytes: inout [UInt8], _ text: [UInt8], start: Int, end: Int) {
        var left = start
        while left > 0, bytes.starts(with: text) {
            bytes.removeFirst(text.count)
            left -= 1
        }
        left = end
        while left > 0, bytes.count >= text.count, bytes.suffix(text.count).elementsEqual(text) {
            bytes.removeLast(text.count)
            left -= 1
        }
    }

    /// What `clean_up_tokenization` takes away, in its order.
    private static let cleaned: [(pattern: [UInt8], replacement: [UInt8])] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

    private static func clean(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(UInt8(ascii: " ")) else { return bytes }
        return cleaned.reduce(bytes) { replace($0, $1.pattern, $1.replacement) }
    }
}

/// What decoding has to know of the tokens before: whether there are any, and what is still owed.
public struct DecodingPlace: Sendable, Equatable {
    var isFirst: Bool
    var leftToStrip = 0
    var owesBlank = false

    /// Where the first token of a text comes next.
    public static let start = DecodingPlace(isFirst: true)
    /// Somewhere within a text.
    public static let middle = DecodingPlace(isFirst: false)
}

/// Pieces that stand for single bytes.
enum ByteTokens {
    /// `<0x0A>` for 10.
    static func spelling(of byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)], UInt8(ascii: ">")]
    }

    /// The byte that a piece spells, or nil.
    static func byte(spelledBy piece: [UInt8]) -> UInt8? {
        guard piece.count == 6, piece.starts(with: Array("<0x".utf8)), piece[5] == UInt8(ascii: ">"),
            let high = digit(piece[3]), let low = digit(piece[4])
        else { return nil }
        return high << 4 | low
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// The ids of the 256 byte pieces, or nil when one is missing.
    static func ids(in vocabulary: Vocabulary) -> [Int32]? {
        var result: [Int32] = []
        for byte in UInt8.min...UInt8.max {
            let piece = spelling(of: byte)
            guard let id = vocabulary.id(of: piece, 0..<piece.count, .verbatim) else { return nil }
            result.append(id)
        }
        return result
    }
}
