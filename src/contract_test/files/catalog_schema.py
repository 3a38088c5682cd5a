"""A JSON Schema of `catalog.toml`, from the same tables that reading it goes by. For editors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract_test.files import catalog
from contract_test.files.plugins import GROUPS
from contract_test.schema.walk import DRAFTS
from envelopes.plugins import names_of

FILE = "catalog.schema.json"
"""The copy of the schema beside the catalog, which the first line of the catalog names."""
FIRST_LINE = f"#:schema ./{FILE}\n"

_TEXT = {"type": "string", "minLength": 1}
_POINTER = r"(/([^~/]|~[01])*)*"
_EXTENSION = "[a-z0-9]{1,20}"
_NUMBER = "[0-9]{1,6}"
_TIME = f"T(?=.)({_NUMBER}H)?({_NUMBER}M)?([0-9]{{1,9}}S)?"
_KINDS: dict[str, dict[str, Any]] = {
    "true or false": {"type": "boolean"},
    "a text": _TEXT,
    "a list of texts": {"type": "array", "items": {"type": "string"}},
    "a text or a list of texts": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]},
    "a table of version = id": {
        "type": "object",
        "propertyNames": {"pattern": "^[0-9]+$"},
        "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    },
    'a table of extension = "string", "integer" or "boolean"': {
        "type": "object",
        "propertyNames": {"pattern": f"^{_EXTENSION}$"},
        "additionalProperties": {"enum": ["string", "integer", "boolean"]},
    },
    "a JSON pointer, such as /id": {"type": "string", "pattern": f"^{_POINTER}$"},
    "a JSON pointer into the data, such as /caused_by, or a CloudEvents extension's name": {
        "type": "string",
        "pattern": f"^({_POINTER}|{_EXTENSION})$",
    },
    "a duration, such as P7D or PT2H": {
        "type": "string",
        "pattern": f"^P(?=.)([0-9]{{1,4}}W|({_NUMBER}D)?({_TIME})?)$",
    },
    "a table of name = text": {"type": "object", "additionalProperties": _TEXT},
}
"""What each kind of value in a table is, by the words that errors have for it."""


def schema_of_catalog() -> dict[str, Any]:
    """Return the schema. It says what a table may hold, and not whether names that refer to others exist."""
    tables = catalog.TABLES
    channels = {
        "anyOf": [{"required": ["channel"]}, {"required": ["channels"], "properties": {"channels": {"minItems": 1}}}]
    }
    subject = {
        **_table(tables["subjects"]),
        "not": {"required": ["channel", "channels"]},
        "dependencies": {"retry": channels, "dead_letter": channels},
    }
    channel = {
        **_table(tables["channels"]),
        "required": ["protocol", "address", "codec"],
        "if": {"properties": {"protocol": {"const": "amqp"}}},
        "then": {
            "required": ["routing_keys"],
            "properties": {"routing_keys": {"minItems": 1}, "address": {"pattern": "^[^*]*$"}},
        },
        "else": {"properties": {"routing_keys": {"maxItems": 0}}},
    }
    sections = {
        "channels": _named(channel),
        "subjects": _named(subject),
        "services": _named(_table(tables["services"])),
        "owners": _named(_table(tables["owners"])),
        "generate": _table(tables["generate"]),
        "dialects": _named({"enum": list(DRAFTS.values())}),
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The catalog of a contracts directory",
        "type": "object",
        "additionalProperties": False,
        "properties": sections,
    }


def schema_file_text() -> str:
    """Return the text of the schema's copy beside a catalog."""
    return json.dumps(schema_of_catalog(), indent=2) + "\n"


def begin_catalog(root: Path) -> list[Path]:
    """Write a catalog that only names its schema, and the schema, if there is no catalog. Return what was written."""
    catalog, schema = root / "catalog.toml", root / FILE
    if catalog.exists():
        return []
    root.mkdir(parents=True, exist_ok=True)
    catalog.write_text(FIRST_LINE, encoding="utf-8")
    if schema.exists():
        return []
    schema.write_text(schema_file_text(), encoding="utf-8")
    return [schema]


def is_stale(root: Path) -> bool:
    """Return whether the schema beside the catalog is another one than that of this version."""
    schema = root / FILE
    return schema.is_file() and schema.read_bytes().decode(errors="replace").split() != schema_file_text().split()


def _named(table: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": table}


def _table(keys: Mapping[str, str | tuple[str, ...]]) -> dict[str, Any]:
    properties = {
        key: _KINDS[kind] if isinstance(kind, str) else {"enum": [*kind, *names_of(GROUPS.get(key, ""))]}
        for key, kind in keys.items()
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}
