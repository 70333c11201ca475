import CorvidModels
import CorvidText

/// Measured scores in a file, since measuring them takes long: a run that was interrupted goes on, and selections
/// are tried without running the model.
extension HeadScores {
    /// What scores were measured with; scores of something else are not used.
    public struct Origin: Sendable, Equatable {
        /// Names with values, such as the digest of the text.
        public var facts: [String: String]

        public init(_ facts: [String: String]) { self.facts = facts }
    }

    private static let version = 1

    /// Writes the scores; a file that stands there is replaced as a whole.
    public func write(to path: String, origin: Origin) throws {
        func number(_ value: Double?) -> JSON {
            guard let value else { return .null }
            return value.isFinite ? .number(value) : .string("infinite")
        }
        func numbers(_ values: [String: Double]) -> JSON {
            var object = JSONObject()
            for (key, value) in values.sorted(by: { $0.key < $1.key }) { object[key] = number(value) }
            return .object(object)
        }
        var facts = JSONObject()
        for (key, value) in origin.facts.sorted(by: { $0.key < $1.key }) { facts[key] = .string(value) }
        let list = heads.map { head -> JSON in
            let entry = self[head]
            return [
                "layer": .integer(Int64(head.layer)), "head": .integer(Int64(head.head)),
                "perplexity": number(entry.perplexity), "bias": numbers(entry.bias),
                "sensitivity": number(entry.sensitivity), "magnitude": number(entry.magnitude),
            ]
        }
        let json: JSON = [
            "format_version": .integer(Int64(Self.version)), "origin": .object(facts),
            "perplexity": number(perplexity), "bias": numbers(bias), "heads": .array(list),
        ]
        try AtomicFile.write(to: path) { try $0.write(json.encodedBytes() + [UInt8(ascii: "\n")]) }
    }

    /// Reads what ``write(to:origin:)`` wrote.
    /// - Parameters:
    ///   - bytes: of the file.
    ///   - origin: what the scores must have been measured with.
    ///   - heads: of the model.
    /// - Throws: ``PruningError/cache(file:reason:)``.
    public init(_ bytes: [UInt8], file: String, origin: Origin, heads: [HeadIndex]) throws {
        func fault(_ reason: String) -> PruningError { .cache(file: file, reason: reason) }
        let json: JSON
        do {
            json = try JSON.parse(bytes)
        } catch {
            throw fault("is no JSON (\(error))")
        }
        guard json["format_version"]?.int == Self.version, let list = json["heads"]?.array else {
            throw fault("holds no scores of heads of version \(Self.version)")
        }
        for (key, value) in origin.facts.sorted(by: { $0.key < $1.key }) {
            let found = json["origin"]?[key]?.string
            guard found == value else {
                throw fault("was measured with another \(key) (\(found ?? "none") instead of \(value))")
            }
        }
        func number(_ value: JSON?, _ name: String) throws -> Double? {
            guard let value, !value.isNull else { return nil }
            if value.string == "infinite" { return .infinity }
            guard let number = value.double, number >= 0 else {
                throw fault("\(name) holds \(value.kindName) where a number of 0 or more was expected")
            }
            return number
        }
        func numbers(_ value: JSON?, _ name: String) throws -> [String: Double] {
            guard let object = value?.object else { return [:] }
            var result: [String: Double] = [:]
            for (key, value) in object { result[key] = try number(value, name) }
            return result
        }
        self.init(heads: heads)
        perplexity = try number(json["perplexity"], "perplexity")
        bias = try numbers(json["bias"], "bias")
        let known = Set(heads)
        for item in list {
            guard let layer = item["layer"]?.int, let head = item["head"]?.int,
                known.contains(HeadIndex(layer: layer, head: head))
            else { throw fault("names a head that the model does not have") }
            var entry = Entry()
            entry.perplexity = try number(item["perplexity"], "perplexity")
            entry.bias = try numbers(item["bias"], "bias")
            entry.sensitivity = try number(item["sensitivity"], "sensitivity")
            entry.magnitude = try number(item["magnitude"], "magnitude")
            self[HeadIndex(layer: layer, head: head)] = entry
        }
    }
}
