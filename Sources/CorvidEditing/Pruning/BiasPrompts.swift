import CorvidTensors
import CorvidText

/// Prompts about groups of people: each has an axis (such as religion) and a bucket on it.
public struct BiasPrompts: Sendable, Equatable {
    public struct Prompt: Sendable, Equatable, Hashable {
        public let text: String
        public let bucket: String

        public init(text: String, bucket: String) {
            self.text = text
            self.bucket = bucket
        }
    }

    /// Axes in their order.
    public private(set) var axes: [(name: String, prompts: [Prompt])]

    public init(_ axes: [(name: String, prompts: [Prompt])]) { self.axes = axes }

    public static func == (left: BiasPrompts, right: BiasPrompts) -> Bool {
        left.axes.map(\.name) == right.axes.map(\.name)
            && left.axes.map(\.prompts) == right.axes.map(\.prompts)
    }

    /// The prompts of an axis.
    /// - Throws: ``PruningError/axis(_:known:)``; ``PruningError/degenerate(axis:buckets:)`` if they are of one
    ///   bucket only.
    public func prompts(_ axis: String) throws -> [Prompt] {
        guard let found = axes.first(where: { $0.name == axis }), !found.prompts.isEmpty else {
            throw PruningError.axis(axis, known: axes.map(\.name))
        }
        let buckets = Set(found.prompts.map(\.bucket))
        guard buckets.count > 1 else {
            throw PruningError.degenerate(axis: axis, buckets: buckets.sorted())
        }
        return found.prompts
    }

    // MARK: Files

    /// Reads `{"axis": {"prompts": ["...", ...]}}` together with `{"axis": ["...", ...], "bucket": ["...", ...]}`,
    /// whose n-th entry of an axis belongs to that axis's n-th prompt. The first may also hold `buckets` itself,
    /// beside `prompts`.
    /// - Throws: ``PruningError/prompts(file:reason:)``.
    public init(prompts bytes: [UInt8], file: String, buckets: (bytes: [UInt8], file: String)? = nil) throws {
        let json = try Self.parse(bytes, file)
        guard let object = json.object, !object.isEmpty else {
            throw PruningError.prompts(file: file, reason: "is no object of axes with prompts")
        }
        var given: [String: [String]] = [:]
        if let buckets {
            let labels = try Self.parse(buckets.bytes, buckets.file)
            let axes = try Self.texts(labels["axis"], "axis", buckets.file)
            let names = try Self.texts(labels["bucket"], "bucket", buckets.file)
            guard axes.count == names.count else {
                throw PruningError.prompts(
                    file: buckets.file, reason: "has \(axes.count) axes and \(names.count) buckets")
            }
            for (axis, name) in zip(axes, names) { given[axis, default: []].append(name) }
        }
        var axes: [(name: String, prompts: [Prompt])] = []
        for (axis, value) in object {
            let texts = try Self.texts(value["prompts"], "\(axis).prompts", file)
            let own = value["buckets"].map { $0.isNull } == false
            let names = own ? try Self.texts(value["buckets"], "\(axis).buckets", file) : given[axis] ?? []
            guard names.count == texts.count else {
                throw PruningError.prompts(
                    file: file, reason: "axis '\(axis)' has \(texts.count) prompts and \(names.count) buckets"
                )
            }
            if let index = texts.firstIndex(where: \.isEmpty) {
                throw PruningError.prompts(file: file, reason: "prompt \(index + 1) of '\(axis)' is empty")
            }
            if names.contains("") { throw PruningError.prompts(file: file, reason: "a bucket has no name") }
            axes.append((axis, zip(texts, names).map { Prompt(text: $0, bucket: $1) }))
        }
        self.axes = axes
    }

    private static func parse(_ bytes: [UInt8], _ file: String) throws -> JSON {
        do {
            return try JSON.parse(bytes)
        } catch {
            throw PruningError.prompts(file: file, reason: "is no JSON: \(error)")
        }
    }

    private static func texts(_ value: JSON?, _ name: String, _ file: String) throws -> [String] {
        let texts = value?.array?.map(\.string) ?? []
        guard value?.array != nil, texts.allSatisfy({ $0 != nil }) else {
            throw PruningError.prompts(file: file, reason: "'\(name)' is no list of texts")
        }
        return texts.compactMap { $0 }
    }

    // MARK: Parts

    /// At most `limit` prompts of each axis, drawn at random, in their order; buckets keep their shares, and each
    /// has at least one.
    public func sample(atMost limit: Int, seed: UInt64) -> BiasPrompts {
        BiasPrompts(
            axes.map { axis in
                guard axis.prompts.count > limit else { return axis }
                var kept: [Int] = []
                for (_, members) in Self.byBucket(axis.prompts) {
                    let share = Double(limit) * Double(members.count) / Double(axis.prompts.count)
                    let count = min(members.count, max(1, Int(share.rounded())))
                    kept += Self.shuffled(members, axis: axis.name, seed: seed).prefix(count)
                }
                return (axis.name, kept.sorted().map { axis.prompts[$0] })
            })
    }

    /// Two parts of each bucket: one to choose heads with, and one to report on.
    /// - Parameter share: of the first part.
    public func split(share: Double, seed: UInt64) -> (validation: BiasPrompts, test: BiasPrompts) {
        var parts: (BiasPrompts, BiasPrompts) = (BiasPrompts([]), BiasPrompts([]))
        for axis in axes {
            var first: Set<Int> = []
            for (_, members) in Self.byBucket(axis.prompts) {
                let wanted = Int((Double(members.count) * min(1, max(0, share))).rounded())
                // Both parts know all buckets, where there are prompts enough.
                let count = members.count < 2 ? wanted : min(members.count - 1, max(1, wanted))
                first.formUnion(Self.shuffled(members, axis: axis.name, seed: seed).prefix(count))
            }
            let indices = axis.prompts.indices
            parts.0.axes.append((axis.name, indices.filter(first.contains).map { axis.prompts[$0] }))
            parts.1.axes.append((axis.name, indices.filter { !first.contains($0) }.map { axis.prompts[$0] }))
        }
        return parts
    }

    private static func byBucket(_ prompts: [Prompt]) -> [(String, [Int])] {
        Dictionary(grouping: prompts.indices) { prompts[$0].bucket }.sorted { $0.key < $1.key }
            .map { ($0.key, $0.value) }
    }

    private static func shuffled(_ members: [Int], axis: String, seed: UInt64) -> [Int] {
        let random = CounterRandom(seed: seed)
        let stream = axis.utf8.reduce(UInt32(17)) { $0 &* 31 &+ UInt32($1) }
        let keys = members.map { random.uniform(stream: stream, step: UInt64($0)) }
        return zip(keys, members).sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1)
    }
}
