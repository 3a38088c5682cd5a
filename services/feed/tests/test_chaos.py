"""Faults of all kinds at random, on real servers. The store must equal a model, and pushes go once."""

import random
import signal
import time

import pytest
import sqlalchemy as sa
from tests.conftest import QUEUE, make_database

from feed.__main__ import main

ERRORS = (
    "MISCONF", "NOREPLICAS", "READONLY", "LOADING", "OOM", "BUSY", "NOPERM", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN",
    "UNBLOCKED", "NOSCRIPT", "NOAUTH", "ERR",
)  # fmt: skip

COMMON = ["kill", "terminate", "freeze", "join_or_leave", "restart_kafka", "redis_errors", "redis_cut"]
OF_POSTGRESQL = [
    "postgresql_read_only", "postgresql_restart", "postgresql_failover", "postgresql_failover_with_lag",
]  # fmt: skip


class Faults:
    """Each fault is made and mended."""

    def __init__(self, rig, dice, pair, traffic):
        self.rig, self.dice, self.pair, self.traffic = rig, dice, pair, traffic
        self.database = pair and sa.engine.make_url(rig.store_url).database
        self.made = []

    def one(self, name):
        self.made.append(name)
        getattr(self, name)()

    @property
    def names(self):
        """Faults of every kind that the servers here can have."""
        return COMMON + OF_POSTGRESQL if self.pair else COMMON

    def pause(self):
        time.sleep(self.dice.uniform(0.1, 0.6))

    def kill(self):
        self.rig.kill(self.dice.choice(self.rig.members))
        self.rig.start()

    def terminate(self):
        self.rig.all_run()
        leaving = self.dice.choice(self.rig.members)
        leaving.terminate()
        assert leaving.wait(120) in {0, -signal.SIGTERM}  # the latter while it was still starting
        self.rig.members.remove(leaving)
        if len(self.rig.members) < 2:
            self.rig.start()

    def join_or_leave(self):
        if len(self.rig.members) > 2:
            self.terminate()
        else:
            self.rig.start()

    def freeze(self):
        """One loses its partitions, and comes back with its batch."""
        frozen = self.dice.choice(self.rig.members)
        frozen.send_signal(signal.SIGSTOP)
        time.sleep(2)
        frozen.send_signal(signal.SIGCONT)

    def restart_kafka(self):
        self.dice.choice([self.rig.node.kill, self.rig.node.stop])()
        self.rig.node.start()

    def redis_errors(self):
        self.rig.proxy.error = self.dice.choice(ERRORS)
        self.pause()
        self.rig.proxy.error = None

    def redis_cut(self):
        self.rig.proxy.cut()

    def postgresql_read_only(self):
        for value in ("on", "off"):
            self.pair.primary.run(f"ALTER DATABASE {self.database} SET default_transaction_read_only = {value}")
            self.pair.primary.disconnect(self.database)
            self.pause()

    def postgresql_restart(self):
        self.pair.primary.restart(self.dice.choice([signal.SIGINT, signal.SIGKILL]))

    def postgresql_failover(self):
        self.pair.fail_over(self.pause)

    def postgresql_failover_with_lag(self):
        """The replica lacks the last seconds, in which members stored and pushed."""
        self.pair.stop_replicating()
        self.rig.publish(self.traffic(100, 100_000 + len(self.made)))
        self.pause()
        self.pair.fail_over(self.pause)


def survive(rig, faults, wires, until, *, chosen):
    """Publish a part of the messages before each fault, and compare everything in the end."""
    while len(rig.members) < 2:
        rig.start()
    try:
        for number, name in enumerate(chosen):
            before = rig.taken_in()
            rig.publish(wires(number))
            until(lambda: rig.all_run() or rig.taken_in() > before, 240)  # noqa: B023 - it is over before the next one
            time.sleep(faults.dice.random() * 0.2)  # anywhere in the batch
            faults.one(name)
        rig.publish(wires(-1))
        records = rig.check(until)
    except (AssertionError, pytest.fail.Exception) as error:
        error.add_note(f"after {faults.made[-3:]}: {rig.state()}")
        raise
    log = rig.said()
    assert "Traceback" not in log, log[-3000:]
    return records


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    if request.param == "sqlite":
        return str(tmp_path / "feed.db")
    return make_database(request.getfixturevalue("postgresql_pair").url)


@pytest.fixture
def faults(rig, store_url, traffic, request):
    pair = store_url.startswith("postgresql") and request.getfixturevalue("postgresql_pair")
    return lambda seed: Faults(rig, random.Random(seed), pair, traffic)


def test_nothing_is_lost_or_doubled_whatever_happens(rig, traffic, faults, until, store_url):
    if store_url.startswith("postgresql"):
        rig.options = ["-X", "partition.assignment.strategy=cooperative-sticky"]
    here, messages = faults(1), traffic(2000, 1)
    kinds = ["kill", *OF_POSTGRESQL] if here.pair else COMMON  # the soak has all of them on both
    share = -(-len(messages) // (len(kinds) + 1))
    wires = lambda number: messages[number * share :][:share] if number >= 0 else messages[len(kinds) * share :]  # noqa: E731
    survive(rig, here, wires, until, chosen=here.dice.sample(kinds, len(kinds)))
    until(rig.shares_evenly)
    sent = rig.mailbox.llen(QUEUE)
    assert main(["replay", "--kafka", rig.node.address, "--store", store_url, "--into", "again"]) == 0
    assert rig.rows("again") == rig.rows("first")
    rig.check(until)
    assert rig.mailbox.llen(QUEUE) == sent


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nothing_is_lost_or_doubled_for_half_an_hour(rig, traffic, faults, until):
    rig.ports = {}
    here, end = faults(random.randrange(1 << 30)), time.monotonic() + 1800
    while time.monotonic() < end:  # everything is compared after each round, in which every fault comes once
        chosen = here.dice.sample(here.names, len(here.names))
        records = survive(rig, here, lambda _: traffic(200, len(here.made) + 2), until, chosen=chosen)
        print(f"{len(here.made)} faults over {len(records)} events: 0 lost, 0 doubled, 0 tracebacks", flush=True)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_fifty_thousand_events_under_a_hundred_kills(rig, traffic, faults, until, seed):
    here, start, messages = faults(seed), time.monotonic(), traffic(5000, seed)
    chosen = ["kill"] * 10 + ["terminate", "freeze", "join_or_leave", "restart_kafka"]
    here.dice.shuffle(chosen)
    share = -(-len(messages) // (len(chosen) + 1))
    wires = lambda number: messages[number * share :][:share] if number >= 0 else messages[len(chosen) * share :]  # noqa: E731
    records = survive(rig, here, wires, until, chosen=chosen)
    print(f"{len(records)} events, {chosen}: {time.monotonic() - start:.0f} s")
