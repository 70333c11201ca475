import ArgumentParser
import CorvidText

/// Options given by the environment: `CORVID_MAX_TOKENS=20` stands for `--max-tokens 20` in each command that
/// has the option, unless the command line gives it itself.
struct EnvironmentOptions {
    /// The values by option name, such as `max-tokens`.
    private let values: [String: String]

    init(_ environment: [String: String]) {
        values = environment.reduce(into: [:]) { values, variable in
            guard variable.key.hasPrefix(Self.prefix), !variable.value.isEmpty else { return }
            let name = variable.key.dropFirst(Self.prefix.count)
            values[name.lowercased().replacing("_", with: "-")] = variable.value
        }
    }

    private static let prefix = "CORVID_"
    private static let yes: Set<String> = ["1", "true", "yes", "on"]
    private static let no: Set<String> = ["0", "false", "no", "off"]

    /// The command line with the environment's options in it.
    /// - Throws: `ValidationError` for a flag that is neither switched on nor off.
    func completing(_ arguments: [String]) throws -> [String] {
        // The parser describes its commands only to who asks; most command lines do not need it.
        guard !values.isEmpty, let (command, end) = Self.command(of: arguments) else { return arguments }
        let given = arguments[end...].prefix { $0 != "--" }
        var added: [String] = []
        for option in command["arguments"]?.array ?? [] {
            let names = (option["names"]?.array ?? []).compactMap(Self.spelling)
            guard let name = names.first(where: { $0.hasPrefix("--") }),
                let value = values[String(name.dropFirst(2))],
                !given.contains(where: { argument in
                    names.contains { argument == $0 || argument.hasPrefix($0 + "=") }
                })
            else { continue }
            switch option["kind"]?.string {
            case "option": added.append("\(name)=\(value)")
            case "flag" where Self.yes.contains(value.lowercased()): added.append(name)
            case "flag" where Self.no.contains(value.lowercased()): break
            case "flag":
                let variable = Self.prefix + name.dropFirst(2).uppercased().replacing("-", with: "_")
                throw ValidationError("\(variable) is \"\(value)\"; it may be 1 or 0.")
            default: break
            }
        }
        return arguments[..<end] + added + arguments[end...]
    }

    /// The parser's description of the command that the arguments name, and the index behind its name.
    private static func command(of arguments: [String]) -> (JSON, Int)? {
        guard var command = description?["command"] else { return nil }
        var end = 0
        while end < arguments.count,
            let next = command["subcommands"]?.array?.first(where: {
                $0["commandName"]?.string == arguments[end]
            })
        {
            command = next
            end += 1
        }
        return end > 0 ? (command, end) : nil
    }

    /// All commands and options as the parser describes them.
    private static var description: JSON? {
        do {
            _ = try Corvid.parseAsRoot(["--experimental-dump-help"])
            return nil
        } catch {
            return try? JSON.parse(Array(Corvid.fullMessage(for: error).utf8))
        }
    }

    private static func spelling(_ name: JSON) -> String? {
        guard let text = name["name"]?.string else { return nil }
        return name["kind"]?.string == "long" ? "--" + text : "-" + text
    }
}
