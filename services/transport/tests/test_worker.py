"""The worker between a real Redis and a gateway: what it takes, what it drops, what it leaves behind."""

import asyncio
import base64
import json
import re
import shutil
import signal
import subprocess
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web
from redis import Redis
from transport_processes import RedisServer, Stub, process, wait_ready, wait_until
from transport_support import QUEUE, QUICK, key, resque, running_worker, until, work_until

from envelopes import Envelope, encode
from envelopes.messages import DeliveryRequested
from transport.__main__ import main
from transport.gateway_stub import GatewayStub
from transport.limiter import Limits
from transport.settings import Settings


def counts(redis: Redis) -> dict[str, int]:
    return {name.decode(): int(number) for name, number in redis.hgetall(key("counts")).items()}


def failed(redis: Redis) -> list[dict[str, object]]:
    return [json.loads(entry) for entry in redis.lrange("resque:failed", 0, -1)]


def left_behind(redis: Redis) -> set[str]:
    """Keys that an idle mailbox should not have."""
    known = ("clock", "counts", "data-id", "report:")
    names = {name.decode() for name in redis.keys("*transport}*")}
    return {name for name in names if not name.removeprefix(key("")).startswith(known)}


def test_a_worker_process_delivers_and_stops_in_order(redis: Redis, redis_server: RedisServer, stub: Stub) -> None:
    broken = resque("d-broken", kind="pigeon")
    redis.rpush(QUEUE, resque(1), broken, b"\xffnot json", resque(2, kind="sms"))
    with process("transport", "--redis", redis_server.url, "--gateway", stub.url) as worker:
        wait_ready(worker)
        wait_until(lambda: len(stub.ledger()) == 2, "two deliveries")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(120) == 0
    assert {(row["delivery_id"], row["kind"]) for row in stub.ledger()} == {("d-000001", "push"), ("d-000002", "sms")}
    assert left_behind(redis) == set()
    first, second = failed(redis)
    assert base64.b64decode(str(first["original"])) == broken
    assert first["pointer"] == "/kind"
    assert "at /kind: expected one of" in str(first["error"])
    assert "pigeon" not in str(first["error"])  # what a field holds is in `original` alone
    assert first["payload"] == json.loads(broken)
    assert base64.b64decode(str(second["original"])) == b"\xffnot json"


@pytest.mark.parametrize(
    "poison",
    [
        b'{"class":"DeliveryRequested","args":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"class":"DeliveryRequested","args":[' + b'{"a":' * 990 + b"1" + b"}" * 990 + b"]}",
        b'{"class":"DeliveryRequested","args":[{"kind":NaN}]}',
        b"[" * 5_000_000,
        b"",
        b"\x00\xff" * 1000,
    ],
    ids=["too deep to read", "too deep to write", "not a number", "megabytes", "empty", "bytes"],
)
def test_poison_goes_to_the_dead_letters_and_stops_nobody(
    redis: Redis, redis_server: RedisServer, poison: bytes
) -> None:
    redis.rpush(QUEUE, poison, resque(1))
    stub = GatewayStub()
    work_until(lambda: stub.ledger and redis.llen("resque:failed"), "both ends", redis_server, stub)
    (entry,) = failed(redis)
    assert base64.b64decode(str(entry["original"])) == poison
    assert counts(redis) == {"delivered": 1, "invalid": 1}


def test_jobs_with_and_without_an_envelope_are_delivered(redis: Redis, redis_server: RedisServer) -> None:
    plain = resque(1)
    data = json.loads(resque(2))["args"][0]
    event = encode(Envelope(DeliveryRequested.from_value(data), id="another-id"))
    bare = json.dumps(json.loads(bytes(event).replace(b"d-000002", b"d-000003"))["args"][0]).encode()
    redis.rpush(QUEUE, plain, bytes(event), bare)
    stub = GatewayStub()
    work_until(lambda: len(stub.ledger) == 3, "three deliveries", redis_server, stub)
    assert set(stub.ledger) == {"d-000001", "d-000002", "d-000003"}


def test_what_is_too_old_is_dropped_unsent_and_counted(redis: Redis, redis_server: RedisServer) -> None:
    redis.rpush(QUEUE, resque(1, age=timedelta(hours=2, seconds=5)), resque(2, age=timedelta(hours=1, minutes=59)))
    stub = GatewayStub()
    work_until(lambda: sum(counts(redis).values()) == 2, "both settled", redis_server, stub)
    assert set(stub.ledger) == {"d-000002"}
    assert counts(redis) == {"delivered": 1, "expired": 1}
    assert failed(redis) == []


def test_a_delivery_that_was_enqueued_twice_is_sent_once(redis: Redis, redis_server: RedisServer) -> None:
    redis.rpush(QUEUE, resque(1), resque(1), resque(2))
    stub = GatewayStub()

    async def walk() -> None:
        async with stub.serving() as url, running_worker(redis_server.url, url):
            await until(lambda: len(stub.ledger) == 2, "two deliveries")
            redis.rpush(QUEUE, resque(1))
            await until(lambda: counts(redis).get("duplicate") == 2, "both duplicates dropped")

    asyncio.run(walk())
    assert stub.ledger["d-000001"].requests == 1


def test_without_marks_a_channel_sends_again(redis: Redis, redis_server: RedisServer) -> None:
    redis.rpush(QUEUE, resque(1), resque(1))
    stub = GatewayStub()
    work_until(lambda: counts(redis).get("delivered") == 2, "both sent", redis_server, stub, delivery="at-least-once")
    assert stub.ledger["d-000001"].requests == 2


@pytest.mark.parametrize(("delivery", "requests"), [("exactly-once", 2), ("at-most-once", 1)])
def test_a_cut_connection_after_the_gateway_acted(
    redis: Redis, redis_server: RedisServer, delivery: str, requests: int
) -> None:
    """exactly-once asks again under the same key; at-most-once never does, and says so in `resque:failed`."""

    async def cut(request: web.Request, key: str) -> None:
        if stub.ledger[key].requests == 1:
            assert request.transport is not None
            request.transport.abort()

    stub = GatewayStub(after=cut)
    redis.rpush(QUEUE, resque(1))
    work_until(lambda: {"delivered", "unsure"} & counts(redis).keys(), "its end", redis_server, stub, delivery=delivery)
    assert stub.ledger["d-000001"].requests == requests
    assert len(failed(redis)) == (delivery == "at-most-once")
    assert left_behind(redis) == set()


def test_failures_are_retried_with_growing_pauses_then_dead(redis: Redis, redis_server: RedisServer) -> None:
    asked: list[float] = []

    async def fail(_: web.Request, key: str) -> web.Response | None:
        if key != "d-000001":
            return None
        asked.append(asyncio.get_running_loop().time())
        return web.json_response({"error": {"status": "INTERNAL", "message": "quotes the payload"}}, status=500)

    stub = GatewayStub(before=fail)
    redis.rpush(QUEUE, resque(1), resque(2))
    settings = Settings(lease=2.0, poll=0.02, backoff=0.1, attempts=4)
    work_until(lambda: "dead" in counts(redis), "its end", redis_server, stub, settings=settings)
    assert counts(redis) == {"delivered": 1, "retried": 3, "dead": 1}
    pauses = [after - before for before, after in pairwise(asked)]
    assert all(pause >= 0.05 * 2**number for number, pause in enumerate(pauses))
    (entry,) = failed(redis)
    assert (entry["exception"], entry["error"], entry["attempts"]) == ("GatewayError", "failed: 500 INTERNAL", 4)
    assert left_behind(redis) == set()


def test_what_a_gateway_refuses_is_not_sent_again(redis: Redis, redis_server: RedisServer) -> None:
    ana = {"person_id": "p-ana001"}
    redis.rpush(QUEUE, resque(1, kind="sms", recipient=ana), resque(2, details={"from": "x"}))
    redis.rpush(QUEUE, resque(3, kind="sms", recipient=ana | {"phone": "+15005550004"}))
    redis.rpush(QUEUE, resque(4, recipient=ana | {"device": "unregistered-1"}))
    stub = GatewayStub()
    work_until(lambda: counts(redis).get("dead") == 4, "their end", redis_server, stub)
    assert {entry["error"] for entry in failed(redis)} == {
        "refused: an SMS needs /recipient/phone, which is missing",
        "refused: 400 INVALID_ARGUMENT",
        "refused: 400 21610",
        "refused: 404 UNREGISTERED",
    }
    assert stub.ledger == {}
    assert redis.keys("resque:claim:*") == [], "whoever asks again may try"


def test_a_dead_letter_can_be_retried_the_way_resque_does(redis: Redis, redis_server: RedisServer) -> None:
    well = False

    async def fail(_: web.Request, key: str) -> web.Response | None:
        return None if well else web.Response(status=500)

    stub = GatewayStub(before=fail)
    redis.rpush(QUEUE, resque(1))
    settings = Settings(lease=2.0, poll=0.02, backoff=0.01, attempts=2)

    async def walk() -> None:
        nonlocal well
        async with stub.serving() as url, running_worker(redis_server.url, url, settings=settings):
            await until(lambda: "dead" in counts(redis), "its end")
            well = True
            (entry,) = failed(redis)
            redis.rpush(f"resque:queue:{entry['queue']}", json.dumps(entry["payload"]))
            await until(lambda: "delivered" in counts(redis), "its second life")

    asyncio.run(walk())
    assert set(stub.ledger) == {"d-000001"}


def test_queues_are_worked_in_order_of_priority(redis: Redis, redis_server: RedisServer) -> None:
    redis.rpush("resque:queue:low", *(resque(f"d-low{n:03}") for n in range(300)))
    redis.rpush("resque:queue:high", *(resque(f"d-high{n:03}") for n in range(300)))
    stub = GatewayStub()

    async def walk() -> None:
        async with (
            stub.serving() as url,
            running_worker(redis_server.url, url, queues=("high", "low"), limits=Limits(concurrency=1)),
        ):
            await until(lambda: len(stub.ledger) == 600, "all")

    asyncio.run(walk())
    order = [name[:5] for name in stub.ledger]
    assert "d-low" not in order[:200]
    assert order[-200:] == ["d-low"] * 200


def test_workers_share_the_work(redis: Redis, redis_server: RedisServer) -> None:
    async def slow(_: web.Request, key: str) -> None:
        await asyncio.sleep(0.005)

    stub = GatewayStub(before=slow)
    redis.rpush(QUEUE, *(resque(number) for number in range(1200)))
    limits = Limits(concurrency=4)

    async def walk() -> list[float]:
        async with (
            stub.serving() as url,
            running_worker(redis_server.url, url, limits=limits) as first,
            running_worker(redis_server.url, url, limits=limits) as second,
        ):
            await until(lambda: len(stub.ledger) == 1200, "all")
            labels = {"outcome": "delivered", "gateway": "push"}
            value = "transport_jobs_total"
            await until(lambda: first.state.in_flight == second.state.in_flight == 0, "all settled")
            return [each.metrics.registry.get_sample_value(value, labels) or 0 for each in (first, second)]

    shares = asyncio.run(walk())
    assert sum(shares) == 1200
    assert min(shares) >= 300


def test_one_slow_gateway_does_not_hold_up_the_other(redis: Redis, redis_server: RedisServer) -> None:
    stuck = asyncio.Event()

    async def slow(request: web.Request, key: str) -> None:
        if "projects" in request.path:
            await stuck.wait()

    stub = GatewayStub(before=slow)
    redis.rpush(QUEUE, *(resque(n) for n in range(500)), resque("d-an-sms", kind="sms"))

    async def walk() -> None:
        async with (
            stub.serving() as url,
            running_worker(redis_server.url, url, limits=Limits(concurrency=4), patience=60),
        ):
            await until(lambda: "d-an-sms" in stub.ledger, "the SMS")
            assert len(stub.ledger) == 1
            stuck.set()
            await until(lambda: len(stub.ledger) == 501, "all")

    asyncio.run(walk())
    assert all(row.requests == 1 for row in stub.ledger.values())


def test_stopping_gives_back_what_has_not_been_started(redis: Redis, redis_server: RedisServer) -> None:
    jobs, started = [resque(n) for n in range(20)], asyncio.Event()

    async def slow(_: web.Request, key: str) -> None:
        started.set()
        await asyncio.sleep(0.3)

    stub = GatewayStub(before=slow)
    redis.rpush(QUEUE, *jobs)

    async def walk() -> None:
        async with stub.serving() as url, running_worker(redis_server.url, url, limits=Limits(concurrency=2)):
            await started.wait()

    asyncio.run(walk())
    assert redis.lrange(QUEUE, 0, -1) == jobs[len(stub.ledger) :]
    assert set(stub.ledger) == {"d-000000", "d-000001"}
    assert left_behind(redis) == set()


def test_resque_books_are_kept(redis: Redis, redis_server: RedisServer) -> None:
    holding = asyncio.Event()

    async def hold(_: web.Request, key: str) -> None:
        if key == "d-000009":
            await holding.wait()

    stub = GatewayStub(before=hold)
    redis.rpush(QUEUE, resque(1), b"nonsense", resque(9))

    async def walk() -> None:
        async with stub.serving() as url, running_worker(redis_server.url, url):
            written = ("resque:stat:processed", "resque:stat:failed")
            await until(lambda: redis.mget(*written) == [b"2", b"1"], "the statistics")
            await until(lambda: redis.keys("resque:stat:*:*:*"), "this worker's own")
            (name,) = redis.smembers("resque:workers")
            host, pid, queues = name.decode().split(":")
            assert "-transport-" in host
            assert pid.isdigit()
            assert queues == "transport"
            await until(lambda: redis.get(f"resque:stat:processed:{name.decode()}") == b"2", "its share")
            assert b"transport" in redis.smembers("resque:queues")
            assert redis.get(f"resque:worker:{name.decode()}:started")
            at = datetime.fromisoformat(redis.hget("resque:workers:heartbeat", name).decode())
            assert datetime.now(UTC) - at < timedelta(minutes=1)
            at_work = f"resque:worker:{name.decode()}"
            await until(lambda: b"d-000009" in (redis.get(at_work) or b""), "its job")
            doing = json.loads(redis.get(at_work))
            assert doing["queue"] == "transport"
            assert doing["payload"]["args"][0]["delivery_id"] == "d-000009"
            holding.set()

    asyncio.run(walk())
    assert redis.smembers("resque:workers") == set()
    assert redis.keys("resque:worker:*") == []
    assert redis.keys("resque:stat:*:*") == []
    assert redis.get("resque:stat:processed") == b"3"


def test_paused_workers_take_nothing(redis: Redis, redis_server: RedisServer) -> None:
    redis.set("resque:pause-all-workers", "true")
    stub = GatewayStub()

    async def walk() -> None:
        async with stub.serving() as url, running_worker(redis_server.url, url) as worker:
            await until(lambda: worker.state.paused, "the pause")
            await asyncio.sleep(20 * QUICK.poll)  # a fetch that was under way, on a busy machine too
            redis.rpush(QUEUE, resque(1))
            await asyncio.sleep(0.3)
            assert redis.llen(QUEUE) == 1
            redis.delete("resque:pause-all-workers")
            await until(lambda: stub.ledger, "the delivery")

    asyncio.run(walk())


@pytest.mark.parametrize(
    ("name", "command"),
    [
        (key("later"), ("ZADD", 1, "ticket")),
        (key("parked"), ("HSET", "ticket", "job")),
        (key("suspects"), ("RPUSH", "ticket")),
        (key("room:push"), ("RPUSH", "job")),
        (f"resque:queue:{key('push')}", ("RPUSH", "job")),
        (key("workers"), ("ZADD", 1, "a-dead-worker.1")),
    ],
)
def test_keys_of_an_earlier_version_stop_the_start(
    redis: Redis, redis_server: RedisServer, stub: Stub, name: str, command: tuple[str, ...]
) -> None:
    redis.execute_command(command[0], name, *command[1:])
    with process("transport", "--redis", redis_server.url, "--gateway", stub.url) as worker:
        assert worker.wait(120) == 2
        assert worker.stderr is not None
        output = worker.stderr.read()
    assert name in output
    assert "Drain it before you upgrade" in output
    assert "Traceback" not in output
    assert redis.exists(name), "the jobs stay where they are"


def test_a_batch_may_be_larger_than_lua_unpacks(redis: Redis, redis_server: RedisServer) -> None:
    for first in range(0, 6000, 1000):
        redis.rpush(QUEUE, *(resque(number) for number in range(first, first + 1000)))
    settings = Settings(batch=5000, lease=5.0, poll=0.05)
    stub = GatewayStub()
    work_until(lambda: counts(redis).get("delivered") == 6000, "all", redis_server, stub, settings=settings)
    assert len(stub.ledger) == 6000


def test_a_redirect_is_no_delivery_and_the_job_is_sent_when_it_is_gone(redis: Redis, redis_server: RedisServer) -> None:
    moved, asked = True, 0

    async def redirect(_: web.Request, key: str) -> web.Response | None:
        nonlocal asked
        asked += 1
        return web.Response(status=301, headers={"Location": "/ledger"}) if moved else None

    stub = GatewayStub(before=redirect)
    redis.rpush(QUEUE, resque(1))

    async def walk() -> None:
        nonlocal moved
        async with stub.serving() as url, running_worker(redis_server.url, url) as worker:
            await until(lambda: asked >= 2, "a second attempt")
            assert counts(redis).get("delivered", 0) == 0
            assert worker.dispatchers["push"].limiter.blocked
            moved = False
            await until(lambda: counts(redis).get("delivered") == 1, "the delivery")
            assert not worker.dispatchers["push"].limiter.blocked

    asyncio.run(walk())
    assert set(stub.ledger) == {"d-000001"}


def test_a_rejected_credential_costs_no_attempt_and_one_job_at_a_time_probes(
    redis: Redis, redis_server: RedisServer
) -> None:
    expired, in_flight, most = True, 0, 0

    async def check(_: web.Request, key: str) -> web.Response | None:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        await asyncio.sleep(0.01)
        in_flight -= 1
        return web.json_response({}, status=401) if expired else None

    stub = GatewayStub(before=check)
    redis.rpush(QUEUE, *(resque(number) for number in range(50)))
    settings = Settings(lease=2.0, poll=0.02, backoff=0.1, attempts=1)

    async def walk() -> None:
        nonlocal expired, most
        async with stub.serving() as url, running_worker(redis_server.url, url, settings=settings) as worker:
            await until(lambda: worker.dispatchers["push"].limiter.blocked, "the alarm")
            await until(lambda: in_flight == 0, "the requests in flight end")
            most = 0
            await until(lambda: most, "a probe")
            assert most == 1
            expired = False
            await until(lambda: len(stub.ledger) == 50, "all")

    asyncio.run(walk())
    assert redis.llen("resque:failed") == 0


def test_one_job_that_is_always_rejected_does_not_stop_the_others(redis: Redis, redis_server: RedisServer) -> None:
    async def check(_: web.Request, key: str) -> web.Response | None:
        return web.json_response({}, status=403) if key == "d-000000" else None

    stub = GatewayStub(before=check)
    redis.rpush(QUEUE, *(resque(number) for number in range(200)))
    work_until(lambda: len(stub.ledger) == 199, "the others", redis_server, stub)


@pytest.mark.parametrize("together", [True, False])
def test_a_delivery_on_two_queues_is_sent_once(redis: Redis, redis_server: RedisServer, *, together: bool) -> None:
    """Also while the first of the two jobs is in flight, and whether one worker has both queues or not."""
    held = asyncio.Event()

    async def hold(_: web.Request, key: str) -> None:
        await held.wait()

    stub = GatewayStub(before=hold)
    names = ("urgent", "transport")
    redis.rpush("resque:queue:urgent", resque(1))

    async def walk() -> None:
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(stub.serving())
            for queues in [names] if together else [names[:1], names[1:]]:
                await stack.enter_async_context(running_worker(redis_server.url, url, queues=queues, patience=60))
            await until(lambda: redis.keys("resque:claim:*"), "the claim")
            redis.rpush(QUEUE, resque(1))
            await until(lambda: counts(redis).get("postponed"), "the second job waits")
            held.set()
            await until(lambda: counts(redis).get("duplicate"), "the second job is dropped")

    asyncio.run(walk())
    assert [row.requests for row in stub.ledger.values()] == [1]


@pytest.mark.parametrize("size", [2 << 20, 60 << 20])
def test_a_large_job_is_refused_with_its_bytes_and_costs_no_lease(
    redis: Redis, redis_server: RedisServer, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transport.connection.REPLY_TIMEOUT", 60)  # 80 MiB take a while on a busy machine
    large = resque(1, text="x" * size)
    redis.rpush(QUEUE, large, resque(2))
    stub = GatewayStub()
    settings = Settings(lease=2.5, poll=0.05)
    true = lambda: stub.ledger and redis.llen("resque:failed")  # noqa: E731 - what the test waits for
    work_until(true, "both ends", redis_server, stub, settings=settings)
    (entry,) = failed(redis)
    assert base64.b64decode(str(entry["original"])) == large
    assert entry["exception"] == "JobTooLargeError"
    assert int(redis.hget(key("counts"), "recovered") or 0) == 0


@pytest.mark.parametrize("number", ["1e1000000000000000000", "-1E+99999999999999999999", "1e-99999999999999999999"])
def test_a_number_that_no_decimal_holds_is_poison(redis: Redis, redis_server: RedisServer, number: str) -> None:
    poison = b'{"class":"DeliveryRequested","args":[{"zz":%s}]}' % number.encode()
    redis.rpush(QUEUE, poison, resque(1))
    stub = GatewayStub()
    work_until(lambda: stub.ledger and redis.llen("resque:failed"), "both ends", redis_server, stub)
    (entry,) = failed(redis)
    assert base64.b64decode(str(entry["original"])) == poison


@pytest.mark.parametrize("envelope", [True, False])
def test_the_age_of_a_delivery_is_that_of_the_event_behind_it(
    redis: Redis, redis_server: RedisServer, *, envelope: bool
) -> None:
    """A push for a like of last year is not sent as new, although it was enqueued a moment ago."""
    data = json.loads(resque(1, age=timedelta(0 if envelope else 365)))["args"][0]
    event = Envelope(DeliveryRequested.from_value(data), id="e-1", time=datetime.now(UTC) - timedelta(days=365))
    redis.rpush(QUEUE, bytes(encode(event)) if envelope else resque(1, age=timedelta(365)), resque(2))
    stub = GatewayStub()
    work_until(lambda: sum(counts(redis).values()) == 2, "both settled", redis_server, stub)
    assert counts(redis) == {"delivered": 1, "expired": 1}
    assert set(stub.ledger) == {"d-000002"}


def test_the_wrapper_of_active_job_is_read(redis: Redis, redis_server: RedisServer) -> None:
    data = json.loads(resque(1))["args"][0] | {"_aj_symbol_keys": ["text"]}
    data["recipient"] |= {"_aj_hash_with_indifferent_access": True}
    inner = {"job_class": "DeliveryRequested", "job_id": "8d3a", "queue_name": "transport", "arguments": [data]}
    wrapper = "ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper"
    redis.rpush(QUEUE, json.dumps({"class": wrapper, "args": [inner]}), json.dumps({"class": wrapper, "args": []}))
    stub = GatewayStub()
    work_until(lambda: stub.ledger and redis.llen("resque:failed"), "both ends", redis_server, stub)
    assert counts(redis) == {"delivered": 1, "invalid": 1}


def test_signals_mean_what_they_mean_to_resque(redis: Redis, redis_server: RedisServer, stub: Stub) -> None:
    with process("transport", "--redis", redis_server.url, "--gateway", stub.url) as worker:
        wait_ready(worker)
        worker.send_signal(signal.SIGUSR1)
        worker.send_signal(signal.SIGUSR2)
        time.sleep(1.5)  # longer than a fetch that waits for jobs
        redis.rpush(QUEUE, resque(1))
        time.sleep(1)
        assert stub.ledger() == []
        worker.send_signal(signal.SIGCONT)
        wait_until(stub.ledger, "the delivery")
        worker.send_signal(signal.SIGQUIT)
        assert worker.wait(120) == 0
    assert redis.smembers("resque:workers") == set()


@pytest.mark.parametrize("names", ["*", "push*", "a,,b"])
def test_patterns_of_queues_are_refused_in_words(names: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--redis", "redis://127.0.0.1:1/0", "--gateway", "http://127.0.0.1:1", "--queue", names])
    assert ended.value.code == 2
    assert "patterns do not work" in capsys.readouterr().err


def test_a_list_of_queues_is_read(redis: Redis, redis_server: RedisServer, stub: Stub) -> None:
    redis.rpush("resque:queue:urgent", resque(1))
    redis.rpush(QUEUE, resque(2))
    options = ("--redis", redis_server.url, "--gateway", stub.url, "--queue", "urgent,transport")
    with process("transport", *options):
        wait_until(lambda: len(stub.ledger()) == 2, "both")


UNREADABLE = {
    "NaN": b'{"class":"DeliveryRequested","args":[{"text":NaN}]}',
    "infinity": b'{"class":"DeliveryRequested","args":[{"text":-Infinity}]}',
    "a huge number": b'{"class":"DeliveryRequested","args":[{"text":1e400}]}',
    "a lone surrogate": b'{"class":"DeliveryRequested","args":[{"kind":"\\ud800"}]}',
    "a lone surrogate as a name": b'{"class":"DeliveryRequested","args":[{"\\ud800":1}]}',
    "deep": b'{"class":"DeliveryRequested","args":[' + b"[" * 150 + b"]" * 150 + b"]}",
    "no UTF-8": b'{"class":"DeliveryRequested","args":[{"text":"\xff\xfe"}]}',
    "no job": b"null",
}


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_a_dead_letter_is_json_that_ruby_reads(redis: Redis, redis_server: RedisServer, raw: bytes) -> None:
    redis.rpush(QUEUE, raw)
    work_until(lambda: redis.llen("resque:failed"), "its end", redis_server, GatewayStub())
    (text,) = redis.lrange("resque:failed", 0, -1)
    entry = json.loads(text, parse_constant=pytest.fail)
    assert base64.b64decode(entry["original"]) == raw
    assert entry["payload"]["class"] == "Unreadable"
    json.dumps(entry, ensure_ascii=False, allow_nan=False).encode()
    if ruby := shutil.which("ruby"):  # with the json of the standard library
        subprocess.run([ruby, "-rjson", "-e", "JSON.parse(STDIN.read)"], input=text, check=True)


def test_jobs_that_wait_for_a_gateway_stay_in_their_queue(redis: Redis, redis_server: RedisServer) -> None:
    """Those of another gateway are found behind them, and those that are enqueued later, too."""
    redis.rpush(
        QUEUE, *(resque(number) for number in range(3000)), *(resque(f"d-sms{n}", kind="sms") for n in range(5))
    )
    stub = GatewayStub()

    async def walk() -> None:
        async with stub.serving() as url, running_worker(redis_server.url, url, limits=Limits(rate=20)):
            await until(lambda: sum("sms" in each for each in stub.ledger) == 5, "the SMS")
            assert redis.llen(QUEUE) > 2000
            redis.rpush(QUEUE, resque(3000), resque("d-sms5", kind="sms"), resque(3001))
            await until(lambda: "d-sms5" in stub.ledger, "an SMS that comes later")
            assert redis.llen(QUEUE) > 2000

    asyncio.run(walk())
    order = [json.loads(raw)["args"][0]["delivery_id"] for raw in redis.lrange(QUEUE, 0, -1)]
    assert order == sorted(order)
    assert redis.smembers("resque:queues") == {b"transport"}
    assert len(order) + redis.zcard(key("scheduled")) + len(stub.ledger) == 3008


def test_a_job_that_comes_back_to_the_head_of_the_queue_is_found_there(
    redis: Redis, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker returns it when it stops. The gateway of pushes takes none, so the head is not fetched."""
    monkeypatch.setattr("transport.consumer._SEARCH_AGAIN", 0.5)
    redis.rpush(QUEUE, *(resque(number) for number in range(1000)), resque("d-sms0", kind="sms"))
    held = asyncio.Event()

    async def hold(request: web.Request, _: str) -> None:
        if "Messages.json" not in request.path:
            await held.wait()

    stub = GatewayStub(before=hold)

    async def walk() -> None:
        async with stub.serving() as url, running_worker(redis_server.url, url, patience=300):
            await until(lambda: "d-sms0" in stub.ledger, "the SMS behind the pushes")
            redis.lpush(QUEUE, resque("d-sms1", kind="sms"))
            await until(lambda: "d-sms1" in stub.ledger, "the SMS in front of them")
            assert redis.llen(QUEUE) > 500
            held.set()

    asyncio.run(walk())


def test_a_more_urgent_queue_holds_up_only_jobs_for_the_gateway_that_it_waits_for(
    redis: Redis, redis_server: RedisServer
) -> None:
    redis.rpush("resque:queue:high", *(resque(number) for number in range(2000)))
    redis.rpush("resque:queue:low", resque("d-low"), resque("d-low-sms", kind="sms"))
    stub = GatewayStub()
    work_until(
        lambda: "d-low-sms" in stub.ledger,
        "the SMS",
        redis_server,
        stub,
        queues=("high", "low"),
        limits=Limits(rate=20),
    )
    assert redis.llen("resque:queue:high") > 1000
    assert "d-low" not in stub.ledger


def test_the_acl_rules_of_the_readme_are_enough(redis: Redis, redis_server: RedisServer, stub: Stub) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (rules,) = re.findall(r"^ACL SETUSER transport (.*)$", readme, re.MULTILINE)
    redis.execute_command("ACL", "SETUSER", "transport", "reset", *rules.split())
    url = f"redis://transport:password@127.0.0.1:{redis_server.port}/0"
    redis.rpush(QUEUE, resque(1), b"nonsense", resque(2, kind="sms"), resque(1))
    options = ("--redis", url, "--gateway", stub.url, "--push-rate", "50", "--metrics", "127.0.0.1:0")
    try:
        with process("transport", *options) as worker:
            wait_ready(worker)
            wait_until(lambda: sum(counts(redis).values()) >= 4, "all settled")
            time.sleep(2)  # heartbeats
            worker.terminate()
            _, output = worker.communicate(timeout=120)
    finally:
        redis.execute_command("ACL", "DELUSER", "transport")
    assert len(stub.ledger()) == 2
    assert "unavailable" not in output
    assert worker.returncode == 0
