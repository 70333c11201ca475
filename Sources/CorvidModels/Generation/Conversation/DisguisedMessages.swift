import CorvidText

/// Messages in which each spelling of a special token is one private-use character that occurs nowhere else.
///
/// Templates trim and replace, but leave such a character alone; so it still marks the place in what they
/// have written.
struct DisguisedMessages: Sendable {
    let messages: [ChatMessage]
    /// The spelling which a character stands for.
    private let spellings: [Unicode.Scalar: [UInt8]]

    /// - Parameter others: texts whose characters cannot serve either.
    /// - Returns: `nil` if no message spells a special token.
    /// - Throws: ``ConversationError/noPrivateCharacter``.
    init?(_ messages: [ChatMessage], special: SpecialSpellings, others: [String]) throws {
        let texts = messages.flatMap { [$0.role, $0.content] }
        var found: [[UInt8]] = []
        for text in texts {
            let bytes = Array(text.utf8)
            for range in special.occurrences(in: bytes) where !found.contains(Array(bytes[range])) {
                found.append(Array(bytes[range]))
            }
        }
        if found.isEmpty { return nil }

        let known = special.all.map { String(decoding: $0, as: UTF8.self) }
        let used = Set((texts + others + known).lazy.flatMap { $0.unicodeScalars })
        let free = Self.privateUse.lazy.compactMap { Unicode.Scalar($0) }.filter { !used.contains($0) }
        let characters = Array(free.prefix(found.count))
        guard characters.count == found.count else { throw ConversationError.noPrivateCharacter }

        let disguises = Dictionary(zip(found, characters)) { first, _ in first }
        func disguised(_ text: String) -> String {
            let bytes = Array(text.utf8)
            var result: [UInt8] = []
            var done = 0
            for range in special.occurrences(in: bytes) {
                result += bytes[done..<range.lowerBound]
                if let character = disguises[Array(bytes[range])] { result += Array(String(character).utf8) }
                done = range.upperBound
            }
            return String(decoding: result + bytes[done...], as: UTF8.self)
        }
        self.messages = messages.map { ChatMessage(role: disguised($0.role), content: disguised($0.content)) }
        spellings = Dictionary(zip(characters, found)) { first, _ in first }
    }

    /// Planes 15 and 16, to which Unicode will never give a meaning.
    private static let privateUse = [UInt32](0xF0000...0xFFFFD) + [UInt32](0x100000...0x10FFFD)

    /// The text with its spellings put back.
    /// - Returns: `nil` if there are none in it.
    func restored(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
        guard scalars.contains(where: { spellings[$0] != nil }) else { return nil }
        return scalars.flatMap { spellings[$0] ?? Array(String($0).utf8) }
    }
}
