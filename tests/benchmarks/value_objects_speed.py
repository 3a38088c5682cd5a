"""Value objects beside their floors, in one run: `python tests/benchmarks/value_objects_speed.py`.

Each figure is the median of rounds of CPU time, in which everything that is compared takes turns. The ratios are to pydantic alone on the same message: a model with the same
fields, in pydantic's own types, that holds what pydantic can say of the contract (lengths, bounds, patterns, literals)
and nothing else.
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

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
        "order_id": {"type": "string", "format": "uuid"},
        "card": {"type": "string", "maxLength": 40},
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


_UUID = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


class PlainOrder(Plain):
    order_id: str = Field(pattern=_UUID)
    card: str | None = Field(default=None, max_length=40)
    kind: Literal["web", "shop"]
    at: datetime
    by: PlainPerson
    note: str | None = None
    lines: tuple[PlainLine, ...] | None = None


def messages(lines: int) -> list[bytes]:
    """Return messages with what real ones have: UUIDs, long digits in texts, numbers."""
    chance = random.Random(lines)
    return [_message(lines, chance) for _ in range(50)]


def _message(lines: int, chance: random.Random) -> bytes:
    person = {"person_id": "p-ana001", "name": "Ana Díaz", "locale": "es"}
    order = {"order_id": str(UUID(int=chance.getrandbits(128), version=4)), "kind": "web", "by": person}
    order |= {
        "card": str(chance.randrange(10**18, 10**19)),
        "at": f"2026-03-01T12:00:00.{chance.randrange(1, 10**6):06}Z",
    }
    if lines == 0:
        return orjson.dumps(order)
    return orjson.dumps(order | {"lines": [_line(chance, person) for _ in range(lines)]})


def _line(chance: random.Random, person: dict[str, str]) -> dict[str, object]:
    at = f"2026-03-01T12:{chance.randrange(60):02}:00Z"
    price = round(chance.uniform(0, 1000), 2)
    return {
        "sku": f"ABC-{chance.randrange(10**4):04}",
        "quantity": chance.randrange(90),
        "price": price,
        "at": at,
        "by": person,
    }


def microseconds(calls: dict[str, Callable[[], object]], size: int) -> dict[str, float]:
    """Return the CPU time of each call. They take turns, so that a busy machine is as busy for all of them."""
    number = 1_000_000 // size  # tens of milliseconds: some clocks of CPU time tick slowly
    rounds = [
        {name: timeit.timeit(call, number=number, timer=time.process_time) for name, call in calls.items()}
        for _ in range(ROUNDS)
    ]
    return {name: statistics.median(each[name] for each in rounds) / number * 1e6 for name in calls}


ROUNDS = 15


def each_of(call: Callable[[Any], object], values: list[Any]) -> Callable[[], object]:
    """Return a call that takes one value after the other."""
    following = itertools.cycle(values).__next__
    return lambda: call(following())


def rows() -> Iterator[Row]:
    """Reading and writing at three sizes; then how long it takes to generate and to import."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contracts = folder / "contracts"
        (contracts / "order").mkdir(parents=True)
        (contracts / "order" / "v1.json").write_text(json.dumps(SCHEMA))
        (contracts / "catalog.toml").write_text(
            '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n'
            '[channels.e]\nprotocol = "kafka"\naddress = "e"\ncodec = "cloudevents"\n'
            '[subjects.order]\nchannels = ["c", "e"]\nid = "/order_id"\ntime = "/at"\n'
        )
        generate(load_catalog(contracts), "benchmarked", folder)
        sys.path.insert(0, name)
        from benchmarked import decode, encode
        from benchmarked.messages import Order

        for title, lines in (("200 B", 0), ("2 KB", 15), ("20 KB", 160)):
            raws = messages(lines)
            values = [Order.from_json(raw) for raw in raws]
            envelopes = [decode(raw, channel="c") for raw in raws]
            events = [encode(value, channel="e") for value in values]
            plain = [PlainOrder.model_validate_json(raw) for raw in raws]
            calls: dict[str, Callable[[], object]] = {
                "read": each_of(PlainOrder.model_validate_json, raws),
                "from_json": each_of(Order.from_json, raws),
                "decode, json": each_of(lambda raw: decode(raw, channel="c"), raws),
                "decode, cloudevents": each_of(lambda event: decode(event, channel="e"), events),
                "write": each_of(PlainOrder.model_dump_json, plain),
                "to_json": each_of(Order.to_json, values),
                "encode, json, new": each_of(lambda value: encode(value, channel="c"), values),
                "encode, json, as read": each_of(encode, envelopes),
                "encode, cloudevents, new": each_of(lambda value: encode(value, channel="e"), values),
            }
            took = microseconds(calls, len(raws[0]))
            for what, peer, least in (
                ("from_json", "read", 0.6),
                ("decode, json", "read", 0.6),
                ("decode, cloudevents", "read", 0.45),
                ("to_json", "write", 0.8),
                ("encode, json, new", "write", 0.45),
                ("encode, json, as read", "write", 0.45),
                ("encode, cloudevents, new", "write", None),
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
