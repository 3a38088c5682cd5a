"""Faults of all kinds at random, while jobs are enqueued and delivered. The gateway's ledger is the judge."""

import hashlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

import pytest
from redis import Redis
from redis.exceptions import RedisError
from transport_processes import RedisServer, Stub, asked_until, is_master, sentinel, wait_until
from transport_support import QUEUE, key, resque, settled

from transport import scripts
from transport.__main__ import main

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["transport.__main__"])
OWN_TIME = "redis.call('TIME')"
ERRORS = (
    "MISCONF", "NOREPLICAS", "BUSY", "UNBLOCKED", "READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN",
    "NOSCRIPT", "NOPERM", "OOM", "ERR",
)  # fmt: skip
SHIFTED_TIME = f"(function() local t = {OWN_TIME} return {{t[1] + (redis.call('GET', 'shift') or 0), t[2]}} end)()"


def work(arguments: list[str], log: str) -> None:
    """A worker process whose scripts add the key `shift`, in seconds, to the server's time."""
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
    for script in vars(scripts).values():
        if isinstance(script, scripts.Script):
            script.text = script.text.replace(OWN_TIME, SHIFTED_TIME)
            script.sha = hashlib.sha1(script.text.encode(), usedforsecurity=False).hexdigest()
    sys.exit(main(arguments))


class World:
    """A master and its replica, workers, and faults that are made and mended.

    One worker asks a sentinel for the master. The others reach it by one name, behind which it changes.
    """

    def __init__(self, home: Path, stub: Stub, seed: int, open_: ExitStack) -> None:
        from brokers.redis_proxy import redis_proxy  # only the toolkit's repository has it

        self.random, self.log = random.Random(seed), home / "workers.log"
        folders = [home / name for name in "ab"]
        for folder in folders:
            folder.mkdir()
        self.master = open_.enter_context(RedisServer(folders[0]).start())
        options = ["--save", "", "--replicaof", "127.0.0.1", str(self.master.port)]
        self.replica = open_.enter_context(RedisServer(folders[1], *options).start())
        self.redis = Redis(port=self.master.port)
        self.wait_for_replica()
        self.proxy = open_.enter_context(redis_proxy(self.master.port))
        # Only failovers that are asked for: a busy machine would start others.
        self.sentinel = open_.enter_context(sentinel(home, self.master, down_after=600_000, timeout=60_000))
        wait_until(lambda: self.sentinel.sentinel_master("mymaster")["num-slaves"], "the sentinel knows the replica")
        asking = f"redis+sentinel://127.0.0.1:{self.sentinel.connection_pool.connection_kwargs['port']}/mymaster/0"
        self.urls = [asking, *[f"redis://127.0.0.1:{self.proxy.port}/0"] * 2]
        self.options = ["--gateway", stub.url, "--batch", "50", "--lease", "1", "--push-rate", "2000"]
        self.options += ["--deadline", "5"]
        self.workers = [self.start(number) for number in range(3)]
        open_.callback(self.end)
        ready = '"event": "ready"'
        wait_until(lambda: self.log.exists() and self.log.read_text().count(ready) == 3, "the workers are ready")

    def start(self, number: int) -> BaseProcess:
        worker = FORKS.Process(target=work, args=(["--redis", self.urls[number], *self.options], str(self.log)))
        worker.start()
        return worker

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.join()

    def wait_for_replica(self) -> None:
        wait_until(lambda: Redis(port=self.replica.port).info("replication").get("master_link_status") == "up", "link")
        wait_until(lambda: self.redis.wait(1, 100), "the master knows its replica")

    def all_run(self) -> None:
        """No worker gives up by itself, whatever Redis answers."""
        ended = [worker.exitcode for worker in self.workers if not worker.is_alive()]
        assert not ended, f"ended by itself: {ended}: {self.log.read_text()[-3000:]}"

    def enqueue(self, first: int, number: int) -> None:
        self.redis.rpush(QUEUE, *(resque(each) for each in range(first, first + number)))

    # faults: each waits a moment and mends what it broke

    def kill(self) -> None:
        self._replace("kill")

    def terminate(self) -> None:
        self._replace("terminate")

    def _replace(self, how: str) -> None:
        number = self.random.randrange(len(self.workers))
        getattr(self.workers[number], how)()
        self.workers[number].join(120)
        code = self.workers[number].exitcode
        assert code is not None, "the deadline holds"
        well = how == "kill" or code in (0, -signal.SIGTERM)  # the latter before it listens
        assert well, f"the worker ended with {code}: {self.log.read_text()[-3000:]}"
        self.workers[number] = self.start(number)

    def cut(self) -> None:
        self.proxy.cut()

    def error(self) -> None:
        self.proxy.error = self.random.choice(ERRORS)
        self.pause()
        self.proxy.error = None

    def no_replicas(self) -> None:
        self._set("min-replicas-to-write", 2, 0)

    def no_memory(self) -> None:
        self._set("maxmemory", 1, 0)

    def _set(self, name: str, broken: int, well: int) -> None:
        self.redis.config_set(name, broken)
        self.pause()
        self.redis.config_set(name, well)

    def no_permission(self) -> None:
        self.redis.execute_command("ACL", "SETUSER", "default", "-@write", "-evalsha", "-blmove")
        self.pause()
        self.redis.execute_command("ACL", "SETUSER", "default", "+@all")

    def busy(self) -> None:
        self.redis.config_set("lua-time-limit", 100)
        Thread(target=self._slow_script).start()
        wait_until(lambda: not self._answers(), "the script runs")
        self.pause()
        self.redis.script_kill()
        wait_until(self._answers, "the end of the script")

    def _slow_script(self) -> None:
        with suppress(RedisError):
            Redis(port=self.master.port).eval("while true do end", 0)

    def _answers(self) -> bool:
        with suppress(RedisError):
            return bool(self.redis.ping())
        return False

    def shift_clock(self) -> None:
        self.redis.set("shift", self.random.choice((-3600, -20, 0, 20, 3600)))

    def forget_scripts(self) -> None:
        self.redis.script_flush()

    def fail_over(self) -> None:
        """Until the sentinel makes the former master a replica, some seconds later, workers go on writing to it."""
        self.wait_for_replica()
        new = Redis(port=self.replica.port)
        ask = partial(self.sentinel.execute_command, "SENTINEL", "FAILOVER", "mymaster")
        wait_until(asked_until(partial(is_master, new), ask), "the new master")
        self.master, self.replica, self.redis = self.replica, self.master, new
        self.proxy.target = self.master.port

    def pause(self) -> None:
        time.sleep(self.random.uniform(0.1, 0.6))

    @property
    def faults(self) -> list[Callable[[], None]]:
        return [
            self.kill, self.terminate, self.cut, self.error, self.no_replicas, self.no_memory, self.no_permission,
            self.busy, self.shift_clock, self.forget_scripts, self.fail_over,
        ]  # fmt: skip

    def waiting(self) -> int:
        lists = (QUEUE, key("quarantine"))
        return sum(self.redis.llen(each) for each in lists) + int(self.redis.hlen(key("waiting-jobs")))


def survive(home: Path, stub: Stub, seed: int, seconds: float) -> None:
    """Make faults at random; every fault comes once before any comes twice."""
    jobs, made, faults = 0, list[str](), list[Callable[[], None]]()
    with ExitStack() as open_:
        here = World(home, stub, seed, open_)
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(made) < len(here.faults):
            if here.waiting() < 5000:  # a starved machine delivers less than this loop would enqueue
                here.enqueue(jobs, 100)
                jobs += 100
            if not faults:
                faults = here.faults
                here.random.shuffle(faults)
            here.all_run()
            fault = faults.pop()
            made.append(fault.__name__)
            fault()
            here.pause()
        # Starved of processors, the workers deliver 20 jobs a second. A job that is stuck stays so for ever.
        wait_until(lambda: settled(here.redis), f"the rest, after {made}", seconds=200 + here.waiting() / 20)
        dead = here.redis.llen("resque:failed")
        log = here.log.read_text()
    delivered = {row["delivery_id"] for row in stub.ledger()}
    expected = {f"d-{number:06}" for number in range(jobs)}
    verdict = {
        "faults": len(made),
        "jobs": jobs,
        "lost": len(expected - delivered),
        "doubled": len(stub.ledger()) - len(delivered),
        "dead letters": dead,
        "tracebacks": log.count("Traceback"),
    }
    print(verdict)
    assert not any(verdict[name] for name in ("lost", "doubled", "dead letters", "tracebacks")), (
        verdict,
        made,
        log[-3000:],
    )


@pytest.mark.parametrize("seed", [1])
def test_nothing_is_lost_or_doubled_whatever_happens(tmp_path: Path, stub: Stub, seed: int) -> None:
    survive(tmp_path, stub, seed, seconds=10)


@pytest.mark.soak
def test_nothing_is_lost_or_doubled_for_half_an_hour(tmp_path: Path, stub: Stub) -> None:
    survive(tmp_path, stub, seed=random.randrange(1 << 30), seconds=1800)
