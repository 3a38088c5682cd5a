"""A class for one alternative of a union has the whole contract behind it, also when it is used alone."""

import json
from importlib import import_module

import jsonschema_rs
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate
from envelopes import ContractViolationError, DecodeError

KINDS = [
    {"properties": {"kind": {"const": "a"}, "x": {"type": "integer", "maximum": 5}}, "required": ["x"]},
    {"properties": {"kind": {"const": "b"}, "y": {"type": "string"}}},
]
NAMED = {"type": "object", "required": ["kind", "name"], "properties": {"name": {"type": "string", "maxLength": 3}}}
IF = {"if": {"properties": {"kind": {"const": "a"}}}, "then": KINDS[0], "else": KINDS[1]}
SCHEMAS = {
    "beside": NAMED | {"oneOf": KINDS},
    "all.of": {"allOf": [NAMED, {"oneOf": KINDS}]},
    "chosen": NAMED | {"properties": {**NAMED["properties"], "kind": {"enum": ["a", "b"]}}} | IF,
    "inner": {
        "type": "object",
        "properties": {"part": {"$ref": "#/$defs/Part"}},
        "$defs": {"Part": NAMED | {"oneOf": KINDS}},
    },
}
RIGHT = {"kind": "a", "name": "abc", "x": 3}
WRONG = {
    "/name": {"kind": "a", "name": "long", "x": 3},
    "/x": {"kind": "a", "name": "abc", "x": 9},
    "/kind": {"kind": "b", "name": "abc", "x": 3},
}


@pytest.fixture(scope="module")
def alternatives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alternatives")
    for name, schema in SCHEMAS.items():
        (folder / "contracts" / name).mkdir(parents=True)
        (folder / "contracts" / name / "v1.json").write_text(json.dumps(schema))
    generate(load_catalog(folder / "contracts"), "alternative_package", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        messages = import_module("alternative_package.messages")
        yield {
            name: type(
                messages.Inner.from_value({"part": RIGHT}).part
                if name == "inner"
                else getattr(messages, name.title().replace(".", "")).from_value(RIGHT).root
            )
            for name in SCHEMAS
        }


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_alternative_that_is_used_alone_accepts_what_the_contract_accepts(alternatives, name):
    cls = alternatives[name]
    assert cls.from_json(json.dumps(RIGHT)) == cls(**RIGHT) == TypeAdapter(cls).validate_python(RIGHT)
    for pointer, value in WRONG.items():
        with pytest.raises(DecodeError) as read:
            cls.from_json(json.dumps(value))
        with pytest.raises(ContractViolationError) as built:
            cls(**value)
        with pytest.raises(ValidationError):
            TypeAdapter(cls).validate_python(value)
        assert read.value.pointer == built.value.pointer == pointer


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_alternative_documents_what_it_accepts(alternatives, name):
    class Other(BaseModel):
        one: alternatives[name]

    validator = jsonschema_rs.Draft202012Validator(Other.model_json_schema())
    assert validator.is_valid({"one": RIGHT})
    assert not any(validator.is_valid({"one": each}) for each in WRONG.values())
