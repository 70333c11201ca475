/// The normalisation forms of the Unicode Standard (Annex 15).
///
/// The tables are those of Hugging Face `tokenizers`, which are older than the newest Unicode version.
struct Composition: Sendable {
    private var decompositions: [UInt32: [UInt32]] = [:]
    private var compositions: [UInt64: UInt32] = [:]
    private var compatible: [UInt32: [UInt32]] = [:]
    private var orders: [UInt32: UInt8] = [:]  // combining classes that are not 0
    private var affected = PointSet()  // code points that form C may change
    private var divisible = PointSet()  // code points that come apart, and marks, save Hangul syllables

    /// The one set of tables.
    static let shared = Composition()

    private init() {
        decompositions = Self.lists(CompositionData.decompositions)
        for point in decompositions.keys { affected.insert(point) }
        compatible = Self.lists(CompatibilityData.decompositions)
        let pairs = CompositionData.pairs
        for index in stride(from: 0, to: pairs.count, by: 3) {
            decompositions[pairs[index]] = [pairs[index + 1], pairs[index + 2]]
            compositions[Self.key(pairs[index + 1], pairs[index + 2])] = pairs[index]
        }
        for index in stride(from: 0, to: pairs.count, by: 3) { affected.insert(pairs[index + 2]) }
        for point in Hangul.joining { affected.insert(point) }
        let marks = CompositionData.marks
        for index in stride(from: 0, to: marks.count, by: 3) {
            for point in marks[index]..<(marks[index] + marks[index + 1]) {
                orders[point] = UInt8(marks[index + 2])
                affected.insert(point)
                divisible.insert(point)
            }
        }
        for point in decompositions.keys { divisible.insert(point) }
        for point in compatible.keys { divisible.insert(point) }
    }

    private static func lists(_ numbers: [UInt32]) -> [UInt32: [UInt32]] {
        var result: [UInt32: [UInt32]] = [:]
        var index = 0
        while index + 1 < numbers.count {
            let length = Int(numbers[index + 1])
            result[numbers[index]] = Array(numbers[(index + 2)..<(index + 2 + length)])
            index += 2 + length
        }
        return result
    }

    /// Whether a text with this code point may differ from its form C: the point is replaced, it joins
    /// the one before it, or it is a mark whose place among others counts.
    private func mayChange(_ point: UInt32) -> Bool { affected.contains(point) }

    /// Below this code point nothing changes and nothing combines.
    private static let firstAffected: UInt32 = 0x300

    /// `bytes[range]` in form C, or nil when it is unchanged for sure. Parts that are no valid UTF-8
    /// stay as they are.
    ///
    /// Only what stands around code points that may change anything is taken apart: from the last one
    /// before that may not to the next that may not.
    func compose(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8]? {
        var output: [UInt8] = []
        var copied = range.lowerBound  // what lies before this is in the output
        var last = range.lowerBound  // where the last code point begins that changes nothing
        var place = range.lowerBound
        while place < range.upperBound {
            if bytes[place] < 0x80 {
                last = place
                place += 1
                continue
            }
            let (point, length) = UTF8Sequence.decode(bytes, at: place, end: range.upperBound)
            guard let point else {
                place += length
                last = place  // nothing joins bytes that are no code point
                continue
            }
            guard mayChange(point) else {
                last = place
                place += length
                continue
            }
            output.append(contentsOf: bytes[copied..<last])
            place = composeRun(bytes, last..<range.upperBound, into: &output)
            copied = place
            last = place
        }
        if copied == range.lowerBound { return nil }
        output.append(contentsOf: bytes[copied..<range.upperBound])
        return output
    }

    /// Composes from a code point on, up to the second one that changes nothing; answers where that is.
    private func composeRun(_ bytes: [UInt8], _ range: Range<Int>, into output: inout [UInt8]) -> Int {
        var points: [UInt32] = []
        var place = range.lowerBound
        while place < range.upperBound {
            let (point, length) = UTF8Sequence.decode(bytes, at: place, end: range.upperBound)
            guard let point, points.isEmpty || mayChange(point) else { break }
            points.append(point)
            place += length
        }
        flush(&points, into: &output)
        return place
    }

    private func flush(_ points: inout [UInt32], into output: inout [UInt8]) {
        for point in composed(points) {
            UTF8Sequence.append(point, to: &output)
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

    /// `bytes[range]` taken apart (form D, or KD), or nil when it is unchanged for sure. Parts that are no
    /// valid UTF-8 stay as they are.
    func decompose(_ bytes: [UInt8], _ range: Range<Int>, compatibly: Bool = false) -> [UInt8]? {
        guard var place = bytes[range].firstIndex(where: { $0 >= 0x80 }) else { return nil }
        var output = Array(bytes[range.lowerBound..<place])
        output.reserveCapacity(range.count + range.count / 4)
        var marks: [(point: UInt32, order: UInt8)] = []
        func flush(_ marks: inout [(point: UInt32, order: UInt8)]) {
            if marks.isEmpty { return }
            sortMarks(&marks)
            for (point, _) in marks { UTF8Sequence.append(point, to: &output) }
            marks.removeAll(keepingCapacity: true)
        }
        while place < range.upperBound {
            if bytes[place] < 0x80 {
                flush(&marks)
                output.append(bytes[place])
                place += 1
                continue
            }
            let (point, length) = UTF8Sequence.decode(bytes, at: place, end: range.upperBound)
            guard let point, divisible.contains(point) || Hangul.isSyllable(point) else {
                flush(&marks)
                output.append(contentsOf: bytes[place..<(place + length)])
                place += length
                continue
            }
            place += length
            let count = marks.count
            if compatibly, let parts = compatible[point] {
                for part in parts { marks.append((part, order(of: part))) }
            } else {
                decompose(point, into: &marks)
            }
            // What begins with a starter is sorted apart from what stood before.
            if marks[count].order == 0, count > 0 {
                var before = Array(marks[..<count])
                marks.removeFirst(count)
                flush(&before)
            }
        }
        flush(&marks)
        return output
    }

    private func decompose(_ point: UInt32, into marks: inout [(point: UInt32, order: UInt8)]) {
        if Hangul.isSyllable(point) {
            for part in Hangul.parts(of: point) { marks.append((part, 0)) }
        } else if point >= 0xC0, let parts = decompositions[point] {
            for part in parts { decompose(part, into: &marks) }
        } else {
            marks.append((point, order(of: point)))
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

    private func order(of point: UInt32) -> UInt8 {
        point < Self.firstAffected ? 0 : orders[point] ?? 0
    }

    private static func key(_ first: UInt32, _ second: UInt32) -> UInt64 {
        UInt64(first) << 32 | UInt64(second)
    }
}

/// Hangul syllables, whose parts are computed (Unicode Standard, section 3.12).
private enum Hangul {
    static let first: UInt32 = 0xAC00, leading: UInt32 = 0x1100, vowel: UInt32 = 0x1161,
        trailing: UInt32 = 0x11A7
    static let leadings: UInt32 = 19, vowels: UInt32 = 21, trailings: UInt32 = 28
    static let end = first + leadings * vowels * trailings
    static func isSyllable(_ point: UInt32) -> Bool { (first..<end).contains(point) }

    /// The parts that join the one before them.
    static let joining = Array(vowel..<(vowel + vowels)) + Array((trailing + 1)..<(trailing + trailings))

    static func parts(of point: UInt32) -> [UInt32] {
        let index = point - first
        let start = [
            leading + index / (vowels * trailings), vowel + index % (vowels * trailings) / trailings,
        ]
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

/// A bit for each code point up to the greatest that is in the set.
private struct PointSet: Sendable {
    private var words: [UInt64] = []

    mutating func insert(_ point: UInt32) {
        let word = Int(point / 64)
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
        words[word] |= 1 << UInt64(point % 64)
    }

    @inline(__always)
    func contains(_ point: UInt32) -> Bool {
        let word = Int(point / 64)
        return word < words.count && words[word] & (1 << UInt64(point % 64)) != 0
    }
}
