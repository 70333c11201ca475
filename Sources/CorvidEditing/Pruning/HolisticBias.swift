import CorvidText

/// Prompts made of the parts of HolisticBias (Smith et al. 2022): noun phrases with descriptors of people, put into
/// templates.
///
/// A noun phrase is `ARTICLE DESCRIPTOR NOUN` for each noun that fits the descriptor's gender, or the descriptor
/// alone where the template does not ask for a noun.
public struct HolisticBias: Sendable {
    private let descriptors: JSON
    private let nouns: JSON
    private let templates: JSON
    private let files: (descriptors: String, nouns: String, templates: String)

    /// - Throws: ``PruningError/prompts(file:reason:)``.
    public init(
        descriptors: (bytes: [UInt8], file: String), nouns: (bytes: [UInt8], file: String),
        templates: (bytes: [UInt8], file: String)
    ) throws {
        func parse(_ source: (bytes: [UInt8], file: String)) throws -> JSON {
            do {
                let json = try JSON.parse(source.bytes)
                if json.object != nil { return json }
            } catch {
                throw PruningError.prompts(file: source.file, reason: "is no JSON: \(error)")
            }
            throw PruningError.prompts(file: source.file, reason: "is no object")
        }
        self.descriptors = try parse(descriptors)
        self.nouns = try parse(nouns)
        self.templates = try parse(templates)
        files = (descriptors.file, nouns.file, templates.file)
    }

    private struct Descriptor {
        let text: String
        let gender: String?
        let article: String?
    }

    /// The prompts of some axes; nil: of all.
    /// - Throws: ``PruningError``.
    public func prompts(axes wanted: [String]? = nil) throws -> BiasPrompts {
        let known = descriptors.object?.keys ?? []
        if let missing = wanted?.first(where: { !known.contains($0) }) {
            throw PruningError.axis(missing, known: known)
        }
        let templates = try self.parsedTemplates()
        let groups = try nounGroups()
        var axes: [(name: String, prompts: [BiasPrompts.Prompt])] = []
        for axis in wanted ?? known {
            guard let buckets = descriptors[axis]?.object else {
                throw PruningError.prompts(file: files.descriptors, reason: "'\(axis)' has no buckets")
            }
            var prompts: [BiasPrompts.Prompt] = []
            for (bucket, list) in buckets {
                for descriptor in try parsed(list, axis: axis, bucket: bucket) {
                    let fitting = groups.filter { descriptor.gender == nil || $0.gender == descriptor.gender }
                    for text in sentences(descriptor, fitting.flatMap(\.nouns), templates) {
                        prompts.append(.init(text: text, bucket: bucket))
                    }
                }
            }
            axes.append((axis, prompts))
        }
        return BiasPrompts(axes)
    }

    private func sentences(
        _ descriptor: Descriptor, _ nouns: [(one: String, many: String)],
        _ templates: [(text: String, mustBeNoun: Bool)]
    ) -> [String] {
        let article = descriptor.article ?? Self.article(descriptor.text)
        return templates.flatMap { template -> [String] in
            func filled(_ one: String, _ many: String) -> String {
                template.text.replacing("{plural_noun_phrase}", with: many)
                    .replacing("{noun_phrase}", with: one)
            }
            let alone = template.mustBeNoun ? [] : [filled(descriptor.text, descriptor.text)]
            return alone
                + nouns.map {
                    filled("\(article) \(descriptor.text) \($0.one)", "\(descriptor.text) \($0.many)")
                }
        }
    }

    private static func article(_ word: String) -> String {
        guard let first = word.lowercased().first else { return "a" }
        return "aeiou".contains(first) ? "an" : "a"
    }

    private func parsed(_ list: JSON, axis: String, bucket: String) throws -> [Descriptor] {
        let entries = list.array ?? []
        guard !entries.isEmpty else { throw PruningError.emptyBucket(axis: axis, bucket: bucket) }
        return try entries.map { entry in
            guard let text = entry.string ?? entry["descriptor"]?.string, !text.isEmpty else {
                throw PruningError.prompts(
                    file: files.descriptors, reason: "an entry of \(axis).\(bucket) is no descriptor")
            }
            return Descriptor(
                text: text, gender: entry["gender"]?.string, article: entry["article"]?.string)
        }
    }

    private func parsedTemplates() throws -> [(text: String, mustBeNoun: Bool)] {
        let list = (templates.object.map(Array.init) ?? []).map {
            (text: $0.key, mustBeNoun: $0.value["must_be_noun"]?.bool ?? false)
        }
        guard !list.isEmpty,
            list.allSatisfy({ $0.text.contains("{noun_phrase}") || $0.text.contains("{plural_noun_phrase}") })
        else {
            throw PruningError.prompts(
                file: files.templates,
                reason: "must have templates as keys, each with {noun_phrase} or {plural_noun_phrase}")
        }
        return list
    }

    private func nounGroups() throws -> [(gender: String, nouns: [(one: String, many: String)])] {
        try (nouns.object.map(Array.init) ?? []).map { gender, list in
            let pairs = (list.array ?? []).compactMap { pair -> (one: String, many: String)? in
                guard let one = pair[0]?.string, let many = pair[1]?.string else { return nil }
                return (one, many)
            }
            guard !pairs.isEmpty, pairs.count == list.array?.count else {
                throw PruningError.prompts(
                    file: files.nouns, reason: "'\(gender)' is no list of [singular, plural]")
            }
            return (gender, pairs)
        }
    }
}
