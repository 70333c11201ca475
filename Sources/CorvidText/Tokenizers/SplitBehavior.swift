/// What separates the parts of a text.
enum Separator: Sendable, Equatable {
    /// A string that is not empty.
    case text([UInt8])
    /// Each character of punctuation, in BERT's sense.
    case punctuation
    /// Each `\p{N}`.
    case number
    /// Each run of `\p{N}`.
    case numberRun
    /// Each run of `\s`.
    case blankRun

    /// Where the separator that begins at `start` ends, or nil when none does.
    fileprivate func end(
        _ bytes: [UInt8], _ start: Int, _ end: Int, _ classes: ScalarClasses
    ) -> Int? {
        switch self {
        case .text(let text):
            let stop = start + text.count
            return stop <= end && bytes[start..<stop].elementsEqual(text) ? stop : nil
        case .punctuation: return run(bytes, start, end, atMost: 1, classes) { $0.isSeparator }
        case .number: return run(bytes, start, end, atMost: 1, classes) { $0.isNumber }
        case .numberRun: return run(bytes, start, end, atMost: .max, classes) { $0.isNumber }
        case .blankRun: return run(bytes, start, end, atMost: .max, classes) { $0.isWhitespace }
        }
    }

    private func run(
        _ bytes: [UInt8], _ start: Int, _ end: Int, atMost limit: Int, _ classes: ScalarClasses,
        _ isIn: (ScalarClass) -> Bool
    ) -> Int? {
        var place = start
        var count = 0
        while place < end, count < limit {
            let (kind, length) = classes.at(place, bytes, end)
            if !isIn(kind) { break }
            place += length
            count += 1
        }
        return place == start ? nil : place
    }
}

/// What becomes of separators, with the names of Hugging Face `tokenizers`.
enum SplitBehavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    /// The parts of `bytes[range]`.
    /// - Parameter inverted: whether what lies between separators counts as one.
    func parts(
        of bytes: [UInt8], _ range: Range<Int>, at separator: Separator, inverted: Bool,
        _ classes: ScalarClasses
    ) -> [Range<Int>] {
        var pieces = Self.pieces(of: bytes, range, at: separator, classes)
        if inverted { for index in pieces.indices { pieces[index].separates.toggle() } }
        var result: [Range<Int>] = []
        switch self {
        case .removed: return pieces.lazy.filter { !$0.separates }.map(\.range)
        case .isolated: return pieces.map(\.range)
        case .contiguous:
            var last: Bool?
            for piece in pieces {
                if piece.separates == last {
                    result[result.count - 1] = result[result.count - 1].lowerBound..<piece.range.upperBound
                } else {
                    result.append(piece.range)
                }
                last = piece.separates
            }
        case .mergedWithPrevious:
            var afterSeparator = false
            for piece in pieces {
                if piece.separates, !afterSeparator, let before = result.last {
                    result[result.count - 1] = before.lowerBound..<piece.range.upperBound
                } else {
                    result.append(piece.range)
                }
                afterSeparator = piece.separates
            }
        case .mergedWithNext:
            var beforeSeparator = false
            for piece in pieces.reversed() {
                if piece.separates, !beforeSeparator, let next = result.last {
                    result[result.count - 1] = piece.range.lowerBound..<next.upperBound
                } else {
                    result.append(piece.range)
                }
                beforeSeparator = piece.separates
            }
            result.reverse()
        }
        return result
    }

    /// The separators and what lies between them.
    private static func pieces(
        of bytes: [UInt8], _ range: Range<Int>, at separator: Separator, _ classes: ScalarClasses
    ) -> [(range: Range<Int>, separates: Bool)] {
        var result: [(range: Range<Int>, separates: Bool)] = []
        var done = range.lowerBound
        var place = range.lowerBound
        while place < range.upperBound {
            guard let end = separator.end(bytes, place, range.upperBound, classes) else {
                place += classes.at(place, bytes, range.upperBound).length
                continue
            }
            if done < place { result.append((done..<place, false)) }
            result.append((place..<end, true))
            place = end
            done = end
        }
        if done < range.upperBound { result.append((done..<range.upperBound, false)) }
        return result
    }
}
