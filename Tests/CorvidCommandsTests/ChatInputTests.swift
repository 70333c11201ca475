import Testing

@testable import CorvidCommands

@Suite struct ChatInputTests {
    @Test(
        "a line is a message unless it begins with a slash and letters",
        arguments: [
            ("", ChatInput.nothing), ("  \t", .nothing), ("hello", .message("hello")),
            ("  indented", .message("  indented")),
            ("/usr/bin is a folder", .message("/usr/bin is a folder")),
            ("//help me", .message("/help me")), ("/", .message("/")), ("/1", .message("/1")),
            ("/help", .help), (" /HELP ", .help), ("/quit", .quit), ("/exit", .quit), ("/reset", .reset),
            ("/system", .system(nil)), ("/system Be kind.", .system("Be kind.")), ("/system -", .system("")),
            ("/save  my talk.json ", .save(path: "my talk.json")), ("/load a", .load(path: "a")),
            ("/params", .parameters(name: nil, value: nil)),
            ("/params top-k", .parameters(name: "top-k", value: nil)),
            ("/params top-k  5", .parameters(name: "top-k", value: "5")),
        ])
    func parsing(line: String, expected: ChatInput) {
        #expect(ChatInput(line) == expected)
    }

    @Test("a command that is unknown or incomplete is a mistake", arguments: ["/sing", "/save", "/load "])
    func mistakes(line: String) {
        guard case .mistake = ChatInput(line) else {
            Issue.record("\(line) is \(ChatInput(line))")
            return
        }
    }

    @Test("help names every command that is understood") func help() {
        for name in ["/system", "/reset", "/params", "/save", "/load", "/help", "/quit"] {
            #expect(ChatInput.commands.contains(name))
        }
    }
}
