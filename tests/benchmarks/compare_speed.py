"""How long a comparison takes, in CPU time: `python tests/benchmarks/compare_speed.py`."""

import copy
import json
import time
from random import Random

from table import Row, report

from contract_test import compare

FIELDS = {
    "id": {"type": "string", "minLength": 1, "maxLength": 40},
    "count": {"type": "integer", "minimum": 0, "maximum": 100},
    "state": {"enum": ["new", "seen", "done"]},
    "at": {"type": "string", "format": "date-time"},
    "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z-]+$"}, "maxItems": 10},
    "place": {
        "type": "object",
        "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
        "required": ["x", "y"],
    },
}


def small(random):
    """A contract with a handful of fields."""
    names = random.sample(sorted(FIELDS), random.randint(2, 6))
    fields = {name: copy.deepcopy(FIELDS[name]) for name in names}
    return {"type": "object", "properties": fields, "required": names[:2]}


def evolved(schema, random):
    """The next version: one field more, or one bound moved."""
    schema = copy.deepcopy(schema)
    field = random.choice(list(schema["properties"].values()))
    numbers = [keyword for keyword, value in field.items() if isinstance(value, int)]
    if numbers and random.random() < 0.5:
        field[random.choice(numbers)] += random.choice([1, 2])
    else:
        schema["properties"][f"new_{random.randint(0, 999)}"] = {"type": "string"}
    return schema


def large(types=120):
    """About 100 KB of types that refer to each other."""
    definitions = {}
    for number in range(types):
        properties = {
            f"{name}_{copied}": {**field, "description": "what it means " * 5}
            for copied in range(2)
            for name, field in FIELDS.items()
        }
        properties["next"] = {"$ref": f"#/$defs/T{(number + 1) % types}"}
        properties["parts"] = {"type": "array", "items": {"$ref": f"#/$defs/T{(number * 7 + 3) % types}"}}
        definitions[f"T{number}"] = {"type": "object", "properties": properties, "required": ["id_0"]}
    return {"$ref": "#/$defs/T0", "$defs": definitions}


def timed(writer, reader):
    """Seconds of CPU that one comparison takes as the command runs it."""
    started = time.process_time()
    compare(writer=writer, reader=reader, formats="assertion", content_model="closed-writer")
    return time.process_time() - started


def rows():
    """Small contracts through five versions, each against each; then a large document that differs in one leaf."""
    random = Random(1)
    times = []
    for _ in range(100):
        versions = [small(random)]
        for _ in range(4):
            versions.append(evolved(versions[-1], random))
        times += [timed(one, other) for one in versions for other in versions if one is not other]
    times.sort()
    pairs = f"{len(times)} pairs of small schemas"
    yield Row("compatibility", "one comparison, median", times[len(times) // 2] * 1e3, "CPU ms", most=5, note=pairs)
    yield Row("compatibility", "one comparison, p99", times[len(times) * 99 // 100] * 1e3, "CPU ms", note=pairs)
    old = large()
    changed = []
    for number in (1, 40, 100):
        new = copy.deepcopy(old)
        new["$defs"][f"T{number}"]["properties"]["count_1"]["maximum"] += 1
        changed.append(new)
    size = f"{len(json.dumps(old)) // 1000} KB, the slowest of three leaves"
    yield Row("compatibility", "one leaf wider", max(timed(old, new) for new in changed), "CPU s", most=0.5, note=size)
    yield Row(
        "compatibility", "one leaf narrower", max(timed(new, old) for new in changed), "CPU s", most=0.5, note=size
    )


if __name__ == "__main__":
    report(rows)
