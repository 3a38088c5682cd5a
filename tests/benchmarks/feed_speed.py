"""The feed beside its floor and other clients: `python tests/benchmarks/feed_speed.py`.

Each reads the same likes from the broker inside librdkafka, in a process of its own; `feed_clients.py` has what each
does with them. Rounds are interleaved and the medians shown; CPU time varies less than the clock on a machine that does
other things. The service is measured on SQLite, and on a PostgreSQL server that runs for it alone.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median

import sqlalchemy as sa
from confluent_kafka import Producer
from feed_clients import CLIENTS, OWN, PEERS, SAME_EFFECTS
from postgresql import postgresql_server
from table import Row, report

from contract_test.transports.embedded import kafka_broker, redis_server
from envelopes import Wire, encode
from envelopes.messages import MessageLiked
from feed.store import Store
from feed.stream import STREAM

ROUNDS = 3
MESSAGES = 40_000  # the broker keeps 5 MiB a partition, and drops what is more
MAX_SECONDS = 120
AREA = "feed"


def likes() -> list[Wire]:
    """As many likes as are measured, of 5,000 messages."""
    now, author = datetime.now(UTC), {"person_id": "p-ana001", "name": "Ana"}
    return [
        encode(
            MessageLiked(
                like_id=f"l-{n:08}",
                message_id=f"m-{n * 7919 % 5000:06}",
                group_id="g-blue01",
                liker={"person_id": f"p-{n:08}", "name": "Bo"},
                author=author,
                liked_at=now,
            ),
            source="/web",
        )
        for n in range(MESSAGES)
    ]


def publish(address: str, wires: Sequence[Wire]) -> None:
    """Write everything at once."""
    producer = Producer({"bootstrap.servers": address, "queue.buffering.max.messages": len(wires) + 1})
    for wire in wires:
        producer.produce(STREAM, bytes(wire), wire.key, headers=list(wire.headers))
    assert producer.flush(60) == 0


def work(name: str, address: str, path: str) -> dict[str, float]:
    """Seconds and CPU seconds from the first batch's arrival to the last one's end; the first is not counted."""
    gc.freeze()  # as the service has it, for everybody
    gc.set_threshold(1_000_000)
    seen, first = 0, 0
    start = busy = 0.0

    def took(count: int) -> bool:
        nonlocal seen, first, start, busy
        seen += count
        if not first:
            first, start, busy = count, time.perf_counter(), time.process_time()
        return seen < MESSAGES

    if name in PEERS:
        asyncio.run(PEERS[name](address, path, took))
    else:
        for count in CLIENTS[name](address, path):
            if not took(count):
                break
    counted = (MESSAGES - first) / 1e6
    return {
        "rate": counted * 1e6 / (time.perf_counter() - start),
        "cpu": (time.process_time() - busy) / counted,
    }


def measure_client(name: str, wires: Sequence[Wire], store_url: str) -> dict[str, float]:
    """Run one client in a process of its own, on a broker of its own."""
    with kafka_broker() as broker:
        publish(broker.address, wires)
        command = [sys.executable, __file__, "--work", name, broker.address, store_url]
        try:
            done = subprocess.run(command, capture_output=True, timeout=MAX_SECONDS, check=False, text=True)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"it had not read all messages after {MAX_SECONDS} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise RuntimeError("not installed: `pip install --group bench`" if "No module named" in last else last)
    if name in {OWN, SAME_EFFECTS}:
        store = Store(store_url)
        if not taken_in(store) == store.backlog()[0] == MESSAGES:
            raise RuntimeError("its store does not have every like and its push once")
        store.close()
    return json.loads(done.stdout)


def measure_service(members: int, store_url: str, wires: Sequence[Wire]) -> dict[str, float]:
    """The service with its pushes, from its first effect to its last."""
    with kafka_broker() as broker, redis_server() as redis:
        command = [sys.executable, "-m", "feed", "--kafka", broker.address, "--redis", redis.address]
        command += ["--store", store_url, "-X", "session.timeout.ms=4000"]
        store, running = Store(store_url), []
        try:
            for _ in range(members):
                running.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
                while "ready" not in (running[-1].stderr.readline() or "ready"):
                    pass
            publish(broker.address, wires)
            while not (before := taken_in(store)):
                time.sleep(0.005)
            start = time.perf_counter()
            while taken_in(store) < MESSAGES:
                if any(process.poll() is not None for process in running):
                    raise RuntimeError("the service ended")
                time.sleep(0.02)
            return {"rate": (MESSAGES - before) / (time.perf_counter() - start)}
        finally:
            for process in running:
                process.kill()
                process.communicate()
            store.close()


def taken_in(store: Store) -> int:
    """How many messages are in the store."""
    with store.read() as (connection, tables):
        return sum(connection.scalars(sa.select(tables.offsets.c.next_offset)))


@contextmanager
def new_store(kind: str) -> Iterator[str]:
    """The URL of an empty store. Raises RuntimeError where there is no server for it."""
    if kind == "PostgreSQL":
        with postgresql_server() as url:
            yield url
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"{folder}/store.db"


def measure(name: str, wires: Sequence[Wire]) -> dict[str, float]:
    """One figure of one row. Raises RuntimeError, with why there is none."""
    members, kind = SERVICES.get(name, (0, "SQLite"))
    with new_store(kind) as url:
        return measure_service(members, url, wires) if members else measure_client(name, wires, url)


SERVICES = {
    f"the service, {kind}, {members} {noun}": (members, kind)
    for kind in ("SQLite", "PostgreSQL")
    for members, noun in ((1, "process"), (2, "processes"))
}


def rows() -> Iterator[Row]:
    """The feed beside its floor, what bounds it, and the others."""
    wires = likes()
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    missing: dict[str, str] = {}
    names = [*CLIENTS, *PEERS, *SERVICES]
    for number in range(ROUNDS):
        for name in names:
            if name not in missing:
                print(f"round {number + 1}: {name}", file=sys.stderr, flush=True)
                try:
                    found[name].append(measure(name, wires))
                except RuntimeError as error:
                    missing[name] = str(error)
    middle = {
        name: {each: median(one[each] for one in seen) for each in seen[0]} for name, seen in found.items() if seen
    }
    base = middle["floor"]
    for name in CLIENTS | PEERS:
        if name not in middle:
            yield Row(AREA, name, None, "x", note=missing[name])
        elif name != "floor":
            goal = 0.35 if name == OWN else None
            note = f"{middle[name]['rate'] / base['rate']:.2f} by the clock"
            yield Row(AREA, f"{name}, beside the floor", base["cpu"] / middle[name]["cpu"], "x", least=goal, note=note)
    if SAME_EFFECTS in middle:
        ratio = middle[OWN]["cpu"] / middle[SAME_EFFECTS]["cpu"]
        yield Row(AREA, f"CPU a message, beside {SAME_EFFECTS}", ratio, "x", most=1)
    for name in CLIENTS | PEERS:
        if name in middle:
            yield Row(AREA, f"{name}, CPU a message", middle[name]["cpu"], "µs")
    for name in SERVICES:
        rate = middle.get(name, {}).get("rate")
        yield Row(AREA, f"{name}, pushes sent", rate, "messages/s", note=missing.get(name, ""))


if __name__ == "__main__":
    if "--work" in sys.argv:
        print(json.dumps(work(*sys.argv[2:])))
    else:
        report(rows)
