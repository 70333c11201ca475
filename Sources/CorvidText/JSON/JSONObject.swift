/// The members of a JSON object, in the order in which they were written.
///
/// Looking a key up takes constant time. Keys are equal when their code points are.
public struct JSONObject: Sendable {
    private var entries: [Entry] = []
    private var positions: [ExactKey: Int] = [:]  // filled only when there are many entries

    private struct Entry: Sendable {
        var key: String
        var value: JSON
    }

    /// A key compared by code points: `String` itself treats composed and decomposed forms as equal.
    private struct ExactKey: Hashable, Sendable {
        var text: String
        static func == (left: ExactKey, right: ExactKey) -> Bool {
            left.text.utf8.elementsEqual(right.text.utf8)
        }
        func hash(into hasher: inout Hasher) {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }

    private static let linearSearchLimit = 16

    public init() {}

    /// How many members there are.
    public var count: Int { entries.count }
    /// Whether there are no members.
    public var isEmpty: Bool { entries.isEmpty }
    /// The keys in order.
    public var keys: [String] { entries.map(\.key) }
    /// The values in order.
    public var values: [JSON] { entries.map(\.value) }

    /// The value under this key. Setting a known key keeps its place, setting nil removes it.
    public subscript(key: String) -> JSON? {
        get {
            guard let position = position(of: key) else { return nil }
            return entries[position].value
        }
        set {
            switch (position(of: key), newValue) {
            case (nil, nil): break
            case (nil, let value?): append(key: key, value: value)
            case (let position?, let value?): entries[position].value = value
            case (let position?, nil):
                entries.remove(at: position)
                positions = [:]
                if entries.count > Self.linearSearchLimit { indexAll() }
            }
        }
    }

    private func position(of key: String) -> Int? {
        if entries.count > Self.linearSearchLimit { return positions[ExactKey(text: key)] }
        return entries.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
    }

    private mutating func append(key: String, value: JSON) {
        entries.append(Entry(key: key, value: value))
        if entries.count == Self.linearSearchLimit + 1 {
            indexAll()
        } else if entries.count > Self.linearSearchLimit {
            positions[ExactKey(text: key)] = entries.count - 1
        }
    }

    private mutating func indexAll() {
        for (position, entry) in entries.enumerated() { positions[ExactKey(text: entry.key)] = position }
    }

    /// Adds a member that was read from text.
    /// - Returns: false, and nothing changes, when the key is there already and is to be refused.
    mutating func insert(key: String, value: JSON, duplicateKeys: JSONDuplicateKeys) -> Bool {
        if let position = position(of: key) {
            guard duplicateKeys == .keepLast else { return false }
            entries[position].value = value
        } else {
            append(key: key, value: value)
        }
        return true
    }
}

extension JSONObject: Sequence {
    /// Walks the members in order.
    public func makeIterator() -> AnyIterator<(key: String, value: JSON)> {
        var rest = entries.makeIterator()
        return AnyIterator { rest.next().map { (key: $0.key, value: $0.value) } }
    }
    public var underestimatedCount: Int { entries.count }
}

extension JSONObject: Equatable {
    /// Objects are equal when they have the same members, whatever the order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.entries.allSatisfy { right[$0.key] == $0.value }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSON)...) {
        for (key, value) in elements { self[key] = value }
    }
}
