"""Value objects inside pydantic models, TypeAdapter and FastAPI: the contract holds in both directions."""

import json
import pickle
from dataclasses import field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import jsonschema_rs
import pytest
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient
from openapi_spec_validator import validate as validate_openapi
from pydantic import BaseModel, ConfigDict, Field, RootModel, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticSerializationError

from envelopes import EncodeError, FrozenMap, ValueObject
from envelopes._compiled import compiled_model

TICKET = {
    "type": "object",
    "required": ["ticket", "class"],
    "properties": {
        "ticket": {"type": "string", "pattern": "^t-[0-9]+$"},
        "class": {"enum": ["first", "second"]},
        "from": {"$ref": "#/$defs/Stop"},
        "price": {"type": "number", "minimum": 0},
        "bought": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "seat": {"type": ["string", "null"]},
        "free": {},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "patternProperties": {"^x_": {"type": "string"}},
    "$defs": {
        "Stop": {
            "type": "object",
            "required": ["id", "in"],
            "properties": {"id": {"type": "integer"}, "in": {"type": "string", "minLength": 1}},
        }
    },
}
CLOSED = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["kind"],
    "additionalProperties": False,
    "properties": {
        "kind": {"enum": ["closed"]},
        "size": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        "pair": {"type": "array", "items": [{"type": "string"}], "additionalItems": False},
        "stop": {"$ref": "#/definitions/Stop", "maxProperties": 0},
    },
    "dependencies": {"size": ["pair"]},
    "definitions": {
        "Stop": {"type": "object", "properties": {"next": {"$ref": "#/definitions/Stop"}, "n": {"type": "string"}}}
    },
}
OPENED = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"const": "opened"}, "door": {"type": "integer"}},
}
BATCH = {
    "type": "array",
    "items": {"$ref": "#/$defs/Stop"},
    "$defs": {"Stop": {"type": "object", "properties": {"in": {"type": "string"}}}},
}
TREE = {"type": "object", "properties": {"leaf": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#"}}}}
RAW = {
    "ticket": "t-1",
    "class": "first",
    "from": {"id": 1, "in": "Kiruna"},
    "bought": "2026-03-01T12:00:00.50+01:00",
    "seat": None,
    "tags": {"a": "b"},
    "x_note": "window",
}


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    from contract_test.files.catalog import load_catalog
    from contract_test.generate.package import generate

    folder = tmp_path_factory.mktemp("inside")
    subjects = {"ticket": TICKET, "closed": CLOSED, "opened": OPENED, "batch": BATCH, "tree": TREE}
    for subject, schema in subjects.items():
        (folder / "contracts" / subject).mkdir(parents=True)
        (folder / "contracts" / subject / "v1.json").write_text(json.dumps(schema))
    generate(load_catalog(folder / "contracts"), "inside_package", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield __import__("inside_package.messages", fromlist=["Ticket"])


@pytest.fixture
def ticket(classes):
    return classes.Ticket.from_value(RAW)


def parent_of(cls):
    class Parent(BaseModel):
        event: cls
        others: list[cls] = []

    return Parent


BROKEN = [
    ({"ticket": "BAD"}, ("ticket",), "/ticket"),
    ({"from": {"id": 1, "in": ""}}, ("from", "in"), "/from/in"),
    ({"x_note": 1}, ("x_note",), "/x_note"),
    ({"bought": "yesterday"}, ("bought",), "/bought"),
    ({"day": datetime(2026, 3, 1, tzinfo=UTC)}, ("day",), "/day"),
    ({"free": {1, 2}}, ("free",), "/free"),
    ({"tags": {1: "b"}}, ("tags",), "/tags"),
    ({"price": float("nan")}, ("price",), "/price"),
]


@pytest.mark.parametrize(("change", "steps", "pointer"), BROKEN)
def test_what_breaks_the_contract_is_a_validation_error_at_its_place(classes, change, steps, pointer):
    parent = parent_of(classes.Ticket)
    for read, prefix in (
        (classes.Ticket.model_validate, ()),
        (TypeAdapter(classes.Ticket).validate_python, ()),
        (TypeAdapter(list[classes.Ticket]).validate_python, (1,)),
        (lambda value: parent.model_validate({"event": value}), ("event",)),
        (RootModel[classes.Ticket].model_validate, ()),
    ):
        value = RAW | change
        with pytest.raises(ValidationError) as caught:
            read([RAW, value] if prefix == (1,) else value)
        (error,) = caught.value.errors()
        assert (error["type"], error["loc"], error["ctx"]["pointer"]) == (
            "contract_violation",
            (*prefix, *steps),
            pointer,
        )
        assert "ticket v1" in error["msg"]
        assert pointer in error["msg"]


@pytest.mark.parametrize("text", ['{"ticket":"BAD","class":"first"}', '{"ticket":"t-1"}', "[]", "null", "{"])
def test_json_that_breaks_the_contract_is_a_validation_error(classes, text):
    for read in (
        classes.Ticket.model_validate_json,
        TypeAdapter(classes.Ticket).validate_json,
        lambda text: parent_of(classes.Ticket).model_validate_json(f'{{"event":{text}}}'),
    ):
        with pytest.raises(ValidationError):
            read(text)


def test_an_error_names_the_class_and_shows_no_whole_message(classes):
    with pytest.raises(ValidationError) as caught:
        classes.Ticket.model_validate({"ticket": "t-1", "free": "secret"})
    assert str(caught.value).startswith("1 validation error for TicketV1\n")
    assert "secret" not in str(caught.value)


def test_all_violations_are_told(classes):
    with pytest.raises(ValidationError) as caught:
        classes.Ticket.model_validate(RAW | {"ticket": "BAD", "price": -1})
    assert [error["loc"] for error in caught.value.errors()] == [("ticket",), ("price",)]


@pytest.mark.parametrize("value", [{"kind": "closed", "undeclared": 1}, {"kind": "closed", "size": 0, "pair": ["a"]}])
def test_keywords_that_no_field_can_say_are_checked(classes, value):
    for read in (classes.Closed.model_validate, TypeAdapter(classes.Closed).validate_python):
        with pytest.raises(ValidationError):
            read(value)


def test_python_names_are_not_read_as_json_names(classes):
    named = {"class_" if name == "class" else name: value for name, value in RAW.items()}
    for read in (classes.Ticket.model_validate, TypeAdapter(classes.Ticket).validate_python):
        with pytest.raises(ValidationError, match="class"):
            read(named)
    named["from_"] = {"id": 1, "in_": "Kiruna"}
    del named["from"], named["x_note"]
    assert classes.Ticket.model_validate(named, by_name=True).from_.in_ == "Kiruna"
    with pytest.raises(ValidationError, match="/from/in"):
        classes.Ticket.model_validate(named | {"from_": {"id": 1, "in_": ""}}, by_name=True)


def test_strings_are_read_as_what_the_contract_asks_for(classes):
    made = classes.Ticket.model_validate_strings(
        {"ticket": "t-1", "class": "first", "price": "9.5", "day": "2026-03-01"}
    )
    assert made.to_json() == b'{"ticket":"t-1","class":"first","price":9.5,"day":"2026-03-01"}'
    for wrong in ({"ticket": "BAD", "class": "first"}, {"ticket": "t-1", "class": "first", "price": "-1"}):
        with pytest.raises(ValidationError, match="ticket v1 at"):
            classes.Ticket.model_validate_strings(wrong)
    with pytest.raises(ValidationError, match="undeclared"):
        classes.Closed.model_validate_strings({"kind": "closed", "undeclared": "1"})


def test_attributes_are_read_where_pydantic_is_asked_to(classes):
    class Row:
        kind, door = "opened", 3

    assert classes.Opened.model_validate(Row(), from_attributes=True).door == 3
    with pytest.raises(ValidationError, match="valid dictionary"):
        classes.Opened.model_validate(Row())
    Row.door = "three"
    with pytest.raises(ValidationError, match="/door"):
        classes.Opened.model_validate(Row(), from_attributes=True)


def test_json_is_what_to_json_writes_wherever_it_is_written(classes, ticket):
    text = ticket.to_json().decode()
    parent = parent_of(classes.Ticket)(event=ticket, others=[ticket])

    @dataclass
    class Holder:
        event: classes.Ticket
        others: tuple[classes.Ticket, ...] = field(default=())

    class Loose(BaseModel):
        event: Any
        base: ValueObject

    assert ticket.model_dump_json() == text
    assert TypeAdapter(classes.Ticket).dump_json(ticket).decode() == text
    assert parent.model_dump_json() == parent.model_dump_json(by_alias=True) == f'{{"event":{text},"others":[{text}]}}'
    assert parent.model_dump(mode="json") == {"event": json.loads(text), "others": [json.loads(text)]}
    assert TypeAdapter(Holder).dump_json(Holder(ticket)).decode() == f'{{"event":{text},"others":[]}}'
    assert RootModel[classes.Ticket](ticket).model_dump_json() == text
    assert Loose(event=ticket, base=ticket).model_dump_json() == f'{{"event":{text},"base":{text}}}'


def test_python_mode_keeps_values_and_names_and_leaves_the_absent_out(classes, ticket):
    expected = {
        "ticket": "t-1",
        "class_": "first",
        "from_": {"id": 1, "in_": "Kiruna"},
        "bought": datetime.fromisoformat("2026-03-01T12:00:00.50+01:00"),
        "seat": None,
        "tags": {"a": "b"},
        "additional_properties": {"x_note": "window"},
    }
    assert ticket.model_dump() == expected
    assert parent_of(classes.Ticket)(event=ticket).model_dump() == {"event": expected, "others": []}
    assert ticket.model_dump(by_alias=True) == RAW | {"bought": expected["bought"]}
    assert type(ticket.model_dump()["tags"]) is dict


MODES = [{}, {"mode": "json"}, {"by_alias": True}, {"mode": "json", "by_alias": True}, {"exclude_unset": True}]
MESSAGES = [
    ("Ticket", RAW),
    ("Ticket", RAW | {"free": [1, 1.5, True, None, {"class_": {"from_": 2}}]}),
    ("Ticket", {"ticket": "t-1", "class": "first", "x_class_": "a"}),
    ("Batch", [{"in": "Kiruna"}, {}]),
    ("Tree", {"kids": [{"leaf": "a"}, {"kids": []}]}),
]


@pytest.mark.parametrize("options", MODES)
@pytest.mark.parametrize(("name", "value"), MESSAGES)
def test_what_was_dumped_reads_back_equal(classes, options, name, value):
    cls = getattr(classes, name)
    message = cls.from_value(value)
    parent = parent_of(cls)
    whole = parent(event=message, others=[message, message])
    assert cls.model_validate(message.model_dump(**options)) == message
    assert cls.model_validate(pickle.loads(pickle.dumps(message.model_dump(**options)))) == message
    assert parent.model_validate(whole.model_dump(**options)) == whole
    assert cls.model_validate_json(message.model_dump_json()) == message
    assert parent.model_validate_json(whole.model_dump_json()) == whole


def test_every_digit_survives_the_methods_of_the_class(classes):
    text = '{"ticket":"t-1","class":"first","price":0.1000000000000000000001,"free":123456789012345678901234567890}'
    message = classes.Ticket.model_validate_json(text)
    assert message.model_dump_json() == text
    assert classes.Ticket.model_validate(message.model_dump()) == message
    assert classes.Ticket.model_validate(message.model_dump(mode="json")) == message
    with pytest.raises(PydanticSerializationError, match="to_json"):
        parent_of(classes.Ticket)(event=message).model_dump_json()


def test_include_and_exclude_are_honoured(ticket):
    assert ticket.model_dump(include={"ticket": True, "from_": {"in_"}}) == {
        "ticket": "t-1",
        "from_": {"in_": "Kiruna"},
    }
    assert set(ticket.model_dump(exclude={"from_", "bought", "tags"})) == {
        "ticket",
        "class_",
        "seat",
        "additional_properties",
    }
    assert ticket.model_dump(include={"from_"}, exclude={"from_": {"id"}}) == {"from_": {"in_": "Kiruna"}}
    assert "seat" not in ticket.model_dump(exclude_none=True)
    assert json.loads(ticket.model_dump_json(exclude={"bought", "from_"})) == {
        name: value for name, value in RAW.items() if name not in ("bought", "from")
    }


def test_include_and_exclude_reach_items_and_members_of_a_parent(classes):
    batch = classes.Batch.from_value([{"in": "a"}, {"in": "b"}, {"in": "c"}])
    assert batch.model_dump(exclude={-1}) == ({"in_": "a"}, {"in_": "b"})
    assert batch.model_dump(exclude={"__all__": {"in_"}}) == ({}, {}, {})
    parent = parent_of(classes.Opened)(event=classes.Opened(kind="opened", door=3))
    assert parent.model_dump_json(exclude={"event": {"door"}, "others": True}) == '{"event":{"kind":"opened"}}'


def test_json_without_what_the_contract_asks_for_is_refused(classes, ticket):
    with pytest.raises(EncodeError, match="exclude"):
        ticket.model_dump_json(exclude={"class_"})
    with pytest.raises(EncodeError, match="include"):
        ticket.model_dump(mode="json", include={"seat"})
    with pytest.raises(PydanticSerializationError, match="exclude"):
        parent_of(classes.Ticket)(event=ticket).model_dump_json(exclude={"event": {"class_"}})


def test_arguments_that_cannot_be_honoured_are_refused(ticket):
    for call in (
        lambda: ticket.model_dump_json(by_alias=False),
        lambda: ticket.model_dump(mode="json", by_alias=False),
        lambda: ticket.model_dump(excludes={"seat"}),
    ):
        with pytest.raises(TypeError, match=r"by_alias|excludes"):
            call()


def test_indent_and_ensure_ascii_change_the_text_alone(classes):
    message = classes.Ticket.from_json(
        '{"ticket":"t-1","class":"first","price":1.50,"free":{"a":[],"b":{},"c":["\\"{,:é😀"]}}'
    )
    pretty = message.model_dump_json(indent=3)
    assert pretty.startswith('{\n   "ticket": "t-1",\n   "class": "first",\n   "price": 1.5')
    assert json.loads(pretty) == json.loads(message.to_json())
    assert '"a": [],\n      "b": {},' in pretty
    plain = message.model_dump_json(ensure_ascii=True)
    assert plain.isascii()
    assert json.loads(plain) == json.loads(message.to_json())


def test_what_was_built_around_the_contract_is_not_written(classes, ticket):
    parent = parent_of(classes.Ticket)
    forged = classes.Ticket.model_construct(**{**ticket.__dict__, "ticket": "BAD"})
    for event in (forged, {"ticket": "BAD"}, 5):
        with pytest.raises(PydanticSerializationError):
            parent.model_construct(event=event).model_dump_json()


def test_values_are_equal_as_json_is(classes):
    def ticket(free):
        return classes.Ticket.from_value({"ticket": "t-1", "class": "first", "free": free})

    for one, other in ((1, True), (0, False), ([1], [True]), ({"a": 0}, {"a": False}), ("1", 1), (None, 0)):
        assert ticket(one) != ticket(other)
    for one, other in ((1, 1.0), ([0], [-0.0]), ({"a": 1, "b": 2}, {"b": 2.0, "a": 1})):
        assert ticket(one) == ticket(other)
        assert hash(ticket(one)) == hash(ticket(other))
    long, longer = (
        classes.Ticket.from_json(f'{{"ticket":"t-1","class":"first","free":{n}}}') for n in ("1e400", "1e401")
    )
    assert long != longer


def test_unions_find_the_class_of_a_message(classes):
    class Parent(BaseModel):
        tagged: Annotated[classes.Closed | classes.Opened, Field(discriminator="kind")]
        either: classes.Tree | classes.Opened

    made = Parent.model_validate({"tagged": {"kind": "opened"}, "either": {"kind": "opened", "door": 1}})
    assert [type(made.tagged), type(made.either)] == [classes.Opened, classes.Opened]
    with pytest.raises(ValidationError, match="undeclared"):
        Parent.model_validate({"tagged": {"kind": "closed", "undeclared": 1}, "either": {}})
    assert Parent.model_validate(made.model_dump()) == made


def test_maps_are_public_take_dicts_and_are_written():
    class Parent(BaseModel):
        labels: FrozenMap[str, int]

    made = Parent(labels={"a": 1})
    assert made.labels == FrozenMap({"a": 1})
    assert made.model_dump_json() == '{"labels":{"a":1}}'
    assert made.model_dump() == {"labels": {"a": 1}}
    assert (
        json.dumps({"maps": [FrozenMap({"a": FrozenMap({"b": (1,)})})]}, default=dict)
        == '{"maps": [{"a": {"b": [1]}}]}'
    )
    with pytest.raises(ValidationError):
        Parent(labels={"a": "b"})


SAMPLES = {
    "Ticket": [RAW, {}, {"ticket": "t-1"}, RAW | {"class": "third"}, RAW | {"from": {"id": 1}}, RAW | {"x_a": 1}, []],
    "Closed": [
        {"kind": "closed"}, {"kind": "closed", "a": 1}, {"kind": "closed", "size": 1}, {"kind": "open"},
        {"kind": "closed", "size": 1, "pair": ["a"]}, {"kind": "closed", "size": 0, "pair": []},
        {"kind": "closed", "pair": ["a", "b"]}, {"kind": "closed", "pair": [1]}, {"kind": "closed", "stop": {"n": "a"}},
        {"kind": "closed", "stop": {"next": {"n": 1}}},
    ],
    "Batch": [[], [{}], [{"in": 1}], {}, [1]],
    "Tree": [{}, {"kids": [{"kids": [{"leaf": 1}]}]}, {"kids": [{"kids": [{"leaf": "a"}]}]}],
}  # fmt: skip


@pytest.fixture(scope="module")
def app(classes):
    app = FastAPI()
    for name in SAMPLES:
        cls = getattr(classes, name)

        def echo(body: cls) -> cls:
            return body

        app.post(f"/{name}")(echo)
        app.post(f"/{name}/many")(lambda body: [body])
    app.get("/query")(lambda query: {"class": type(query).__name__, "door": query.door})
    app.router.routes.pop()

    @app.get("/query")
    def by_query(query: Annotated[classes.Opened, Query()]) -> str:
        return query.to_json().decode()

    @app.get("/raw", response_model=classes.Ticket)
    def raw(*, broken: bool = False) -> Any:
        return {**RAW, "ticket": "BAD"} if broken else RAW

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in SAMPLES.items() for value in values])
def test_a_web_framework_documents_and_accepts_exactly_the_contract(classes, app, name, value):
    cls = getattr(classes, name)
    document = app.get("/openapi.json").json()
    components = {"components": document["components"]}
    valid = compiled_model(cls).accepts(value)
    reference = document["paths"][f"/{name}"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert jsonschema_rs.is_valid({"$ref": reference, **components}, value, validate_formats=True) is valid
    assert jsonschema_rs.is_valid(cls.model_json_schema(), value, validate_formats=True) is valid
    answer = app.post(f"/{name}", json=value)
    assert answer.status_code == (200 if valid else 422)
    if valid:
        assert answer.text == cls.from_value(value).to_json().decode()
    else:
        assert answer.json()["detail"][0]["loc"][0] == "body"


def test_the_document_of_a_web_framework_is_valid(app):
    document = app.get("/openapi.json").json()
    validate_openapi(document)
    names = [name for name in document["components"]["schemas"] if "Stop" in name]
    assert len(names) == len(set(names)) >= 3
    for name in document["components"]["schemas"]:
        jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def test_a_response_and_a_query_satisfy_the_contract(app):
    assert app.get("/raw").json() == RAW
    assert app.get("/raw?broken=true").status_code == 500
    assert app.get("/query?kind=opened").json() == '{"kind":"opened"}'
    assert app.get("/query?kind=closed").status_code == 422


def test_the_schema_of_a_class_in_a_parent_is_its_contract(classes):
    schema = parent_of(classes.Ticket).model_json_schema()
    for value in SAMPLES["Ticket"]:
        assert jsonschema_rs.is_valid(schema, {"event": value}) is compiled_model(classes.Ticket).accepts(value)


def test_a_model_that_forbids_extra_fields_holds_value_objects(classes, ticket):
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
        kind: Literal["a"] = "a"
        event: classes.Ticket

    made = Strict(event=ticket)
    assert Strict.model_validate_json(made.model_dump_json()) == made
    assert hash(made) == hash(Strict(event=ticket))
    assert Decimal("1.5") == classes.Ticket.model_validate(RAW | {"price": Decimal("1.5")}).price
