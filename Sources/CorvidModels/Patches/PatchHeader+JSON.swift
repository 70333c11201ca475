import CorvidText
import Foundation

extension PatchHeader {
    /// The present time as patches write it.
    static var now: String { Date.now.formatted(.iso8601) }

    /// Keys in the order in which they are written.
    var json: JSONObject {
        var object: JSONObject = [
            "name": .string(name), "method": .string(method), "settings": settings,
            "created": .string(created), "corvid": .string(corvid),
        ]
        // JSON's integers are signed here; a larger seed is written as text.
        if let seed { object["seed"] = Int64(exactly: seed).map { .integer($0) } ?? .string("\(seed)") }
        if !data.isEmpty {
            object["data"] = .array(
                data.map { ["name": .string($0.name), "sha256": .string("\($0.digest)")] })
        }
        if let base { object["base"] = base.json }
        if let report { object["report"] = report }
        return object
    }

    /// - Throws: ``PatchFileError``.
    init(_ fields: inout PatchFields) throws {
        name = try fields.text("name", limit: PatchFile.Limits.nameBytes)
        method = try fields.text("method", limit: PatchFile.Limits.nameBytes)
        settings = try fields.value("settings") ?? .object(JSONObject())
        created = try fields.text("created", limit: PatchFile.Limits.nameBytes)
        corvid = try fields.text("corvid", limit: PatchFile.Limits.nameBytes)
        switch try fields.value("seed") {
        case nil: seed = nil
        case .integer(let value) where value >= 0: seed = UInt64(value)
        case .string(let text):
            guard let value = UInt64(text) else { throw fields.wrong("seed", text, expected: "a number") }
            seed = value
        case let other?: throw fields.wrong("seed", other.kindName, expected: "a number from 0 on")
        }
        data = try fields.objects("data", limit: PatchFile.Limits.sources) { source in
            Source(
                name: try source.text("name", limit: PatchFile.Limits.nameBytes),
                digest: try source.digest("sha256"))
        }
        base = try fields.object("base") { try PatchBase(&$0) }
        report = try fields.value("report")
    }
}
