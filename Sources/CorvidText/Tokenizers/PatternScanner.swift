/// The regular expressions of pre-tokenisers as scanners over `bytes[..<end]`.
///
/// Each function takes the place where a part begins and answers where it ends. The end of the part
/// that is being cut counts as the end of the text.
struct PatternScanner {
    let bytes: [UInt8]
    let end: Int
    let classes: ScalarClasses

    /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
    func gpt2(_ start: Int) -> Int {
        let first = bytes[start]
        if first == UInt8(ascii: "'"), let after = contraction(start, foldsCase: false, foldsLongS: false) {
            return after
        }
        var place = start
        if first == UInt8(ascii: " ") { place += 1 }
        if place < end {
            let (kind, length) = classes.at(place, bytes, end)
            if kind.isLetter { return run(place + length) { $0.isLetter } }
            if kind.isNumber { return run(place + length) { $0.isNumber } }
            if kind.isOther { return run(place + length) { $0.isOther } }
        }
        return blanks(start)
    }

    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*`
    /// `|\s*[\r\n]+|\s+(?!\S)|\s+`, with `digits` in the place of 3.
    func llama3(_ start: Int, digits: Int, foldsLongS: Bool) -> Int {
        let first = bytes[start]
        if first == UInt8(ascii: "'"), let after = contraction(start, foldsCase: true, foldsLongS: foldsLongS)
        {
            return after
        }
        let (kind, length) = classes.at(start, bytes, end)
        let second = start + length
        if kind.isLetter { return run(second) { $0.isLetter } }
        if kind.isNumber { return run(second, atMost: digits - 1) { $0.isNumber } }
        let isBreak = first == 0x0A || first == 0x0D
        if !isBreak, second < end {
            let (next, nextLength) = classes.at(second, bytes, end)
            if next.isLetter { return run(second + nextLength) { $0.isLetter } }
            if first == UInt8(ascii: " "), next.isOther {
                return breaks(run(second + nextLength) { $0.isOther })
            }
        }
        if kind.isOther { return breaks(run(second) { $0.isOther }) }
        return lineBreaks(start) ?? blanks(start)
    }

    /// Runs of what `[\p{P}\$\+<=>\^~\|]+` matches, and what lies between them.
    func punctuation(_ start: Int) -> Int {
        let isIn = isPunctuation(start)
        var place = start
        repeat {
            place += classes.at(place, bytes, end).length
        } while place < end && isPunctuation(place) == isIn
        return place
    }

    /// Up to `longest` neighbours of a class, or what lies before the next of that class.
    func isolated(_ start: Int, longest: Int, _ isIn: (ScalarClass) -> Bool) -> Int {
        let (kind, length) = classes.at(start, bytes, end)
        if isIn(kind) { return run(start + length, atMost: longest - 1, isIn) }
        return run(start + length) { !isIn($0) }
    }

    /// `[0-9][0-9][0-9]`, or what lies before the next of them.
    func digitTriple(_ start: Int) -> Int {
        if isTriple(start) { return start + 3 }
        var place = start + 1
        while place < end, !isTriple(place) { place += 1 }
        return place
    }

    // MARK: Words without the blanks between them

    /// `\S+`, kept, or a run of blanks, not kept.
    func word(_ start: Int) -> (end: Int, isKept: Bool) {
        let (kind, length) = classes.at(start, bytes, end)
        if kind.isWhitespace { return (run(start + length) { $0.isWhitespace }, false) }
        return (run(start + length) { !$0.isWhitespace }, true)
    }

    /// One character of punctuation or what lies before the next, kept, or a run of blanks, not kept.
    func bert(_ start: Int) -> (end: Int, isKept: Bool) {
        let (kind, length) = classes.at(start, bytes, end)
        if kind.isWhitespace { return (run(start + length) { $0.isWhitespace }, false) }
        if kind.isSeparator { return (start + length, true) }
        return (run(start + length) { !$0.isWhitespace && !$0.isSeparator }, true)
    }

    /// `\w+` or `[^\w\s]+`, kept, or a run of blanks, not kept.
    func wordOrSymbols(_ start: Int) -> (end: Int, isKept: Bool) {
        let (kind, length) = classes.at(start, bytes, end)
        if kind.isWhitespace { return (run(start + length) { $0.isWhitespace }, false) }
        let isWord = WordBoundary.startsWithWord(bytes, start..<end)
        var place = start + length
        while place < end, !classes.at(place, bytes, end).class.isWhitespace,
            WordBoundary.startsWithWord(bytes, place..<end) == isWord
        {
            place += classes.at(place, bytes, end).length
        }
        return (place, true)
    }

    // MARK: Parts of the expressions

    /// The end of `\s+(?!\S)|\s+`: a run of blanks leaves its last one to what follows.
    private func blanks(_ start: Int) -> Int {
        var place = start
        var last = start
        while place < end {
            let (kind, length) = classes.at(place, bytes, end)
            if !kind.isWhitespace { return last > start ? last : place }
            last = place
            place += length
        }
        return place
    }

    /// The end of `\s*[\r\n]+`, or nil when the run of blanks has no line break.
    private func lineBreaks(_ start: Int) -> Int? {
        var place = start
        var result: Int?
        while place < end {
            let (kind, length) = classes.at(place, bytes, end)
            if !kind.isWhitespace { break }
            if bytes[place] == 0x0A || bytes[place] == 0x0D { result = place + 1 }
            place += length
        }
        return result
    }

    /// The end of `[\r\n]*`.
    private func breaks(_ start: Int) -> Int {
        var place = start
        while place < end, bytes[place] == 0x0A || bytes[place] == 0x0D { place += 1 }
        return place
    }

    @inline(__always)
    private func run(_ start: Int, atMost limit: Int = .max, _ isIn: (ScalarClass) -> Bool) -> Int {
        var place = start
        var left = limit
        while place < end, left > 0 {
            let (kind, length) = classes.at(place, bytes, end)
            if !isIn(kind) { break }
            place += length
            left -= 1
        }
        return place
    }

    /// The end of `'s|'t|'re|'ve|'m|'ll|'d` at an apostrophe, or nil.
    private func contraction(_ start: Int, foldsCase: Bool, foldsLongS: Bool) -> Int? {
        func letter(_ place: Int) -> UInt8 {
            guard place < end else { return 0 }
            return foldsCase && (0x41...0x5A).contains(bytes[place]) ? bytes[place] | 0x20 : bytes[place]
        }
        switch (letter(start + 1), letter(start + 2)) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _):
            return start + 2
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 3
        case (0xC5, 0xBF) where foldsLongS: return start + 3
        default: return nil
        }
    }

    private func isPunctuation(_ place: Int) -> Bool {
        switch bytes[place] {
        case UInt8(ascii: "$"), UInt8(ascii: "+"), UInt8(ascii: "<"), UInt8(ascii: "="), UInt8(ascii: ">"),
            UInt8(ascii: "^"), UInt8(ascii: "~"), UInt8(ascii: "|"):
            true
        default: classes.at(place, bytes, end).class.isPunctuation
        }
    }

    private func isTriple(_ place: Int) -> Bool {
        place + 3 <= end && bytes[place..<(place + 3)].allSatisfy { (0x30...0x39).contains($0) }
    }
}
