"""Contracts whose names are hard to write in a document: quotes, slashes, `~`, `$`, other alphabets, 10 kB."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tomli_w

NAMES = [
    "quo\"te's",
    "sl/ash\\back",
    "til~de~1",
    "$ref",
    "{braces}?#%20",
    "ünïcödé 🎈",
    "new\nline\ttab",
    "l" * 10_000,
    "#/x",
    "",
]
"""Names of everything that may have any name."""

DRAFT_07 = "http://json-schema.org/draft-07/schema#"


def write_contracts(root: Path) -> Path:
    """Write the contracts, and return their directory."""
    channels: dict[str, Any] = {}
    subjects: dict[str, Any] = {}
    names = [name for name in NAMES if name]
    for number, name in enumerate(names):
        protocol, codec = [("kafka", "cloudevents"), ("redis-list", "resque"), ("redis-stream", "json")][number % 3]
        channels[f"c {name}"] = {
            "protocol": protocol,
            "address": f"a.{name}",
            "codec": codec,
            "description": name,
            "owner": name,
            "domain": name,
            "links": {name: "https://acme.example/x"},
            "retention": "P1DT2H",
        }
        subject = f"s{number}.made"
        subjects[subject] = {
            "channels": [f"c {name}", f"c {names[number - 1]}"] if number % 2 else [f"c {name}"],
            "sent_by": [f"w {name}", "plain"],
            "received_by": [f"r {name}"],
            "owner": name,
            "description": name,
            "volatile": [f"/{name.replace('~', '~0').replace('/', '~1')}"],
            "compatibility": "FULL",
        }
        _write(root / subject / "v1.json", _schema(name))
        _write(root / subject / "v2.json", {**_schema(name), "title": name})
    channels["binary"] = {"protocol": "kafka", "address": "events.*", "codec": "cloudevents", "mode": "binary",
                          "extensions": {"hops": "integer"}, "without_data": "allow"}  # fmt: skip
    channels["exchange"] = {
        "protocol": "amqp",
        "address": "ex {c}",
        "codec": "cloudevents",
        "routing_keys": ["a.#", "b.*"],
    }
    channels["copies"] = {"protocol": "files", "address": "copies", "codec": "msgpack"}
    channels["retries"] = {"protocol": "redis-list", "address": "retries", "codec": "json", "expires_after": "PT2H",
                           "delivery": "at-least-once", "type": "/kind"}  # fmt: skip
    channels["unused"] = {"protocol": "kafka", "address": "unused", "codec": "confluent"}
    subjects["with.files"] = {"channel": "binary", "retry": ["retries"], "type": "WithFiles", "key": "partitionkey",
                              "caused_by": "/cause", "schema_ids": {"1": 4}, "sends_undeclared": ["w"], "sent_by": ["w"],
                              "id": "/id", "time": "/at"}  # fmt: skip
    _write(root / "shared" / "person.json", {"$id": "https://acme.example/shared/person.json", "$defs": {"a/b": {"type": "string"}},
                                             "properties": {"n": {"$ref": "#/$defs/a~1b"}, "me": {"$ref": "#"}}})  # fmt: skip
    _write(root / "with.files" / "v1.json", {
        "$id": "https://acme.example/with.files/v1.json",
        "type": "object",
        "properties": {
            "by_path": {"$ref": "../shared/person.json"},
            "again": {"$ref": "../shared/person.json#/$defs/a~1b"},
            "own": {"$ref": "#/$defs/own"},
            "deep": {"$ref": "#/properties/own"},
        },
        "$defs": {"own": {"type": "integer"}, "unused": True, "named": {"$anchor": "here", "type": "null"}},
    })  # fmt: skip
    subjects["by.exchange"] = {"channels": ["copies", "exchange"], "sent_by": ["w"], "received_by": ["plain"]}
    _write(root / "by.exchange" / "v1.json", {"$schema": DRAFT_07, "type": "object"})
    subjects["without.channel"] = {"sent_by": ["w"], "received_by": ["plain"]}
    _write(root / "without.channel" / "v1.json", {"$schema": DRAFT_07, "definitions": {"x": {"type": "null"}},
                                                  "items": [{"$ref": "#/definitions/x"}]})  # fmt: skip
    _write(root / "not.in.the.catalog" / "v1.json", True)
    tables = {
        "services": {f"w {name}": {"description": name, "owner": name, "links": {name: name or "x"}} for name in names},
        "owners": {name: {"contacts": {name: name}, "description": name} for name in names},
    }
    text = tomli_w.dumps({"channels": channels, "subjects": subjects, **tables})
    (root / "catalog.toml").write_text(text, encoding="utf-8")
    return root


def _schema(name: str) -> dict[str, Any]:
    name = "$reference" if name == "$ref" else name  # the parser takes every member of that name for a reference
    pointer = name.replace("~", "~0").replace("/", "~1").replace("%", "%25").replace("#", "%23").replace('"', "%22")
    pointer = pointer.replace("\n", "%0A").replace("\t", "%09").replace("\\", "%5C").replace(" ", "%20")
    return {
        "type": "object",
        "required": [name],
        "properties": {name: {"$ref": f"#/$defs/{pointer}"}},
        "$defs": {name: {"type": "string", "enum": [name, "other"]}},
        "examples": [{name: name}],
    }


def _write(path: Path, schema: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema), encoding="utf-8")
