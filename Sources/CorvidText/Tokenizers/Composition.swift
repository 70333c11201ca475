/// Normalisation form C (Unicode Standard Annex 15): what can be written as one code point is.
struct Composition: Sendable {
    private var decompositions: [UInt32: [UInt32]] = [:]
    private var compositions: [UInt64: UInt32] = [:]

    /// The one set of tables.
    static let shared = Composition()

    private init() {
        let others = CompositionData.decompositions
        var index = 0
        while index < others.count {
            let length = Int(others[index + 1])
            decompositions[others[index]] = Array(others[(index + 2)..<(index + 2 + length)])
            index += 2 + length
        }
        let pairs = CompositionData.pairs
        for index in stride(from: 0, to: pairs.count, by: 3) {
            decompositions[pairs[index]] = [pairs[index + 1], pairs[index + 2]]
            compositions[Self.key(pairs[index + 1], pairs[index + 2])] = pairs[index]
        }
    }

    /// Below this code point nothing changes and nothing combines.
    private static let firstAffected: UInt32 = 0x300

    /// `bytes[range]` in form C, or nil when it is unchanged for sure. Parts that are no valid UTF-8
    /// stay as they are.
    func compose(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8]? {
        // U+0300 is written CC 80: smaller lead bytes cannot be affected.
        guard bytes[range].contains(where: { $0 >= 0xCC }) else { return nil }
        var output: [UInt8] = []
        var points: [UInt32] = []
        var place = range.lowerBound
        while place < range.upperBound {
            let (point, length) = UTF8Sequence.decode(bytes, at: place, end: range.upperBound)
            if let point {
                points.append(point)
            } else {
                flush(&points, into: &output)
                output.append(contentsOf: bytes[place..<(place + length)])
            }
            place += length
        }
        flush(&points, into: &output)
        return output
    }

    private func flush(_ points: inout [UInt32], into output: inout [UInt8]) {
        for point in composed(points) {
            guard let scalar = Unicode.Scalar(point) else { continue }
            if point < 0x80 { output.append(UInt8(point)) } else { output += UTF8Sequence.bytes(of: scalar) }
        }
        points.removeAll(keepingCapacity: true)
    }

    private func composed(_ points: [UInt32]) -> [UInt32] {
        var marks: [(point: UInt32, order: UInt8)] = []
        for point in points { decompose(point, into: &marks) }
        sortMarks(&marks)

        var result: [UInt32] = []
        var starter: Int?  // index in the result
        var lastOrder: UInt8 = 0
        for (point, order) in marks {
            if let starter {
                let isBlocked = result.count - 1 > starter && (lastOrder == 0 || lastOrder >= order)
                if !isBlocked, let together = composition(result[starter], point) {
                    result[starter] = together
                    continue
                }
            }
            if order == 0 { starter = result.count }
            lastOrder = order
            result.append(point)
        }
        return result
    }

    private func decompose(_ point: UInt32, into marks: inout [(point: UInt32, order: UInt8)]) {
        if (Hangul.first..<Hangul.end).contains(point) {
            for part in Hangul.parts(of: point) { marks.append((part, 0)) }
        } else if point >= 0xC0, let parts = decompositions[point] {
            for part in parts { decompose(part, into: &marks) }
        } else {
            marks.append((point, Self.order(of: point)))
        }
    }

    /// Puts neighbouring marks into canonical order, those of equal order as they stood.
    private func sortMarks(_ marks: inout [(point: UInt32, order: UInt8)]) {
        var start = 0
        while start < marks.count {
            var end = start
            while end < marks.count, marks[end].order != 0 { end += 1 }
            if end - start > 1 { marks[start..<end].sort { $0.order < $1.order } }  // the sort is stable
            start = end + 1
        }
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        Hangul.composition(first, second) ?? compositions[Self.key(first, second)]
    }

    private static func order(of point: UInt32) -> UInt8 {
        guard point >= firstAffected, let scalar = Unicode.Scalar(point) else { return 0 }
        return scalar.properties.canonicalCombiningClass.rawValue
    }

    private static func key(_ first: UInt32, _ second: UInt32) -> UInt64 { UInt64(first) << 32 | UInt64(second) }
}

/// Hangul syllables, whose parts are computed (Unicode Standard, section 3.12).
private enum Hangul {
    static let first: UInt32 = 0xAC00, leading: UInt32 = 0x1100, vowel: UInt32 = 0x1161, trailing: UInt32 = 0x11A7
    static let leadings: UInt32 = 19, vowels: UInt32 = 21, trailings: UInt32 = 28
    static let end = first + leadings * vowels * trailings

    static func parts(of point: UInt32) -> [UInt32] {
        let index = point - first
        let start = [leading + index / (vowels * trailings), vowel + index % (vowels * trailings) / trailings]
        return index % trailings == 0 ? start : start + [trailing + index % trailings]
    }

    static func composition(_ left: UInt32, _ right: UInt32) -> UInt32? {
        if (leading..<(leading + leadings)).contains(left), (vowel..<(vowel + vowels)).contains(right) {
            return first + ((left - leading) * vowels + right - vowel) * trailings
        }
        if (first..<end).contains(left), (left - first) % trailings == 0,
            (trailing + 1..<(trailing + trailings)).contains(right)
        {
            return left + right - trailing
        }
        return nil
    }
}
