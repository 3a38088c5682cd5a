"""`contract-test generate`: for our contracts, for other people's, and for hostile ones."""

import ast
import inspect
import json
import random
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_test.cli.generate import command
from contract_test.data.errors import CatalogError, ContractTestError, SchemaError
from contract_test.files.catalog import load_catalog
from contract_test.files.proof_cache import FILE, ProofCache
from contract_test.generate.package import check, generate
from contract_test.generate.source import check_source, module_files
from envelopes import ContractViolationError, DecodeError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def contracts(tmp_path):
    """A function that writes schemas, by path below the contracts directory, and gives the directory."""

    def write(**schemas):
        for path, schema in schemas.items():
            file = tmp_path / "contracts" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(schema if isinstance(schema, str) else json.dumps(schema))
        return tmp_path / "contracts"

    return write


def run(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments], standalone_mode=False)


def load(tmp_path, monkeypatch, package, name):
    monkeypatch.syspath_prepend(tmp_path)
    return getattr(__import__(f"{package}.messages", fromlist=[name]), name)


def obj(**properties):
    return {"type": "object", "properties": properties}


def test_our_own_value_objects_are_up_to_date():
    result = run("--check", "--contracts", ROOT / "contracts", "--output", ROOT / "src")
    assert result.return_value == 0, result.output


def test_stale_code_is_found_and_named(contracts, tmp_path):
    directory = contracts(**{"a/v1.json": obj(x={"type": "string"})})
    arguments = ("--contracts", directory, "--package", "stale", "--output", tmp_path)
    assert run(*arguments).return_value == 0
    assert run("--check", *arguments).return_value == 0
    contracts(**{"a/v1.json": obj(y={"type": "string"})})
    result = run("--check", *arguments)
    assert result.return_value == 1
    assert "a_v1.py: stale" in result.output
    module = tmp_path / "stale" / "messages" / "a_v1.py"
    run(*arguments)
    module.write_text(module.read_text() + "# by hand\n")
    assert "a_v1.py: stale" in run("--check", *arguments).output


def test_what_was_generated_for_the_same_contracts_is_known_and_no_other_answers(contracts, tmp_path):
    root, folder = contracts(**{"a/v1.json": {"properties": {"name": {"type": "string"}}}}), tmp_path / "cache"
    generate(load_catalog(root), "acme", tmp_path)
    module = tmp_path / "acme" / "messages" / "a_v1.py"

    def stale():
        return [path.name for path in check(load_catalog(root), "acme", tmp_path, ProofCache(folder)).stale]

    assert stale() == []
    with sqlite3.connect(folder / FILE) as database:
        assert database.execute("SELECT count(*) FROM proofs").fetchone() == (1,)
    assert stale() == []
    module.write_text(module.read_text() + "# changed\n")
    assert stale() == ["a_v1.py"]
    with sqlite3.connect(folder / FILE) as database:
        database.execute("UPDATE proofs SET value = replace(value, 'a_v1', 'b_v1')")
    assert stale() == ["a_v1.py"]
    generate(load_catalog(root), "acme", tmp_path, again=True)
    assert stale() == []
    contracts(**{"a/v1.json": {"properties": {"name": {"type": "integer"}}}})
    assert sorted(stale()) == ["a_v1.json", "a_v1.py"]


def test_an_unchanged_contract_is_not_generated_again(contracts, tmp_path):
    directory = contracts(**{"a/v1.json": obj(x={"type": "string"}), "b/v1.json": obj()})
    generate(load_catalog(directory), "again", tmp_path)
    contracts(**{"b/v1.json": obj(y={"type": "string"})})
    written = {path.name for path in generate(load_catalog(directory), "again", tmp_path).written}
    assert written == {"b_v1.py", "b_v1.json"}


def test_what_is_no_longer_a_contract_goes(contracts, tmp_path):
    directory = contracts(**{"a/v1.json": obj(), "b/v1.json": obj()})
    generate(load_catalog(directory), "gone", tmp_path)
    (directory / "b" / "v1.json").unlink()
    (directory / "b").rmdir()
    assert [path.name for path in generate(load_catalog(directory), "gone", tmp_path).removed] == [
        "b_v1.py",
        "b_v1.json",
    ]


def test_one_message_costs_the_import_of_one_module():
    code = (
        "import sys; from envelopes.messages import MessageLiked;"
        "print(*[name for name in sys.modules if name.startswith(('envelopes.messages.', 'contract_test'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["envelopes.messages.message_liked_v2", "envelopes.messages.shared"]


def test_files_may_share_schemas(contracts, tmp_path, monkeypatch):
    directory = contracts(**{
        "common/person.json": {"$id": "https://acme.example/common/person.json", "$defs": {"name": {"type": "string"}},
                               "type": "object", "required": ["name"], "properties": {"name": {"$ref": "#/$defs/name"}}},
        "common/address.json": {"type": "object", "properties": {"city": {"type": "string"}}},
        "hired/v1.json": obj(who={"$ref": "../common/person.json"}, where={"$ref": "../common/address.json"}),
        "fired/v1.json": {"$id": "https://acme.example/fired/v1.json"} | obj(
            who={"$ref": "../common/person.json"}, name={"$ref": "../common/person.json#/$defs/name"},
            where={"$ref": "../common/address.json"}),
    })  # fmt: skip
    generate(load_catalog(directory), "sharing", tmp_path)
    fired = load(tmp_path, monkeypatch, "sharing", "Fired")
    assert fired.from_json('{"who": {"name": "Ana"}, "name": "x", "where": {"city": "Y"}}').who.name == "Ana"
    for wrong in ('{"who": {}}', '{"name": 1}', '{"where": {"city": 1}}'):
        with pytest.raises(DecodeError):
            fired.from_json(wrong)


def test_a_choice_between_a_schema_and_null_is_that_schema_or_none(contracts, tmp_path, monkeypatch):
    """However it is written: of values that are not null nothing else is left, so their types are known."""
    nothing = {"type": "null"}
    money, node = {"$ref": "#/$defs/money"}, {"$ref": "#/$defs/node"}
    sms, mail = ({"$ref": f"#/$defs/{kind}"} for kind in ("sms", "mail"))
    tagged = {"type": "object", "required": ["kind"]}
    schema = obj(
        payment=money, refund={"anyOf": [money, nothing]}, fees={"type": "array", "items": {"oneOf": [nothing, money]}},
        notes={"anyOf": [{"type": "array", "items": {"type": "string"}}, nothing]}, root={"oneOf": [node, nothing]},
        by={"anyOf": [{"oneOf": [sms, mail]}, nothing]}, mixed={"anyOf": [money, {"type": "string"}]},
    ) | {"$defs": {
        "money": obj(amount={"type": "string"}) | {"required": ["amount"]}, "node": obj(parent={"anyOf": [node, nothing]}),
        "sms": tagged | {"properties": {"kind": {"const": "sms"}}}, "mail": tagged | {"properties": {"kind": {"const": "mail"}}},
    }}  # fmt: skip
    generate(load_catalog(contracts(**{"paid/v1.json": schema})), "choices", tmp_path)
    paid = load(tmp_path, monkeypatch, "choices", "Paid")
    assert {name: paid.__annotations__[name] for name in paid.model_fields} == {
        "payment": "Money | None", "refund": "Money | None", "fees": "tuple[Money | None, ...] | None",
        "notes": "tuple[str, ...] | None", "root": "Node | None", "mixed": "Money | str | None",
        "by": "Annotated[Sms | Mail, Field(discriminator='kind')] | None",
    }  # fmt: skip
    raw = '{"refund": null, "fees": [null, {"amount": "1"}], "root": {"parent": {"parent": null}}, "mixed": {"amount": "2"}}'
    read = paid.from_json(raw)
    assert (read.fees[1].amount, read.root.parent.parent, read.mixed.amount) == ("1", None, "2")
    assert json.loads(read.to_json()) == json.loads(raw)
    with pytest.raises(DecodeError):
        paid.from_json('{"refund": {}}')


def test_many_files_that_refer_to_each_other_are_compiled_at_once(contracts, tmp_path, monkeypatch):
    """Forty files, each to the next five and round again: followed one by one they would never end."""
    files = {
        f"common/f{n}.json": obj(
            name={"type": "string"}, **{f"p{k}": {"$ref": f"f{(n + k) % 40}.json"} for k in range(1, 6)}
        )
        for n in range(40)
    }
    contracts(**files)
    directory = contracts(**{"a/v1.json": obj(first={"$ref": "../common/f0.json"}, data={"const": {"$ref": "#/x"}})})
    generate(load_catalog(directory), "forty", tmp_path)
    cls = load(tmp_path, monkeypatch, "forty", "A")
    assert cls.from_json('{"first": {"p1": {"p5": {"name": "x"}}}, "data": {"$ref": "#/x"}}').first.p1.p5.name == "x"
    for wrong in ('{"first": {"p1": {"p5": {"name": 1}}}}', '{"data": {"$ref": "#/y"}}'):
        with pytest.raises(DecodeError):
            cls.from_json(wrong)


def test_draft_07_is_read_as_draft_07(contracts, tmp_path, monkeypatch):
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"n": {"type": "integer"}}} | obj(
        pair={"items": [{"type": "string"}, {"$ref": "#/definitions/n"}], "additionalItems": False},
        count={"$ref": "#/definitions/n", "maximum": 3},
    )
    schema["dependencies"] = {"count": ["pair"]}
    generate(load_catalog(contracts(**{"old/v1.json": schema})), "draft7", tmp_path)
    old = load(tmp_path, monkeypatch, "draft7", "Old")
    assert old.from_json('{"pair": ["a", 1], "count": 9}').count == 9, "beside a $ref nothing counts in draft-07"
    for wrong in ('{"pair": ["a", "b"]}', '{"pair": ["a", 1, 2]}', '{"count": 1}'):
        with pytest.raises(DecodeError):
            old.from_json(wrong)


NAMES = ["class", "self", "from_json", "model_config", "None", "print", "__class__", "_x", "1st", "", "a b", "a-b", "a_b", "名前",
         "Ünï", "ﬁ", "str", "Json", "root", "additional_properties", "x" * 200, "import os", '"', "'", "\\", "\n", "\u2028", "😀"]  # fmt: skip


def test_any_name_can_be_a_field(contracts, tmp_path, monkeypatch):
    schema = obj(**{name: {"type": "string", "title": name, "description": name} for name in NAMES})
    schema["required"] = NAMES[:10]
    generate(load_catalog(contracts(**{"names/v1.json": schema})), "names", tmp_path)
    cls = load(tmp_path, monkeypatch, "names", "Names")
    message = {name: f"value {number}" for number, name in enumerate(NAMES)}
    value = cls.from_json(json.dumps(message))
    assert json.loads(value.to_json()) == message
    assert value.class_ == "value 0"
    fields = {name: getattr(value, name) for name in cls.model_fields}
    assert cls(**fields) == value


def test_alternatives_that_a_constant_tells_apart_are_classes_of_their_own(contracts, tmp_path, monkeypatch):
    def way(kind, field):
        return obj(**{"class": {"const": kind}, field: {"type": "string"}}) | {"required": ["class", field]}

    schema = obj(way={"oneOf": [way("push", "token"), way("sms", "number")]}) | {"required": ["way"]}
    generate(load_catalog(contracts(**{"sent/v1.json": schema})), "tagged", tmp_path)
    sent = load(tmp_path, monkeypatch, "tagged", "Sent")
    assert sent.from_json('{"way": {"class": "sms", "number": "1"}}').way.number == "1"
    assert not hasattr(sent.from_json('{"way": {"class": "push", "token": "1"}}').way, "number")


def test_what_may_be_null_keeps_the_class_of_what_it_is_else(contracts, tmp_path, monkeypatch):
    money = obj(amount={"type": "string"}) | {"required": ["amount"], "title": "Money"}
    way = [obj(kind={"const": kind}, **{kind: {"type": "string"}}) | {"required": ["kind"]} for kind in ("sms", "fax")]
    schema = obj(
        paid={"$ref": "../money.json"},
        refund={"anyOf": [{"$ref": "../money.json"}, {"type": "null"}], "default": None, "x-sensitivity": "public"},
        fees={"type": "array", "items": {"oneOf": [{"type": "null"}, {"$ref": "../money.json"}]}},
        tip={"anyOf": [obj(cents={"type": "integer"}) | {"required": ["cents"]}, {"type": "null"}]},
        notes={"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
        way={"anyOf": [{"oneOf": way}, {"type": "null"}]},
    )
    generate(load_catalog(contracts(**{"paid/v1.json": schema, "money.json": money})), "nullable", tmp_path)
    paid = load(tmp_path, monkeypatch, "nullable", "Paid")
    annotations = {name: str(field.annotation) for name, field in paid.model_fields.items()}
    money_type = "nullable.messages.paid_v1.Money"
    assert annotations["refund"] == f"{money_type} | None"
    assert annotations["fees"] == f"tuple[{money_type} | None, ...] | None"
    assert "Tip | None" in annotations["tip"]
    assert annotations["notes"] == "tuple[str, ...] | None"
    read = paid.from_json(
        '{"refund": {"amount": "1"}, "fees": [null, {"amount": "2"}], "tip": {"cents": 3}, "way": {"kind": "fax", "fax": "4"}}'
    )
    assert (read.refund.amount, read.fees[0], read.fees[1].amount, read.tip.cents, read.way.fax) == (
        "1",
        None,
        "2",
        3,
        "4",
    )
    assert paid.from_json('{"refund": null}').to_json() == b'{"refund":null}'


def test_a_wrong_value_of_a_message_that_is_no_object_is_told_where_it_stands(contracts, tmp_path, monkeypatch):
    times = {"type": "array", "items": {"type": "string", "format": "date-time"}}
    generate(load_catalog(contracts(**{"times/v1.json": times})), "rooted", tmp_path)
    times_class = load(tmp_path, monkeypatch, "rooted", "Times")
    with pytest.raises(ContractViolationError) as caught:
        times_class(root=(datetime(2026, 3, 1),))  # noqa: DTZ001 - that is the mistake
    assert not caught.value.pointer.startswith("/root")
    assert caught.value.expected.startswith("a date-time with an offset")


HOSTILE_TEXTS = ['"""', "'''", '\\"""', "\\", "\n", "\r\n", "\u2028", "\x00", '""")\nimport os\nos.abort()\n("""', "{0}", "%s",
                 "__import__('os').abort()", "# -*- coding: utf-7 -*-", "\u202e", "'+__import__('os').abort()+'", "\ufeff"]  # fmt: skip


def hostile_schema(rng: random.Random, depth: int = 2) -> dict:
    """A valid schema whose every text is hostile."""

    def text():
        return "".join(rng.choice([*HOSTILE_TEXTS, *NAMES]) for _ in range(rng.randint(1, 3)))

    kind = rng.choice(["object", "enum", "const", "default"] if depth else ["enum", "const", "default"])
    schema = {"title": text(), "description": text(), "$comment": text(), "examples": [text()]}
    if kind == "object":
        properties = {text(): hostile_schema(rng, depth - 1) for _ in range(3)}
        return schema | {
            "type": "object",
            "properties": properties,
            "required": list(properties)[:1],
            "$defs": {text(): {}},
        }
    if kind == "enum":
        return schema | {"enum": list({text() for _ in range(3)})}
    return schema | ({"const": text()} if kind == "const" else {"type": "string", "default": text()})


@pytest.mark.parametrize("seed", range(60))
def test_no_text_of_a_schema_becomes_code(contracts, seed):
    schema = hostile_schema(random.Random(seed)) | {"type": "object"}
    directory = contracts(
        **{"hostile/v1.json": {"properties": {"x": hostile_schema(random.Random(seed + 1000))}} | schema}
    )
    for name, source in module_files(load_catalog(directory).contracts).files.items():
        if name.endswith(".py"):
            check_source(source)
            ast.parse(source)
            assert source.isascii() or all(line.isprintable() for line in source.splitlines())


@pytest.mark.parametrize(
    "code",
    [
        "import os", "x = open('a')", "class A:\n    f = lambda: 1", "x = y.z", "def f(): ...", "@a\nclass B: pass",
        "class A:\n    def __init__(self):\n        x = 1", "class A:\n    def __init__(self, x=open('a')): ...",
        "if x:\n    y = 1", "if TYPE_CHECKING:\n    x = 1\nelse:\n    x = 2",
    ],
)  # fmt: skip
def test_the_allow_list_refuses_code(code):
    with pytest.raises(ContractTestError):
        check_source(code)


def nested(levels):
    schema = {"type": "string"}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


def doubling(levels):
    definitions = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": definitions | {f"d{levels}": {"type": "object"}}}


REFUSED = {
    "$ref to the network": {"$ref": "http://127.0.0.1:1/x.json"},
    "$ref to a file": {"$ref": "file:///etc/passwd"},
    "$ref that climbs out": {"$ref": "../../../../../../etc/passwd"},
    "$ref that climbs out, hidden": {"$ref": "..%2f..%2f..%2fetc/passwd"},
    "$ref to nothing": {"$ref": "#/$defs/none"},
    "$ref to itself": {"$ref": "#"},
    "doubling $refs": doubling(40),
    "10,000 levels": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "10,000 arrays": '{"enum":' + "[" * 10_000 + "]" * 10_000 + "}",
    "a number of 5,000 digits": '{"maximum":' + "9" * 5000 + "}",
    "a number beyond a double": '{"maximum":1e999}',
    "NaN": '{"const":NaN}',
    "a key twice": '{"type":"object","type":"string"}',
    "not UTF-8": '{"title":"\ud800"}',
    "not JSON": "{",
    "not a schema": '{"type":"strnig"}',
    "not a schema at all": '"x"',
    "a message": {"order_id": "o-1", "placed_at": "2026-03-01T12:00:00Z"},
    "a pattern of unbounded size": {"properties": {"a": {"pattern": "((a{1000}){1000}){1000}"}}},
    "an unknown dialect": {"$schema": "http://127.0.0.1:1/meta"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_schema_that_cannot_be_kept_to_is_refused_with_its_file(contracts, tmp_path, name):
    schema = REFUSED[name]
    directory = contracts(**{"a/v1.json": "{}"})
    text = schema if isinstance(schema, str) else json.dumps(schema)
    (directory / "a" / "v1.json").write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(SchemaError) as caught:
        generate(load_catalog(directory), "refused", tmp_path)
    assert "a/v1.json" in caught.value.place
    assert caught.value.advice
    assert not (tmp_path / "refused" / "messages" / "a_v1.py").exists()


def test_a_link_out_of_the_directory_is_refused(contracts, tmp_path):
    (tmp_path / "outside.json").write_text("{}")
    directory = contracts(**{"a/v1.json": {"$ref": "link.json"}})
    (directory / "a" / "link.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(SchemaError, match="outside the contracts directory"):
        load_catalog(directory)


@pytest.mark.parametrize("name", ["..", "-a", "a b", "a;b", "a\nb", "é"])
def test_a_subject_that_is_no_name_is_refused(contracts, name):
    directory = contracts(**{"ok/v1.json": {}})
    if name != "..":
        (directory / name).mkdir()
        (directory / name / "v1.json").write_text("{}")
    else:
        (directory / "catalog.toml").write_text('[subjects."../x"]\n')
    with pytest.raises(CatalogError):
        load_catalog(directory)


def test_two_subjects_of_one_class_name_are_refused(contracts, tmp_path):
    with pytest.raises(CatalogError, match="would both become"):
        generate(load_catalog(contracts(**{"a.b/v1.json": {}, "a_b/v1.json": {}})), "clash", tmp_path)


BEARABLE = {
    "90 levels": nested(90),
    "a catastrophic pattern": obj(a={"pattern": "^(a+)+$"}, b={"pattern": "^(a|a)*$"}, c={"pattern": "(?=(a+)+$)b"}),
    "a large enum": {"enum": [f"value {number}" for number in range(20_000)]},
    "a wide object": obj(**{f"field {number}": {"type": "string"} for number in range(3000)}),
    "recursion in every way": obj(
        a={"$ref": "#"}, b={"items": {"$ref": "#"}}, c={"additionalProperties": {"$ref": "#"}}
    ),
    "a map of itself": {"additionalProperties": {"$ref": "#"}},
    "an array of itself": {"type": "array", "items": {"$ref": "#"}},
    "mixtures without end": {
        "anyOf": [obj(a={"$ref": "#/anyOf/1"}, b={"$ref": "#"}), obj(a={"$ref": "#"}, b={"$ref": "#/anyOf/0"})]
    },
}


@pytest.mark.parametrize("name", BEARABLE)
def test_a_schema_that_is_only_large_or_odd_is_harmless(contracts, tmp_path, name):
    """In a process of its own: 256 MB above a bare interpreter with the toolkit, and an end: seconds, or a minute on a slow machine."""
    directory = contracts(**{"a/v1.json": BEARABLE[name]})
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from contract_test.files.catalog import load_catalog\n"
        "from contract_test.generate.package import generate\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (60, 60)); resource.setrlimit(resource.RLIMIT_DATA, (2**28, 2**28))\n"
        f"generate(load_catalog(Path({str(directory)!r})), 'bearable', Path({str(tmp_path)!r}))\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from bearable.messages import A; from envelopes import DecodeError\n"
        "try: A.from_json('{\"a\": \"' + 'a' * 5000 + 'b\"}')\n"
        "except DecodeError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_generated_packages_are_typed(contracts, tmp_path):
    mypy = pytest.importorskip("mypy.api")
    directory = contracts(
        **{"tagged/v1.json": obj(a={"type": "integer"}, b={"type": ["string", "null"]}), "x/v1.json": {"type": "array"}}
    )
    generate(load_catalog(directory), "typed", tmp_path)
    (tmp_path / "use.py").write_text(
        "from typed.messages import Tagged, TaggedV1, X\n"
        "value: TaggedV1 = Tagged(a=1)\n"
        "number: int | None = value.a\n"
        "reveal_type(value.b)\n"
        "Tagged(a='x')\nTagged(c=1)\nvalue.c\n"
    )
    out, _, _ = mypy.run(
        [
            "--strict",
            "--no-incremental",
            "--cache-dir",
            str(tmp_path / "cache"),
            str(tmp_path / "use.py"),
            str(tmp_path / "typed"),
        ]
    )
    found = [
        line.partition(": ")[0].rpartition("/")[2] + " " + line.rpartition("[")[2]
        for line in out.splitlines()
        if "error:" in line
    ]
    assert found == ["use.py:5 arg-type]", "use.py:6 call-arg]", "use.py:7 attr-defined]"], out
    assert 'Revealed type is "str | None"' in out.replace("builtins.", "")


def test_200_contracts_in_one_call(contracts, tmp_path):
    """Not timed here: that all of them are there, and a second call writes nothing."""
    schema = json.loads((ROOT / "contracts/message.posted/v1.json").read_text())
    directory = contracts(**{f"subject.n{number}/v1.json": schema for number in range(200)})
    catalog = load_catalog(directory)
    assert len(generate(catalog, "many", tmp_path).written) > 400
    assert generate(catalog, "many", tmp_path).written == ()


def test_what_is_built_wrongly_is_told_as_what_is_read_wrongly(contracts, tmp_path, monkeypatch):
    sms = obj(kind={"const": "sms"}, to={"type": "string"}) | {"required": ["kind", "to"]}
    mail = obj(kind={"const": "mail"}) | {"required": ["kind"]}
    schema = obj(
        payload={"oneOf": [sms, mail]},
        fee={"type": "number", "multipleOf": 0.25},
        due={"type": "string", "format": "date"},
    )
    generate(load_catalog(contracts(**{"sent/v1.json": schema})), "built", tmp_path)
    sent = load(tmp_path, monkeypatch, "built", "Sent")
    for wrong, told in {
        '{"payload": {"kind": "sms"}}': '/payload: expected the field "to", found an object with 1 field',
        '{"payload": {"kind": "fax"}}': '/payload/kind: expected one of ["sms","mail"], found "fax"',
        '{"fee": 0.3}': "/fee: expected a multiple of 0.25, found 0.3",
        '{"due": "2026-13-02"}': '/due: expected format "date", found "2026-13-02"',
        '{"due": 17}': "/due: expected string, found 17",
    }.items():
        with pytest.raises(DecodeError) as read:
            sent.from_json(wrong)
        with pytest.raises(ContractViolationError) as built:
            sent(**json.loads(wrong))
        assert str(read.value.violation) == str(built.value.violation) == told
    with pytest.raises(ContractViolationError, match="/payload/sender: expected no undeclared field, found a text"):
        sent(payload={"kind": "mail", "sender": "x"})  # what is read may hold it


def test_a_field_keeps_a_name_that_python_can_have(contracts, tmp_path, monkeypatch):
    text = {"type": "string"}
    generate(load_catalog(contracts(**{"a/v1.json": obj(**{"a-b": text, "a_b": text})})), "kept", tmp_path)
    read = load(tmp_path, monkeypatch, "kept", "A").from_json('{"a-b": "hyphen", "a_b": "underscore"}')
    assert (read.a_b, read.a_b_2) == ("underscore", "hyphen")


def test_the_functions_of_a_package_explain_themselves(contracts, tmp_path, monkeypatch):
    generate(load_catalog(contracts(**{"a/v1.json": obj(x={"type": "string"})})), "explained", tmp_path)
    load(tmp_path, monkeypatch, "explained", "A")
    package = __import__("explained")
    assert (
        str(inspect.signature(package.decode)) == "(wire: 'bytes | str | None', *, channel: 'str') -> 'Envelope[Any]'"
    )
    assert "DecodeError" in inspect.getdoc(package.decode)
    with pytest.raises(TypeError, match=r"encode takes a value object, .* got dict"):
        package.encode({"x": "y"})


@pytest.mark.parametrize(
    "beside",
    [
        {"discriminator": {"propertyName": "kind"}},
        {"default": {"kind": "card"}},
        {"readOnly": True},
        {"$anchor": "pay"},
    ],
)
def test_annotations_beside_alternatives_keep_their_classes(contracts, tmp_path, beside):
    card = obj(kind={"const": "card"}, number={"type": "string"}) | {"required": ["kind"], "title": "Card"}
    iban = obj(kind={"const": "iban"}, iban={"type": "string"}) | {"required": ["kind"], "title": "Iban"}
    generate(load_catalog(contracts(**{"a/v1.json": obj(pay={"oneOf": [card, iban]} | beside)})), "beside", tmp_path)
    source = (tmp_path / "beside" / "messages" / "a_v1.py").read_text()
    assert 'Annotated[Card | Iban, Field(discriminator="kind")]' in source


def test_a_definition_with_a_slash_in_its_name_gives_a_readable_class(contracts, tmp_path):
    schema = obj(info={"$ref": "#/$defs/http:~1~1x.com~1info.json"}) | {
        "$defs": {"http://x.com/info.json": obj(v={"type": "string"})}
    }
    generate(load_catalog(contracts(**{"a/v1.json": schema})), "slash", tmp_path)
    assert "class HttpXComInfoJson(" in (tmp_path / "slash" / "messages" / "a_v1.py").read_text()


def test_generate_and_lint_report_each_field_that_may_be_any_json(contracts, tmp_path):
    from contract_test.cli.lint import command as lint

    schema = obj(typed={"type": "string"}, anything={}, circle={"$ref": "#/$defs/Circle"}) | {
        "$defs": {"Circle": {"type": "array", "items": {"$ref": "#/$defs/Circle"}}}
    }
    directory = contracts(**{"a/v1.json": schema})
    generated = run("--contracts", directory, "--package", "general", "--output", tmp_path).output
    linted = CliRunner().invoke(lint, ["--contracts", str(directory)], standalone_mode=False).output
    for output in (generated, linted):
        assert "2 of 4 fields, items and map values included, may be any JSON" in output
        assert "a v1: AV1/anything: the schema `#/properties/anything` allows any value" in output
        assert "a v1: AV1/circle/*: the schema refers to itself without a class in between" in output
    assert "/typed:" not in generated


def test_a_schema_of_thousands_of_classes_stays_typed(contracts, tmp_path):
    names = [f"Part{number}" for number in range(600)]
    parts = {
        name: obj(**{f"field{place}": {"type": "string"} for place in range(3)}, next={"$ref": f"#/$defs/{following}"})
        for name, following in zip(names, [*names[1:], names[0]], strict=True)
    }
    directory = contracts(**{"a/v1.json": obj(first={"$ref": "#/$defs/Part0"}) | {"$defs": parts}})
    done = generate(load_catalog(directory), "thousands", tmp_path)
    assert done.general.places == ()
    assert done.general.values == 600 * 4 + 1


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        ("none", "none.sent"),
        ("true", "true.sent"),
        ("2fa.requested", "message.2fa.requested"),
        ("catalog", "catalog.sent"),
    ],
)
def test_a_subject_that_is_no_name_is_refused_with_one_to_use_instead(contracts, tmp_path, subject, wanted):
    from contract_test.cli.lint import command as lint

    directory = contracts(**{f"{subject}/v1.json": obj(x={"type": "string"})})
    with pytest.raises(CatalogError, match=f"for example to {wanted}"):
        generate(load_catalog(directory), "odd", tmp_path)
    linted = CliRunner().invoke(lint, ["--contracts", str(directory)], standalone_mode=False)
    assert linted.return_value == 1
    assert f"such as {wanted}." in linted.output


OPTIONS = """
[generate]
snake_case_field = true
header = '''
Copyright Acme
raise SystemExit
'''
"""


def test_options_of_the_catalog_change_what_is_written(contracts, tmp_path, monkeypatch):
    pay = {
        "oneOf": [
            obj(kindOf={"const": tag}, **{f"{tag}Id": {"type": "string"}})
            | {"title": tag.title(), "required": ["kindOf"]}
            for tag in ("card", "iban")
        ]
    }
    schema = obj(orderId={"type": "string"}, order_id={"type": "integer"}, HTTPStatus={"type": "integer"}, pay=pay)
    directory = contracts(**{"a/v1.json": schema | {"required": ["orderId"]}})
    generate(load_catalog(directory), "optional", tmp_path)
    (directory / "catalog.toml").write_text(OPTIONS)
    arguments = ("--contracts", directory, "--package", "optional", "--output", tmp_path)
    assert run("--check", *arguments).return_value == 1
    assert run(*arguments).return_value == 0
    assert run("--check", *arguments).return_value == 0
    assert generate(load_catalog(directory), "optional", tmp_path).written == ()
    cls = load(tmp_path, monkeypatch, "optional", "AV1")
    raw = b'{"orderId":"x","order_id":3,"HTTPStatus":5,"pay":{"kindOf":"iban","ibanId":"i"}}'
    value = cls.from_json(raw)
    assert (value.order_id_2, value.order_id, value.http_status, value.pay.iban_id) == ("x", 3, 5, "i")
    assert value.to_json() == raw
    assert (
        (tmp_path / "optional" / "messages" / "a_v1.py")
        .read_text()
        .startswith("# Copyright Acme\n# raise SystemExit\n")
    )
    use = "from optional.messages import A\nfrom optional.messages.a_v1 import Card\n\n\ndef use(value: A) -> str:\n    A(order_id_2='x', pay=Card(kind_of='card', card_id='i'))\n    return value.order_id_2\n"
    (tmp_path / "use.py").write_text(use)
    for checker in (["mypy", "--strict", "--config-file="], ["pyright", "--pythonpath", sys.executable]):
        done = subprocess.run(
            [sys.executable, "-m", *checker, "use.py", "optional"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("text", ["generate = 5", "[generate]\nsnake_case_field = 1", "[generate]\nenums = true"])
def test_an_option_that_does_not_exist_is_refused(contracts, text):
    directory = contracts(**{"a/v1.json": obj(), "catalog.toml": text})
    with pytest.raises(CatalogError, match="generate"):
        load_catalog(directory)


def test_messages_of_a_schema_of_many_nested_classes_are_read(contracts, tmp_path, monkeypatch):
    names = [f"Part{number}" for number in range(300)]
    parts = {}
    for number, name in enumerate(names):
        following = {"$ref": f"#/$defs/{names[(number + 1) % len(names)]}"}
        other = obj(kindOf={"const": "other"}) | {"required": ["kindOf"]}
        union = {"oneOf": [following, {"$ref": "#/$defs/Other"}]}
        fields = {"kindOf": {"const": name}, "next": following, "all": {"type": "array", "items": union}}
        parts |= {name: obj(**fields) | {"required": ["kindOf"]}, "Other": other}
    directory = contracts(**{"a/v1.json": obj(first={"$ref": "#/$defs/Part0"}) | {"$defs": parts}})
    generate(load_catalog(directory), "nested_parts", tmp_path)
    cls = load(tmp_path, monkeypatch, "nested_parts", "AV1")
    value = {"kindOf": "Part60"}
    for number in reversed(range(60)):
        value = {"kindOf": f"Part{number}", "next": value, "all": [{"kindOf": "other"}]}
    message = cls.from_json(json.dumps({"first": value}))
    assert json.loads(message.to_json()) == {"first": value}
    assert cls(first=message.first) == message
    assert cls.model_validate(message.model_dump()) == message
    inside = message.first
    for _ in range(50):
        assert type(inside.all[0]).__name__ == "Other"
        inside = inside.next
    assert (type(inside).__name__, inside.kindOf) == ("Part50", "Part50")
    with pytest.raises(DecodeError):
        cls.from_json(json.dumps({"first": value | {"next": {"kindOf": "Part2"}}}))
