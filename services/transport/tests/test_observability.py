"""What people and machines see of a worker."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from transport_processes import RedisServer, Stub, free_port, process, wait_ready, wait_until
from transport_support import QUEUE, QUICK, key, resque, running_worker, until

from transport.__main__ import main
from transport.gateway_stub import GatewayStub
from transport.settings import Settings
from transport.worker import Worker


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@asynccontextmanager
async def watched(
    server: RedisServer, stub: GatewayStub, settings: Settings = QUICK
) -> AsyncIterator[tuple[Worker, aiohttp.ClientSession]]:
    """A worker, and a client of what it tells about itself."""
    async with (
        stub.serving() as url,
        running_worker(server.url, url, settings=settings) as worker,
        worker.metrics.serving("127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield worker, session


def test_metrics_say_what_became_of_jobs_and_how_long_it_took(redis: Redis, redis_server: RedisServer) -> None:
    redis.rpush(QUEUE, resque(1), resque(2, age=timedelta(seconds=20)), resque(3, kind="sms"), b"nonsense")
    redis.rpush(QUEUE, resque(4, age=timedelta(hours=3)))
    stub = GatewayStub()

    async def walk() -> str:
        async with watched(redis_server, stub) as (worker, session):
            await until(
                lambda: len(stub.ledger) == 3 and worker.state.ready and worker.state.in_flight == 0, "all settled"
            )
            assert (await session.get("/healthz")).status == 200
            text = ""
            async with asyncio.timeout(120):  # Redis is read at an interval
                while 'transport_depth{queue="transport",where="queue"} 0.0' not in text or "letters 1.0" not in text:
                    text = await (await session.get("/metrics")).text()
            return text

    seen = samples(asyncio.run(walk()))
    assert seen["transport_jobs_total", "push", "delivered"] == 2
    assert seen["transport_jobs_total", "sms", "delivered"] == 1
    assert seen["transport_jobs_total", "push", "expired"] == 1
    assert seen["transport_jobs_total", "", "invalid"] == 1
    assert seen["transport_age_seconds_bucket", "push", "15.0", "delivered"] == 1
    assert seen["transport_age_seconds_bucket", "push", "60.0", "delivered"] == 2
    assert seen["transport_depth", "transport", "queue"] == 0
    assert seen["transport_depth", "transport", "scheduled"] == 0
    assert seen["transport_in_flight", "transport"] == 0
    assert seen["transport_circuit_breaker", "push"] == 0
    assert seen["transport_redis_up",] == 1
    assert seen["transport_dead_letters",] == 1


def test_metrics_say_how_long_the_oldest_job_of_each_place_has_waited(redis: Redis, redis_server: RedisServer) -> None:
    """The gateway of pushes takes none, an SMS waits for its second attempt, and the worker is paused."""

    async def fail(request: web.Request, _: str) -> web.Response:
        return web.Response(status=500 if "Messages.json" in request.path else 404)

    redis.rpush(QUEUE, b"nonsense", *(resque(number, age=timedelta(seconds=1000 - number)) for number in range(300)))
    redis.rpush(QUEUE, resque(1000, kind="sms", age=timedelta(seconds=2000)))
    failed_at = (datetime.now(UTC) - timedelta(seconds=5000)).strftime("%Y/%m/%d %H:%M:%S UTC")
    redis.rpush("resque:failed", json.dumps({"failed_at": failed_at, "payload": {}}))
    places = {"queue": 3000, "scheduled": 2000, "quarantine": 0}
    settings = replace(QUICK, backoff=300)

    async def walk() -> dict[tuple[str, ...], float]:
        async with watched(redis_server, GatewayStub(before=fail), settings) as (worker, session):
            await until(lambda: redis.hget(key("counts"), "retried"), "the SMS failed")
            redis.set("resque:pause-all-workers", "true")
            await until(lambda: worker.state.paused, "the pause")
            await asyncio.sleep(0.2)  # a fetch under way ends
            redis.lpush(QUEUE, resque(2000, age=timedelta(seconds=3000)))
            seen: dict[tuple[str, ...], float] = {}
            async with asyncio.timeout(120):
                while seen.get(oldest_in_queue, 0) < 3000:
                    seen = samples(await (await session.get("/metrics")).text())
            redis.lset(QUEUE, 0, "nonsense")
            async with asyncio.timeout(120):
                while not isnan(samples(await (await session.get("/metrics")).text())[oldest_in_queue]):
                    pass
            return seen

    oldest_in_queue = ("transport_oldest_seconds", "transport", "queue")
    seen = asyncio.run(walk())
    for place, seconds in places.items():
        assert seconds <= seen["transport_oldest_seconds", "transport", place] < seconds + 310, place
    assert seen["transport_dead_letters",] == 2
    assert 5000 <= seen["transport_oldest_dead_letter_seconds",] < 5100


def test_healthz_says_when_redis_is_away(tmp_path: Path) -> None:
    server, stub = RedisServer(tmp_path).start(), GatewayStub()

    async def walk() -> None:
        async with watched(server, stub) as (_, session):
            for act, status in ((None, 200), (server.stop, 503), (server.start, 200)):
                if act:
                    act()
                async with asyncio.timeout(120):
                    answer = await session.get("/healthz")
                    while answer.status != status:
                        await asyncio.sleep(0.02)
                        answer = await session.get("/healthz")
                assert (await answer.json())["redis"] == (status == 200)

    with server:
        asyncio.run(walk())


def test_logs_are_json_lines_without_payloads(redis: Redis, redis_server: RedisServer, stub: Stub) -> None:
    secret = "Bo-likes-this-very-secret-message"
    redis.rpush(QUEUE, resque(1, text=secret, kind=secret), resque(2, text=secret, recipient={"person_id": secret}))
    redis.rpush(QUEUE, resque(3, text=secret, details={"from": secret}), resque(4, text=secret))
    with process("transport", "--redis", redis_server.url, "--gateway", stub.url) as worker:
        wait_ready(worker)
        wait_until(lambda: redis.llen("resque:failed") == 3 and len(stub.ledger()) == 1, "all settled")
        worker.terminate()
        _, errors = worker.communicate()
    lines = [json.loads(line) for line in errors.splitlines()]
    assert secret not in errors
    assert all({"time", "level", "ticket", "queue"} <= line.keys() for line in lines), errors
    assert {(line["event"], line["reason"]) for line in lines} == {
        ("invalid", "/kind: enum"),
        ("invalid", "/recipient/person_id: pattern"),
        ("dead", "refused: 400 INVALID_ARGUMENT"),
    }


def test_status_shows_it_in_a_terminal(redis: Redis, redis_server: RedisServer) -> None:
    held = asyncio.Event()

    async def hold(_: object, key: str) -> None:
        if key == "d-000002":
            await held.wait()

    stub = GatewayStub(before=hold)
    redis.rpush(QUEUE, resque(1), b"nonsense", resque(2))

    async def walk() -> str:
        async with stub.serving() as url, running_worker(redis_server.url, url, patience=60) as worker:
            job_queue = worker.state.queues[0]
            await until(
                lambda: b'"requests_in_flight": 1' in (redis.get(job_queue.key(f"report:{job_queue.worker}")) or b""),
                "a report",
            )
            command = [sys.executable, "-m", "transport", "status", "--redis", redis_server.url]
            shown = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True, text=True)
            held.set()
        return shown.stdout

    shown = asyncio.run(walk())
    assert "resque:queue:transport: 0 queue, 0 scheduled, 0 quarantine" in shown
    assert "so far: 1 delivered, 1 invalid" in shown
    assert f":{os.getpid()}:transport): lease" in shown
    assert "1 in flight" in shown
    assert "push: circuit breaker closed, 1 of 32 requests in flight, 0 waiting, no rate limit" in shown
    assert "resque:failed: 1" in shown


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("localhost:6379", 2, "not a URL such as redis://"),
        ("redis://:hidden@127.0.0.1:1/0", 3, "Redis does not answer"),
    ],
)
def test_a_status_that_cannot_be_had_says_why(url: str, code: int, words: str) -> None:
    command = [sys.executable, "-m", "transport", "status", "--redis", url]
    asked = subprocess.run(command, capture_output=True, check=False, text=True)
    assert asked.returncode == code
    assert words in asked.stderr
    assert "Traceback" not in asked.stderr
    assert "hidden" not in asked.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        "--push-rate=0",
        "--sms-rate=nan",
        "--push-concurrency=0",
        "--batch=-1",
        "--lease=0",
        "--metrics=9100/metrics",
        "--metrics=:99999",
        "--push-url=localhost:1",
    ],
)
def test_a_setting_that_cannot_be_is_a_usage_error(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--redis", "redis://127.0.0.1:1/0", "--gateway", "http://127.0.0.1:1", wrong])
    assert ended.value.code == 2
    assert f"argument {wrong.partition('=')[0]}: invalid" in capsys.readouterr().err


def test_metrics_are_served_by_the_process(redis_server: RedisServer, redis: Redis, stub: Stub) -> None:
    port = free_port()
    options = ("--redis", redis_server.url, "--gateway", stub.url, "--metrics", f"127.0.0.1:{port}")
    with process("transport", *options) as worker:
        wait_ready(worker)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert b"200 OK" in client.recv(1000)


def test_the_pages_answer_while_redis_and_the_gateway_hang(tmp_path: Path) -> None:
    """And while 500 idle clients keep their connections open."""
    port, server = free_port(), RedisServer(tmp_path).start()
    with server, Redis.from_url(server.url) as redis, process("transport.gateway_stub") as gateway, ExitStack() as idle:
        assert gateway.stdout is not None
        options = ("--gateway", gateway.stdout.readline().strip(), "--metrics", f"127.0.0.1:{port}")
        with process("transport", "--redis", server.url, *options) as worker:
            wait_ready(worker)
            for _ in range(500):
                idle.enter_context(socket.create_connection(("127.0.0.1", port)))
            gateway.send_signal(signal.SIGSTOP)
            redis.rpush(QUEUE, *(resque(number) for number in range(1000)))
            wait_until(lambda: redis.llen(QUEUE) < 1000, "the worker is busy")
            server.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: page(port, "/healthz") == 503, "Redis is missed")
            assert [page(port, path) for path in ("/metrics", "/livez", "/healthz")] == [200, 200, 503]


def page(port: int, path: str) -> int:
    """Return the status of a page, which comes although all else hangs."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_healthz_is_red_when_pushes_do_not_leave(redis: Redis, redis_server: RedisServer) -> None:
    rejecting = True

    async def reject(_: web.Request, key: str) -> web.Response | None:
        return web.Response(status=401) if rejecting else None

    stub = GatewayStub(before=reject)
    redis.rpush(QUEUE, resque(1))

    async def walk() -> None:
        nonlocal rejecting
        async with watched(redis_server, stub) as (worker, session):
            await until(lambda: worker.dispatchers["push"].limiter.blocked, "the alarm")
            answer = await session.get("/healthz")
            assert answer.status == 503
            assert (await answer.json())["delivering"] is False
            rejecting = False
            await until(lambda: stub.ledger, "the delivery")
            await until(lambda: not worker.dispatchers["push"].limiter.blocked, "the end of the alarm")
            assert (await session.get("/healthz")).status == 200

    asyncio.run(walk())


def test_healthz_is_red_when_redis_evicts_keys(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--save", "", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru").start()

    async def walk() -> None:
        async with watched(server, GatewayStub()) as (worker, session):
            await until(lambda: worker.state.ready, "it works")
            assert (await (await session.get("/healthz")).json())["keeps_all_keys"] is False

    with server:
        asyncio.run(walk())


def test_a_port_that_is_taken_is_one_sentence(redis_server: RedisServer, stub: Stub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        options = ("--redis", redis_server.url, "--gateway", stub.url, "--metrics", where)
        with process("transport", *options) as worker:
            _, said = worker.communicate(timeout=120)
    assert worker.returncode == 2
    assert f"cannot listen on {where}" in said
    assert "Traceback" not in said


def test_a_stop_keeps_its_deadline_while_redis_hangs(tmp_path: Path, stub: Stub) -> None:
    with RedisServer(tmp_path) as server:
        server.start()
        options = ("--redis", server.url, "--gateway", stub.url, "--deadline", "1", "--metrics", "127.0.0.1:0")
        with process("transport", *options) as worker:
            wait_ready(worker)
            server.process.send_signal(signal.SIGSTOP)
            worker.terminate()
            assert worker.wait(120) == 0, "not before Redis answers, which is never"
            server.process.send_signal(signal.SIGCONT)
