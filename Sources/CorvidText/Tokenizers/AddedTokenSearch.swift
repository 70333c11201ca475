/// The two ways in which added tokens are found in text.
enum AddedTokenSearch: Sendable {
    /// As Hugging Face `tokenizers` does: from left to right, the longest where several begin.
    case leftmostLongest
    /// As llama.cpp does: the longest token everywhere, then the next, in what is left between them.
    case longestFirst

    /// Cuts `bytes[range]` into added tokens and the text between them.
    /// - Parameter parseSpecial: whether special tokens are looked for.
    func segments(
        _ bytes: [UInt8], _ range: Range<Int>, _ trie: AddedTokenTrie, parseSpecial: Bool
    ) -> [TextSegment] {
        if range.isEmpty { return [] }
        if trie.isEmpty { return [.text(range)] }
        switch self {
        case .leftmostLongest: return Self.leftmost(bytes, range, trie, parseSpecial)
        case .longestFirst: return Self.longestFirst(bytes, range, trie, parseSpecial)
        }
    }

    private static func leftmost(
        _ bytes: [UInt8], _ range: Range<Int>, _ trie: AddedTokenTrie, _ parseSpecial: Bool
    ) -> [TextSegment] {
        var result: [TextSegment] = []
        var done = range.lowerBound  // text before this is in the result
        var blanksEnd = range.lowerBound  // where the blanks end that were taken along last
        var place = trie.nextCandidate(bytes, range.lowerBound, range.upperBound)
        while place < range.upperBound {
            guard let token = trie.longestMatch(bytes, at: place, range.upperBound) else {
                place = trie.nextCandidate(bytes, place + 1, range.upperBound)
                continue
            }
            var (start, stop) = (place, place + token.content.count)
            // A token that does not count is passed over whole: nothing is looked for inside it.
            place = trie.nextCandidate(bytes, stop, range.upperBound)
            if token.isSpecial && !parseSpecial { continue }
            if token.singleWord {
                let isFree =
                    !WordBoundary.endsWithWord(bytes, range.lowerBound..<start)
                    && !WordBoundary.startsWithWord(bytes, stop..<range.upperBound)
                if !isFree { continue }
            }
            if token.stripsLeft {
                start = done < start ? WordBoundary.blanksAtEnd(bytes, done..<start) : done
            }
            if token.stripsRight {
                // A token of blanks may lie within those that were taken along before.
                if stop >= blanksEnd {
                    blanksEnd = WordBoundary.blanksAtStart(bytes, stop..<range.upperBound)
                }
                stop = blanksEnd
            }
            if done < start { result.append(.text(done..<start)) }
            result.append(.token(token.id))
            done = stop
        }
        if done < range.upperBound { result.append(.text(done..<range.upperBound)) }
        return result
    }

    private static func longestFirst(
        _ bytes: [UInt8], _ range: Range<Int>, _ trie: AddedTokenTrie, _ parseSpecial: Bool
    ) -> [TextSegment] {
        // Only the tokens that occur at all are looked for one by one.
        var present = Set<Int>()
        var place = trie.nextCandidate(bytes, range.lowerBound, range.upperBound)
        while place < range.upperBound {
            trie.forEachMatch(bytes, at: place, range.upperBound) { present.insert($0) }
            place = trie.nextCandidate(bytes, place + 1, range.upperBound)
        }
        var segments: [TextSegment] = [.text(range)]
        let order = present.sorted {
            let (left, right) = (trie.tokens[$0], trie.tokens[$1])
            return (right.content.count, left.id) < (left.content.count, right.id)
        }
        for index in order {
            let token = trie.tokens[index]
            if token.isSpecial && !parseSpecial { continue }
            var next: [TextSegment] = []
            for segment in segments {
                guard case .text(let range) = segment else {
                    next.append(segment)
                    continue
                }
                split(bytes, range, at: token, into: &next)
            }
            segments = next
        }
        return segments
    }

    private static func split(
        _ bytes: [UInt8], _ range: Range<Int>, at token: AddedToken, into segments: inout [TextSegment]
    ) {
        var done = range.lowerBound
        var place = range.lowerBound
        let length = token.content.count
        while place + length <= range.upperBound {
            guard bytes[place] == token.content[0],
                bytes[place..<(place + length)].elementsEqual(token.content)
            else {
                place += 1
                continue
            }
            if done < place { segments.append(.text(done..<place)) }
            segments.append(.token(token.id))
            place += length
            done = place
        }
        if done < range.upperBound { segments.append(.text(done..<range.upperBound)) }
    }
}

/// What the options of added tokens ask about the text around them.
enum WordBoundary {
    /// Whether `\w` matches at the start: letters and other alphabetic characters, marks, decimal digits,
    /// connectors, joiners (Unicode Technical Standard 18).
    static func startsWithWord(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        return isWord(UTF8Sequence.decode(bytes, at: range.lowerBound, end: range.upperBound).point)
    }

    /// Whether `\w` matches the last character.
    static func endsWithWord(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard let start = lastScalar(bytes, range) else { return false }
        return isWord(UTF8Sequence.decode(bytes, at: start, end: range.upperBound).point)
    }

    /// Where the blanks at the end begin.
    static func blanksAtEnd(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
        var end = range.upperBound
        while let start = lastScalar(bytes, range.lowerBound..<end),
            ScalarClasses.shared.at(start, bytes, end).class.isWhitespace
        {
            end = start
        }
        return end
    }

    /// Where the blanks at the start end.
    static func blanksAtStart(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
        var start = range.lowerBound
        while start < range.upperBound {
            let (kind, length) = ScalarClasses.shared.at(start, bytes, range.upperBound)
            if !kind.isWhitespace { break }
            start += length
        }
        return start
    }

    /// Where the last code point, or a byte that belongs to none, begins.
    private static func lastScalar(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        guard !range.isEmpty else { return nil }
        let last = range.upperBound - 1
        var start = last
        while start > range.lowerBound, last - start < 3, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        let (point, length) = UTF8Sequence.decode(bytes, at: start, end: range.upperBound)
        return point != nil && start + length == range.upperBound ? start : last
    }

    private static func isWord(_ point: UInt32?) -> Bool {
        guard let point, let scalar = Unicode.Scalar(point) else { return false }
        if point < 0x80 {
            return ScalarClasses.shared[point].rawValue & 3 != 0 || point == 0x5F  // letters, digits, _
        }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return properties.isAlphabetic || properties.isJoinControl
        }
    }
}
