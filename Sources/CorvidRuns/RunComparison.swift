import CorvidText

/// Two runs side by side.
public struct RunComparison: Sendable, Equatable {
    /// A setting or result that one or both of them have.
    public struct Item: Sendable, Equatable {
        /// Keys from the outermost on, with dots between: `scaling[0].threads`.
        public let name: String
        public let first: JSON?
        public let second: JSON?
        /// Whether it measures time or memory, so that no two runs agree.
        public let isMeasured: Bool

        public var isEqual: Bool { first == second }

        /// Second minus first; of lists of equally many numbers, the difference that is largest without its
        /// sign. Nil when they are no numbers.
        public var difference: Double? {
            guard let a = first.flatMap(Self.numbers), let b = second.flatMap(Self.numbers),
                a.count == b.count
            else { return nil }
            return zip(a, b).map { $1 - $0 }.max { $0.magnitude < $1.magnitude }
        }

        private static func numbers(_ value: JSON) -> [Double]? {
            if let number = value.double { return [number] }
            guard let numbers = value.array?.compactMap(\.double), !numbers.isEmpty,
                numbers.count == value.array?.count
            else { return nil }
            return numbers
        }
    }

    /// Words of the command line and the circumstances of the runs.
    public let settings: [Item]
    public let results: [Item]
    /// Digests of what was read and written, by path.
    public let files: [Item]

    /// Whether the second run found what the first one found, but for measured times and sizes of memory.
    public var resultsAgree: Bool { results.allSatisfy { $0.isEqual || $0.isMeasured } }
    /// Whether what was written is the same.
    public var writtenAgrees: Bool { files.allSatisfy { !$0.name.hasPrefix("written") || $0.isEqual } }

    public init(_ first: RunRecord, _ second: RunRecord) {
        settings =
            Self.options(first.run.request.arguments, second.run.request.arguments)
            + Self.circumstances(first.run.request, second.run.request)
        var results = Pairs()
        results.add(first.result, second.result)
        let measured = first.measured.union(second.measured)
        self.results = results.items(measured: measured)
        files = Self.files(first.files, second.files)
    }

    /// The values of one result by their names, in their order.
    public static func values(of result: JSON) -> [(name: String, value: JSON)] {
        var pairs = Pairs()
        pairs.add(result, nil)
        return pairs.items(measured: []).map { ($0.name, $0.first ?? .null) }
    }

    /// Whether it lies below a key that measures time or memory.
    static func isMeasured(_ name: String, _ keys: Set<String>) -> Bool {
        name.split(separator: ".").contains { part in
            keys.contains(String(part.prefix { $0 != "[" }))
        }
    }

    private static func circumstances(_ first: RunRequest, _ second: RunRequest) -> [Item] {
        func item(_ name: String, _ value: (RunRequest) -> JSON?) -> Item {
            Item(name: name, first: value(first), second: value(second), isMeasured: false)
        }
        return [
            item("folder") { .string($0.folder) },
            item("seed") { $0.seed.map { .string("\($0)") } },
            item("version") { .string($0.version) },
            item("instruction_set") { .string($0.instructionSet) },
            item("threads") { $0.threads.map { .integer(Int64($0)) } },
            item("model") { $0.model.map { .string($0) } },
        ]
    }

    /// The options with what follows them, by name; the words before the first one as `arguments`.
    private static func options(_ first: [String], _ second: [String]) -> [Item] {
        func grouped(_ words: [String]) -> [(name: String, values: [String])] {
            var groups = [(name: "arguments", values: [String]())]
            for word in words {
                if word.hasPrefix("--"), word.count > 2 {
                    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    groups.append((String(parts[0]), parts.dropFirst().map(String.init)))
                } else {
                    groups[groups.count - 1].values.append(word)
                }
            }
            return groups
        }
        let (a, b) = (grouped(first), grouped(second))
        func value(_ groups: [(name: String, values: [String])], _ name: String) -> JSON? {
            let found = groups.filter { $0.name == name }
            return found.isEmpty ? nil : .string(found.flatMap(\.values).joined(separator: " "))
        }
        var names: [String] = []
        for group in a + b where !names.contains(group.name) { names.append(group.name) }
        return names.map { Item(name: $0, first: value(a, $0), second: value(b, $0), isMeasured: false) }
    }

    private static func files(_ first: [RunFile], _ second: [RunFile]) -> [Item] {
        func key(_ file: RunFile) -> String { "\(file.role.rawValue) \(file.path)" }
        var names: [String] = []
        for file in first + second where !names.contains(key(file)) { names.append(key(file)) }
        func digest(_ files: [RunFile], _ name: String) -> JSON? {
            files.first { key($0) == name }.map { $0.digest.map { .string($0.description) } ?? .null }
        }
        return names.map {
            Item(name: $0, first: digest(first, $0), second: digest(second, $0), isMeasured: false)
        }
    }
}

/// Values of two results by their names, in the order in which they first occur.
private struct Pairs {
    private var names: [String] = []
    private var values: [String: (first: JSON?, second: JSON?)] = [:]

    mutating func add(_ first: JSON?, _ second: JSON?) {
        for (name, value) in first.map({ Self.walk($0, "") }) ?? [] { note(name) { $0.first = value } }
        for (name, value) in second.map({ Self.walk($0, "") }) ?? [] { note(name) { $0.second = value } }
    }

    func items(measured: Set<String>) -> [RunComparison.Item] {
        names.map { name in
            RunComparison.Item(
                name: name, first: values[name]?.first, second: values[name]?.second,
                isMeasured: RunComparison.isMeasured(name, measured))
        }
    }

    private mutating func note(_ name: String, _ change: (inout (first: JSON?, second: JSON?)) -> Void) {
        if values[name] == nil { names.append(name) }
        change(&values[name, default: (nil, nil)])
    }

    /// Objects, and lists of them, are walked into. A list of plain values is one value.
    private static func walk(_ value: JSON, _ name: String) -> [(String, JSON)] {
        if let object = value.object, !object.isEmpty {
            return object.flatMap { key, value in walk(value, name.isEmpty ? key : name + "." + key) }
        }
        if let array = value.array, array.contains(where: { $0.object != nil || $0.array != nil }) {
            return array.enumerated().flatMap { index, value in walk(value, "\(name)[\(index)]") }
        }
        return [(name.isEmpty ? "result" : name, value)]
    }
}
