"""`pytest --contracts` beside pact-python on the same messages, in one run: `python tests/benchmarks/replay_speed.py`.

pact-python verifies that a provider's handler gives each message (its own way to check code with messages); here each goes
through a consumer's test. Both are timed as whole processes, from start to exit. What has a goal in seconds is told in CPU
seconds, which are those of the clock where nothing else runs.
"""

from __future__ import annotations

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from table import Row, report

from contract_test.files.catalog import load_catalog
from contract_test.files.recordings import read_recording, wire_of
from contract_test.generate.package import generate
from contract_test.replay.field_access import FieldAccess, forget
from envelopes import decode

AREA = "replay"
CATALOG = """
[channels.activity]
protocol = "kafka"
address = "activity"
codec = "cloudevents"

[subjects."order.placed"]
channel = "activity"
id = "/order_id"
sent_by = ["shop"]
received_by = ["mailer"]
"""
PERSON = {
    "type": "object",
    "required": ["person_id", "name"],
    "properties": {"person_id": {"type": "string"}, "name": {"type": "string", "maxLength": 80}},
}
SCHEMA = {
    "type": "object",
    "required": ["order_id", "at", "buyer", "kind"],
    "properties": {
        "order_id": {"type": "string", "minLength": 1},
        "at": {"type": "string", "format": "date-time"},
        "buyer": PERSON,
        "kind": {"enum": ["web", "shop"]},
        "note": {"type": "string"},
    },
}
TEST = """
import pytest

TOTAL = {}

@pytest.mark.consumes("order.placed")
def test_orders_are_counted(message):
    name = message.buyer.name if message.kind == "web" else message.order_id
    TOTAL[name] = TOTAL.get(name, 0) + 1
    assert TOTAL[name]
"""
ORDINARY = """
import contextlib, io, statistics, time
import pytest

start = time.process_time()
import contract_test.pytest_plugin.plugin
imported = time.process_time() - start

def session(*plugins):
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["-q", "-p", "no:cacheprovider", "--noconftest", "test_plain.py"], plugins=plugins)
    return time.process_time() - start

session(), session(contract_test.pytest_plugin.plugin)
pairs = [session(contract_test.pytest_plugin.plugin) - session() for _ in range(30)]
print((imported + statistics.median(pairs)) * 1000)
"""
CONFTEST = """
import time

def pytest_sessionstart():
    global START
    START = time.process_time()

def pytest_unconfigure():
    print(f"\\nsession {time.process_time() - START:.3f}")
"""
PACT = """
import sys
from pact import Verifier
from pact.types import Message

PATH, DATA = sys.argv[1:]
messages = {str(n): line.encode() for n, line in enumerate(open(DATA))}

def handler(name, metadata):
    return Message(contents=messages[name], metadata=None, content_type="application/json")

Verifier("shop").message_handler(handler).add_source(PATH).verify()
"""


def order(number: int) -> dict[str, Any]:
    return {
        "order_id": f"o-{number}",
        "at": "2026-03-01T12:00:00Z",
        "buyer": {"person_id": f"p-{number:06}", "name": f"Person {number % 50}"},
        "kind": ("web", "shop")[number % 2],
    }


@dataclass(frozen=True)
class Times:
    """Seconds of one process: by the clock, of CPU, and of CPU in pytest's session."""

    clock: float
    cpu: float
    session: float = 0.0


class Repo:
    """A service's repo in a folder, with as many recorded messages as asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contracts = folder / "contracts"
        self._recording = self.contracts / "order.placed" / "recordings" / "v1.jsonl"
        self._recording.parent.mkdir(parents=True)
        (self.contracts / "catalog.toml").write_text(CATALOG)
        (self.contracts / "order.placed" / "v1.json").write_text(json.dumps(SCHEMA))
        (folder / "pyproject.toml").write_text(
            '[tool.contract-test]\nservice = "mailer"\npackage = "acme"\ncontracts = "contracts"\n'
            '[tool.pytest.ini_options]\npythonpath = "."\n'
        )
        generate(load_catalog(self.contracts), "acme", folder)
        (folder / "test_orders.py").write_text(TEST)
        (folder / "test_plain.py").write_text("def test_plain():\n    assert True\n")
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "ordinary.py").write_text(ORDINARY)
        (folder / "verify.py").write_text(PACT)

    def record(self, count: int) -> None:
        shared = {"channel": "activity", "format": 1, "subject": "order.placed", "version": 1}
        with self._recording.open("w") as file:
            for number in range(count):
                event = {"specversion": "1.0", "id": f"o-{number}", "source": "/shop", "type": "order.placed"}
                file.write(json.dumps(shared | {"payload": event | {"data": order(number)}}) + "\n")

    def pytest(self, *options: str, file: str = "test_orders.py") -> Times:
        said, times = self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *options, file)
        match = re.search(r"session ([0-9.]+)", said)
        if " passed" not in said or match is None:
            raise RuntimeError(said[-2000:])
        return replace(times, session=float(match[1]))

    def replay(self, *options: str) -> Times:
        return self.pytest(
            "-p", "contract_test.pytest_plugin.plugin", "--contracts", "--contracts-only-recorded", *options
        )

    def pact(self, count: int) -> Times:
        data = [order(number) for number in range(count)]
        (self.folder / "messages.jsonl").write_text("".join(json.dumps(each) + "\n" for each in data))
        messages = [
            {"description": str(number), "contents": each, "metadata": {"contentType": "application/json"}}
            for number, each in enumerate(data)
        ]
        pact = {"consumer": {"name": "mailer"}, "provider": {"name": "shop"}, "messages": messages}
        pact["metadata"] = {"pactSpecification": {"version": "3.0.0"}}
        (self.folder / "pact.json").write_text(json.dumps(pact))
        return self.run("verify.py", "pact.json", "messages.jsonl")[1]

    def run(self, *arguments: str) -> tuple[str, Times]:
        start, before = timeit.default_timer(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder, check=False, timeout=300, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )  # fmt: skip
        clock, after = timeit.default_timer() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError(done.stdout[-2000:])
        return done.stdout, Times(clock, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def rows() -> Iterator[Row]:
    """Every figure, the cheap ones first."""
    with tempfile.TemporaryDirectory() as name:
        repo = Repo(Path(name))
        yield _ordinary(repo)
        repo.record(200)
        yield _tracking(repo)
        for count in (100, 1_000):
            repo.record(count)
            runs = [repo.replay() for _ in range(3)]
            yield from _figures(f"{count:,} messages, one item each", runs, 1.0 if count == 1_000 else None)
            if count == 1_000:
                whole = min(run.cpu for run in runs)
                yield Row(AREA, f"{count:,} messages, the whole process", whole, "CPU s", most=1.0)
            if find_spec("pact") is None:
                note = "not installed: pip install --group bench"
                yield Row(AREA, f"pact-python, {count:,} messages", None, note=note)
                continue
            pact, clock = repo.pact(count), min(run.clock for run in runs)
            note = f"{pact.clock:.1f} s beside {clock:.1f} s, whole processes by the clock"
            yield Row(
                AREA, f"pact-python takes, {count:,} messages", pact.clock / clock, "times as long", least=1, note=note
            )
        repo.record(10_000)
        yield from _figures("10,000 messages, one item each", [repo.replay()], 6.0)
        repo.record(100_000)
        yield from _figures("100,000 messages in bulk", [repo.replay("--contracts-bulk") for _ in range(2)], 10.0)


def _figures(what: str, runs: list[Times], most: float | None) -> Iterator[Row]:
    best = min(runs, key=lambda run: run.cpu)
    note = f"of the session; of the whole process {best.cpu:.2f} s; by the clock, as busy as it was, {best.clock:.2f} s"
    yield Row(AREA, what, best.session, "CPU s", most=most, note=note)


def _ordinary(repo: Repo) -> Row:
    """What a run without `--contracts` pays: importing the plugin, and what sessions take longer with it."""
    found = [float(repo.run("ordinary.py")[0]) for _ in range(3)]
    return Row(AREA, "a run without --contracts pays", statistics.median(found), "CPU ms", most=10.0)


def _tracking(repo: Repo) -> Row:
    """What watching a message adds to reading its fields, as a ratio to decoding it."""
    sys.path.insert(0, str(repo.folder))
    from acme import messages as acme

    (contract,) = load_catalog(repo.contracts).contracts
    wires = [wire_of(each) for each in read_recording(contract)]
    messages = [decode(wire, channel="activity", catalog=acme.CATALOG).data for wire in wires]

    def decoding() -> None:
        for wire in wires:
            decode(wire, channel="activity", catalog=acme.CATALOG)

    def reading(watch: FieldAccess | None = None) -> None:
        for message in messages:
            order = message if watch is None else watch.over(message)
            seen = order.order_id, order.at, order.buyer.person_id, order.buyer.name, order.kind
            assert len(seen) == 5

    calls = range(40)
    decoded = min(timeit.timeit(decoding, number=1) for _ in calls)
    plain = min(timeit.timeit(reading, number=1) for _ in calls)
    watched = min(timeit.timeit(lambda: reading(FieldAccess()), number=1) for _ in calls)
    forget()
    return Row(AREA, "watching what is read of a message", (watched - plain) / decoded, "x decode", most=2.0)


if __name__ == "__main__":
    report(rows)
