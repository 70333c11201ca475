/// BERT's text handling (Devlin et al. 2018, `BasicTokenizer`): control characters are removed and blanks
/// become U+0020, blanks go around Chinese characters, accents are removed, letters become small.
struct BertNormalization: Sendable, Equatable {
    var cleans = true
    var isolatesChinese = true
    var stripsAccents = true
    var lowercases = true

    /// `bytes[range]` as BERT reads it, or nil when it is unchanged.
    func apply(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8]? {
        guard let separated = separate(bytes, range) else { return nil }
        if !stripsAccents && !lowercases { return separated }
        let whole = 0..<separated.count
        guard stripsAccents, let apart = Composition.shared.decompose(separated, whole) else {
            return lowercases ? finish(separated) : separated
        }
        return finish(apart)
    }

    /// Whether an ASCII character may be changed.
    private func changes(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte >= 0x7F || lowercases && (0x41...0x5A).contains(byte)
    }

    /// Cleans the text and puts blanks around Chinese characters; nil when nothing at all has to be done.
    private func separate(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8]? {
        guard let first = bytes[range].firstIndex(where: changes) else { return nil }
        let classes = ScalarClasses.shared
        var output = Array(bytes[range.lowerBound..<first])
        output.reserveCapacity(range.count + range.count / 8)
        var place = first
        while place < range.upperBound {
            let byte = bytes[place]
            if byte >= 0x20, byte < 0x7F {
                output.append(byte)
                place += 1
                continue
            }
            let (point, length) = UTF8Sequence.decode(bytes, at: place, end: range.upperBound)
            let end = place + length
            // Bytes that are no code point stand for U+FFFD, which is removed.
            let kind = point.map { classes[$0] } ?? .unclean
            if cleans, kind.contains(.unclean) {
            } else if cleans, kind.isWhitespace {
                output.append(UInt8(ascii: " "))
            } else if isolatesChinese, let point, Self.isChinese(point) {
                output.append(UInt8(ascii: " "))
                output.append(contentsOf: bytes[place..<end])
                output.append(UInt8(ascii: " "))
            } else {
                output.append(contentsOf: bytes[place..<end])
            }
            place = end
        }
        return output
    }

    /// Removes accents from text that was taken apart, and makes letters small.
    private func finish(_ bytes: [UInt8]) -> [UInt8] {
        let classes = ScalarClasses.shared
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            let byte = bytes[place]
            if byte < 0x80 {
                output.append(lowercases && (0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
                place += 1
                continue
            }
            let (point, length) = UTF8Sequence.decode(bytes, at: place, end: bytes.count)
            if let point {
                if stripsAccents, classes[point].contains(.accent) {
                } else if lowercases {
                    Lowercase.append(point, to: &output)
                } else {
                    UTF8Sequence.append(point, to: &output)
                }
            } else {
                output.append(contentsOf: bytes[place..<(place + length)])
            }
            place += length
        }
        return output
    }

    /// The blocks of CJK ideographs that BERT names.
    private static func isChinese(_ point: UInt32) -> Bool {
        switch point {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B81F, 0x2B920...0x2CEAF,
            0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
