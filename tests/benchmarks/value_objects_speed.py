"""Value objects beside their floors, in one run: `python tests/benchmarks/value_objects_speed.py`.

Each figure is the median of rounds of CPU time, in which everything that is compared takes turns. The ratios are to pydantic alone on the same message: a model with the same
fields, in pydantic's own types, that holds what pydantic can say of the contract (lengths, bounds, patterns, literals)
and nothing else.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field
from table import Row, report

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

PERSON = {
    "type": "object",
    "required": ["person_id", "name"],
    "properties": {
        "person_id": {"type": "string", "pattern": "^p-[0-9a-z]{4,20}$"},
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "locale": {"type": "string"},
    },
}
LINE = {
    "type": "object",
    "required": ["sku", "quantity", "price", "at", "by"],
    "properties": {
        "sku": {"type": "string", "maxLength": 40},
        "quantity": {"type": "integer", "minimum": 0, "maximum": 9007199254740991},
        "price": {"type": "number", "minimum": 0},
        "at": {"type": "string", "format": "date-time"},
        "by": {"$ref": "#/$defs/Person"},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["order_id", "kind", "at", "by"],
    "properties": {
        "order_id": {"type": "string", "minLength": 1, "maxLength": 40},
        "kind": {"enum": ["web", "shop"]},
        "at": {"type": "string", "format": "date-time"},
        "by": {"$ref": "#/$defs/Person"},
        "note": {"type": "string"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
    },
    "$defs": {"Person": PERSON, "Line": LINE},
}


class Plain(BaseModel):
    """Pydantic alone: the peer."""

    model_config = ConfigDict(frozen=True)


class PlainPerson(Plain):
    person_id: str = Field(pattern="^p-[0-9a-z]{4,20}$")
    name: str = Field(min_length=1, max_length=80)
    locale: str | None = None


class PlainLine(Plain):
    sku: str = Field(max_length=40)
    quantity: int = Field(ge=0, le=9007199254740991)
    price: float = Field(ge=0)
    at: datetime
    by: PlainPerson


class PlainOrder(Plain):
    order_id: str = Field(min_length=1, max_length=40)
    kind: Literal["web", "shop"]
    at: datetime
    by: PlainPerson
    note: str | None = None
    lines: tuple[PlainLine, ...] | None = None


def message(lines: int) -> bytes:
    person = {"person_id": "p-ana001", "name": "Ana Díaz", "locale": "es"}
    line = {"sku": "ABC-0001", "quantity": 3, "price": 9.5, "at": "2026-03-01T12:00:00Z", "by": person}
    order = {"order_id": "o-1", "kind": "web", "at": "2026-03-01T12:00:00.123456Z", "by": person}
    extra = (
        {"lines": [line] * lines} if lines else {"note": "please ring twice, and leave it with the neighbour at no. 7"}
    )
    return orjson.dumps(order | extra)


def microseconds(calls: dict[str, Callable[[], object]], size: int) -> dict[str, float]:
    """Return the CPU time of each call. They take turns, so that a busy machine is as busy for all of them."""
    number = 2_000_000 // size  # tens of milliseconds: some clocks of CPU time tick slowly
    rounds = [
        {name: timeit.timeit(call, number=number, timer=time.process_time) for name, call in calls.items()}
        for _ in range(ROUNDS)
    ]
    return {name: statistics.median(each[name] for each in rounds) / number * 1e6 for name in calls}


ROUNDS = 9


def rows() -> Iterator[Row]:
    """Reading and writing at three sizes; then how long it takes to generate and to import."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contracts = folder / "contracts"
        (contracts / "order").mkdir(parents=True)
        (contracts / "order" / "v1.json").write_text(json.dumps(SCHEMA))
        (contracts / "catalog.toml").write_text(
            '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects.order]\nchannel = "c"\nid = "/order_id"\n'
        )
        generate(load_catalog(contracts), "benchmarked", folder)
        sys.path.insert(0, name)
        from benchmarked import decode, encode
        from benchmarked.messages import Order

        for title, lines in (("200 B", 0), ("2 KB", 15), ("20 KB", 160)):
            raw = message(lines)
            value, plain = Order.from_json(raw), PlainOrder.model_validate_json(raw)
            envelope = decode(raw, channel="c")
            size = len(raw)
            calls: dict[str, Callable[[], object]] = {
                "read": lambda raw=raw: PlainOrder.model_validate_json(raw),
                "from_json": lambda raw=raw: Order.from_json(raw),
                "decode": lambda raw=raw: decode(raw, channel="c"),
                "write": plain.model_dump_json,
                "to_json": value.to_json,
                "encode": lambda envelope=envelope: encode(envelope),
            }
            took = microseconds(calls, size)
            for what, peer, least in (
                ("from_json", "read", 0.6),
                ("decode", "read", 0.6),
                ("to_json", "write", 0.5),
                ("encode", "write", 0.5),
            ):
                note = f"{took[what]:.1f} µs; pydantic {took[peer]:.1f} µs"
                ratio = took[peer] / took[what]
                yield Row("value objects", f"{what}, {title}", ratio, "x pydantic alone", least=least, note=note)
        for number in range(200):
            (contracts / f"subject.n{number}").mkdir()
            (contracts / f"subject.n{number}" / "v1.json").write_text(json.dumps(SCHEMA))
        for what, most in (("200 contracts generated", 5.0), ("200 contracts, none changed", None)):
            started = time.perf_counter()
            generate(load_catalog(contracts), "many", folder)
            yield Row("value objects", what, time.perf_counter() - started, "s", most=most)
        bare, own = (
            min(
                timeit.repeat(
                    lambda code=code: subprocess.run([sys.executable, "-c", code], check=True), number=1, repeat=5
                )
            )
            for code in ("pass", "from envelopes.messages import MessageLiked")
        )
        yield Row(
            "value objects",
            "import of one message",
            (own - bare) * 1000,
            "ms",
            most=200,
            note="beyond a bare interpreter",
        )


if __name__ == "__main__":
    report(rows)
