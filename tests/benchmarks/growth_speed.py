"""How each cost grows when the work doubles: `python tests/benchmarks/growth_speed.py`.

A slope is the power of the amount of work that the cost grows by: 1 is linear, 2 is quadratic, below 1 a part of the cost
does not depend on the amount. It is measured in CPU time over the last two doublings, where what does not grow counts
least. A slope above the goal names a cost that is not linear.
"""

from __future__ import annotations

import copy
import importlib
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import compare_speed
import record_speed
import replay_speed
from table import Row, figure, report

from contract_test import compare
from contract_test.compat.plan import compare_pair, plan_subjects
from contract_test.data.contract import Catalog
from contract_test.data.interaction import Tapped
from contract_test.files.catalog import load_catalog
from contract_test.files.recordings import read_recording, wire_of
from contract_test.generate.package import generate
from contract_test.record.message_scrubber import Scrubber
from contract_test.record.recorder import Recorder
from envelopes import Wire

MAX_SLOPE = 1.2
EACH_WITH_EACH = "comparing all versions with each other"
Work = Callable[[], object]
Prepare = Callable[[int, Path], Work]


def seconds(prepare: Prepare, amount: int) -> float:
    """The best CPU time of three runs, each on what was prepared for it alone."""
    best = math.inf
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            work = prepare(amount, Path(folder))
            started = time.process_time()
            work()
            best = min(best, time.process_time() - started)
    return best


def slope(amounts: Sequence[int], times: Sequence[float]) -> float:
    """The power by which the last times grow with the amounts."""
    return math.log(times[-1] / times[-3]) / math.log(amounts[-1] / amounts[-3])


SCHEMA = replay_speed.SCHEMA | {
    "properties": replay_speed.SCHEMA["properties"] | {"guests": {"type": "array", "items": replay_speed.PERSON}}
}


def order(guests: int) -> dict[str, Any]:
    """A message whose size is nearly all guests."""
    people = [{"person_id": f"p-{number:06}", "name": f"Ana Garcia {number % 50}"} for number in range(guests)]
    return replay_speed.order(1) | {"guests": people}


def order_class(folder: Path) -> Any:
    """The value object of such a message, which is imported once."""
    if "growing" not in sys.modules:
        generate(catalog_of_orders(folder), "growing", folder)
        sys.path.insert(0, str(folder))
    return importlib.import_module("growing.messages").OrderPlacedV1


def catalog_of_orders(folder: Path) -> Catalog:
    (folder / "contracts" / "order.placed").mkdir(parents=True)
    (folder / "contracts" / "catalog.toml").write_text(replay_speed.CATALOG)
    (folder / "contracts" / "order.placed" / "v1.json").write_text(json.dumps(SCHEMA))
    return load_catalog(folder / "contracts")


def reading(guests: int, folder: Path) -> Work:
    kind, raw = order_class(folder), json.dumps(order(guests)).encode()
    kind.from_json(raw)
    return lambda: [kind.from_json(raw) for _ in range(20)]


def writing(guests: int, folder: Path) -> Work:
    kind = order_class(folder)
    made = [kind.model_validate(order(guests)) for _ in range(20)]
    return lambda: [each.to_json() for each in made]


def scrubbing(guests: int, folder: Path) -> Work:
    catalog, data = catalog_of_orders(folder), order(guests)
    scrubber = Scrubber(catalog, catalog.channels["activity"], b"a key")
    text = json.dumps({"specversion": "1.0", "id": "o-1", "source": "/shop", "type": "order.placed", "data": data})
    tapped, (contract,) = Tapped(Wire(text.encode()), {}), catalog.contracts
    return lambda: scrubber.interaction(tapped, contract, data)


def recording(count: int, _: Path) -> Work:
    taken = record_speed.messages(count)
    return lambda: Recorder(record_speed.CATALOG, record_speed.CHANNEL, b"a key", 3).take_all(taken)


def contracts(count: int, folder: Path, versions: int = 1) -> Path:
    """A contracts directory without anything that is shared."""
    random, lines = Random(0), []
    for number in range(count):
        name, schema = f"subject.number{number}", compare_speed.small(random)
        (folder / name).mkdir()
        for version in range(1, versions + 1):
            (folder / name / f"v{version}.json").write_text(json.dumps(schema))
            schema = compare_speed.evolved(schema, random)
        lines.append(f'[subjects."{name}"]\ncompatibility = "FULL_TRANSITIVE"\n')
    (folder / "catalog.toml").write_text("".join(lines))
    return folder


def shared(count: int, folder: Path) -> Path:
    """Contracts over one shared file of types that refer to each other."""
    schemas = {
        f"Type{number}": {"properties": {"next": {"$ref": f"#/components/schemas/Type{(number + 1) % 40}"}}}
        for number in range(40)
    }
    (folder / "types.json").write_text(json.dumps({"components": {"schemas": schemas}}))
    for number in range(count):
        (folder / f"subject.number{number}").mkdir()
        reference = f"../types.json#/components/schemas/Type{number % 40}"
        (folder / f"subject.number{number}" / "v1.json").write_text(json.dumps({"$ref": reference}))
    return folder


def loading(count: int, folder: Path, write: Callable[[int, Path], Path] = contracts) -> Work:
    root = write(count, folder)
    return lambda: load_catalog(root)


def generating(count: int, folder: Path) -> Work:
    (folder / "contracts").mkdir()
    catalog = load_catalog(contracts(count, folder / "contracts"))
    return lambda: generate(catalog, "acme", folder)


def comparing(subjects: int, folder: Path, versions: int = 2) -> Work:
    root = contracts(subjects, folder, versions)
    return lambda: [compare_pair(pair) for pair in plan_subjects(root).pairs]


def comparing_versions(versions: int, folder: Path) -> Work:
    return comparing(3, folder, versions)


def comparing_large(types: int, _: Path) -> Work:
    old = compare_speed.large(types)
    new = copy.deepcopy(old)
    new["$defs"][f"T{types - 1}"]["properties"]["count_1"]["maximum"] += 1
    return lambda: compare(old, new)


def decoding(count: int, folder: Path) -> Work:
    repo = replay_speed.Repo(folder)
    repo.record(count)
    catalog = load_catalog(repo.contracts)
    (contract,) = catalog.contracts
    return lambda: [wire_of(each) for each in read_recording(contract)]


def doubled(first: int, times: int) -> list[int]:
    return [first * 2**power for power in range(times)]


COSTS: tuple[tuple[str, str, Prepare, list[int]], ...] = (
    ("reading a message", "people in it", reading, doubled(25, 6)),
    ("writing a message", "people in it", writing, doubled(25, 6)),
    ("scrubbing a message", "people in it", scrubbing, doubled(25, 6)),
    ("recording", "messages", recording, doubled(500, 4)),
    ("reading a recording", "messages", decoding, doubled(500, 4)),
    ("reading the catalog", "contracts", loading, doubled(50, 4)),
    ("reading the catalog, a shared file", "contracts", partial(loading, write=shared), doubled(50, 4)),
    ("generating value objects", "contracts", generating, doubled(10, 4)),
    ("comparing all versions", "subjects", comparing, doubled(10, 4)),
    (EACH_WITH_EACH, "versions", comparing_versions, doubled(2, 3)),
    ("comparing with one leaf wider", "types in the schema", comparing_large, doubled(30, 4)),
)


def rows() -> Iterator[Row]:
    """The slope of each cost, and of replay as whole processes."""
    for what, unit, prepare, amounts in COSTS:
        times = [seconds(prepare, amount) for amount in amounts]
        yield row(what, unit, amounts, times)
        if what == EACH_WITH_EACH:  # the comparisons grow quadratically, and each should cost the same
            yield row(what, "pairs of versions", [amount * (amount - 1) for amount in amounts], times)
    with tempfile.TemporaryDirectory() as folder:
        repo, amounts = replay_speed.Repo(Path(folder)), doubled(250, 3)
        times = []
        for amount in amounts:
            repo.record(amount)
            times.append(repo.replay().session)
    yield row("replaying, one item each", "messages", amounts, times)


def row(what: str, unit: str, amounts: Sequence[int], times: Sequence[float]) -> Row:
    """One slope, with the costs that it is of."""
    shown = ", ".join(f"{amount}: {figure(taken * 1e3)} ms" for amount, taken in zip(amounts, times, strict=True))
    return Row("growth", f"{what}, slope by {unit}", slope(amounts, times), "", most=MAX_SLOPE, note=shown)


if __name__ == "__main__":
    report(rows)
