import CorvidText

extension InContextData {
    /// Reads a task: a list of `{"input", "output", "choices"}`, one object of `input: output`, lines of such
    /// objects, or an object with `demon`, `dummy_test`, `test` and `valid` (the files of Li et al.).
    /// - Parameter file: its name, for messages.
    /// - Throws: ``InContextError/file(_:place:reason:)``.
    public init(parsing bytes: [UInt8], file: String) throws {
        let reader = PairReader(file: file)
        let value: JSON
        do {
            value = try JSON.parse(bytes)
        } catch {
            // A file of lines is no JSON text as a whole.
            let lines = bytes.split(separator: UInt8(ascii: "\n")).filter { line in
                line.contains { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }
            }
            guard lines.count > 1, let objects = try? lines.map({ try JSON.parse(Array($0)) }) else {
                throw InContextError.file(file, place: "JSON", reason: "\(error)")
            }
            self = .list(try reader.pairs(.array(objects), place: "line"))
            return
        }
        if let object = value.object, object["demon"] != nil {
            func part(_ key: String) throws -> [InContextPair] {
                guard let found = object[key] else { return [] }
                return try found.object == nil
                    ? reader.pairs(found, place: key) : [reader.pair(found, place: key)]
            }
            self = .divided(
                InContextTask(
                    demonstrations: try part("demon"), dummies: try part("dummy_test"),
                    validation: try part("valid"), test: try part("test")))
        } else if let object = value.object, object["input"] == nil {
            self = .list(
                try object.enumerated().map { index, member in
                    try reader.pair(
                        ["input": .string(member.key), "output": member.value], place: "pair \(index)")
                })
        } else {
            self = .list(try reader.pairs(value.object == nil ? value : .array([value]), place: "pair"))
        }
        if count == 0 { throw InContextError.file(file, place: "the file", reason: "holds no pairs") }
    }
}

private struct PairReader {
    let file: String

    func pairs(_ value: JSON, place: String) throws -> [InContextPair] {
        guard let list = value.array else {
            throw InContextError.file(
                file, place: place, reason: "is \(value.kindName), expected a list of pairs")
        }
        return try list.enumerated().map { try pair($1, place: "\(place) \($0)") }
    }

    func pair(_ value: JSON, place: String) throws -> InContextPair {
        let choices = try value["choices"].map { stored -> [String] in
            guard let list = stored.array else {
                throw InContextError.file(
                    file, place: place, reason: "choices is \(stored.kindName), expected a list")
            }
            return try list.map { try text($0, "choices", place) }
        }
        return InContextPair(
            input: try text(value["input"], "input", place),
            output: try text(value["output"], "output", place),
            choices: choices ?? [])
    }

    /// Numbers are taken as they are written: word lengths and the like are answers, too.
    private func text(_ value: JSON?, _ key: String, _ place: String) throws -> String {
        switch value {
        case .string(let text)?: return text
        case .integer(let number)?: return "\(number)"
        case let other:
            throw InContextError.file(
                file, place: place, reason: "\(key) is \(other?.kindName ?? "missing"), expected text")
        }
    }
}
