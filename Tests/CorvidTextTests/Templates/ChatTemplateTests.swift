import Foundation
import Testing

@testable import CorvidText

@Suite struct ChatTemplateTests {
    @Test("conversations render as Jinja2 renders them in the formats of fourteen model families")
    func conversationsAgree() throws {
        let conversations = try TemplateFixtures.json("conversations.json")
        let cases = try #require(try TemplateFixtures.json("chats.json").array)
        #expect(cases.count > 100)
        for entry in cases {
            let name = try #require(entry["template"]?.string)
            let title = try #require(entry["conversation"]?.string)
            let source = String(decoding: try TemplateFixtures.bytes("Chats/\(name)"), as: UTF8.self)
            var variables = try #require(conversations[title]?.object)
            let turns = try #require(variables["messages"]?.array)
            variables["messages"] = nil
            let template = try ChatTemplate(source: source, beginningOfSequence: "<s>", endOfSequence: "</s>")
            do {
                let text = try template.render(turns: turns, extra: variables, clock: TemplateFixtures.clock)
                #expect(Text(text) == Text(entry["output"]?.string ?? "an error"), "\(name), \(title)")
            } catch {
                #expect(
                    TemplateFixtures.kind(of: error) == entry["error"]?.string, "\(name), \(title): \(error)")
            }
        }
    }

    @Test("messages are rendered with the tokens, the generation prompt and further variables")
    func messagesRender() throws {
        let template = try ChatTemplate(
            source:
                "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}"
                + "{% if add_generation_prompt %}>{% endif %}{{ tools is none }}{{ extra }}",
            beginningOfSequence: "<b>", endOfSequence: "<e>")
        let messages = [
            ChatMessage(role: "user", content: "é {{ x }}"), ChatMessage(role: "assistant", content: ""),
        ]
        #expect(try template.render(messages: messages) == "<b>user: é {{ x }}<e>assistant: <e>>True")
        #expect(
            try template.render(
                messages: [], addGenerationPrompt: false, extra: ["extra": 5, "bos_token": "B"])
                == "BTrue5")
    }

    @Test("of a list of named templates the wanted one is taken, and none where it is missing")
    func namedTemplates() {
        let list: JSON = [
            ["name": "tool_use", "template": "tools"], ["name": "default", "template": "plain"],
        ]
        #expect(ChatTemplate.source(in: list) == "plain")
        #expect(ChatTemplate.source(in: list, named: "tool_use") == "tools")
        #expect(ChatTemplate.source(in: list, named: "rag") == nil)
        #expect(ChatTemplate.source(in: "text") == "text")
        #expect(ChatTemplate.source(in: nil) == nil)
        #expect(ChatTemplate.source(in: 5) == nil)
        #expect(ChatTemplate.source(in: [["name": "other", "template": "x"], 5, "y"]) == nil)
    }

    @Test("a template that cannot be read is an error and not replaced by another")
    func unreadableTemplate() {
        #expect(throws: TemplateError.self) { try ChatTemplate(source: "{% if %}") }
    }

    @Test("the plain form writes speakers on lines of their own")
    func plainForm() throws {
        let messages = [
            ChatMessage(role: "system", content: "Be kind."), ChatMessage(role: "user", content: "Hi"),
            ChatMessage(role: "assistant", content: "Hello"), ChatMessage(role: "user", content: "Bye"),
        ]
        #expect(
            try ChatTemplate.plain.render(messages: messages)
                == "Be kind.\n\nUser: Hi\nAssistant: Hello\nUser: Bye\nAssistant:")
        #expect(try ChatTemplate.plain.render(messages: [], addGenerationPrompt: false) == "")
        #expect(ChatTemplate.plain.source == nil)
    }
}
