/// Changes text before it is cut into parts: normalisation forms, letter case, accents, blanks.
struct Normalizer: Sendable {
    enum Step: Sendable {
        /// Forms C, D, KC and KD.
        case composed, decomposed, compatiblyComposed, compatiblyDecomposed
        case lowercase
        /// Removes all marks.
        case stripAccents
        /// Removes control characters, and makes blanks of what looks like one: machine translation's cleaning,
        /// as SentencePiece names it.
        case cleanForTranslation
        /// Removes blanks at the ends.
        case strip(left: Bool, right: Bool)
        /// Puts bytes before a text that is not empty.
        case prepend([UInt8])
        /// One string for another, which is not empty.
        case replace([UInt8], with: [UInt8])
        /// Each run of two or more of this byte becomes the other string.
        case collapse(UInt8, to: [UInt8])
        case bert(BertNormalization)
        /// Replacements of characters.
        case map(CharacterMap)
        /// With `onlyFirst` the mark goes before the first text only, not before each between added tokens.
        case sentencePiece(SentencePieceNormalization, onlyFirst: Bool)
    }

    var steps: [Step] = []

    /// `bytes[range]` after all steps, or nil when it is unchanged.
    /// - Parameter isFirst: whether the range begins where the whole text does.
    func apply(_ bytes: [UInt8], _ range: Range<Int>, isFirst: Bool = true) -> [UInt8]? {
        var result: [UInt8]?
        for step in steps {
            if let changed = result {
                if let next = step.apply(changed, 0..<changed.count, isFirst) { result = next }
            } else {
                result = step.apply(bytes, range, isFirst)
            }
        }
        return result
    }
}

extension Normalizer.Step {
    /// `bytes[range]` after this step, or nil when it is unchanged.
    fileprivate func apply(_ bytes: [UInt8], _ range: Range<Int>, _ isFirst: Bool) -> [UInt8]? {
        switch self {
        case .composed: return Composition.shared.compose(bytes, range)
        case .decomposed: return Composition.shared.decompose(bytes, range)
        case .compatiblyDecomposed: return Composition.shared.decompose(bytes, range, compatibly: true)
        case .compatiblyComposed:
            guard let apart = Composition.shared.decompose(bytes, range, compatibly: true) else { return nil }
            return Composition.shared.compose(apart, 0..<apart.count) ?? apart
        case .lowercase:
            return map(bytes, range) { point, _, output in Lowercase.append(point, to: &output) }
        case .stripAccents:
            return map(bytes, range) { point, kind, output in
                if !kind.contains(.mark) { UTF8Sequence.append(point, to: &output) }
            }
        case .cleanForTranslation:
            return map(bytes, range) { point, _, output in
                switch point {
                case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: break
                case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
                    output.append(UInt8(ascii: " "))
                default: UTF8Sequence.append(point, to: &output)
                }
            }
        case .strip(let left, let right):
            let start = left ? WordBoundary.blanksAtStart(bytes, range) : range.lowerBound
            let end = right ? WordBoundary.blanksAtEnd(bytes, start..<range.upperBound) : range.upperBound
            return start..<end == range ? nil : Array(bytes[start..<end])
        case .prepend(let prefix): return range.isEmpty ? nil : prefix + bytes[range]
        case .replace(let pattern, let replacement):
            return replace(bytes, range, pattern, with: replacement)
        case .collapse(let byte, let replacement): return collapse(bytes, range, byte, to: replacement)
        case .bert(let bert): return bert.apply(bytes, range)
        case .map(let map): return map.applyByCharacters(bytes, range)
        case .sentencePiece(let normalization, let onlyFirst):
            let addsMark = normalization.addsMark && (isFirst || !onlyFirst)
            return normalization.apply(bytes, range, addsMark: addsMark)
        }
    }

    /// Calls `body` for each code point; bytes that belong to none are copied.
    private func map(
        _ bytes: [UInt8], _ range: Range<Int>,
        _ body: (_ point: UInt32, _ kind: ScalarClass, _ output: inout [UInt8]) -> Void
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(range.count)
        var place = range.lowerBound
        while place < range.upperBound {
            let (point, length) = UTF8Sequence.decode(bytes, at: place, end: range.upperBound)
            if let point {
                body(point, ScalarClasses.shared[point], &output)
            } else {
                output.append(contentsOf: bytes[place..<(place + length)])
            }
            place += length
        }
        return output
    }

    private func replace(
        _ bytes: [UInt8], _ range: Range<Int>, _ pattern: [UInt8], with replacement: [UInt8]
    ) -> [UInt8]? {
        guard let first = pattern.first, let start = bytes[range].firstIndex(of: first) else { return nil }
        var output = Array(bytes[range.lowerBound..<start])
        output.reserveCapacity(range.count + range.count / 3)
        var place = start
        while place < range.upperBound {
            if bytes[place] == first, place + pattern.count <= range.upperBound,
                pattern.count == 1 || bytes[place..<(place + pattern.count)].elementsEqual(pattern)
            {
                for byte in replacement { output.append(byte) }
                place += pattern.count
            } else {
                output.append(bytes[place])
                place += 1
            }
        }
        return output
    }

    private func collapse(
        _ bytes: [UInt8], _ range: Range<Int>, _ byte: UInt8, to replacement: [UInt8]
    ) -> [UInt8]? {
        var output: [UInt8] = []
        var copied = range.lowerBound
        var place = range.lowerBound
        while place < range.upperBound {
            let start = place
            while place < range.upperBound, bytes[place] == byte { place += 1 }
            if place - start > 1 {
                output.append(contentsOf: bytes[copied..<start])
                output.append(contentsOf: replacement)
                copied = place
            }
            place = max(place, start + 1)
        }
        if copied == range.lowerBound { return nil }
        output.append(contentsOf: bytes[copied..<range.upperBound])
        return output
    }
}
