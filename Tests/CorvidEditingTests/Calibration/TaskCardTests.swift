import CorvidEditing
import CorvidText
import Testing

@Suite struct TaskCardTests {
    private func card(_ name: String) throws -> TaskCard { try #require(TaskCard.named(name)) }

    private func example(_ first: String, _ label: Int) -> TaskExample {
        TaskExample(text: TaskText(first), label: label)
    }

    private func example(_ first: String, _ second: String, _ label: Int) -> TaskExample {
        TaskExample(text: TaskText(first, second), label: label)
    }

    @Test("prompts of one text are the paper's byte for byte, without the last blank") func single() throws {
        let prompt = try card("sst2").prompt(
            [example("a fine film .", 1), example("dull", 0)], TaskText("so so"))
        #expect(
            prompt == "Review: a fine film .\nSentiment: positive\n\nReview: dull\nSentiment: negative\n\n"
                + "Review: so so\nSentiment:")
        #expect(try card("sst2").query(TaskText("")) == "Review: \nSentiment:")
        #expect(
            try card("cola").prompt([example("I is.", 0)], TaskText("I am."))
                == "Are the following sentences grammatically correct?\n\nSentence: I is.\nAnswer: Wrong\n\n"
                + "Sentence: I am.\nAnswer:")
        // Of several words the first one is shown.
        #expect(
            try card("agnews").context([example("Chips.", 3)]) == "Article: Chips.\nAnswer: technology\n\n")
    }

    @Test("prompts of two texts are the paper's byte for byte") func pairs() throws {
        #expect(
            try card("rte").prompt([example("It rains.", "It is wet.", 1)], TaskText("A", "B"))
                == "It rains.\nquestion: It is wet.\nTrue or False? answer: True\n\n"
                + "A\nquestion: B\nTrue or False? answer:")
        #expect(
            try card("mrpc").query(TaskText("A", "B"))
                == "Sentence 1: A \nSentence 2: B\nquestion: different or equivalent? answer:")
        #expect(
            try card("cb").query(TaskText("A", "B")) == "A\nquestion: B.\ntrue, false, or neither? answer:")
        #expect(
            try card("medical_questions_pairs").query(TaskText("A", "B"))
                == "Question 1: A\nQuestion 2: B\nLabel:")
        #expect(
            try card("rte_instruction").query(TaskText("A", "B")) == " A\nquestion: B\nanswer:")
        // Shown is another word than the one that is asked for.
        #expect(
            try card("sick").context([example("A", "B", 0)])
                == "A\nquestion: B\nentailment, neutral, or contradiction? answer: entailment\n\n")
    }

    @Test("long texts are cut where the card says so") func cut() throws {
        let text = (0..<200).map { "w\($0)" }.joined(separator: "  ")
        let query = try card("ethos_binary").query(TaskText(text))
        #expect(query.hasPrefix("Text: w0 w1 w2") && query.hasSuffix(" w127\nLabel:"))
        #expect(try card("hate_speech18").query(TaskText(text)).contains("  w199\n"))
    }

    @Test("every built-in card is sound, has a name of its own, and is the same after JSON")
    func builtIn() throws {
        for card in TaskCard.builtIn {
            try card.validate()
            #expect(card.answerPrefix.hasSuffix(" "))
            #expect(try TaskCard(JSON.parse(card.json.encoded()), file: "card") == card)
        }
        #expect(Set(TaskCard.builtIn.map(\.name)).count == TaskCard.builtIn.count)
        #expect(TaskCard.builtIn.count == 35)
        #expect(TaskCard.named("nothing") == nil)
    }

    @Test("a label in a file is a class's number, one of its words, or the word that is shown")
    func examples() throws {
        let lines = """
            {"text": "a", "label": 3}
            {"text": "b", "label": "science"}

            {"text": "c"}
            """
        let examples = try TaskExample.lines(lines, file: "f", card: card("agnews"))
        #expect(examples.map(\.label) == [3, 3, nil])
        #expect(examples.map(\.text.first) == ["a", "b", "c"])
        let shown = try TaskExample.lines(
            #"{"text_a": "a", "text_b": "b", "label": "entailment"}"#, file: "f", card: card("sick"))
        #expect(shown == [example("a", "b", 0)])
        let plain = try TaskExample.lines("one\n\ntwo {\n", file: "f", card: card("sst2"))
        #expect(plain.map(\.text.first) == ["one", "two {"])
    }

    @Test(
        "a line that is no example is named with its place",
        arguments: [
            ("{\"text\": \"a\"}\n{\"text\": }", 2, "column 10"), ("{\"label\": 1}", 1, "text is missing"),
            ("{\"text\": 3}", 1, "text is an integer"),
            ("{\"text\": \"a\", \"label\": 2}", 1, "classes 0 to 1"),
            ("{\"text\": \"a\", \"label\": -1}", 1, "classes 0 to 1"),
            ("{\"text\": \"a\", \"label\": \"bad\"}", 1, "expected one of negative, positive"),
            ("{\"text\": \"a\", \"label\": []}", 1, "label is an array"),
        ])
    func badLines(text: String, line: Int, reason: String) throws {
        do {
            _ = try TaskExample.lines(text, file: "f.jsonl", card: card("sst2"))
            Issue.record("accepted")
        } catch {
            #expect(
                "\(error)".hasPrefix("f.jsonl: line \(line): ") && "\(error)".contains(reason), "\(error)")
        }
    }

    @Test("files without texts, and texts of the wrong number, are refused") func wrongTexts() throws {
        #expect(throws: CalibrationError.noTexts(file: "f")) {
            try TaskExample.lines(" \n\n", file: "f", card: card("sst2"))
        }
        #expect(throws: CalibrationError.self) {
            try TaskExample.lines("one line", file: "f", card: card("rte"))
        }
    }

    @Test(
        "a card that is not sound says what is wrong",
        arguments: [
            (#"[]"#, "an array"), (#"{"q_prefix": "a", "a_prefix": "b"}"#, "labels: found nothing"),
            (#"{"q_prefix": "a", "a_prefix": "b", "labels": []}"#, "0 classes"),
            (#"{"q_prefix": "a", "a_prefix": "b", "labels": ["x"]}"#, "1 class;"),
            (#"{"q_prefix": "a", "a_prefix": "b", "labels": ["x", []]}"#, "class 1 has an empty word"),
            (#"{"q_prefix": "a", "a_prefix": "b", "labels": ["x", ""]}"#, "class 1 has an empty word"),
            (#"{"q_prefix": "a", "a_prefix": "b", "labels": ["x", "x"]}"#, "stands for classes 0 and 1"),
            (#"{"q_prefix": "a", "a_prefix": "b", "labels": [["x", "x"], "y"]}"#, "twice"),
            (#"{"q_prefix": "a", "a_prefix": "b", "labels": [1, 2]}"#, "labels: found an integer"),
            (#"{"q_prefix": 1, "a_prefix": "b", "labels": ["x", "y"]}"#, "q_prefix: found an integer"),
            (#"{"a_prefix": "b", "labels": ["x", "y"]}"#, "q_prefix: found nothing"),
            (#"{"q_prefix": "a", "labels": ["x", "y"]}"#, "a_prefix: found nothing"),
            (#"{"q_prefix": "a", "a_prefix": "b", "labels": ["x", "y"], "label": 1}"#, "unknown key"),
            (
                #"{"q_prefix": "a", "a_prefix": "b", "labels": ["x", "y"], "labels_in_context": ["z"]}"#,
                "1 words for 2 classes"
            ),
            (#"{"q_prefix": "a", "a_prefix": "b", "labels": ["x", "y"], "max_words": 0}"#, "max_words is 0"),
            (#"{"q_prefix": "a", "a_prefix": "b", "labels": ["x", "y"], "max_words": "a"}"#, "max_words"),
        ])
    func unsound(json: String, reason: String) throws {
        do {
            _ = try TaskCard(JSON.parse(json), file: "card.json")
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains(reason), "\(error)")
        }
    }
}
