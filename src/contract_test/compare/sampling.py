"""Values near the constants of two schemas: where a witness is, if there is one that no proof has found.

Bounds and their neighbours, lengths, names and fresh names, a line feed, 0 beside false, one item more or fewer.
Deterministic.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

from contract_test.compare.values import identity

_ALWAYS = [
    None,
    True,
    False,
    0,
    1,
    -1,
    0.5,
    1.0,
    "",
    "a",
    "\n",
    "a\n",
    [],
    [0],
    [0, 0],
    [False],
    {},
    {"zz": 0},
]
_MAX_CONSTANTS = 160


def constants(*schemas: Any) -> tuple[list[Any], list[str]]:
    """Return values that stand in schemas, or beside a bound that does; and the property names that they mention."""
    values: dict[Any, Any] = {}
    names: dict[str, None] = {}

    def add(value: Any) -> None:
        if len(values) < _MAX_CONSTANTS:
            values.setdefault((identity(value), isinstance(value, float)), value)

    def look(schema: Any, depth: int = 0) -> None:
        if isinstance(schema, list):
            for part in schema:
                look(part, depth + 1)
        if not isinstance(schema, dict):
            return
        for keyword, value in schema.items():
            if keyword in ("enum", "examples") and isinstance(value, list):
                for one in value:
                    add(one)
            elif keyword in ("const", "default"):
                add(value)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                for number in (value, value + 1, value - 1, value + 0.5, float(value), -value):
                    add(number)
                if "ength" in keyword and 0 <= value <= 200:  # noqa: PLR2004 - a readable length
                    for length in (value - 1, value, value + 1):
                        add("a" * max(int(length), 0))
            elif keyword in (
                "properties",
                "patternProperties",
                "dependentRequired",
                "dependentSchemas",
                "dependencies",
            ):
                names.update(dict.fromkeys(value if isinstance(value, dict) else ()))
                look(list(value.values()) if isinstance(value, dict) else None, depth + 1)
            elif keyword == "required" and isinstance(value, list):
                names.update(dict.fromkeys(name for name in value if isinstance(name, str)))
            elif isinstance(value, (dict, list)):
                look(value, depth + 1)

    for schema in schemas:
        look(schema)
    for value in _ALWAYS:
        add(value)
    return list(values.values()), [*islice(names, 60), "zz"]


def samples(seeds: list[Any], values: list[Any], names: list[str], random: Random) -> Iterator[Any]:
    """Yield every constant, then the seeds changed here and there, without end."""
    pool = [*seeds, *values]
    yield from pool
    for value in values:
        yield [value]
        for name in names[:8]:
            yield {name: value}
    while True:
        value = random.choice(pool)
        for _ in range(random.randint(1, 3)):
            value = _changed(value, values, names, random)
        yield value


def _changed(value: Any, values: list[Any], names: list[str], random: Random) -> Any:
    """One random change at a random place."""
    if isinstance(value, dict) and random.random() < 0.8:  # noqa: PLR2004 - mostly inside
        name = random.choice([*value, random.choice(names)])
        if name in value and random.random() < 0.3:  # noqa: PLR2004 - sometimes one property fewer
            return {other: member for other, member in value.items() if other != name}
        inner = _changed(value[name], values, names, random) if name in value else random.choice(values)
        return {**value, name: inner}
    if isinstance(value, list) and random.random() < 0.8:  # noqa: PLR2004 - as above
        at = random.randint(0, len(value))
        if at == len(value):
            return [*value, random.choice([*value, random.choice(values)])]
        if random.random() < 0.3:  # noqa: PLR2004 - as above
            return value[:at] + value[at + 1 :]
        return [*value[:at], _changed(value[at], values, names, random), *value[at + 1 :]]
    if isinstance(value, str) and value and random.random() < 0.5:  # noqa: PLR2004 - half of them
        return random.choice([value + "\n", value + "a", value[1:], value[:-1], value.upper(), "a" + value])
    return random.choice(values)
