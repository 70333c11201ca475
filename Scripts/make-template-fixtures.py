#!/usr/bin/env python3
"""Writes Tests/CorvidTextTests/Fixtures/Templates: what Jinja2 makes of templates, as the tests' oracle.

The environment is set up as transformers sets it up for chat templates: the immutable sandbox, trim_blocks,
lstrip_blocks, loop controls, the 'generation' block, 'tojson' without HTML escapes, 'raise_exception' and
'strftime_now' (here with a fixed time). Needs Jinja2 only; made with Jinja2 3.1.6 on Python 3.11.

In the fixtures' folder expressions.txt, statements.json, context.json, conversations.json and Chats are
written by hand (the chat templates follow the formats of well-known models in our own words); cases.json and
chats.json are made from them.

    python3 Scripts/make-template-fixtures.py            writes the fixtures
    python3 Scripts/make-template-fixtures.py --render   renders JSON lines {template, context} from stdin
"""

import collections
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


def write(name, value):
    path = FOLDER / name
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=False) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes")


def read(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def main():
    if "--render" in sys.argv:
        for line in sys.stdin:
            case = json.loads(line)
            print(json.dumps(render(case["template"], case["context"])), flush=True)
        return
    # Python prints where an object lies in memory; only that it prints something is kept.
    address = re.compile(r" (object )?at 0x[0-9a-f]+")
    context = read("context.json")
    expressions = (FOLDER / "expressions.txt").read_text(encoding="utf-8").strip("\n").split("\n")
    cases = []
    for source in dict.fromkeys(["{{ %s }}" % line for line in expressions] + read("statements.json")):
        result = render(source, context)
        if address.search(result.get("output", "")):
            result = {"output_is_address": True}
        cases.append({"template": source, **result})
    write("cases.json", cases)

    chats = []
    for path in sorted((FOLDER / "Chats").glob("*.jinja")):
        source = path.read_bytes().decode()
        for title, conversation in read("conversations.json").items():
            variables = {
                "tools": None, "documents": None, "add_generation_prompt": True, "bos_token": "<s>",
                "eos_token": "</s>", **conversation}
            chats.append({"template": path.name, "conversation": title, **render(source, variables)})
    write("chats.json", chats)
    print(len(cases), "cases,", len(chats), "chats,", collections.Counter(
        case.get("error", "output") for case in cases + chats))


main()
