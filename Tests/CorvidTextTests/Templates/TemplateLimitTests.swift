import Foundation
import Testing

@testable import CorvidText

@Suite struct TemplateLimitTests {
    private func outcome(_ source: String, _ context: JSONObject = [:]) -> TemplateError? {
        do {
            _ = try Template(source).render(context)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "work without end stops at the limit of steps",
        arguments: [
            "{% for a in range(4096) %}{% for b in range(4096) %}{% endfor %}{% endfor %}",
            "{% for a in range(4096) %}{% for b in range(4096) %}{% set x = 1 %}{% endfor %}{% endfor %}",
            "{% set ns = namespace(l=[1]) %}{% for a in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
            "{{ [0] * 1000001 }}", "{{ ([0] * 4000) * 1000 }}", "{{ [0] * 9223372036854775807 }}",
            "{% set s = 'ab' * 400000 %}{% for a in range(4096) %}{% set t = s ~ '' %}{% endfor %}",
            "{% set s = 'ab' * 400000 %}{% for a in range(4096) %}{{ 'z' in s }}{% endfor %}",
            "{% set s = 'ab' * 400000 %}{% for a in range(4096) %}{{ s.upper()[:0] }}{% endfor %}",
            "{% set s = 'ab' * 400000 %}{% for a in range(4096) %}{{ s == s }}{{ s | length }}{% endfor %}",
            "{% set s = 'aé' * 300000 %}{% for a in range(4096) %}{{ s is lower }}{{ s | int }}{% endfor %}",
            "{% set s = 'ab' * 400000 %}{% for a in range(4096) %}{{ none[s] }}{{ [1][s] }}{% endfor %}",
            "{% set d = {'a' * 1000000: 1} %}{% for a in range(4096) %}{% set n = namespace(**d) %}{% endfor %}",
            "{% macro m(n) %}{% for i in range(9) %}{{ m(n - 1) if n }}{% endfor %}{% endmacro %}{{ m(20) }}",
            // Lists that share their parts: 2^40 leaves to print, to compare and to write as JSON.
            "{% set ns = namespace(l=[1]) %}{% for i in range(40) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l == [ns.l[0], ns.l[1]] }}",
            "{% set ns = namespace(l=(1,)) %}{% for i in range(40) %}{% set ns.l = (ns.l, ns.l) %}{% endfor %}{{ {ns.l: 1} }}",
        ])
    func stepsAreBounded(_ source: String) throws {
        let error = try #require(outcome(source))
        #expect(error == .limit(line: error.line, limit: .steps))
    }

    @Test(
        "text without end stops at the limit of output",
        arguments: [
            "{{ 'ab' * 600000 }}", "{{ 'a' * 9223372036854775807 }}",
            "{% set s = 'a' * 1000000 %}{{ s }}{{ s }}",
            "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
            "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
            "{{ ('a' * 4000).replace('a', 'b' * 4000) }}", "{{ ('a' * 4000).replace('', 'b' * 4000) }}",
            "{{ ('\\n' * 4000) | indent(1000, blank=true) }}", "{{ (['a' * 4000] * 4000) | join }}",
            "{{ ('a' * 4000).join(('b' * 4000) | list) }}", "{{ 'a'.center(2000000) }}",
            "{{ 'a'.zfill(2000000) }}",
            "{% set s %}{% for i in range(4096) %}{{ 'abcdefgh' * 100 }}{% endfor %}{% endset %}",
            "{{ ('<' * 900000) | e }}", "{{ [[[[1] * 900] * 9] * 9] | tojson(indent=1000) }}",
            "{% set ns = namespace(l=['x' * 1000]) %}{% for i in range(40) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
            "{% set ns = namespace(l=['x' * 1000]) %}{% for i in range(40) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson }}",
        ])
    func outputIsBounded(_ source: String) throws {
        let error = try #require(outcome(source))
        #expect(error == .limit(line: error.line, limit: .output))
    }

    @Test("nesting beyond 64 is refused in source, values and macros, and 40 levels are not")
    func depthIsBounded() throws {
        func nest(_ open: String, _ inner: String, _ close: String, _ count: Int) -> String {
            String(repeating: open, count: count) + inner + String(repeating: close, count: count)
        }
        for count in [65, 5_000, 80_000] {
            #expect(outcome("{{ \(nest("(", "1", ")", count)) }}")?.isDepth == true)
            #expect(outcome("{{ \(nest("[", "1", "]", count)) }}")?.isDepth == true)
            #expect(outcome("{{ \(nest("{1:", "1", "}", count)) }}")?.isDepth == true)
            #expect(outcome("{{ \(nest("-", "1", "", count)) }}")?.isDepth == true)
            #expect(outcome("{{ \(nest("not ", "1", "", count)) }}")?.isDepth == true)
            #expect(outcome("{{ \(nest("1 if 1 else ", "1", "", count)) }}")?.isDepth == true)
            #expect(outcome("{{ \(nest("a(", "1", ")", count)) }}")?.isDepth == true)
            #expect(outcome("{{ \(nest("a[", "1", "]", count)) }}")?.isDepth == true)
            #expect(outcome("{{ \(nest("1 | abs(", "1", ")", count)) }}")?.isDepth == true)
        }
        #expect(outcome(nest("{% if 1 %}", "x", "{% endif %}", 65))?.isDepth == true)
        #expect(outcome(nest("{% for x in [1] %}", "x", "{% endfor %}", 9_000))?.isDepth == true)
        #expect(outcome("{{ 1 " + String(repeating: "if 1 ", count: 200) + "}}")?.isDepth == true)
        #expect(outcome("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")?.isDepth == true)
        let deepList =
            "{% set ns = namespace(l=[]) %}{% for i in range(N) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}"
        #expect(outcome(deepList.replacingOccurrences(of: "N", with: "4000"))?.isDepth == true)
        #expect(outcome("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}")?.isDepth == true)

        #expect(try Template("{{ \(nest("(", "1", ")", 40)) }}").render([:]) == "1")
        #expect(try Template(nest("{% if 1 %}", "x", "{% endif %}", 40)).render([:]) == "x")
        #expect(outcome(deepList.replacingOccurrences(of: "N", with: "40")) == nil)
        #expect(
            try Template("{% macro m(n) %}{{ m(n - 1) if n }}{{ n }}{% endmacro %}{{ m(40) | length }}")
                .render([:])
                == "72")
    }

    @Test("long chains of operators and steps are no nesting")
    func longChainsRender() throws {
        let sum = String(repeating: "1 + ", count: 5_000) + "1"
        #expect(try Template("{{ \(sum) }}").render([:]) == "5001")
        let chain = String(repeating: " | trim", count: 5_000)
        #expect(try Template("{{ 'a'\(chain) }}").render([:]) == "a")
        let branches = String(repeating: "{% elif 0 %}b", count: 5_000)
        #expect(try Template("{% if 0 %}a\(branches){% else %}c{% endif %}").render([:]) == "c")
    }

    @Test("chains of namespaces and macros which hold one another are let go without a deep recursion")
    func longReferencesAreReleased() throws {
        let namespaces = """
            {% set ns = namespace(last=none) %}{% for i in range(200) %}{% for j in range(200) %}\
            {% set n = namespace(previous=ns.last) %}{% set ns.last = n %}{% endfor %}{% endfor %}done
            """
        #expect(try Template(namespaces).render([:]) == "done")
        let macros = """
            {% set ns = namespace(last=none) %}{% for i in range(200) %}{% for j in range(200) %}{% set p = ns.last %}\
            {% macro m() %}{{ p }}{% endmacro %}{% set ns.last = m %}{% endfor %}{% endfor %}done
            """
        #expect(try Template(macros).render([:]) == "done")
    }

    @Test("a range has at most 4,096 elements")
    func rangesAreBounded() throws {
        #expect(try Template("{{ range(4096) | length }}").render([:]) == "4096")
        #expect(outcome("{{ range(4097) }}") == .limit(line: 1, limit: .range))
        #expect(outcome("{{ range(0, 9223372036854775807) }}") == .limit(line: 1, limit: .range))
        #expect(outcome("{{ range(0, -9223372036854775807, -1) }}") == .limit(line: 1, limit: .range))
    }

    @Test("a source has at most 1 MiB, and one of that size is read")
    func sourceIsBounded() throws {
        let most = String(repeating: "a", count: TemplateLimits.sourceBytes)
        #expect(try Template(most).render([:]).utf8.count == TemplateLimits.sourceBytes)
        #expect(throws: TemplateError.limit(line: 1, limit: .source)) { try Template(most + "a") }
    }

    @Test("values given deeper than 64 levels are refused")
    func contextIsBounded() throws {
        var value: JSON = 1
        for _ in 0..<70 {
            value = .array([value])
        }
        #expect(outcome("x", ["v": value])?.isDepth == true)
    }

    @Test("the deepest rendering fits a stack of 512 KiB")
    func stackSuffices() async throws {
        let inner = String(repeating: "(", count: 20) + "m(n - 1)" + String(repeating: ")", count: 20)
        let source = """
            {% macro m(n) %}{% for a in [1] %}{% if a %}{% for b in [1] %}{% with c = b %}\
            {{ [[[[\(inner) | trim]]]] if n else 'x' }}{% endwith %}{% endfor %}{% endif %}{% endfor %}\
            {% endmacro %}{{ m(60) }}
            """
        let error: TemplateError? = await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: TemplateLimitTests().outcome(source)) }
            thread.stackSize = 512 << 10
            thread.start()
        }
        #expect(error?.isDepth == true)
    }
}

extension TemplateError {
    fileprivate var isDepth: Bool {
        if case .limit(_, .depth) = self { true } else { false }
    }
}
