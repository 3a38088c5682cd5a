"""The transport worker, its floors and its peers, in one run: `python tests/benchmarks/transport_speed.py`.

Each empties a full queue of small jobs that do nothing, and then takes them at 200 a second, in one process of its own.
Rounds are interleaved and the medians are shown, so that a machine that gets busy is busy for all. A peer that is not
installed is a row without a figure. arq needs an older redis-py than the rest: `make bench` makes an environment for it, and
the environment variable ARQ_PYTHON names its Python.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

from redis import Redis
from table import Row, report

from contract_test.transports.embedded import redis_server

ROUNDS = 3
OURS, FLOOR = "the worker", "floor"
# How many jobs the full queue holds: enough for a few seconds of work.
FLOORS = {FLOOR: 200_000, "bare loop": 50_000}
PEERS = {"taskiq": 6000, "dramatiq": 6000, "celery": 3000, "arq": 4000, "rq": 600}
JOBS = FLOORS | {OURS: 100_000} | PEERS
PACED = 1000
NOTES = {
    FLOOR: "Lua: fetch 100, set a mark each, drop them; no job is looked at",
    "bare loop": "Lua fetch, json, a settlement for each job, pipelined; nothing is checked",
    OURS: "exactly-once, contract validation on, a gateway that does nothing",
    "taskiq": "list queue, 100 at once",
    "dramatiq": "8 threads",
    "celery": "8 threads",
    "arq": "100 at once, polls every 5 ms",
    "rq": "no fork for each job",
}

Result = dict[str, float]


class NotMeasuredError(Exception):
    """Why there is no figure."""


def start(mode: str, name: str, url: str, number: int) -> subprocess.Popen[bytes]:
    """One process of `transport_workers.py`."""
    python = os.environ.get("ARQ_PYTHON", sys.executable) if name == "arq" else sys.executable
    command = [python, "transport_workers.py", mode, name, url, str(number)]
    here = Path(__file__).parent
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=here)


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for its end. Raises NotMeasuredError with its last words."""
    try:
        _, errors = process.communicate(timeout=90)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise NotMeasuredError("not finished in 90 s") from None
    if process.returncode:
        words = errors.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
        missing = "No module named" in words[-1]
        raise NotMeasuredError("not installed: `make bench` does it" if missing else words[-1])


def measure(name: str, url: str) -> Result:
    """Jobs a second from a full queue, and milliseconds from enqueueing to the job at 200 a second."""
    found: Result = {}
    with Redis.from_url(url) as redis:
        redis.flushall()
        finish(start("fill", name, url, JOBS[name]))
        finish(start("work", name, url, JOBS[name]))
        found["rate"] = JOBS[name] / json.loads(redis.getdel("benchmark:result"))["seconds"]
        if name not in FLOORS:
            redis.flushall()
            working = start("work", name, url, PACED)
            time.sleep(2.5)  # for its imports: what comes before is late
            finish(start("trickle", name, url, PACED))
            finish(working)
            cuts = quantiles(json.loads(redis.getdel("benchmark:result"))["latencies"], n=100)
            found |= {"p50": cuts[49] * 1000, "p99": cuts[98] * 1000}
    return found


def rows() -> Iterator[Row]:
    """The worker against the floors and the best of its peers."""
    found: dict[str, list[Result]] = {name: [] for name in JOBS}
    missing: dict[str, str] = {}
    with redis_server() as server:
        url = server.address
        for number in range(ROUNDS):
            for name in JOBS:
                if name not in missing:
                    print(f"round {number + 1}: {name}", file=sys.stderr, flush=True)
                    try:
                        found[name].append(measure(name, url))
                    except NotMeasuredError as error:
                        missing[name] = str(error)
    middle = {
        name: {figure: median(each[figure] for each in seen) for figure in seen[0]}
        for name, seen in found.items()
        if seen
    }
    peers = [middle[name] for name in PEERS if name in middle]
    ours, area = middle[OURS], "transport"
    rates = ", ".join(f"{each['rate']:,.0f}" for each in found[OURS])
    share = ours["rate"] / middle[FLOOR]["rate"]
    yield Row(area, "the worker beside its floor", share, "x", least=0.25, note=f"its rounds: {rates} jobs/s")
    if peers:
        times = ours["rate"] / max(peer["rate"] for peer in peers)
        yield Row(area, "the worker beside the fastest peer", times, "x", least=10)
        for figure in ("p50", "p99"):
            best = min(peer[figure] for peer in peers)
            yield Row(area, f"{figure} at 200 jobs/s, beside the best peer's", ours[figure] / best, "x", most=1)
    for name in JOBS:
        seen = middle.get(name, {})
        yield Row(area, f"{name}, from a full queue", seen.get("rate"), "jobs/s", note=missing.get(name, NOTES[name]))
        for figure in ("p50", "p99") if "p50" in seen else ():
            yield Row(area, f"{name}, {figure} at 200 jobs/s", seen[figure], "ms")


if __name__ == "__main__":
    report(rows)
