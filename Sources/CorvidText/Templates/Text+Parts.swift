/// Stripping, slicing and splitting with the rules of Python's `str`.
extension Text {
    /// Without the code points in `set` (white space when nil) at the chosen ends.
    func stripped(of set: Set<Unicode.Scalar>? = nil, start: Bool = true, end: Bool = true) -> Text {
        let view = string.unicodeScalars
        let isStripped = { (scalar: Unicode.Scalar) in set?.contains(scalar) ?? scalar.isPythonSpace }
        var kept = view[...]
        if start { kept = kept.drop(while: isStripped) }
        if end {
            while let last = kept.last, isStripped(last) {
                kept.removeLast()
            }
        }
        return kept.count == view.count ? self : Text(scalars: kept)
    }

    /// Code points `range`, which must lie inside the text.
    func slice(_ range: Range<Int>) -> Text {
        if isASCII { return bytes(in: range) }
        return Text(scalars: string.unicodeScalars.dropFirst(range.lowerBound).prefix(range.count))
    }

    /// `str.split` and `str.rsplit` with a separator, at most `limit` cuts (all when negative).
    func split(by separator: Text, limit: Int, fromEnd: Bool) -> [Text] {
        let most = limit < 0 ? Int.max : limit
        let cuts =
            fromEnd ? offsetsFromEnd(of: separator, limit: most) : offsets(of: separator, limit: most)
        var parts: [Text] = []
        var start = 0
        for cut in cuts {
            parts.append(bytes(in: start..<max(start, cut)))
            start = cut + separator.bytes.count
        }
        parts.append(bytes(in: start..<bytes.count))
        return parts
    }

    /// `str.split` and `str.rsplit` at runs of white space.
    func splitAtSpace(limit: Int, fromEnd: Bool) -> [Text] {
        let all = fromEnd ? scalars.reversed() : scalars
        let most = limit < 0 ? Int.max : limit
        var words: [[Unicode.Scalar]] = []
        var index = 0
        while true {
            while index < all.count, all[index].isPythonSpace {
                index += 1
            }
            guard index < all.count else { break }
            if words.count == most {
                // The rest stays whole.
                words.append(Array(all[index...]))
                break
            }
            var word: [Unicode.Scalar] = []
            while index < all.count, !all[index].isPythonSpace {
                word.append(all[index])
                index += 1
            }
            words.append(word)
        }
        return fromEnd
            ? words.reversed().map { Text(scalars: $0.reversed()) } : words.map { Text(scalars: $0) }
    }

    /// `str.splitlines`.
    func lines(keepingEnds: Bool = false) -> [Text] {
        let all = scalars
        var lines: [Text] = []
        var start = 0
        var index = 0
        while index < all.count {
            guard all[index].isLineBoundary else {
                index += 1
                continue
            }
            let end = index
            index += all[index] == "\r" && index + 1 < all.count && all[index + 1] == "\n" ? 2 : 1
            lines.append(Text(scalars: all[start..<(keepingEnds ? index : end)]))
            start = index
        }
        if start < all.count { lines.append(Text(scalars: all[start...])) }
        return lines
    }
}
