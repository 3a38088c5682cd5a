"""Everything dies at some instant: workers, Redis, connections. The gateway's ledger is the judge."""

import asyncio
import hashlib
import os
import random
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

import pytest
from aiohttp import web
from redis import Redis
from redis.exceptions import RedisError
from transport_processes import (
    RedisServer,
    Stub,
    answers,
    asked_until,
    free_port,
    is_master,
    process,
    sentinel,
    wait_ready,
    wait_until,
)
from transport_support import QUEUE, key, resque, running_worker, settled, until

from transport.__main__ import main
from transport.connection import connected
from transport.gateway_stub import GatewayStub
from transport.limiter import Limits
from transport.scripts import FETCH, RECOVER, RENEW_LEASE, SCHEDULE, TAKE_TOKENS
from transport.settings import Settings

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["transport.__main__"])


def work(arguments: list[str]) -> None:
    """A worker process without the time that imports take; what it says is lost."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    main(arguments)


class Fleet:
    """Worker processes that are killed at random instants, and replaced."""

    def __init__(self, size: int, seed: int, *arguments: str) -> None:
        self.random, self.arguments = random.Random(seed), list(arguments)
        self.workers = [self.start() for _ in range(size)]

    def start(self) -> BaseProcess:
        worker = FORKS.Process(target=work, args=(self.arguments,))
        worker.start()
        return worker

    def kill_one(self) -> None:
        number = self.random.randrange(len(self.workers))
        self.workers[number].kill()
        self.workers[number].join()
        self.workers[number] = self.start()

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.join()


@contextmanager
def fleet(size: int, seed: int, *arguments: str) -> Iterator[Fleet]:
    workers = Fleet(size, seed, *arguments)
    try:
        yield workers
    finally:
        workers.end()


def survive(
    redis: Redis, url: str, stub: Stub, *, jobs: int, kills: int, seed: int, pause: float, lease: float
) -> dict[str, int]:
    """Kill workers while they deliver; then let the rest finish, and compare the ledger with what was enqueued."""
    for first in range(0, jobs, 1000):
        redis.rpush(QUEUE, *(resque(number) for number in range(first, min(first + 1000, jobs))))
    options = ("--redis", url, "--gateway", stub.url, "--batch", "50", "--lease", str(lease), "--log-level", "error")
    with fleet(3, seed, *options) as workers:
        done = 0
        while done < kills or not redis.hget(key("counts"), "recovered"):  # on a slow machine, some die as they start
            wait_until(lambda: redis.zcard(key("leases")) > 0, "a worker")
            asyncio.run(asyncio.sleep(workers.random.uniform(0, 2 * pause)))
            workers.kill_one()
            done += 1
            if redis.llen(QUEUE) == 0:  # enough to do until the last kill
                more = range(jobs, jobs + 1000)
                redis.rpush(QUEUE, *(resque(number) for number in more))
                jobs += 1000
        wait_until(lambda: settled(redis), "the rest", seconds=600)
    ledger = stub.ledger()
    expected = {f"d-{number:06}" for number in range(jobs)}
    delivered = {row["delivery_id"] for row in ledger}
    return {
        "jobs": jobs,
        "kills": done,
        "lost": len(expected - delivered),
        "doubled": len(ledger) - len(delivered),
        "never asked for": len(delivered - expected),
        "asked twice under the same key": sum(row["requests"] > 1 for row in ledger),
        "dead letters": redis.llen("resque:failed"),
        "recovered": int(redis.hget(key("counts"), "recovered") or 0),
    }


def judge(verdict: dict[str, int]) -> None:
    print(verdict)
    assert verdict["lost"] == verdict["doubled"] == verdict["never asked for"] == verdict["dead letters"] == 0, verdict
    assert verdict["recovered"] > 0


def test_no_job_is_lost_or_doubled_when_workers_are_killed(redis: Redis, redis_server: RedisServer, stub: Stub) -> None:
    judge(survive(redis, redis_server.url, stub, jobs=2000, kills=10, seed=7, pause=0.2, lease=2))


@pytest.mark.soak
def test_a_thousand_kills_over_a_hundred_thousand_jobs(redis: Redis, redis_server: RedisServer, stub: Stub) -> None:
    verdict = survive(redis, redis_server.url, stub, jobs=100_000, kills=1000, seed=1, pause=0.25, lease=1)
    judge(verdict)
    assert verdict["kills"] >= 1000


def test_a_job_that_kills_its_workers_takes_no_other_with_it(redis: Redis, redis_server: RedisServer) -> None:
    """The gateway stub kills whichever worker asks for the poisonous delivery, as a crash in a library would."""

    async def poison(request: web.Request, key_: str) -> web.Response | None:
        if key_ != "d-000025":
            return None
        for worker in workers.workers:
            if worker.pid in owners(request):
                worker.kill()
        return web.Response(status=500)

    def owners(request: web.Request) -> list[int]:
        port = request.transport.get_extra_info("peername")[1] if request.transport else 0
        return [pid for pid in (worker.pid or 0 for worker in workers.workers) if port in local_ports(pid)]

    stub = GatewayStub(before=poison)
    redis.rpush(QUEUE, *(resque(number) for number in range(100)))

    async def walk() -> None:
        nonlocal workers
        async with stub.serving() as url:
            options = ("--redis", redis_server.url, "--gateway", url, "--lease", "1", "--log-level", "error")
            with fleet(2, 1, *options) as workers:
                while redis.llen("resque:failed") == 0:
                    await asyncio.sleep(0.05)
                    for number, worker in enumerate(workers.workers):
                        if not worker.is_alive():
                            workers.workers[number] = workers.start()
                await until(lambda: settled(redis), "the rest")

    workers: Fleet = None  # type: ignore[assignment]
    asyncio.run(walk())
    assert set(stub.ledger) == {f"d-{number:06}" for number in range(100)} - {"d-000025"}
    assert b"5 workers died with this job in flight" in redis.lindex("resque:failed", 0)


def local_ports(pid: int) -> set[int]:
    """The local TCP ports of a process's sockets; none where it has died."""
    inodes = set()
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            inodes.add(str(entry.readlink())[8:-1])
    except OSError:
        return set()
    lines = Path("/proc/self/net/tcp").read_text().splitlines()[1:]
    return {int(line.split()[1].split(":")[1], 16) for line in lines if line.split()[9] in inodes}


def test_a_worker_that_stood_still_beyond_its_lease_doubles_nothing(redis: Redis, redis_server: RedisServer) -> None:
    slow = asyncio.Event()

    async def hold(_: web.Request, key_: str) -> None:
        if not slow.is_set():
            await slow.wait()

    stub = GatewayStub(before=hold)
    redis.rpush(QUEUE, *(resque(number) for number in range(50)))

    async def walk() -> None:
        async with stub.serving() as url:
            options = ["--redis", redis_server.url, "--gateway", url, "--lease", "1", "--push-concurrency", "4"]
            with process("transport", *options) as first:
                await asyncio.to_thread(wait_ready, first)
                (in_flight,) = [name async for name in in_flight_keys()]
                await until(lambda: redis.hlen(in_flight) == 50, "everything in its hand")
                first.send_signal(signal.SIGSTOP)
                slow.set()
                with process("transport", *options) as second:
                    await until(lambda: len(stub.ledger) == 50, "the second worker delivers all")
                    first.send_signal(signal.SIGCONT)
                    await until(lambda: redis.zcard(key("leases")) == 2, "the first is back under a new name")
                    second.terminate()
                    await asyncio.to_thread(second.wait)
                redis.rpush(QUEUE, resque(50))
                await until(lambda: redis.hget(key("counts"), "delivered") == b"51", "the first works on")

    async def in_flight_keys():
        await until(lambda: redis.keys("*in-flight*"), "a hand")
        for name in redis.keys("*in-flight*"):
            yield name

    asyncio.run(walk())
    again = [row.delivery_id for row in stub.ledger.values() if row.requests > 1]
    assert len(again) <= 4, "only what was under way when it stopped is asked for twice, under the same key"


def test_workers_wait_for_a_redis_that_is_not_there_yet(tmp_path: Path, stub: Stub) -> None:
    server = RedisServer(tmp_path)
    with process("transport", "--redis", server.url, "--gateway", stub.url) as worker:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", server.port))
        with server.start():
            wait_ready(worker)
            with Redis.from_url(server.url) as client:
                client.rpush(QUEUE, resque(1))
            wait_until(stub.ledger, "the delivery")


def test_a_redis_without_room_is_waited_for(tmp_path: Path) -> None:
    server, stub = RedisServer(tmp_path).start(), GatewayStub()

    async def walk() -> None:
        with Redis.from_url(server.url) as redis:
            async with stub.serving() as url, running_worker(server.url, url) as worker:
                await until(lambda: worker.state.ready, "it works")
                with redis.pipeline() as at_once:
                    at_once.rpush(QUEUE, *(resque(number) for number in range(10)))
                    at_once.config_set("maxmemory", 1)
                    at_once.execute()
                await until(lambda: not worker.state.redis.available, "there is no room")
                redis.config_set("maxmemory", 0)
                await until(lambda: len(stub.ledger) == 10, "all")
                await until(lambda: settled(redis), "all settled")

    with server:
        asyncio.run(walk())
    assert all(row.requests == 1 for row in stub.ledger.values())


@pytest.mark.parametrize("more", [[], ["--cluster"]])
def test_sigterm_ends_a_worker_that_never_saw_redis(stub: Stub, more: list[str]) -> None:
    options = ("--redis", f"redis://127.0.0.1:{free_port()}/0", "--gateway", stub.url, *more)
    with process("transport", *options) as worker:
        assert worker.stderr is not None
        assert "redis is unavailable" in worker.stderr.readline()
        worker.terminate()
        assert worker.wait(120) == 0


def test_a_connection_that_cannot_be_closed_in_time_does_not_fail_the_stop(tmp_path: Path) -> None:
    """The server hangs, so what was written stays in the socket, and closing it waits for that."""
    server = RedisServer(tmp_path).start()

    async def walk() -> None:
        async with connected(server.url, cluster=False) as redis:
            connection = await redis.connection_pool.get_connection()
            server.process.send_signal(signal.SIGSTOP)
            writing = asyncio.create_task(connection.send_packed_command([b"x" * (64 << 20)]))
            await asyncio.sleep(0.2)
        writing.cancel()

    with server:
        asyncio.run(walk())


def test_a_redis_that_forgets_everything_takes_nothing_that_was_in_hand(tmp_path: Path) -> None:
    server = RedisServer(tmp_path).start()
    held = asyncio.Event()

    async def hold(_: web.Request, key_: str) -> None:
        await held.wait()

    stub = GatewayStub(before=hold)

    async def walk() -> None:
        with Redis.from_url(server.url) as redis:
            redis.rpush(QUEUE, *(resque(number) for number in range(50)))
            async with stub.serving() as url, running_worker(server.url, url, limits=Limits(concurrency=4)) as worker:
                await until(lambda: worker.state.in_flight == 50, "every job in flight")
                server.stop()
                await until(lambda: not worker.state.redis.available, "Redis is missed")
                held.set()
                server.start()
                await until(lambda: worker.state.in_flight == 0, "everything settled")
            assert int(redis.hget(key("counts"), "delivered")) == 50
            assert settled(redis)

    with server:
        asyncio.run(walk())
    assert len(stub.ledger) == 50


@pytest.mark.parametrize("fsync", ["always", pytest.param("everysec", marks=pytest.mark.soak)])
def test_a_restarted_redis_with_an_append_only_file_loses_nothing_that_it_had_written(
    tmp_path: Path, fsync: str
) -> None:
    """`always` keeps every job; `everysec` may lose the last second's jobs, so those are enqueued a second before."""
    server = RedisServer(tmp_path, "--save", "", "--appendonly", "yes", "--appendfsync", fsync).start()
    stub = GatewayStub()

    async def walk() -> None:
        with Redis.from_url(server.url) as redis:
            redis.rpush(QUEUE, *(resque(number) for number in range(3000)))
            await asyncio.sleep(1.5 if fsync == "everysec" else 0)
            async with stub.serving() as url, running_worker(server.url, url):
                for share in (500, 1500):
                    await until(lambda share=share: len(stub.ledger) > share, "some work")
                    server.stop()
                    await asyncio.sleep(0.2)
                    server.start()
                await until(lambda: len(stub.ledger) == 3000, "all")
                await until(lambda: settled(redis), "all settled")

    with server:
        asyncio.run(walk())


class CuttingProxy:
    """A way to Redis that swallows the answer to a fetch once, while the answer to a heartbeat is still on its way.

    A `silent` one leaves the connection open.
    """

    def __init__(self, port: int, *, silent: bool) -> None:
        self.port, self.silent, self.cut, self.cuts = port, silent, False, 0
        self.beating, self.noticed = asyncio.Event(), asyncio.Event()

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._carry, "127.0.0.1", 0)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        redis_reader, redis_writer = await asyncio.open_connection("127.0.0.1", self.port)
        asked = b""

        async def back() -> None:
            while data := await redis_reader.read(1 << 16):
                if self.cut and RENEW_LEASE.sha.encode() in asked:
                    self.beating.set()
                    await self.noticed.wait()
                elif self.cut and FETCH.sha.encode() in asked and self.beating.is_set():
                    self.cut, self.cuts = False, self.cuts + 1
                    if self.silent:
                        continue
                    break
                writer.write(data)
            writer.close()

        answering = asyncio.create_task(back())
        while data := await reader.read(1 << 16):
            asked = data
            redis_writer.write(data)
        redis_writer.close()
        await answering


@pytest.mark.parametrize("silent", [False, True])
def test_jobs_whose_fetch_was_never_answered_are_found_in_the_hand(
    redis: Redis, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, *, silent: bool
) -> None:
    """Also where a heartbeat is under way at that moment: it must not take the break for one that it has looked into."""
    if silent:
        monkeypatch.setattr("transport.connection.REPLY_TIMEOUT", 1)
    stub, proxy = GatewayStub(), CuttingProxy(redis_server.port, silent=silent)

    async def walk() -> None:
        server = await proxy.serve()
        port = server.sockets[0].getsockname()[1]
        async with stub.serving() as url, running_worker(f"redis://127.0.0.1:{port}/0", url) as worker:
            await until(lambda: worker.state.ready, "it works")
            proxy.cut = True
            await until(proxy.beating.is_set, "a heartbeat is under way")
            redis.rpush(QUEUE, *(resque(number) for number in range(10)))
            await until(lambda: proxy.cuts, "the cut")
            proxy.noticed.set()
            await until(lambda: len(stub.ledger) == 10, "all")
        server.close()

    asyncio.run(walk())
    assert proxy.cuts == 1
    assert int(redis.hget(key("counts"), "recovered") or 0) == 0
    assert all(row.requests == 1 for row in stub.ledger.values())


def slow_script(port: int) -> None:
    """A script of another client that keeps the server busy until it is killed."""
    with Redis(port=port) as client, suppress(RedisError):
        client.eval("while true do end", 0)


def break_redis(redis: Redis, code: str, port: int) -> None:
    match code:
        case "MISCONF":
            redis.config_set("save", "3600 1")
            (Path(redis.config_get("dir")["dir"]) / "dump.rdb").mkdir()
            redis.set("changed", 1)
            redis.bgsave()
        case "NOREPLICAS":
            redis.config_set("min-replicas-to-write", 1)
        case "BUSY":
            redis.config_set("lua-time-limit", 100)
            Thread(target=slow_script, args=(port,)).start()
        case "NOPERM":
            redis.execute_command("ACL", "SETUSER", "default", "-@write", "-evalsha", "-eval", "-blmove")
        case "READONLY":
            redis.replicaof("127.0.0.1", port)
        case "NOAUTH":
            redis.config_set("requirepass", "rotated")
            redis.client_kill_filter(_type="normal", skipme=True)


def mend_redis(redis: Redis, code: str) -> None:
    match code:
        case "MISCONF":
            (Path(redis.config_get("dir")["dir"]) / "dump.rdb").rmdir()
            redis.bgsave()
        case "NOREPLICAS":
            redis.config_set("min-replicas-to-write", 0)
        case "BUSY":
            redis.script_kill()
            wait_until(lambda: answers(redis), "the script ends")
        case "NOPERM":
            redis.execute_command("ACL", "SETUSER", "default", "+@all")
        case "READONLY":
            redis.replicaof("NO", "ONE")
        case "NOAUTH":
            redis.config_set("requirepass", "")


@pytest.mark.parametrize("code", ["MISCONF", "NOREPLICAS", "BUSY", "NOPERM", "READONLY", "NOAUTH"])
def test_an_error_of_redis_is_waited_for_and_no_result_is_lost(tmp_path: Path, code: str) -> None:
    """Deliveries are in flight when Redis starts to refuse, and end before it stops."""
    server, held = RedisServer(tmp_path, "--save", "").start(), asyncio.Event()

    async def hold(_: web.Request, key_: str) -> None:
        await held.wait()

    stub = GatewayStub(before=hold)

    async def walk() -> None:
        with Redis.from_url(server.url) as redis:
            redis.rpush(QUEUE, *(resque(number) for number in range(20)))
            limits = Limits(concurrency=10)
            async with stub.serving() as url, running_worker(server.url, url, limits=limits, patience=60) as worker:
                await until(lambda: worker.dispatchers["push"].requests_in_flight == 10, "ten requests")
                await asyncio.to_thread(break_redis, redis, code, server.port)
                await until(lambda: not worker.state.redis.available, "the error is noticed")
                held.set()
                await until(lambda: len(stub.ledger) >= 10, "the requests end")
                await asyncio.to_thread(mend_redis, redis, code)
                await until(lambda: len(stub.ledger) == 20, "all")
                await until(lambda: settled(redis), "all settled")
                redis.rpush(QUEUE, resque(20))
                await until(lambda: len(stub.ledger) == 21, "another")

    with server:
        asyncio.run(walk())
    assert all(row.requests == 1 for row in stub.ledger.values())


class Forwarder:
    """A TCP proxy, like the one name of a managed Redis: a failover changes its target for new connections only."""

    def __init__(self, port: int) -> None:
        self.target = port

    async def serve(self) -> tuple[asyncio.Server, int]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return server, server.sockets[0].getsockname()[1]

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self.target)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await source.read(1 << 16):
                    sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, forth), pump(back, writer))


def is_in_sync(replica: Redis) -> bool:
    return bool(replica.info("replication").get("master_link_status") == "up")


@pytest.mark.parametrize("idle", [True, False])
def test_a_worker_follows_every_failover(tmp_path: Path, *, idle: bool) -> None:
    """The master and its replica change places six times. The worker fetches, or is paused and only writes reports."""
    servers = [RedisServer(tmp_path / name, "--save", "") for name in "ab"]
    stub = GatewayStub()

    async def walk() -> None:
        master, replica = (Redis.from_url(server.url) for server in servers)
        replica.replicaof("127.0.0.1", str(servers[0].port))
        proxy = Forwarder(servers[0].port)
        server, port = await proxy.serve()
        async with stub.serving() as url, running_worker(f"redis://127.0.0.1:{port}/0", url) as worker:
            await until(lambda: worker.state.ready, "it works")
            for number in range(6):
                if idle:
                    master.set("resque:pause-all-workers", "true")
                    await until(lambda: worker.state.paused, "the pause")
                await until(partial(is_in_sync, replica), "the replica")
                replica.replicaof("NO", "ONE")
                proxy.target, old = servers[(number + 1) % 2].port, servers[number % 2].port
                master.replicaof("127.0.0.1", str(proxy.target))
                master, replica = replica, master
                master.delete("resque:pause-all-workers")
                master.rpush(QUEUE, *(resque(10 * number + each) for each in range(10)))
                await until(lambda number=number: len(stub.ledger) >= 10 * number + 10, f"all, not those on {old}")
        server.close()

    with ExitStack() as stack:
        for each in servers:
            each.directory.mkdir()
            stack.enter_context(each.start())
        asyncio.run(walk())


@pytest.mark.parametrize("delivery", ["exactly-once", "at-most-once"])
@pytest.mark.parametrize("fetching", [True, False])
def test_what_only_the_old_master_knows_is_written_to_the_new_one(
    tmp_path: Path, *, fetching: bool, delivery: str
) -> None:
    """Both servers are masters for a moment, and the old one receives all acknowledgements, or the fetches, too.

    The worker is paused meanwhile, so that only its heartbeat notices the failover.
    """
    servers = [RedisServer(tmp_path / name, "--save", "") for name in "ab"]
    held = asyncio.Event()

    async def hold(_: web.Request, key_: str) -> None:
        await held.wait()

    stub = GatewayStub(before=hold)

    async def walk() -> None:
        old, new = (Redis.from_url(server.url) for server in servers)
        new.replicaof("127.0.0.1", str(servers[0].port))
        await until(partial(is_in_sync, new), "the replica")
        proxy = Forwarder(servers[0].port)
        server, port = await proxy.serve()
        redis_url = f"redis://127.0.0.1:{port}/0"
        async with (
            stub.serving() as url,
            running_worker(redis_url, url, patience=60, delivery=delivery) as worker,
        ):
            await until(lambda: worker.state.ready, "it works")
            if fetching:
                old.set("resque:pause-all-workers", "true")
                await until(lambda: worker.state.paused, "the pause")
            old.rpush(QUEUE, *(resque(number) for number in range(20)))
            if not fetching:
                await until(lambda: worker.state.in_flight == 20, "every job in flight")
            old.wait(1, 10_000)
            new.replicaof("NO", "ONE")
            old.delete("resque:pause-all-workers")
            await until(lambda: worker.state.in_flight == 20, "every job in flight")
            old.set("resque:pause-all-workers", "true")
            await until(lambda: worker.state.paused, "the pause")
            held.set()
            await until(lambda: settled(old), "the acknowledgements")
            proxy.target = servers[1].port
            old.replicaof("127.0.0.1", str(proxy.target))
            new.delete("resque:pause-all-workers")
            await until(lambda: settled(new), "all settled")
            assert not new.exists("resque:failed")
        server.close()

    with ExitStack() as stack:
        for each in servers:
            each.directory.mkdir()
            stack.enter_context(each.start())
        asyncio.run(walk())
    assert len(stub.ledger) == 20
    assert all(row.requests == 1 for row in stub.ledger.values())


def test_a_redis_that_is_flushed_gets_again_what_the_worker_keeps_there(
    redis: Redis, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    held = asyncio.Event()

    async def hold(_: web.Request, key_: str) -> None:
        await held.wait()

    stub = GatewayStub(before=hold)
    redis.rpush(QUEUE, *(resque(number) for number in range(30)))

    async def walk() -> None:
        limits = Limits(concurrency=4)
        async with stub.serving() as url, running_worker(redis_server.url, url, limits=limits, patience=60) as worker:
            await until(lambda: worker.state.in_flight == 30, "everything in flight")
            redis.flushall()
            redis.script_flush()
            await until(lambda: redis.scard("resque:workers"), "the worker is in the registry again")
            await until(lambda: redis.zcard(key("leases")), "and has its lease")
            held.set()
            await until(lambda: worker.state.in_flight == 0, "all settled")
            redis.rpush(QUEUE, resque(0), resque(29))
            await until(lambda: int(redis.hget(key("counts"), "duplicate") or 0) == 2, "the duplicates")

    asyncio.run(walk())
    assert len(stub.ledger) == 30
    assert all(row.requests == 1 for row in stub.ledger.values())
    assert [record.message for record in caplog.records].count(
        "redis lost its data: queued jobs and records of deliveries are gone"
    ) == 1


@pytest.mark.parametrize("how", ["asked", "the master is killed"])
def test_sentinel_starts_a_failover(tmp_path: Path, how: str) -> None:
    """Jobs are enqueued and delivered before and after. Those that the replica has are delivered."""
    for name in "ab":
        (tmp_path / name).mkdir()
    a = RedisServer(tmp_path / "a").start()
    b = RedisServer(tmp_path / "b", "--save", "", "--replicaof", "127.0.0.1", str(a.port)).start()
    stub = GatewayStub()

    async def walk() -> None:
        with a, b, Redis.from_url(a.url) as old, Redis.from_url(b.url) as new:
            await until(partial(is_in_sync, new), "the replica")
            with sentinel(tmp_path, a) as asked:
                port = asked.connection_pool.connection_kwargs["port"]
                await until(lambda: asked.sentinel_master("mymaster")["num-slaves"], "the sentinel knows the replica")
                url = f"redis+sentinel://127.0.0.1:{port}/mymaster/0"
                async with stub.serving() as gateway, running_worker(url, gateway):
                    old.rpush(QUEUE, *(resque(number) for number in range(500)))
                    old.wait(1, 10_000)
                    await until(lambda: stub.ledger, "the first delivery")
                    failed_over = partial(is_master, new)
                    if how == "asked":
                        ask = partial(asked.execute_command, "SENTINEL", "FAILOVER", "mymaster")
                        failed_over = asked_until(failed_over, ask)
                    else:
                        a.process.kill()
                    await until(failed_over, "the failover")
                    new.rpush(QUEUE, *(resque(number) for number in range(500, 600)))
                    await until(lambda: len(stub.ledger) == 600, "all")
                    await until(lambda: settled(new), "all settled")

    asyncio.run(walk())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://nobody:wrong@{server}/0", "Check --redis"),
        ("redis://{server}/99999", "Check --redis"),
        ("redis://no-such-host.invalid:6379/0", "Check --redis"),
        ("redis://{server}/zero", "not a URL such as redis://"),
        ("redis://127.0.0.1:99999/0", "not a URL such as redis://"),
        ("127.0.0.1:6379", "not a URL such as redis://"),
        ("redis+sentinel://127.0.0.1:26379", "not a URL such as redis://"),
        ("redis+sentinel://{server}/mymaster", "unknown command 'SENTINEL'"),
        ("redis+sentinel://no-such-host.invalid:26379/mymaster", "no host of a sentinel has an address"),
        ("redis://no-such-host.invalid:6379/0 --cluster", "Check --redis"),
        ("redis://{server}/0 --cluster", "Cluster mode is not enabled"),
    ],
)
def test_a_redis_that_cannot_be_used_is_one_sentence(
    redis_server: RedisServer, stub: Stub, url: str, words: str
) -> None:
    target = url.format(server=f"127.0.0.1:{redis_server.port}").split()
    with process("transport", "--redis", *target, "--gateway", stub.url) as worker:
        _, said = worker.communicate(timeout=120)
    assert worker.returncode == 2
    assert words in said
    assert "Traceback" not in said
    assert '"ready"' not in said


@pytest.fixture
def shifted_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts add the key `shift`, in seconds, to the server's time."""
    own = "redis.call('TIME')"
    shifted = f"(function() local t = {own} return {{t[1] + (redis.call('GET', 'shift') or 0), t[2]}} end)()"
    for script in (FETCH, SCHEDULE, RENEW_LEASE, RECOVER, TAKE_TOKENS):
        assert own in script.text
        monkeypatch.setattr(script, "text", script.text.replace(own, shifted))
        monkeypatch.setattr(script, "sha", hashlib.sha1(script.text.encode(), usedforsecurity=False).hexdigest())


@pytest.mark.usefixtures("shifted_clock")
@pytest.mark.parametrize("rate", [None, 20])
@pytest.mark.parametrize("steps", [[-20], [-3600], [3600, -3600], [-3600, 3600]])
def test_a_step_of_the_clock_of_redis_stops_nothing(
    redis: Redis, redis_server: RedisServer, rate: float | None, steps: list[int]
) -> None:
    """A job waits for its second attempt, others for the rate limit, and leases are renewed."""
    failing = True

    async def fail(_: web.Request, key_: str) -> web.Response | None:
        return web.Response(status=500) if failing and key_ == "d-000000" else None

    stub = GatewayStub(before=fail)
    redis.rpush(QUEUE, *(resque(number) for number in range(40)))

    async def walk() -> None:
        nonlocal failing
        settings, limits = Settings(lease=2.0, poll=0.05, backoff=0.5, attempts=100), Limits(rate=rate)
        async with stub.serving() as url, running_worker(redis_server.url, url, limits=limits, settings=settings):
            await until(lambda: redis.hget(key("counts"), "retried"), "a failure")
            shift = 0
            for step in steps:
                shift += step
                redis.set("shift", shift)
                await asyncio.sleep(0.2)
            failing = False
            await until(lambda: len(stub.ledger) == 40, "all")

    asyncio.run(walk())
    assert all(row.requests == 1 for name, row in stub.ledger.items() if name != "d-000000")


@pytest.mark.usefixtures("shifted_clock")
def test_a_step_forward_takes_no_jobs_from_live_workers(
    redis: Redis, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Their leases all expire at that moment, and each has jobs in flight. Heartbeats come every three seconds."""
    held, settings = asyncio.Event(), Settings(lease=15, poll=0.05, backoff=0.05, deadline=5)

    async def hold(_: web.Request, key_: str) -> None:
        await held.wait()

    stub = GatewayStub(before=hold)
    redis.rpush(QUEUE, *(resque(number) for number in range(500)))

    async def walk() -> None:
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(stub.serving())
            workers = [
                await stack.enter_async_context(running_worker(redis_server.url, url, settings=settings, patience=120))
                for _ in range(3)
            ]
            await until(lambda: all(worker.state.in_flight for worker in workers), "each has jobs")
            for shift in (3600, 7200):
                redis.set("shift", shift)
                await asyncio.sleep(4)
            held.set()
            await until(lambda: len(stub.ledger) == 500, "all")
            await until(lambda: settled(redis), "all settled")

    asyncio.run(walk())
    assert redis.hget(key("counts"), "recovered") is None
    assert "the lease was lost" not in caplog.messages
    assert all(row.requests == 1 for row in stub.ledger.values())
