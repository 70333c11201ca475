import Foundation
import TestSupport
import Testing

@Suite("Sources of the readers")
struct ReaderSourcesTests {
    private static let folders = [
        "Sources/CorvidModels/Formats", "Sources/CorvidText/JSON", "Sources/CorvidText/Tokenizers",
        "Sources/CorvidText/Templates",
    ]

    private static let forbidden: [(name: String, pattern: String)] = [
        ("wrapping addition", #"&\+"#), ("wrapping subtraction", "&-"), ("wrapping multiplication", #"&\*"#),
        ("unsafeBitCast", "unsafeBitCast"), ("try!", #"\btry!"#), ("as!", #"\bas!"#),
        ("assert", #"\bassert(ionFailure)?\("#),
        ("precondition", #"\bprecondition(Failure)?\b"#), ("fatalError", #"\bfatalError\b"#),
        ("forced unwrapping", #"[A-Za-z0-9_)\]}>?]!(?!=)"#), ("a pointer", #"\bUnsafe\w*Pointer"#),
        ("implicitly unwrapped type", #":\s*\[?[A-Z]\w*\]?!"#),
    ]

    @Test("No reader can trap by a forced unwrapping, cast, assertion or wrapped number", arguments: folders)
    func nothingForbidden(_ folder: String) throws {
        let files = Fixtures.swiftFiles(below: folder)
        #expect(!files.isEmpty, "\(folder) has no sources")
        for file in files {
            let name = URL(fileURLWithPath: file).lastPathComponent
            let code = SwiftCode.withoutTextAndComments(try String(contentsOfFile: file, encoding: .utf8))
            for (number, line) in code.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                for (what, pattern) in Self.forbidden {
                    // Hash functions are defined with numbers that wrap.
                    if what.hasPrefix("wrapping"), name.hasPrefix("Hash") { continue }
                    let found = line.range(of: pattern, options: .regularExpression) != nil
                    #expect(!found, "\(what) in \(folder)/\(name):\(number + 1): \(line)")
                }
            }
        }
    }

    @Test("The check itself finds what it looks for, and not in texts or comments")
    func checkWorks() {
        let bad = [
            "let a = b &+ c", "let a = b &- c", "let a = b &* c", "unsafeBitCast(a, to: b)", "try! f()",
            "a as! B", "assert(a)",
            "precondition(a)", "fatalError()", "a!.b", "f()!", "a[0]!", "let p: UnsafeRawPointer",
            "var a: Int!",
            "let a = \"\\(b!)\"",
        ]
        for line in bad {
            let code = SwiftCode.withoutTextAndComments(line)
            let found = Self.forbidden.contains {
                code.range(of: $0.pattern, options: .regularExpression) != nil
            }
            #expect(found, "\(line)")
        }
        let good = [
            "a != b", "!a", "let a = \"b!\"", "// a!", "/* try! */ let a = 1", "let a = #\"x!\"#",
            "if !(a && b) {}",
            "let a = \"\"\"\n  b! assert(\n  \"\"\"", "func precision()", "let a = \"\\\"b!\\\"\"",
        ]
        for line in good {
            let code = SwiftCode.withoutTextAndComments(line)
            let found = Self.forbidden.contains {
                code.range(of: $0.pattern, options: .regularExpression) != nil
            }
            #expect(!found, "\(line)")
        }
    }
}

/// Swift source without what the compiler does not run.
enum SwiftCode {
    /// Comments and the contents of texts removed; line breaks and interpolated code stay.
    static func withoutTextAndComments(_ source: String) -> String {
        let characters = Array(source)
        var code = ""
        var offset = 0
        copy(characters, &offset, &code, untilParenthesis: false)
        return code
    }

    private static func starts(_ text: [Character], _ offset: Int, _ with: String) -> Bool {
        offset + with.count <= text.count && zip(text[offset...], with).allSatisfy(==)
    }

    private static func copy(
        _ text: [Character], _ offset: inout Int, _ code: inout String, untilParenthesis: Bool
    ) {
        var depth = 0
        while offset < text.count {
            if starts(text, offset, "//") {
                while offset < text.count, text[offset] != "\n" { offset += 1 }
            } else if starts(text, offset, "/*") {
                while offset < text.count, !starts(text, offset, "*/") {
                    if text[offset] == "\n" { code.append("\n") }
                    offset += 1
                }
                offset += 2
            } else if text[offset] == "\"" || (text[offset] == "#" && isRawText(text, offset)) {
                skipText(text, &offset, &code)
            } else {
                if text[offset] == "(" { depth += 1 }
                if text[offset] == ")" {
                    depth -= 1
                    if untilParenthesis, depth < 0 { return }
                }
                code.append(text[offset])
                offset += 1
            }
        }
    }

    private static func isRawText(_ text: [Character], _ offset: Int) -> Bool {
        let next = text[offset...].first { $0 != "#" }
        return next == "\""
    }

    private static func skipText(_ text: [Character], _ offset: inout Int, _ code: inout String) {
        var hashes = ""
        while offset < text.count, text[offset] == "#" {
            hashes.append("#")
            offset += 1
        }
        let quote = starts(text, offset, "\"\"\"") ? "\"\"\"" : "\""
        offset += quote.count
        code.append("\"")
        while offset < text.count, !starts(text, offset, quote + hashes) {
            if starts(text, offset, "\\" + hashes + "(") {
                offset += 2 + hashes.count
                code.append("(")
                copy(text, &offset, &code, untilParenthesis: true)
                code.append(")")
                offset += 1
            } else if starts(text, offset, "\\" + hashes) {
                offset += 2 + hashes.count
            } else {
                if text[offset] == "\n" { code.append("\n") }
                offset += 1
            }
        }
        code.append("\"")
        offset += quote.count + hashes.count
    }
}
