#!/usr/bin/env python3
"""Writes Tests/CorvidTextTests/Fixtures/Templates: what Jinja2 makes of templates, as the tests' oracle.

The environment is set up as transformers sets it up for chat templates: the immutable sandbox, trim_blocks,
lstrip_blocks, loop controls, the 'generation' block, 'tojson' without HTML escapes, 'raise_exception' and
'strftime_now' (here with a fixed time). Needs Jinja2 only; made with Jinja2 3.1.6 on Python 3.11.

    python3 Scripts/make-template-fixtures.py            writes the fixtures
    python3 Scripts/make-template-fixtures.py --render   renders JSON lines {template, context} from stdin
"""

import datetime
import json
import pathlib
import re
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox

NOW = datetime.datetime(2026, 1, 5, 13, 4, 9)
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests/CorvidTextTests/Fixtures/Templates"


class Raised(Exception):
    """What raise_exception raises."""


class Generation(jinja2.ext.Extension):
    """{% generation %}...{% endgeneration %}: the text the model wrote; rendered as it stands."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise Raised(message)


def environment():
    result = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    result.filters["tojson"] = tojson
    result.globals["raise_exception"] = raise_exception
    result.globals["strftime_now"] = NOW.strftime
    return result


ENVIRONMENT = environment()


def render(source, context):
    """{'output': text} or {'error': kind}."""
    try:
        return {"output": ENVIRONMENT.from_string(source).render(**context)}
    except Raised as error:
        return {"error": "raised", "message": str(error)}
    except jinja2.exceptions.SecurityError:
        return {"error": "refused"}
    except jinja2.exceptions.UndefinedError:
        return {"error": "undefined"}
    except (jinja2.exceptions.TemplateAssertionError, jinja2.exceptions.TemplateRuntimeError) as error:
        if re.match("No (filter|test) named", str(error)):
            return {"error": "unsupported"}
        syntax = isinstance(error, jinja2.exceptions.TemplateSyntaxError)
        return {"error": "syntax" if syntax else "invalid"}
    except (jinja2.exceptions.TemplateSyntaxError, SyntaxError):
        return {"error": "syntax"}
    except Exception:
        return {"error": "invalid"}


CONTEXT = {
    "name": "Ada", "empty": "", "zero": 0, "one": 1, "n": 42, "x": 3.5, "yes": True, "no": False, "nothing": None,
    "text": "  The quick brown fox\n", "word": "straße", "accent": "e\u0301te\u0301 \U0001f600 नमस्ते",
    "list": [3, 1, 2], "strings": ["pear", "Apple", "fig"], "mixed": [1, "a", None, True, 2.5],
    "map": {"b": 1, "a": 2, "items": "own"}, "nested": {"list": [{"k": "v"}, {"k": "w"}], "deep": {"er": {"x": 7}}},
    "people": [
        {"name": "Bo", "age": 30, "admin": True}, {"name": "al", "age": 25, "admin": False},
        {"name": "Cy", "age": 30}],
    "pairs": [["a", 1], ["b", 2]],
    "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
}

EXPRESSIONS = r"""
1 + 2 * 3
(1 + 2) * 3
7 / 2
7 // 2
-7 // 2
7 % 3
-7 % 3
7 % -3
7.5 % 2
-7.5 // 2
2 ** 10
2 ** -1
2 ** 3 ** 2
-2 ** 2
- 3 + 5
+n
- x
1e3
1.5e-7
1e16
123456789.0
9007199254740993.0
0.1 + 0.2
1e22
1_000 + 0x1f + 0b101 + 0o17
10 / 0
1 // 0
1 % 0
true + 1
True and False
none
None
true
x * 2
'a' * 3
3 * 'ab'
[1, 2] * 2
[1] + [2]
(1, 2) + (3,)
'a' + 'b'
'a' + 1
1 + 'a'
[1] + (2,)
none + 1
missing + 1
'a' ~ 1 ~ none ~ missing ~ 2.0
1 ~ 2 + 3
'n=' ~ n
1 == 1.0
1 == true
'1' == 1
none == none
missing == none
missing == other
[1, 2] == [1, 2]
(1, 2) == [1, 2]
{'a': 1} == {'a': 1.0}
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
1 < 2 < 3
1 < 3 < 2
'a' < 'b'
'B' < 'a'
[1, 2] < [1, 3]
1 < 'a'
none < 1
missing < 1
1 != 2
2 >= 2
2 <= 1.5
'a' in 'cat'
'' in ''
'dog' not in 'cat'
1 in [1, 2]
'a' in map
'z' in map
'z' not in map
1 in 'a1'
none in 'a'
missing in 'abc'
'a' in missing
'a' in none
1 in 5
2 in (1, 2)
[1] in [[1]]
[1] in map
not true
not missing
not not 1
yes and 'both'
no and 'both'
no or 'either'
empty or 'fallback'
zero or none or 'last'
one and name
'yes' if yes else 'no'
'yes' if no else 'no'
'yes' if no
('yes' if no) is defined
1 if no else 2 if no else 3
1 if yes else 2 if no else 3
[1, 'a', none, true, 2.0]
['it\'s', "say \"hi\"", 'both \' and "']
(1,)
()
(1, 2, 3)
1, 2
{}
{'a': 1, 'b': [1, {'c': none}]}
{1: 'a', true: 'b', 2.0: 'c'}
{'a': 1, 'a': 2}
{[1]: 2}
'tab\tnewline\nquote\'backslash\\'
"double \"quoted\""
'a' 'b' "c"
'\x41\u00e9\U0001F600\101'
'unknown \q escape'
['tab\t', 'nl\n', 'é', '\x00\x7f', '\u200b', '\U0001F600', '\xa0']
name
missing
name.first
missing.first
missing['a']
missing.first is defined
map.a
map['a']
map.missing
map['missing']
map.missing.more
map.items
map['items']
map.items()
map.keys()
map.values()
map.keys() | list
map.get('a')
map.get('z')
map.get('z', 5)
map.get('a', default=5)
map.get()
nested.deep.er.x
nested['deep']['er']['x']
nested.list[0].k
nested.list[-1].k
nested.list[5]
nested.list[5].k
nested.list.0.k
list[0]
list[-1]
list[10]
list['a']
list[1.5]
name[0]
name[-1]
name[9]
none.a
none['a']
n.a
n[0]
list[1:]
list[:1]
list[:-1]
list[::-1]
list[::2]
list[5:]
list[-100:100]
list[2:0:-1]
list[none:2]
list[::0]
name[1:]
name[::-1]
name[:2]
accent[::-1]
accent[1:4]
accent | length
accent[0]
missing[1:]
map[1:]
n[1:]
list['a':]
(1, 2, 3)[1:]
range(5)[1:3] | list
range(3)
range(1, 10, 3)
range(3) | list
range(2, 0, -1) | list
range(0)
range(3)[1]
range(3)[-1]
range(3) | length
range(3) == range(0, 3)
range()
range('a')
range(1, 2, 0)
dict(a=1, b='x')
dict({'a': 1}, b=2)
dict([['a', 1], ['b', 2]])
namespace(a=1).a
namespace(a=1)['a']
namespace(a=1).b
namespace({'q': 5}).q
namespace(a=1)
namespace()
strftime_now('%Y-%m-%d')
strftime_now('%d %b %Y')
strftime_now('%B %d, %Y')
strftime_now('%A %a %j %y %H:%M:%S %I %p %e %%')
strftime_now('%-d/%-m %F %T %D %R %w %u')
strftime_now('%c %x %X')
raise_exception('no ' ~ name)
raise_exception()
text.strip()
text.lstrip()
text.rstrip()
'xxaxx'.strip('x')
'xyaxy'.lstrip('yx')
'xyaxy'.rstrip('xy')
' a '.strip(none)
'\u2003a\xa0'.strip() | length
'a,b,c'.split(',')
'a,b,c'.split(',', 1)
'a,b,c'.rsplit(',', 1)
'a,b,c'.rsplit(',')
' a  b '.split()
' a  b  c '.split(none, 1)
' a  b  c '.rsplit(none, 1)
' a  b  c '.rsplit(maxsplit=1)
''.split()
''.split(',')
'abc'.split('')
'a</think>b</think>c'.split('</think>')[-1]
'a\nb\r\nc'.splitlines()
'a\nb\r\nc\n'.splitlines(true)
'aXbXc'.split('X')[-1].lstrip('\n')
'aaa'.split('aa')
'aaa'.rsplit('aa')
name.upper()
name.lower()
word.upper()
'ΑΣ ΣΑΣ'.lower()
'ǆ'.title()
"they're bill's".title()
'hELLO wORLD'.capitalize()
'hello world'.title()
'banana'.replace('an', 'AN')
'banana'.replace('an', 'AN', 1)
'abc'.replace('', '-')
'abc'.replace('', '-', 2)
'banana'.replace('x')
'banana'.startswith('ban')
'banana'.startswith(('x', 'b'))
'banana'.startswith('nan', 2)
'banana'.endswith('na')
'banana'.endswith(['na'])
'banana'.endswith(('x', 'ana'))
'banana'.find('na')
'banana'.find('x')
'banana'.rfind('na')
'banana'.index('na')
'banana'.index('x')
'banana'.count('an')
'aaa'.count('aa')
'aaa'.count('')
accent.find('नम')
', '.join(['a', 'b'])
', '.join([1, 2])
', '.join(strings)
'-'.join('abc')
'abc'.removeprefix('a')
'abc'.removesuffix('c')
'abc'.removeprefix('x')
'a=b=c'.partition('=')
'a=b=c'.rpartition('=')
'abc'.partition('=')
'abc'.rpartition('=')
'7'.zfill(3)
'-7'.zfill(4)
'ab'.ljust(5) ~ '|'
'ab'.rjust(5, '.')
'ab'.center(5, '*')
'abc'.center(6, '*')
'é'.isalpha()
'a1'.isalnum()
'12'.isdigit()
''.isdigit()
' '.isspace()
'Ab'.isupper()
'AB1'.isupper()
'ab'.islower()
'{} and {}'.format('a', 2)
'{0}{1}{0}'.format('a', 'b')
'{name}!'.format(name='x')
'{{}}'.format()
'{}'.format()
'{'.format(1)
name.missing()
name.upper
name.strip is defined
list.append(4)
list.append
list.append is defined
list.index(1)
list.index(9)
list.count(3)
list.copy()
map.update({'a': 2})
map.pop('a')
map.clear
n()
'a'()
missing()
name | upper
name | lower | capitalize
'hello wORLD-foo (bar) [baz] <qux>' | title
"they're" | title
text | trim
'xxaxx' | trim('x')
missing | trim
none | trim
missing | upper
none | upper
5 | upper
missing | lower
missing | title
missing | capitalize
missing | replace('a', 'b')
missing | length
missing | list
missing | first
missing | last
missing | join(',')
missing | string
missing | default('d')
missing | d('d')
missing | default
missing | sort
missing | reverse | list
missing | map('upper') | list
missing | select | list
missing | selectattr('a') | list
missing | items | list
missing | sum
missing | min
missing | unique | list
missing | escape
missing | tojson
missing | indent
missing | abs
missing | round
missing | int
missing | float
missing | dictsort
missing.a | default('d')
missing | format(1)
none | length
5 | length
none | list
none | first
none | join
none | default('d')
empty | default('d')
empty | default('d', true)
none | default('d', boolean=true)
0 | default(1, true)
name | length
name | count
map | length
list | length
list | first
list | last
'abc' | first
'abc' | last
map | first
[] | first
[] | last
[] | first is defined
strings | join
strings | join(', ')
list | join(',')
mixed | join('|')
people | join(', ', attribute='name')
people | map(attribute='name') | join(' ')
people | map(attribute='admin') | list
people | map(attribute='admin', default='none') | list
people | map(attribute='name.0') | list
strings | map('upper') | list
strings | map('replace', 'p', 'q') | join(',')
strings | map('length') | sum
strings | map('nosuch') | list
strings | map | list
strings | map('upper') | length
strings | map('upper') | last
(strings | map('upper'))[0]
[] | map('nosuch') | list
people | selectattr('admin') | map(attribute='name') | list
people | selectattr('admin', 'defined') | list | length
people | rejectattr('admin') | map(attribute='name') | list
people | selectattr('age', 'equalto', 30) | map(attribute='name') | list
people | selectattr('age', '==', 25) | first
people | selectattr('age', 'gt', 26) | list | length
people | selectattr('name', 'in', ['Bo', 'Cy']) | map(attribute='age') | sum
people | rejectattr('age', 'eq', 30) | list | length
people | selectattr('age', 'nosuch') | list
people | selectattr | list
list | select('odd') | list
list | select('>', 1) | list
list | select('divisibleby', 2) | list
list | reject('even') | list
mixed | select | list
mixed | select('string') | list
mixed | reject('none') | list
list | sort
list | sort(reverse=true)
strings | sort
strings | sort(case_sensitive=true)
people | sort(attribute='age') | map(attribute='name') | list
people | sort(attribute='age,name') | map(attribute='name') | list
people | sort(attribute='age', reverse=true) | map(attribute='name') | list
mixed | sort
map | dictsort
map | dictsort(by='value')
map | dictsort(reverse=true)
{'a': 2, 'B': 1} | dictsort(true)
map | dictsort(by='nosuch')
map | items | list
map | items
list | items | list
['a', 'A', 'b', 'a'] | unique | list
['a', 'A', 'b', 'a'] | unique(true) | list
people | unique(attribute='age') | map(attribute='name') | list
list | reverse | list
'abc' | reverse
list | reverse | first
list | min
list | max
strings | min
strings | max(case_sensitive=true)
people | max(attribute='age')
[] | max
list | sum
people | sum(attribute='age')
list | sum(start=10)
strings | sum
'abc' | list
map | list
pairs | list
5 | list
5 | string
3.0 | string
'5' | int
'5.9' | int
'abc' | int
'abc' | int(-1)
'abc' | int(default=7)
'ff' | int(0, 16)
'0x1F' | int(0, 16)
'0b11' | int(base=2)
' 12 ' | int
'1_000' | int
'1__0' | int
none | int
true | int
3.99 | int
-3.99 | int
'inf' | int
'' | int
'3.5' | float
'abc' | float
'abc' | float(1.5)
'1e3' | float
'inf' | float
' 2 ' | float
5 | float
none | float
-5 | abs
-x | abs
'a' | abs
3.14159 | round(2)
2.5 | round
3.5 | round
2.675 | round(2)
5 | round
42.55 | round(1, 'floor')
42.55 | round(1, 'ceil')
42.1 | round(method='ceil') | int
1234 | round(-2)
'a' | round
1.5 | round(0, 'nosuch')
'a\nb\n\nc' | indent
'a\nb\n\nc' | indent(2, true)
'a\nb\n\nc' | indent(2, blank=true)
'a\nb' | indent('> ')
'a\nb\n' | indent(2) ~ '|'
'a\r\nb' | indent(2)
5 | indent
'<a href="x">\'&</a>' | e
'<b>' | escape
5 | e
name | safe
'%s is %d years' | format('Bo', 30)
'%05.1f|%-4s|%4s|%x|%%|%r' | format(3.14159, 'a', 'b', 255, 'q')
'%s' % name
'%s-%s' % (1, 2)
'%s %s' % 1
'%d' % 'a'
'%s' | format(1, 2)
'%+d' | format(5)
'banana' | replace('a', 'o')
'banana' | replace('a', 'o', 2)
123 | replace(2, 'x')
'one two,three' | wordcount
map | tojson
nested | tojson
mixed | tojson
accent | tojson
accent | tojson(ensure_ascii=true)
'<a>&\'"\\\n\t\x01\x7f/' | tojson
map | tojson(indent=2)
nested | tojson(indent=4)
[] | tojson(indent=2)
{} | tojson(indent=2)
[[], {}] | tojson(indent=1)
map | tojson(separators=(',', ':'))
map | tojson(indent='\t')
map | tojson(sort_keys=true)
{1: 2, none: 3, true: 4, 1.5: 5} | tojson
(1, 2) | tojson
1.0 | tojson
1e16 | tojson
namespace() | tojson
range(3) | tojson
map.items() | tojson
name | nosuch
name | upper(1)
name | default(1, 2, 3)
name | default(nosuch=1)
n is defined
missing is defined
missing is not defined
missing is undefined
none is none
missing is none
nothing is not none
name is string
n is string
n is number
x is number
yes is number
x is float
n is integer
yes is integer
yes is boolean
yes is true
n is true
no is false
map is mapping
list is mapping
namespace() is mapping
list is sequence
name is sequence
map is sequence
n is sequence
missing is sequence
range(2) is sequence
map.items() is sequence
list is iterable
n is iterable
missing is iterable
map.keys() is iterable
range is callable
name is callable
name.upper is callable
missing is callable
3 is odd
3 is even
0 is even
3.0 is odd
'a' is odd
none is even
9 is divisibleby 3
9 is divisibleby(4)
9 is divisibleby 0
'abc' is lower
'ABC' is upper
'Abc' is lower
none is sameas none
true is sameas true
1 is sameas true
1 is in [1, 2]
'a' is in 'cat'
1 is eq 1
1 is ne 2
1 is lt 2
1 is ge 2
1 is greaterthan 0
'upper' is filter
'nosuch' is filter
'odd' is test
'a' is escaped
n is nosuch
n is defined and name is defined
n is defined == true
not n is defined
n is not string and name is string
n is in list or name is in strings
1 is string is number
loop
loop.index
a.b.c
'a'.b.c
name | upper ~ '!'
-5 | abs + 1
(list | length) > 2
list | length > 2
not list | length
'a' if list | length > 2 else 'b'
{'a': {'b': [1, 2, 3]}}.a.b[1]
[1, 2, 3][1]
'abc'[1]
(1, 2)[0]
[[1, 2], [3, 4]][1][0]
{'f': 1}['f'] + 1
messages[0].role ~ messages[-1]['content']
messages[1:] | length
messages | map(attribute='role') | list
messages | selectattr('role', 'equalto', 'user') | list
messages | last
messages | length - 1
dict(a=1) | length
'a' 'b' | upper
[x for x in list]
lambda x: x
a = 1
1 +
(1
[1, 2
{'a' 1}
'unclosed
1 2
x.
list[
| upper
is defined
not
1 if
@
$x
a ! b
'a' | 
f(a=1, 2)
f(**map, a)
dict(**{'q': 1})
'{}{}'.format(*[1, 2])
range(*[1, 4]) | list
"abc".upper().lower().title().replace("A", "b")
""
'' ~ ''
[none, missing]
{'u': missing}
missing ~ '|'
1 // 2.5
5.0 // 2
list[]
map[]
05
0_0
{missing: 1}
{missing: 1}[other]
'a' % missing
list | reverse | reverse
missing | map | list
dict(missing)
'a'.split(sep=',', maxsplit=1)
'a'.strip(chars='a')
2 ** 0.5
0 ** 0
-1 ** 3
1 / 3
100 / 10
1 * 1.0
true * 3
'a' * -1
'a' * true
[0] * 0
1 - true
'x' - 'y'
{} + {}
1 < 2 == true
'é' == 'e\u0301'
'É' | lower
'\ufb01' | upper
''.__class__
''.__class__.__mro__
[].__class__.__base__
n.__add__
map.__class__
map['__class__']
map['__class__'].mro
name._private
{'_ok': 5}._ok
{'_ok': 5}['_ok']
range.__globals__
raise_exception.__code__
"%s" | format(name.__class__)
name | map(attribute='__class__') | list
"""

STATEMENTS = [
    # for, loop, else, filter, unpacking
    "{% for x in list %}{{ x }},{% endfor %}",
    "{% for x in list %}{{ loop.index }}/{{ loop.index0 }}/{{ loop.revindex }}/{{ loop.revindex0 }} {% endfor %}",
    "{% for x in list %}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}",
    "{% for x in list %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}",
    "{% for x in list %}{{ loop.previtem is defined }}{{ loop.nextitem is undefined }} {% endfor %}",
    "{% for x in list %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{% endfor %}",
    "{% for x in list %}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}",
    "{% for x in list %}{{ loop.nosuch }}{% endfor %}",
    "{% for x in [] %}x{% else %}none{% endfor %}",
    "{% for x in list %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in list if x > 1 %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% else %}no{% endfor %}",
    "{% for x in list if x > 9 %}{{ x }}{% else %}no{% endfor %}",
    "{% for k, v in map.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in map | items %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in map %}{{ k }}{% endfor %}",
    "{% for a, b in pairs %}{{ a }}{{ b }}{% endfor %}",
    "{% for (a, b) in pairs %}{{ a }}{{ b }}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in list %}{{ a }}{% endfor %}",
    "{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}",
    "{% for c in 'héy' %}{{ c }}.{% endfor %}",
    "{% for x in missing %}x{% else %}empty{% endfor %}",
    "{% for x in none %}x{% endfor %}",
    "{% for x in 5 %}x{% endfor %}",
    "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for x in range(3) %}{{ x }}{% endfor %}{{ x }}",
    "{% for x in list %}{% for y in list %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}",
    "{% for x in list %}{% set outer = loop %}{% for y in 'ab' %}{{ outer.index }}{{ y }}{% endfor %}{% endfor %}",
    "{% for x in list %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in list %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in list %}{% for y in list %}{% if y == 1 %}{% break %}{% endif %}{{ y }}{% endfor %}{{ x }}{% endfor %}",
    "{% for x in list -%} {{ x }} {%- endfor %}",
    "{% for x in list | sort(reverse=true) %}{{ x }}{% endfor %}",
    "{% for x in list[1:] %}{{ x }}{% endfor %}",
    "{% for x in messages[::-1] %}{{ x.role }}{% endfor %}",
    "{% for x in list if loop.index > 1 %}{{ x }}{% endfor %}",
    "{% for loop in list %}{% endfor %}",
    "{% for x in (list) %}{{ x }}{% endfor %}",
    "{% for x in strings | map('upper') %}{{ loop.index }}{{ x }}{{ loop.last }} {% endfor %}",
    "{% set g = strings | map('upper') %}{{ g | list }}{{ g | list }}",
    "{% for x in list %}{{ loop | length }}{% endfor %}",
    "{% break %}",
    "{% if yes %}{% continue %}{% endif %}",
    "{% for %}{% endfor %}",
    "{% for x list %}{% endfor %}",
    "{% for x in %}{% endfor %}",
    "{% for x in list %}",
    "{% for x in list %}{% endif %}",
    "{% for 1 in list %}{% endfor %}",
    "{% for x.y in list %}{% endfor %}",
    # if
    "{% if yes %}a{% endif %}b",
    "{% if no %}a{% elif zero %}b{% elif one %}c{% else %}d{% endif %}",
    "{% if no %}a{% else %}d{% endif %}",
    "{% if missing %}a{% else %}d{% endif %}",
    "{% if list and map and name and x %}t{% endif %}",
    "{% if [] or {} or '' or 0 or 0.0 or none or missing %}t{% else %}f{% endif %}",
    "{% if name == 'Ada' and (n > 40 or no) %}t{% endif %}",
    "{% if not (custom_tools is defined) %}{% set custom_tools = none %}{% endif %}{{ custom_tools }}",
    "{% if not custom_tools is defined %}u{% endif %}",
    "{% if yes: %}a{% endif %}",
    "{% if %}{% endif %}",
    "{% if yes %}",
    "{% if yes %}{% else %}{% else %}{% endif %}",
    "{% if yes %}{% else %}{% elif no %}{% endif %}",
    "{% endif %}",
    "{% else %}",
    "{% nosuch %}",
    "{% if yes %}{% if no %}a{% else %}b{% endif %}c{% endif %}",
    # set, scopes, namespaces
    "{% set a = 1 %}{{ a }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set (a, b) = [1, 2] %}{{ a }}{{ b }}",
    "{% set a, b = 1 %}",
    "{% set a, b = [1, 2, 3] %}",
    "{% set a = 1, 2 %}{{ a }}",
    "{% set a = b = 1 %}",
    "{% set name = name ~ '!' %}{{ name }}",
    "{% set a = 1 %}{% for x in list %}{% set a = x %}{{ a }}{% endfor %}{{ a }}",
    "{% set a = 1 %}{% if yes %}{% set a = 2 %}{% endif %}{{ a }}",
    "{% set a = 0 %}{% for x in list %}{{ a }}{% set a = a + x %}{{ a }} {% endfor %}{{ a }}",
    "{% for x in list %}{% set q = x %}{% endfor %}{{ q is defined }}",
    "{% for x in list %}{% if x == 3 %}{% set q = x %}{% endif %}{{ q }},{% endfor %}",
    "{% set ns = namespace(c=0) %}{% for x in list %}{% set ns.c = ns.c + x %}{% endfor %}{{ ns.c }}",
    "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b is defined }}",
    "{% set ns = namespace(found=false) %}{% for m in messages %}{% if m.role == 'assistant' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }}",
    "{% set ns = namespace(a=1) %}{% set ns.a, b = 5, 6 %}{{ ns.a }}{{ b }}",
    "{% set ns = namespace(l=[]) %}{% for x in list %}{% set ns.l = ns.l + [x] %}{% endfor %}{{ ns.l }}",
    "{% set ns = namespace(a=1) %}{{ ns }}",
    "{% set d = {} %}{% set d.a = 1 %}",
    "{% set missing.a = 1 %}",
    "{% set a %}block {{ n }}{% endset %}[{{ a }}]",
    "{% set a | upper %}block {{ name }}{% endset %}[{{ a }}]",
    "{% set a | replace('b', 'c') | trim %} abba {% endset %}[{{ a }}]",
    "{% set a %}{% set inner = 1 %}{{ inner }}{% endset %}{{ a }}{{ inner is defined }}",
    "{% set ns = namespace() %}{% set ns.t %}xy{% endset %}{{ ns.t }}",
    "{% for x in list %}{% set t %}<{{ x }}>{% endset %}{{ t }}{% endfor %}",
    "{% set true = 1 %}",
    "{% set 1 = 1 %}",
    "{% set a %}",
    "{% set %}",
    "{% set range = 5 %}{{ range }}",
    "{% set x = [] %}{% set _ = x.append(1) %}",
    # macros, call, filter, with
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=4, a=5) }} {{ m() }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a=1, b) %}{% endmacro %}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, k=3) }}",
    "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}{{ m(1) }}",
    "{% macro m(a) %}{{ a.b }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ n }}{% set n = 1 %}{{ n }}{% endmacro %}{{ m() }}{{ n }}",
    "{% set q = 1 %}{% macro m() %}{{ q }}{% endmacro %}{% set q = 2 %}{{ m() }}",
    "{% macro f(n) %}{% if n > 1 %}{{ n * (f(n - 1) | int) }}{% else %}1{% endif %}{% endmacro %}{{ f(5) }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ n }}{% endif %}{% endmacro %}{{ f(9) }}",
    "{% macro m(x) -%}\n  {{- x -}}\n{%- endmacro %}[{{ m('a') }}]",
    "{% macro m() %}{% for x in list %}{{ x }}{% endfor %}{% endmacro %}{{ m() | length }}{{ m() + '!' }}",
    "{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}o{% endmacro %}{{ outer() }}",
    "{{ m('early') }}{% macro m(x) %}{{ x }}{% endmacro %}",
    "{% macro m() %}{{ caller() }}!{% endmacro %}{% call m() %}body {{ n }}{% endcall %}",
    "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}+{{ b }}{% endcall %}",
    "{% macro m() %}x{% endmacro %}{% call m() %}body{% endcall %}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}",
    "{% macro m(messages) %}{% for m in messages %}{{ m.role }}{% endfor %}{% endmacro %}{{ m(messages) }}",
    "{% macro %}{% endmacro %}",
    "{% macro m %}{% endmacro %}",
    "{% macro m() %}",
    "{% for x in list %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for x in list %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% filter upper %}abc {{ name }}{% endfilter %}",
    "{% filter replace('a', 'b') | upper %}abc{% endfilter %}",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}",
    "{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a is defined }}",
    # generation, raw, comments
    "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %};{% endfor %}",
    "{% generation %}{% set a = 1 %}{{ a }}{% endgeneration %}{{ a is defined }}",
    "{% set ns = namespace(a=0) %}{% generation %}{% set ns.a = 1 %}{% endgeneration %}{{ ns.a }}",
    "{% generation %}",
    "{%- generation -%}\n x \n{%- endgeneration -%}\n y",
    "{% raw %}{{ not }} {% if %}{# kept #}{% endraw %}",
    "a {%- raw -%} b {%- endraw -%} c",
    "a\n  {% raw %}\n  b\n  {% endraw %}\n  c",
    "{% raw %}x",
    "{% raw %}",
    "a{#",
    "{% set x, y, = 1, 2 %}",
    "{% set (x,) = [1] %}{{ x }}",
    "{% for x, in [[1], [2]] %}{{ x }}{% endfor %}",
    "a{# comment #}b",
    "a {#- comment -#} b",
    "a\n  {# comment #}\nb",
    "a\n  {#+ comment +#}\nb",
    "a{# {{ n }} {% if %} #}b",
    "a{# open",
    "{##}x{#-#} y",
    "}} %} #} a",
    "{ { n } }",
    "{{ '}}' }}",
    "{{ '{{' }}{{ \"%}\" }}",
    "{{ {'a': {'b': 1}} }}",
    "{{{'a': 1}['a']}}",
    "{{ [1, (2, {'k': ')'})] }}",
    "{{ (1 }}",
    "{{ 1) }}",
    "{{ [1} }}",
    "{{ n",
    "{% if yes",
    "{{ }}",
    "{{}}",
    "{%%}",
    # white space control
    "a {{- n -}} b",
    "a {{ n }} b",
    "  {{ n }}  \n",
    "a\n{% if yes %}\nb\n{% endif %}\nc",
    "a\n  {% if yes %}\n  b\n  {% endif %}\n  c\n",
    "a\n  {%+ if yes %}\n  b\n  {%+ endif %}\nc",
    "a\n  {% if yes +%}\n  b\n  {% endif +%}\nc",
    "a\n  {%- if yes -%}\n  b\n  {%- endif -%}\n  c",
    "\n\n{% if yes %}\n\nb{% endif %}\n\n",
    "x {% if yes %} y {% endif %} z",
    "{% if yes %}  \n  b{% endif %}",
    "  {% if yes %}a{% endif %}",
    "\t {% set a = 1 %}\n{{ a }}\n",
    "a{% if yes %}\n{% endif %}\nb",
    "{{ n }}\n{{ n }}\n\n",
    "{{ n -}}\n\n  {{ n }}",
    "a\r\nb\r{{ n }}\r\n",
    "{% set s = 'a\r\nb' %}{{ s }}",
    "  {% for x in list %}\n  - {{ x }}\n  {% endfor %}\nend\n",
    "  {%- for x in list %}\n  - {{ x }}\n  {%- endfor %}\nend\n",
    "{{ '  keep  ' }}  {%- set a = 1 -%}  {{ a }}",
    "{{-n}}{{+n}}",
    "{%-if yes-%} a {%-endif-%} b",
    "a \x0b\u2003{%- if yes %}b{% endif %}",
    "line1\n   {{ n }}\n   {% if yes %}{{ n }}{% endif %}\n",
    "{% if yes %}\n\n\n{% endif %}x",
    "{#- c -#}\n\n{{ n }}",
    "a\n\n   {% raw %}  {{ x }}  \n  {% endraw %}\nb",
    # swift-jinja's bug list and neighbours
    "{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}{{ tools is defined }}",
    "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}{%- for message in messages %}{%- if message['role'] == 'user' %}{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{ ns.system_prompt }}",
    "{%- for message in messages[::-1] %}{%- set index = (messages | length - 1) - loop.index0 %}{{ index }}{{ message.role }}{%- endfor %}",
    "{%- set reasoning_content = '' %}{%- set content = '<think>\\nr\\n</think>\\n\\na' %}{%- if '</think>' in content %}{%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}{%- set content = content.split('</think>')[-1].lstrip('\\n') %}{%- endif %}{{ reasoning_content }}|{{ content }}",
    "{%- set reasoning_mode = '/think' -%}{{ 'Reasoning Mode: ' ~ reasoning_mode ~ '\\n' }}",
    "{%- set custom = 'a' %}{{ \"## \" ~ custom.rstrip() ~ \"\\n\\n\" }}",
    "{% for t in [{'type': 'string'}, {}] %}{{ t['type'] | upper }};{{ t.type | upper | default('none') }};{% endfor %}",
    "{{ value['type'] | upper }}",
    "{% set a = {} %}{{ a['type'] | upper }}{{ a.b | trim }}{{ a.c | replace('x', 'y') }}{{ a.d | length }}.",
    "{{ messages | tojson }}",
    "{{- bos_token }}{{ '<|x|>' }}",
    "{{ 'a/b' | tojson }}{{ '—' | tojson }}{{ {'b': 1, 'a': 2} | tojson }}{{ 100.0 | tojson }}{{ 1e16 | tojson }}",
    "{{ messages[0]['content'] | trim + ' x' }}",
    "{{ ('a' ~ 'b') | upper ~ 'c' }}",
    "{% set m = messages | selectattr('role', 'equalto', 'nobody') | list %}{{ m | length }}{% if m %}x{% endif %}",
    "{{ [1, 2, 3][:-1] | join(',') }}{{ messages[:-1] | length }}",
    "{% set x = 'a' if missing else 'b' %}{{ x }}",
    "{{ 'x' if messages[0].tool_calls is defined and messages[0].tool_calls else 'y' }}",
    "{{ 'x' if messages[0].tool_calls else 'y' }}",
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate!') }}{% endif %}{{ loop.index0 }}{% endfor %}",
    "{% for message in messages[1:] %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}{% endfor %}",
    "{{ raise_exception(missing) }}",
    "{% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% endif %}",
    "{{ messages[0].content is string }}{{ messages[0].content is mapping }}{{ messages is iterable and messages is not string }}",
    "{% if messages[-1].role == 'assistant' and loop is not defined %}y{% endif %}",
    "{{ 'x' }}",
]


def chat_templates():
    """Templates written after the formats of well-known models; the words are our own."""
    chatml = """{% for message in messages %}
{% if loop.first and message['role'] != 'system' %}
{{ '<|im_start|>system\\nYou answer briefly<|im_end|>\\n' }}
{%- endif %}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
    llama2 = """{%- if messages[0]['role'] == 'system' -%}
  {%- set system_message = '<<SYS>>\\n' + messages[0]['content'] | trim + '\\n<</SYS>>\\n\\n' -%}
  {%- set turns = messages[1:] -%}
{%- else -%}
  {%- set system_message = '' -%}
  {%- set turns = messages -%}
{%- endif -%}
{%- for turn in turns -%}
  {%- if (turn['role'] == 'user') != (loop.index0 % 2 == 0) -%}
    {{ raise_exception('User and assistant must take turns') }}
  {%- endif -%}
  {%- set content = system_message + turn['content'] if loop.index0 == 0 else turn['content'] -%}
  {%- if turn['role'] == 'user' -%}
    {{ bos_token + '[INST] ' + content | trim + ' [/INST]' }}
  {%- elif turn['role'] == 'assistant' -%}
    {{ ' ' + content | trim + ' ' + eos_token }}
  {%- endif -%}
{%- endfor -%}"""
    llama31 = """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now("%d %b %Y") %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n" }}
{%- endif %}
{{- "Today: " + date_string + "\\n\\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {{- "These functions can be called:\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- if tools_in_user_message and not tools is none %}
    {%- if messages | length != 0 %}
        {%- set first_user_message = messages[0]['content'] | trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("No user message to put the tools into") }}
    {%- endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\\n\\n' -}}
    {{- "Answer with a call of one of these functions as JSON.\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot_id|>" }}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls | length == 1 %}
            {{- raise_exception("One call at a time") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable and message.content is not string %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
    mistral = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace(index=0) %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the system message, user and assistant take turns") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS][" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val | tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST]" + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST]" + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS][" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function | tojson %}
            {{- out[:-1] }}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" + eos_token }}{%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"] | trim + eos_token }}
    {%- elif message["role"] in ["tool_results", "tool"] %}
        {{- '[TOOL_RESULTS]{"content": ' + message.content | string + "}[/TOOL_RESULTS]" }}
    {%- else %}
        {{- raise_exception("Unknown role: " + message['role']) }}
    {%- endif %}
{%- endfor %}
"""
    zephyr = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n' + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""
    gemma = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("The conversation must alternate: user, model, user, model") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{ '<start_of_turn>model\\n' }}
{%- endif -%}
"""
    phi = """{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{ '<|system|>\\n' + message['content'] + '<|end|>\\n' }}{% elif message['role'] == 'user' %}{{ '<|user|>\\n' + message['content'] + '<|end|>\\n' }}{% elif message['role'] == 'assistant' %}{{ '<|assistant|>\\n' + message['content'] + '<|end|>\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"""
    qwen25 = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You help.' }}
    {%- endif %}
    {{- "\\n\\n# Tools\\n\\nFunctions, described within <tools></tools>:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n\\nCall one like this:\\n<tool_call>\\n{\\"name\\": <name>, \\"arguments\\": <arguments>}\\n</tool_call><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
    qwen3 = """{%- set ns = namespace(multi_step_tool=true, last_query_index=messages | length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages | length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
    {%- if message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or (not loop.last and reasoning_content)) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""
    command = """{{ bos_token }}{%- macro document_turn(documents) -%}
{# the documents are shown as a tool's result #}
<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>{% if documents %}
{% for doc in documents %}
Document: {{ loop.index0 }}
{% for key, value in doc | dictsort %}
{{ key }}: {{ value | string | replace('\\n', ' ') }}
{% endfor %}
{% endfor %}
{%- endif %}<|END_OF_TURN_TOKEN|>{%- endmacro -%}
{%- macro render_type(schema, depth=0) -%}
{%- if schema['type'] == 'object' -%}
{ {%- for name, part in schema.properties.items() %}{{ ' ' ~ name ~ ('' if name in schema.get('required', []) else '?') ~ ': ' ~ render_type(part, depth + 1) ~ (',' if not loop.last else ' ') }}{%- endfor -%} }
{%- elif schema['type'] == 'array' -%}
{{ render_type(schema['items'], depth + 1) ~ '[]' }}
{%- elif schema.enum is defined -%}
{{ schema.enum | map('tojson') | join(' | ') }}
{%- else -%}
{{ schema['type'] | default('any') }}
{%- endif -%}
{%- endmacro -%}
<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>{% if messages[0].role == 'system' %}{{ messages[0].content | trim }}{% set rest = messages[1:] %}{% else %}You are a helper.{% set rest = messages %}{% endif %}
{% for tool in tools or [] %}

def {{ tool.function.name }}(input: {{ render_type(tool.function.parameters) }}):
    {{ tool.function.description | default('no description') | indent(4) }}
{% endfor %}<|END_OF_TURN_TOKEN|>
{%- if documents %}{{ document_turn(documents) }}{% endif %}
{%- for message in rest %}
{%- set role = {'user': 'USER', 'assistant': 'CHATBOT', 'tool': 'SYSTEM', 'system': 'SYSTEM'}[message.role] %}
<|START_OF_TURN_TOKEN|><|{{ role }}_TOKEN|>
{%- if message.tool_calls %}Action: ```json
{{ message.tool_calls | map(attribute='function') | list | tojson(indent=2) }}
```
{%- else %}{{ message.content | trim }}{% endif %}<|END_OF_TURN_TOKEN|>
{%- endfor %}
{%- if add_generation_prompt %}<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>{% endif %}"""
    deepseek = """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='', is_first_sp=true) %}{%- for message in messages %}{%- if message['role'] == 'system' %}{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}{%- else %}{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system_prompt }}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{ '<｜User｜>' + message['content'] }}{%- endif %}{%- if message['role'] == 'assistant' and 'tool_calls' in message %}{%- set ns.is_tool = false -%}{%- for tool in message['tool_calls'] %}{%- if not ns.is_first %}{{ '<｜Assistant｜><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name'] + '\\n' + '```json' + '\\n' + tool['function']['arguments'] | tojson + '\\n' + '```' + '<｜tool▁call▁end｜>' }}{%- set ns.is_first = true -%}{%- else %}{{ '\\n' + '<｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name'] }}{{ '<｜tool▁calls▁end｜><｜end▁of▁sentence｜>' }}{%- endif %}{%- endfor %}{%- endif %}{%- if message['role'] == 'assistant' and 'tool_calls' not in message %}{%- if ns.is_tool %}{{ '<｜tool▁outputs▁end｜>' + message['content'] + '<｜end▁of▁sentence｜>' }}{%- set ns.is_tool = false -%}{%- else %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{ '<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>' }}{%- endif %}{%- endif %}{%- if message['role'] == 'tool' %}{%- set ns.is_tool = true -%}{%- if ns.is_output_first %}{{ '<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>' + message['content'] | string + '<｜tool▁output▁end｜>' }}{%- set ns.is_output_first = false %}{%- else %}{{ '\\n<｜tool▁output▁begin｜>' + message['content'] | string + '<｜tool▁output▁end｜>' }}{%- endif %}{%- endif %}{%- endfor -%}{% if ns.is_tool %}{{ '<｜tool▁outputs▁end｜>' }}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{ '<｜Assistant｜><think>\\n' }}{% endif %}"""
    smollm3 = """{%- if enable_thinking is not defined -%}{%- set enable_thinking = true -%}{%- endif -%}
{%- set reasoning_mode = "/think" if enable_thinking else "/no_think" -%}
{%- if messages[0].role == "system" -%}
  {%- set custom = messages[0].content -%}
  {%- if "/no_think" in custom -%}{%- set reasoning_mode = "/no_think" -%}{%- endif -%}
  {%- set custom = custom.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- endif -%}
{{- "<|im_start|>system\\n" -}}
{{- "## Metadata\\n\\nDate: " ~ strftime_now("%d %B %Y") ~ "\\nMode: " ~ reasoning_mode ~ "\\n\\n" -}}
{%- if custom -%}{{- custom + "\\n\\n" -}}{%- endif -%}
{{- "<|im_end|>\\n" -}}
{%- for message in messages -%}
  {%- set content = message.content if message.content is string else "" -%}
  {%- if message.role == "user" -%}
    {{ "<|im_start|>" + message.role + "\\n" + content + "<|im_end|>\\n" }}
  {%- elif message.role == "assistant" -%}
    {% generation %}
    {%- if reasoning_mode == "/think" -%}
      {{ "<|im_start|>assistant\\n" + content.lstrip("\\n") + "<|im_end|>\\n" }}
    {%- else -%}
      {{ "<|im_start|>assistant\\n" + "<think>\\n\\n</think>\\n" + content.lstrip("\\n") + "<|im_end|>\\n" }}
    {%- endif -%}
    {% endgeneration %}
  {%- elif message.role == "tool" -%}
    {{ "<|im_start|>user\\n" + content + "<|im_end|>\\n" }}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {%- if reasoning_mode == "/think" -%}
    {{ "<|im_start|>assistant\\n" }}
  {%- else -%}
    {{ "<|im_start|>assistant\\n" + "<think>\\n\\n</think>\\n" }}
  {%- endif -%}
{%- endif -%}"""
    gemma4 = """{%- macro parameters(properties, required) -%}
    {%- set standard = ['description', 'type', 'properties', 'required', 'nullable'] -%}
    {%- set ns = namespace(found_first=false) -%}
    {%- for key, value in properties | dictsort -%}
        {%- if key not in standard -%}
            {%- if ns.found_first %},{% endif -%}
            {%- set ns.found_first = true -%}
            {{ key }}:{description:<|"|>{{ value['description'] }}<|"|>,type:<|"|>{{ value['type'] | upper }}<|"|>
            {%- if value['enum'] %},enum:[{% for e in value['enum'] %}<|"|>{{ e }}<|"|>{% if not loop.last %},{% endif %}{% endfor %}]{% endif %}}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro -%}
{{- bos_token -}}
{%- if tools -%}<|turn>system
{% for tool in tools %}<|tool>declaration:{{ tool['function']['name'] }}{parameters:{ {{- parameters(tool['function']['parameters']['properties'], tool['function']['parameters']['required']) -}} }}<tool|>{% endfor %}<turn|>
{% endif -%}
{%- for message in messages -%}
    {%- if loop.previtem is defined and loop.previtem.role == message.role and message.role == 'user' %}{{ '\\n' }}{% endif -%}
    <|turn>{{ 'model' if message.role == 'assistant' else message.role }}
{{ (message.content or '') | trim }}<turn|>
{% endfor -%}
{%- if add_generation_prompt -%}<|turn>model
{% endif -%}"""
    vicuna = """{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = 'A person talks with a helper.' %}{% endif %}{% for message in loop_messages %}{% if loop.index0 == 0 %}{{ system_message.strip() }}{% endif %}{% if message['role'] == 'user' %}{{ ' USER: ' + message['content'].strip() }}{% elif message['role'] == 'assistant' %}{{ ' ASSISTANT: ' + message['content'].strip() + eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ ' ASSISTANT:' }}{% endif %}"""
    return {
        "chatml": chatml, "llama-2": llama2, "llama-3.1": llama31, "mistral": mistral, "zephyr": zephyr,
        "gemma": gemma, "phi": phi, "qwen-2.5": qwen25, "qwen-3": qwen3, "command-r": command,
        "deepseek": deepseek, "smollm-3": smollm3, "gemma-4": gemma4, "vicuna": vicuna,
    }


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather", "description": "Weather of a place.\nIn short.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "Town & country"},
                "unit": {"enum": ["°C", "°F"], "description": "<unit>"},
                "days": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["place"],
        },
    },
}

CONVERSATIONS = {
    "one turn": {"messages": [{"role": "user", "content": "Hello!"}]},
    "with system": {
        "messages": [
            {"role": "system", "content": " Be brief. /no_think "}, {"role": "user", "content": "Hi\n"},
            {"role": "assistant", "content": "<think>\nhm\n</think>\n\nHello there. "},
            {"role": "user", "content": "  Who are you? 😀 नमस्ते "}]},
    "no generation prompt": {
        "messages": [{"role": "user", "content": "a < b & 'c' \"d\""}, {"role": "assistant", "content": "{{ x }} {% y %}"}],
        "add_generation_prompt": False},
    "wrong order": {"messages": [{"role": "assistant", "content": "I begin"}, {"role": "user", "content": "Oh"}]},
    "tools": {
        "messages": [
            {"role": "system", "content": "Use tools."}, {"role": "user", "content": "Weather in Ulm?"},
            {"role": "assistant", "content": "", "tool_calls": [
                {"id": "call00001", "type": "function", "function": {
                    "name": "weather", "arguments": {"place": "Ulm", "days": [1, 2], "ok": True, "none": None}}}]},
            {"role": "tool", "content": "17 °C", "tool_call_id": "call00001"},
            {"role": "assistant", "content": "It has 17 °C."}, {"role": "user", "content": "Thanks"}],
        "tools": [WEATHER]},
    "tools in system": {
        "messages": [{"role": "user", "content": "Weather?"}], "tools": [WEATHER, WEATHER],
        "tools_in_user_message": False, "enable_thinking": False, "date_string": "1 Jan 2026"},
    "documents": {
        "messages": [{"role": "user", "content": "Summarise."}],
        "documents": [{"title": "One", "text": "a\nb"}, {"title": "Two", "text": 5}]},
    "parts": {
        "messages": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " What is it? "}]}]},
    "empty": {"messages": []},
}


def write(name, value):
    path = FOLDER / name
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=False) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes")


def main():
    if "--render" in sys.argv:
        for line in sys.stdin:
            case = json.loads(line)
            print(json.dumps(render(case["template"], case["context"])), flush=True)
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    addresses = re.compile(r" (object )?at 0x[0-9a-f]+")
    sources = ["{{ %s }}" % line for line in EXPRESSIONS.strip("\n").split("\n")] + STATEMENTS
    cases = []
    for source in dict.fromkeys(sources):
        result = render(source, CONTEXT)
        if addresses.search(result.get("output", "")):
            # Python prints where an object lies in memory; only that it prints something is kept.
            result = {"output_is_address": True}
        cases.append({"template": source, **result})
    write("cases.json", {"context": CONTEXT, "cases": cases})

    templates = chat_templates()
    rendered = []
    for name, source in templates.items():
        for title, conversation in CONVERSATIONS.items():
            context = {
                "tools": None, "documents": None, "add_generation_prompt": True, "bos_token": "<s>",
                "eos_token": "</s>", **conversation}
            rendered.append({"template": name, "conversation": title, **render(source, context)})
    write("chats.json", {"templates": templates, "conversations": CONVERSATIONS, "cases": rendered})
    kinds = {}
    for case in cases + rendered:
        kinds[case.get("error", "output")] = kinds.get(case.get("error", "output"), 0) + 1
    print(len(cases), "cases,", len(rendered), "chats", kinds)


main()
