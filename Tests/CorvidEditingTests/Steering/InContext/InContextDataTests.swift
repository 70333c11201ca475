import CorvidEditing
import Testing

@Suite struct InContextDataTests {
    private static func parse(_ text: String) throws -> InContextData {
        try InContextData(parsing: Array(text.utf8), file: "task.json")
    }

    @Test("lists, objects, lines and divided files are read alike") func forms() throws {
        let pairs = [InContextPair(input: "hot", output: "cold"), InContextPair(input: "two", output: "2")]
        let list = #"[{"input": "hot", "output": "cold"}, {"input": "two", "output": 2}]"#
        #expect(try Self.parse(list) == .list(pairs))
        #expect(try Self.parse(#"{"hot": "cold", "two": 2}"#) == .list(pairs))
        let lines = "{\"input\": \"hot\", \"output\": \"cold\"}\r\n\n{\"input\": \"two\", \"output\": 2}\n"
        #expect(try Self.parse(lines) == .list(pairs))
        #expect(try Self.parse(#"{"input": "hot", "output": "cold"}"#) == .list([pairs[0]]))
        let choices = InContextPair(input: "hot", output: "cold", choices: ["cold", "warm"])
        let divided =
            #"{"demon": [{"input": "hot", "output": "cold", "choices": ["cold", "warm"]}], "#
            + #""dummy_test": {"input": "two", "output": 2}, "test": \#(list), "valid": []}"#
        let expected = InContextTask(demonstrations: [choices], dummies: [pairs[1]], test: pairs)
        #expect(try Self.parse(divided) == .divided(expected))
    }

    @Test(
        "what is no task is refused with its place",
        arguments: [
            "", "[", "[]", "{}", "3", #"[{"input": "a"}]"#, #"[{"input": "a", "output": ["b"]}]"#, #"["a"]"#,
            #"{"a": {"b": "c"}}"#, #"{"demon": 3}"#, #"{"demon": [], "test": []}"#,
            #"[{"input": "a", "output": "b", "choices": "c"}]"#, "{\"input\": \"a\"}\nnonsense",
        ])
    func refused(text: String) throws {
        let error = #expect(throws: InContextError.self) { try Self.parse(text) }
        #expect(error?.description.hasPrefix("task.json: ") == true)
    }

    @Test("a list is divided at random, the same for one seed, with nothing for two purposes")
    func division() throws {
        let pairs = (0..<40).map { InContextPair(input: "\($0)", output: "\($0)") }
        let data = InContextData.list(pairs)
        let division = InContextDivision()
        let task = try data.task(division, seed: 3)
        #expect(task == (try data.task(division, seed: 3)))
        #expect(task != (try data.task(division, seed: 4)))
        #expect(task.demonstrations.count == 10 && task.validation.count == 15 && task.test.count == 15)
        #expect(Set(task.demonstrations + task.validation + task.test) == Set(pairs))
        #expect(task.dummies == Array(task.validation.prefix(5)))
        #expect(try data.task(InContextDivision(test: 4), seed: 3).test == Array(task.test.prefix(4)))
        #expect(throws: InContextError.pairs(needed: 26, found: 25)) {
            try InContextData.list(Array(pairs.prefix(25))).task(division, seed: 0)
        }
        #expect(throws: InContextError.outOfRange(field: "shots", found: "0", allowed: "1 to 100000")) {
            try data.task(InContextDivision(shots: 0), seed: 0)
        }
    }

    @Test("a divided file keeps its order") func divided() throws {
        let pairs = (0..<20).map { InContextPair(input: "\($0)", output: "\($0)") }
        let file = InContextTask(
            demonstrations: Array(pairs[..<10]), dummies: [pairs[10]], validation: Array(pairs[11..<15]),
            test: Array(pairs[15...]))
        let task = try InContextData.divided(file).task(InContextDivision(shots: 4), seed: 9)
        #expect(task.demonstrations == Array(pairs[..<4]))
        #expect(task.dummies == Array(pairs[10..<15]))
        #expect(task.validation == file.validation && task.test == file.test)
        #expect(throws: InContextError.noDemonstrations) {
            try InContextData.divided(InContextTask(demonstrations: [], dummies: pairs)).task(
                .init(), seed: 0)
        }
        #expect(throws: InContextError.noDummies) {
            try InContextData.divided(InContextTask(demonstrations: pairs, dummies: [])).task(
                .init(), seed: 0)
        }
    }
}
