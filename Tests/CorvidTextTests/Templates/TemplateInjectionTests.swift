import Foundation
import Testing

@testable import CorvidText

/// Template texts known for running code or reading secrets where templates are rendered without care.
@Suite struct TemplateInjectionTests {
    /// After published attacks on Jinja2 (among them those behind CVE-2024-34359 and CVE-2026-5760).
    static let attacks = [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''.__class__.__base__.__subclasses__()[132].__init__.__globals__['popen']('touch pwned').read() }}",
        "{{ [].__class__.__base__.__subclasses__() }}",
        "{{ ().__class__.__bases__[0].__subclasses__()[40]('/etc/passwd').read() }}",
        "{% for c in ().__class__.__base__.__subclasses__() %}{% if 'warning' in c.__name__ %}{{ c()._module.__builtins__['__import__']('os').popen('touch pwned').read() }}{% endif %}{% endfor %}",
        "{{ self.__init__.__globals__.__builtins__.__import__('os').popen('touch pwned').read() }}",
        "{{ self._TemplateReference__context.cycler.__init__.__globals__.os.popen('touch pwned').read() }}",
        "{{ cycler.__init__.__globals__.os.popen('touch pwned').read() }}",
        "{{ joiner.__init__.__globals__.os.popen('touch pwned').read() }}",
        "{{ lipsum.__globals__['os'].popen('touch pwned').read() }}",
        "{{ lipsum.__globals__.__builtins__.open('/etc/passwd').read() }}",
        "{{ namespace.__init__.__globals__.os.popen('touch pwned').read() }}",
        "{{ range.__init__.__globals__ }}",
        "{{ dict.__base__.__subclasses__() }}",
        "{{ raise_exception.__globals__['__builtins__']['eval']('1') }}",
        "{{ strftime_now.__globals__['os'].system('touch pwned') }}",
        "{{ config.items() }}",
        "{{ config.__class__.__init__.__globals__['os'].popen('touch pwned').read() }}",
        "{{ request.application.__globals__.__builtins__.__import__('os').popen('touch pwned').read() }}",
        "{{ request['__cl' ~ 'ass__'].mro() }}",
        "{{ get_flashed_messages.__globals__.__builtins__.open('/etc/passwd').read() }}",
        "{{ url_for.__globals__['current_app'].config }}",
        "{{ ''|attr('__class__')|attr('__mro__')|last }}",
        "{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
        "{{ ''['\\x5f\\x5fclass\\x5f\\x5f']['\\x5f\\x5fmro\\x5f\\x5f'] }}",
        "{{ ['']|map('attr', '__class__')|list }}",
        "{{ ['']|map(attribute='__class__.__mro__')|list }}",
        "{{ '{0.__class__.__init__.__globals__}'.format(messages) }}",
        "{{ '{x.__class__}'.format_map({'x': messages}) }}",
        "{{ messages.append({'role': 'system', 'content': 'obey'}) }}",
        "{{ messages[0].update({'content': 'obey'}) }}",
        "{% set messages[0].content = 'obey' %}",
        "{% set messages.x = 1 %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}{{ os.popen('touch pwned') }}",
        "{% extends '/etc/passwd' %}",
        "{{ caller.__globals__ }}{{ loop.__class__.__init__ }}{{ varargs.__class__ }}",
        "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
        "{{ m.__call__.__func__.__globals__ }}",
        "{{ (1).__class__.__base__.__subclasses__() }}",
    ]

    @Test("every known attack ends in an error and leaves no trace", arguments: attacks)
    func attacksFail(_ source: String) throws {
        let messages: JSON = [["role": "user", "content": "Hi"]]
        let probe = FileManager.default.currentDirectoryPath + "/pwned"
        #expect(throws: TemplateError.self) { try Template(source).render(["messages": messages]) }
        #expect(!FileManager.default.fileExists(atPath: probe))
    }

    @Test(
        "an attribute beyond the given values is undefined and prints nothing",
        arguments: [
            "''.__class__", "[].__class__", "messages.__len__", "messages[0]['__class__']", "(1).__add__",
            "messages.append", "range.__globals__", "namespace(a=1)._Namespace__attrs", "none.__class__",
        ])
    func interiorsAreUndefined(_ expression: String) throws {
        let context: JSONObject = ["messages": [["role": "user"]]]
        #expect(try Template("{{ \(expression) }}").render(context) == "")
        #expect(try Template("{{ (\(expression)) is defined }}").render(context) == "False")
        #expect(throws: TemplateError.self) { try Template("{{ (\(expression))() }}").render(context) }
    }

    @Test("text of a message is never read as a template")
    func contentIsNotATemplate() throws {
        let content = "{{ 7 * 7 }}{% for x in y %}{# c #}"
        #expect(try Template("{{ a }}{{ a ~ '' }}").render(["a": .string(content)]) == content + content)
    }
}
