import Foundation

@testable import CorvidText

/// What Jinja2 made of templates: written by Scripts/make-template-fixtures.py.
enum TemplateFixtures {
    /// 5 January 2026, 13:04:09, the moment the script uses.
    static let clock = TemplateClock.fixed(Date(timeIntervalSince1970: 1_767_618_249))

    static func json(_ name: String) throws -> JSON {
        try JSON.parse(try bytes(name))
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return [UInt8](try Data(contentsOf: folder.appendingPathComponent("Fixtures/Templates/\(name)")))
    }

    /// The output, or the kind of error as the fixtures name it.
    static func outcome(_ source: String, _ context: JSONObject) -> Outcome {
        do {
            return .output(try Template(source).render(context, clock: clock))
        } catch {
            return .error(kind(of: error), error)
        }
    }

    enum Outcome {
        case output(String)
        case error(String, TemplateError)
    }

    static func kind(of error: TemplateError) -> String {
        switch error {
        case .syntax: "syntax"
        case .unsupported: "unsupported"
        case .undefined: "undefined"
        case .refused: "refused"
        case .invalid: "invalid"
        case .raised: "raised"
        case .limit: "limit"
        }
    }
}
