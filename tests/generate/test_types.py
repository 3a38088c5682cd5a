"""The types of generated classes: kept wherever the schema says them, at run time and for type checkers."""

import importlib
import json
import re
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import pytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate
from envelopes import ContractViolationError, DecodeError

from .typed_contracts import CONTRACTS, DEFINITIONS, MERGED, USE


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("types")
    for subject, schema in CONTRACTS.items():
        (folder / "contracts" / subject).mkdir(parents=True)
        (folder / "contracts" / subject / "v1.json").write_text(json.dumps(schema | {"$defs": DEFINITIONS}))
    generate(load_catalog(folder / "contracts"), "typed_contracts_package", folder)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture
def read(package):
    """A function that reads a message of a subject from a Python value."""
    messages = importlib.import_module("typed_contracts_package.messages")
    return lambda subject, **message: getattr(messages, subject.title()).from_json(json.dumps(message))


def module(subject):
    return importlib.import_module(f"typed_contracts_package.messages.{subject}_v1")


@pytest.mark.parametrize("checker", [["mypy", "--strict", "--no-error-summary", "--config-file="], ["pyright"]])
def test_type_checkers_see_the_types_of_the_schema(package, checker):
    use = package / "use_types.py"
    use.write_text(USE.format(package="typed_contracts_package"))
    more = ["--pythonpath", sys.executable] if checker == ["pyright"] else []
    done = subprocess.run(
        [sys.executable, "-m", *checker, *more, "use_types.py", "typed_contracts_package"],
        capture_output=True, text=True, cwd=package, check=False,
    )  # fmt: skip
    found = set(re.findall(r"(\w+\.py:\d+):(?:\d+ -)? error", done.stdout))
    lines = enumerate(use.read_text().splitlines(), start=1)
    assert found == {f"use_types.py:{number}" for number, line in lines if line.endswith("# error")}, done.stdout


@pytest.mark.parametrize(
    ("checker", "sign"), [(["mypy", "--strict", "--config-file=", "--enable-error-code=deprecated"], "[deprecated]"), (["pyright"], "reportDeprecated")]
)  # fmt: skip
def test_type_checkers_report_the_use_of_a_deprecated_field(package, checker, sign):
    use = "# pyright: reportDeprecated=error\nfrom typed_contracts_package.messages import Listed\n\n\ndef use(value: Listed) -> str | None:\n    print(value.level)\n"
    (package / "use_deprecated.py").write_text(f"{use}    return value.old\n")
    more = ["--pythonpath", sys.executable] if checker == ["pyright"] else []
    done = subprocess.run(
        [sys.executable, "-m", *checker, *more, "use_deprecated.py"],
        capture_output=True, text=True, cwd=package, check=False,
    )  # fmt: skip
    assert re.findall(r"use_deprecated\.py:(\d+)", done.stdout.replace(str(package / "use_deprecated.py\n"), "")) == [
        "7"
    ]
    assert sign in done.stdout


def test_the_values_of_maps_are_classes(read):
    value = read("maps", places={"a": {"zip": "1", "since": "2026-03-01T12:00:00Z"}}, listed={"p-1": [{"zip": "2"}]})
    assert value.places["a"].since == datetime.fromisoformat("2026-03-01T12:00:00Z")
    assert value.listed["p-1"][0].zip == "2"
    place = module("maps").Place(zip="3", since=datetime.fromisoformat("2026-03-01T12:00:00+00:00"))
    built = type(value)(places={"b": place})
    assert built.to_json() == b'{"places":{"b":{"zip":"3","since":"2026-03-01T12:00:00Z"}}}'


def test_a_class_holds_itself_in_lists_maps_and_unions(read):
    value = read(
        "trees",
        root={"children": [{"children": [{"label": "x"}]}], "by_name": {"y": {"label": "z"}}},
        itself={"itself": None, "root": {"label": "r"}},
        when={"op": "all", "parts": [{"op": "all", "parts": []}, {"op": "literal", "value": "v"}]},
    )
    assert value.root.children[0].children[0].label == "x"
    assert value.root.by_name["y"].label == "z"
    assert value.itself.root.label == "r"
    assert [type(part).__name__ for part in value.when.parts] == ["All", "Leaf"]


@pytest.mark.parametrize(("door", "name"), [(1, "Left"), (1.0, "Left"), (True, "Right")])
def test_a_tag_may_be_a_number_or_a_boolean(read, door, name):
    value = read("unions", door={"door": door, "left": 2, "right": 3})
    assert type(value.door).__name__ == name
    assert json.loads(value.to_json())["door"]["door"] is not (not door)
    with pytest.raises(DecodeError):
        read("unions", door={"door": 2})


def test_unions_of_unions_conditionals_and_tags_with_a_default_are_classes(read):
    value = read(
        "unions", door={"door": 1}, event={"t": "b"}, defaulted={"number": 4}, switch={"mode": "fast", "speed": 5}
    )
    assert type(value.event).__name__ == "Bob"
    assert (type(value.defaulted).__name__, value.defaulted.kind, value.defaulted.number) == ("Card", "card", 4)
    assert value.switch.speed == 5
    assert not hasattr(value.switch, "reason")
    assert b"card" not in value.to_json()
    other = read("unions", door={"door": 1}, defaulted={"kind": "iban"}, switch={"mode": "slow", "reason": "r"})
    assert (type(other.defaulted).__name__, other.switch.reason) == ("Iban", "r")


def test_closed_alternatives_are_classes_and_open_ones_keep_what_they_agree_on(read):
    value = read("alike", closed={"zip": "1", "since": "2026-03-01T12:00:00Z"}, open={"id": 1, "b": "x"})
    assert (type(value.closed).__name__, value.closed.since.year) == ("Street", 2026)
    assert (value.open.id, value.open.b) == (1, "x")
    box = read("alike", closed={"box": 3}, open={"id": 1, "a": "x"}).closed
    assert (type(box).__name__, box.box) == ("Box", 3)
    rebuilt = type(value)(closed=box, open=value.open)
    assert json.loads(rebuilt.to_json())["closed"] == {"box": 3}


def test_names_that_a_pattern_describes_are_kept_and_others_are_ignored(read):
    value = read(
        "patterns",
        open={"p-1": {"zip": "1"}, "other": 5},
        extended={"name": "n", "x-note": [1], "other": 5},
        typed={"n-1": 1},
        paths={"/a": {"zip": "2"}, "x-note": None},
        lines={"a": 1, "two\nlines": 2},
        listed={"left": 1},
        needed={"a": 1, "b": 2},
    )
    assert (value.open["p-1"].zip, list(value.open)) == ("1", ["p-1"])
    assert dict(value.extended.additional_properties) == {"x-note": (1,)}
    assert value.typed.additional_properties["n-1"] == 1
    assert (value.paths.additional_properties["/a"].zip, dict(value.paths.extensions)) == ("2", {"x-note": None})
    assert list(value.lines) == ["a"]
    assert (value.needed.a, dict(value.needed.additional_properties)) == (1, {"b": 2})
    assert json.loads(value.to_json()) == {
        "open": {"p-1": {"zip": "1"}}, "extended": {"name": "n", "x-note": [1]}, "typed": {"n-1": 1},
        "paths": {"/a": {"zip": "2"}, "x-note": None}, "lines": {"a": 1}, "listed": {"left": 1}, "needed": {"a": 1, "b": 2},
    }  # fmt: skip
    assert type(value).model_validate(value.model_dump()) == value
    assert type(value)(**{name: getattr(value, name) for name in type(value).model_fields}) == value


@pytest.mark.parametrize(
    ("name", "arguments", "pointer"),
    [
        ("PatternsV1", {"open": {"other": {"zip": "1"}}}, "/open"),
        ("Extended", {"additional_properties": {"other": 1}}, "/other"),
        ("Paths", {"additional_properties": {"x-a": 1}}, "/x-a"),
        ("Paths", {"extensions": {"/a": 1}}, "/~1a"),
        ("Extended", {"additional_properties": {"name": "n"}}, "/name"),
        ("Extended", {"additional_properties": 5}, "/additional_properties"),
    ],
)
def test_building_refuses_names_that_no_pattern_describes(package, name, arguments, pointer):
    with pytest.raises(ContractViolationError) as caught:
        getattr(module("patterns"), name)(**arguments)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    ("field", "message", "name"),
    [
        ("either", {"$ref": "#/a"}, "Reference"),
        ("either", {"name": "n", "x-a": 1}, "Item"),
        ("conditional", {"$ref": "#/a"}, "Reference"),
        ("conditional", {"zip": "1"}, "Place"),
        ("exclusive", {"$ref": "#/a", "name": 5}, "Link"),
        ("exclusive", {"name": "n"}, "Named"),
        ("mixed", {"t": "a", "n": 1}, "Ann"),
        ("mixed", {"t": "b", "n": "1"}, "Bob"),
        ("mixed", {"$ref": "#/a"}, "Mixed"),
        ("mixed", {"note": "x"}, "Mixed"),
    ],
)
def test_a_field_that_only_one_alternative_has_tells_its_class(read, field, message, name):
    value = read("presence", **{field: message})
    assert type(getattr(value, field)).__name__ == name
    assert json.loads(value.to_json()) == {field: message}


def test_a_field_that_is_not_there_may_choose_a_branch(read):
    newest, pinned = read("presence", binding={"speed": 1}), read("presence", binding={"v": "1"})
    assert (newest.binding.speed, pinned.binding.v) == (1, "1")
    assert not hasattr(pinned.binding, "speed")


def test_fields_that_another_field_brings_are_kept(read):
    fields = {"how": "post", "speed": 3, "x-note": 4}
    value = read("dependent", open=fields)
    assert (value.open.speed, list(type(value.open).model_fields)) == (3, ["additional_properties", "how", "speed"])
    assert json.loads(value.to_json()) == {"open": fields}
    with pytest.raises(DecodeError):
        read("dependent", open=fields | {"speed": "fast"})
    assert read("dependent", open={"speed": "fast"}).open.speed == "fast"
    assert read("dependent", closed={"how": "post", "speed": 3.0, "style": "x"}).closed.speed == 3


def test_one_schema_is_one_class_however_it_is_referred_to(read):
    value = read("wrapped", plain={"zip": "1"}, titled={"zip": "1"}, typed={"zip": "1"})
    assert value.plain == value.titled == value.typed == value.defaulted
    assert type(value)(titled=value.plain).titled == value.plain


def test_listed_values_tuples_and_decimals(read):
    listed = {"level": "low", "size": 1, "mixed": 7, "point": [1, "a"]}
    value = read("listed", **listed)
    assert (value.level, value.size, value.mixed, value.point) == ("low", 1, 7, (1, "a"))
    assert read("listed", **listed | {"size": None, "mixed": False}).size is None
    assert json.loads(read("listed", **listed | {"size": 2.0}).to_json())["size"] == 2
    cls = type(value)
    exact = cls.from_json(json.dumps(listed)[:-1].encode() + b', "price": 1.10}')
    assert exact.price == Decimal("1.10")
    assert str(exact.price) == "1.10"
    assert b'"price":1.10' in exact.to_json()
    assert b'"price":1.10' in cls(**listed, price=Decimal("1.10")).to_json()
    with pytest.raises(ContractViolationError):
        cls(**listed, price=Decimal("NaN"))


def test_a_decimal_in_a_text_is_read_from_the_text_and_keeps_it(read):
    listed = {"level": "low", "size": 1, "mixed": 7, "point": [1, "a"]}
    value = read("listed", **listed, fee="01.10")
    assert (value.fee, str(value.fee)) == (Decimal("1.10"), "1.10")
    assert json.loads(value.to_json())["fee"] == "01.10"
    assert type(value)(**listed | {"point": (1, "a")}, fee=Decimal("1.10")).to_json().endswith(b'"fee":"1.10"}')
    assert type(value)(**listed | {"point": (1, "a")}, fee=Decimal("1.50") * 2).fee == 3
    assert type(value)(**listed | {"point": (1, "a")}, fee=Decimal(12300).normalize() / 100).fee == 123
    for fee in (Decimal("1.1"), Decimal("NaN"), Decimal("1e5000"), 1.1):
        with pytest.raises(ContractViolationError) as caught:
            type(value)(**listed | {"point": (1, "a")}, fee=fee)
        assert caught.value.pointer == "/fee"


def test_the_default_of_any_type_is_the_value_of_an_absent_field(read):
    value = read("defaults")
    assert (value.count, value.ratio, value.names, value.maybe, value.size) == (3, 0, ("a",), "x", 2)
    assert value.place == module("defaults").Place(zip="1")
    assert value.at == datetime.fromisoformat("2026-01-01T00:00:00Z")
    assert dict(value.labels) == {"a": 1}
    assert value.wrong is None
    assert value.to_json() == b"{}"
    assert type(value)().to_json() == b"{}"
    assert read("defaults", maybe=None).maybe is None


def test_the_default_of_a_field_that_several_schemas_describe_is_the_value_of_an_absent_field(read):
    value = read("merged", all={}, any={"a": "x"})
    merged = module("merged")
    held = {name: getattr(value.all, name) for name in MERGED}
    at, day = datetime.fromisoformat("2026-01-01T00:00:00Z"), date(2026, 1, 1)
    assert held == MERGED | {"names": ("a",), "place": merged.Place(zip="1"), "at": at, "day": day}
    assert (value.any.count, value.any.other) == (3, None)
    assert value.to_json() == b'{"all":{},"any":{"a":"x"}}'


def test_defaults_are_read_as_the_types_of_their_fields(read):
    value = read("defaults")
    assert (value.many, value.level, dict(value.tags)) == ((1, 2), "low", {"a": ("b",)})
    assert (value.fee, type(value.rule).__name__, value.form.zip) == ((Decimal("1.10"),), "Leaf", "1")
    assert value.soon is None


def test_null_beside_a_definition_of_listed_values_is_read(read):
    message = {"maybe": None, "either": 1, "empty": {}, "loose": {"zip": "1"}}
    value = read("named", **message)
    assert (value.maybe, value.either, value.loose.zip) == (None, 1, "1")
    assert json.loads(value.to_json()) == message
    with pytest.raises(DecodeError):
        read("named", **message | {"level": None})


def test_a_value_that_is_no_object_is_kept_where_the_schema_has_no_type(read):
    message = {"maybe": "low", "either": {"a": ["b"]}, "empty": {}, "loose": [1, {"a": 1.0}]}
    value = read("named", **message)
    assert value.either["a"] == ("b",)
    assert json.loads(value.to_json()) == message
    for loose in (5, None, "x", True):
        assert read("named", **message | {"loose": loose}).loose == loose
    assert type(value)(maybe=None, either="low", empty=value.empty, loose=7).loose == 7


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


def test_an_enum_of_your_own_can_be_used_for_listed_texts(read):
    value = read("listed", level="low", size=1.0, mixed="x", point=[1, "a"])
    assert Level(value.level) is Level.LOW
    assert b'"size":1.0' in value.to_json()  # a member of an enum would write 1
    built = type(value)(level=Level.HIGH, size=1, mixed="x", point=(1, "a"))
    assert json.loads(built.to_json())["level"] == "high"
