/// Lets text through up to the first stop string, and holds back what may become one.
///
/// The text ends where it first contains a whole stop string, wherever the borders of pieces lie; if several
/// are complete at the same byte, the longest counts. Compared are UTF-8 bytes, not characters: a letter and
/// the accent that follows it in the next token stay two things.
struct StopMatcher: Sendable {
    private let stops: [[UInt8]]
    /// The end of the text so far, a proper prefix of some stop string.
    private var held: [UInt8] = []
    private(set) var isStopped = false

    init(_ stops: [String]) {
        // Longest first: of those that end at one byte the first found begins earliest.
        self.stops = stops.map { Array($0.utf8) }.sorted { $0.count > $1.count }
    }

    /// - Returns: the text that is now known not to belong to a stop string.
    mutating func append(_ piece: String) -> String {
        if isStopped { return "" }
        if stops.isEmpty { return piece }
        var text = held
        for byte in piece.utf8 {
            text.append(byte)
            if let stop = stops.first(where: { text.hasSuffix($0) }) {
                text.removeLast(stop.count)
                held = []
                isStopped = true
                return String(decoding: text, as: UTF8.self)
            }
        }
        let open = longestOpenSuffix(of: text)
        held = Array(text.suffix(open))
        return String(decoding: text.dropLast(open), as: UTF8.self)
    }

    /// What was held back, now that nothing more comes.
    mutating func finish() -> String {
        defer { held = [] }
        return isStopped ? "" : String(decoding: held, as: UTF8.self)
    }

    /// Length of the longest end of `text` with which a stop string begins.
    private func longestOpenSuffix(of text: [UInt8]) -> Int {
        let longest = min(text.count, (stops.first?.count ?? 1) - 1)
        for length in stride(from: longest, to: 0, by: -1) {
            let suffix = text.suffix(length)
            if stops.contains(where: { $0.count > length && $0.starts(with: suffix) }) { return length }
        }
        return 0
    }
}

extension Array<UInt8> {
    fileprivate func hasSuffix(_ suffix: [UInt8]) -> Bool {
        // Nearly always the last bytes differ, which is cheap to see.
        last == suffix.last && self.suffix(suffix.count).elementsEqual(suffix)
    }
}
