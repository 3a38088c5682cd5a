"""What a recorder costs a producer beside it: `python tests/benchmarks/disturbance_speed.py`.

A producer sends at a steady rate: alone, beside a recorder that reads all that stands there again and again, and beside
the same work on messages in memory, which asks no server anything: what that costs is the machine that all of them share
here, and on staging do not. They take turns of two seconds, so that a machine that gets busy is busy for all. The
producer and the server are pinned to other cores than the recorder, as they are on other machines on staging.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

from table import Row, report

sys.path.insert(0, str(Path(__file__).parents[1]))  # for brokers

from brokers.real_kafka import RealKafkaMissingError, kafka_node
from confluent_kafka import Producer
from record_speed import CATALOG, messages
from redis import Redis

from contract_test.data.contract import Channel
from contract_test.data.interaction import Tapped
from contract_test.data.reading import Reading
from contract_test.record.recorder import Recorder
from contract_test.transports.embedded import kafka_broker, redis_server
from contract_test.transports.redis_list import PAGE
from contract_test.transports.taps import tap

STANDING = 20_000
TURNS, SECONDS, RATE = 10, 2.0, 500
WARM, SETTLE = 5.0, 0.2  # seconds: until both are at work, and after each change
ON_A_LIST = replace(CATALOG.channels["activity"], protocol="redis-list", address="queue")
ON_A_TOPIC = CATALOG.channels["activity"]


CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


def pin(cores: list[int]) -> None:
    """Keep this process, and what it starts from now on, on some cores, if the system can."""
    if cores:
        os.sched_setaffinity(0, cores)


def record_again_and_again(url: str | None, channel: Channel, cores: list[int]) -> None:
    """Read the whole channel at the pace that `record` has, and begin anew; without a URL, from memory."""
    pin(cores)
    taken = [] if url else messages()[:STANDING]
    reading = Reading(since="earliest")
    while True:
        Recorder(CATALOG, channel, b"a key", 3).take_all(tap(url, channel, reading) if url else paced(taken))


def paced(taken: list[Tapped]) -> Iterator[Tapped]:
    """Messages in memory, as fast as a list is read."""
    for start in range(0, len(taken), PAGE):
        began = time.monotonic()
        yield from taken[start : start + PAGE]
        time.sleep(max(0.0, PAGE / Reading().rate - (time.monotonic() - began)))


@contextlib.contextmanager
def recorder(url: str | None, channel: Channel) -> Iterator[int]:
    """Run a recorder in a process of its own; gives its id."""
    process = multiprocessing.get_context("spawn").Process(
        target=record_again_and_again, args=(url, channel, CORES[-1:])
    )
    process.start()
    assert process.pid is not None
    try:
        yield process.pid
    finally:
        process.kill()
        process.join()


def compared(send: Callable[[], float], url: str, channel: Channel, server: str) -> Iterator[Row]:
    """How much longer the producer's p99 is, by the medians of the turns. `send` gives one latency in seconds."""
    with recorder(url, channel) as recording, recorder(None, channel) as busy:
        time.sleep(WARM)
        found: dict[int | None, list[float]] = {None: [], recording: [], busy: []}
        for turn in range(TURNS * len(found)):
            chosen = list(found)[turn % len(found)]
            for process in (recording, busy):
                os.kill(process, signal.SIGCONT if process == chosen else signal.SIGSTOP)
            time.sleep(SETTLE)
            latencies, start = [], time.perf_counter()
            for number in range(int(SECONDS * RATE)):
                time.sleep(max(0.0, start + number / RATE - time.perf_counter()))
                latencies.append(send() * 1000)
            found[chosen].append(quantiles(latencies, n=100)[98])
    alone, beside, control = (median(each) for each in found.values())
    what = f"{channel.protocol}: a producer's p99"
    yield Row("recording", f"{what} alone", alone, "ms", note=server)
    yield Row("recording", f"{what}, longer beside a recorder", (beside / alone - 1) * 100, "%", most=5)
    yield Row("recording", f"{what}, longer beside its work without a server", (control / alone - 1) * 100, "%")


def on_redis(wires: list[bytes]) -> Iterator[Row]:
    """A list: LPUSH, and what came from it is taken off again so that the list stays as long."""
    with redis_server() as server, Redis.from_url(server.address) as redis:
        redis.rpush("queue", *wires)

        def send() -> float:
            start = time.perf_counter()
            redis.lpush("queue", wires[0])
            took = time.perf_counter() - start
            redis.ltrim("queue", 1, -1)
            return took

        yield from compared(send, server.address, ON_A_LIST, server.description)
        spent = redis.info("commandstats")["cmdstat_lrange"]["usec"] / 1e6
        recorded = WARM + TURNS * (SECONDS + SETTLE)
        yield Row(
            "recording", "redis-list: the server's own time for the recorder", spent / recorded * 100, "%", most=5
        )


def on_kafka(wires: list[bytes]) -> Iterator[Row]:
    """A topic: from `produce` to the broker's answer."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(kafka_node())
        except RealKafkaMissingError:
            server = stack.enter_context(kafka_broker())
        producer = Producer({"bootstrap.servers": server.address, "linger.ms": 0, "log_level": 0})
        for wire in wires:
            producer.produce(ON_A_TOPIC.address, wire)
        producer.flush(60)

        def send() -> float:
            start = time.perf_counter()
            producer.produce(ON_A_TOPIC.address, wires[0])
            producer.flush(10)
            return time.perf_counter() - start

        yield from compared(send, f"kafka://{server.address}", ON_A_TOPIC, server.description)


def rows() -> Iterator[Row]:
    """Redis, then Kafka."""
    wires = [bytes(each.wire) for each in messages()[:STANDING]]
    ours, pinned = CORES[:-1], "not pinned to cores"
    if ours:  # the servers too, which are started from here
        pin(ours)
        pinned = f"on core {', '.join(map(str, ours))} with the server, the recorder on core {CORES[-1]}"
    for each in (on_redis, on_kafka):
        for row in each(wires):
            yield replace(row, note="; ".join(filter(None, [row.note, pinned])))


if __name__ == "__main__":
    report(rows)
