import CorvidText

/// How a tokenizer's special tokens are spelled, so that they can be found in text.
struct SpecialSpellings: Sendable {
    /// In UTF-8, by their first byte, the longest first.
    private let byFirstByte: [UInt8: [[UInt8]]]

    init(of tokenizer: any Tokenizer) {
        var spellings = Set<[UInt8]>()
        for id in 0..<Int32(clamping: tokenizer.vocabularySize) where tokenizer.isSpecial(id) {
            // A token may stand for no text, and yet be spelled.
            spellings.insert(tokenizer.bytes(of: id))
            spellings.insert(Array(tokenizer.piece(of: id).utf8))
        }
        var byFirstByte: [UInt8: [[UInt8]]] = [:]
        for spelling in spellings where String(validating: spelling, as: UTF8.self) != nil {
            guard let first = spelling.first else { continue }
            byFirstByte[first, default: []].append(spelling)
        }
        self.byFirstByte = byFirstByte.mapValues { $0.sorted { $0.count > $1.count } }
    }

    var all: [[UInt8]] { byFirstByte.values.flatMap { $0 } }

    /// Where special tokens are spelled, from left to right; the longest where several begin.
    func occurrences(in bytes: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var place = 0
        while place < bytes.count {
            let spelling = byFirstByte[bytes[place]]?.first { bytes[place...].starts(with: $0) }
            guard let length = spelling?.count else {
                place += 1
                continue
            }
            ranges.append(place..<place + length)
            place += length
        }
        return ranges
    }
}
