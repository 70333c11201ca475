import Foundation
import Testing

@testable import CorvidText

@Suite struct TemplateTests {
    @Test("templates render as Jinja2 renders them, or fail in the same way")
    func casesAgree() throws {
        let context = try #require(try TemplateFixtures.json("context.json").object)
        let cases = try #require(try TemplateFixtures.json("cases.json").array)
        #expect(cases.count > 700)
        for entry in cases {
            let source = try #require(entry["template"]?.string)
            check(source, context, entry)
        }
    }

    private func check(_ source: String, _ context: JSONObject, _ entry: JSON) {
        let found = TemplateFixtures.outcome(source, context)
        let wanted = entry["error"]?.string
        switch found {
        case .output(let text):
            if let output = entry["output"]?.string {
                #expect(Text(text) == Text(output), "\(source)")
            } else {
                #expect(
                    entry["output_is_address"]?.bool == true, "\(source) gave \(text), Jinja2 \(wanted ?? "")"
                )
            }
        case .error(let kind, let error):
            #expect(kind == wanted, "\(source): \(error)")
            if let message = entry["message"]?.string, case .raised(_, let found) = error {
                #expect(found == message)
            }
        }
    }

    @Test("names, numbers and errors carry the line on which they stand")
    func errorsNameTheirLine() throws {
        #expect(throws: TemplateError.undefined(line: 3, what: "'x' is undefined")) {
            try Template("a\n\n{{ x.y }}\n").render([:])
        }
        #expect(throws: TemplateError.unsupported(line: 2, construct: "the filter 'nosuch'")) {
            try Template("{# \n #}{{ 1 | nosuch }}").render([:])
        }
        #expect(throws: TemplateError.unsupported(line: 2, construct: "the statement 'include'")) {
            try Template("\n{% include 'x' %}")
        }
        #expect(throws: TemplateError.raised(line: 4, message: "no")) {
            try Template("\r\n\r\r{{ raise_exception('no') }}").render([:])
        }
        let error = TemplateError.unsupported(line: 7, construct: "the filter 'x'")
        #expect(error.line == 7)
        #expect(
            error.description
                == "chat template, line 7: the filter 'x' is not supported. Use a template without it.")
    }

    @Test(
        "what Jinja has and this interpreter has not is an error which names it",
        arguments: [
            ("{% extends 'a' %}", "the statement 'extends'"),
            ("{% block a %}{% endblock %}", "the statement 'block'"),
            ("{% import 'a' as b %}", "the statement 'import'"),
            ("{% from 'a' import b %}", "the statement 'from'"),
            ("{% do x %}", "the statement 'do'"), ("{% autoescape true %}", "the statement 'autoescape'"),
            ("{{ [1] | batch(2) }}", "the filter 'batch'"), ("{{ 'a' | attr('b') }}", "the filter 'attr'"),
            ("{{ 'a' is nosuch }}", "the test 'nosuch'"),
            ("{{ 'a'.encode() }}", "the method 'encode' of strings"),
            ("{{ cycler('a') }}", "the function 'cycler'"), ("{{ lipsum() }}", "the function 'lipsum'"),
            ("{% for x in [1] recursive %}{% endfor %}", "a recursive loop"),
            ("{{ strftime_now('%Q') }}", "a directive in the format of 'strftime_now'"),
            ("{{ '%o' % 8 }}", "this directive '%o' of a format"),
            ("{{ '{0.a}'.format(1) }}", "a field of a format with more than a name"),
            ("{{ '\\N{DASH}' }}", "the escape '\\N{...}'"),
        ])
    func unsupportedIsNamed(_ source: String, _ construct: String) throws {
        #expect(throws: TemplateError.unsupported(line: 1, construct: construct)) {
            try Template(source).render([:])
        }
    }

    @Test("whole numbers that leave 64 bits are errors, not traps")
    func wholeNumbersDoNotOverflow() throws {
        let greatest = "9223372036854775807"
        for source in [
            "{{ \(greatest) + 1 }}", "{{ -\(greatest) - 2 }}", "{{ \(greatest) * 2 }}", "{{ 2 ** 64 }}",
            "{{ (-\(greatest) - 1) // -1 }}", "{{ -(-\(greatest) - 1) }}", "{{ (-\(greatest) - 1) | abs }}",
            "{{ 1e300 | int }}", "{{ [\(greatest), 1] | sum }}",
        ] {
            #expect(
                throws: TemplateError.invalid(line: 1, problem: "a whole number exceeds 64 bits"), "\(source)"
            ) {
                try Template(source).render([:])
            }
        }
        #expect(throws: TemplateError.self) { try Template("{{ 9223372036854775808 }}") }
        #expect(try Template("{{ (-\(greatest) - 1) % -1 }}").render([:]) == "0")
        #expect(
            try Template("{{ range(\(greatest) - 1, \(greatest)) | list }}").render([:])
                == "[9223372036854775806]")
        #expect(try Template("{{ [1, 2][\(greatest):-\(greatest):\(greatest)] }}").render([:]) == "[]")
        #expect(try Template("{{ 'abc'[::-\(greatest)] }}").render([:]) == "c")
    }

    @Test("the clock is the one given")
    func clockIsInjected() throws {
        let template = try Template("{{ strftime_now('%Y-%m-%d %H:%M') }}")
        let moments: [(Double, String)] = [
            (0, "1970-01-01 00:00"), (951_782_400, "2000-02-29 00:00"), (-1, "1969-12-31 23:59"),
            (4_107_542_399, "2100-02-28 23:59"), (.infinity, "9999-12-31 23:59"),
        ]
        for (seconds, text) in moments {
            let clock = TemplateClock.fixed(Date(timeIntervalSince1970: seconds))
            #expect(try template.render([:], clock: clock) == text)
        }
        let zone = try #require(TimeZone(secondsFromGMT: 19_800))
        let clock = TemplateClock.fixed(Date(timeIntervalSince1970: 0), timeZone: zone)
        #expect(try template.render([:], clock: clock) == "1970-01-01 05:30")
    }
}
