"""A gateway sees no more than its limits allow, and gets time when it is in kind."""

import asyncio
from bisect import bisect_left
from math import log2

import pytest
from aiohttp import web
from redis import Redis
from transport_processes import RedisServer
from transport_support import QUEUE, QUICK, key, resque, running_worker, until, work_until

from transport.circuit_breaker import BreakerState
from transport.gateway_stub import GatewayStub
from transport.limiter import Limits
from transport.settings import Settings


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(("rate", "jobs"), [(40, 90), (3, 7), (1, 3)])
def test_two_workers_together_stay_within_the_rate(
    redis: Redis, redis_server: RedisServer, rate: int, jobs: int
) -> None:
    seen = arrivals(redis, redis_server, rate, jobs)
    assert len(seen) == jobs
    assert jobs <= rate * (seen[-1] - seen[0] + 1)


@pytest.mark.soak
def test_a_burst_of_a_hundred_thousand_is_spread_out_without_loss(redis: Redis, redis_server: RedisServer) -> None:
    """No window of a second is fuller than the rate: on an idle machine, where nothing holds requests up."""
    rate, jobs = 1000, 100_000
    seen = arrivals(redis, redis_server, rate, jobs)
    windows = [bisect_left(seen, start + 0.999) - number for number, start in enumerate(seen)]
    print({"jobs": len(seen), "seconds": seen[-1] - seen[0], "fullest second": max(windows)})
    assert len(seen) == jobs
    assert max(windows) <= rate


def arrivals(
    redis: Redis, redis_server: RedisServer, rate: int, jobs: int, stalls: list[float] | None = None
) -> list[float]:
    """When a gateway saw each request of a burst that two workers deliver.

    `stalls` gets for how long this process, in which all of it runs, was held up each time it wanted to go on.
    """
    seen: list[float] = []

    async def watch() -> None:
        while True:
            before = now()
            await asyncio.sleep(0.005)
            if stalls is not None:
                stalls.append(now() - before - 0.005)

    async def note(_: web.Request, key_: str) -> None:
        seen.append(now())

    stub = GatewayStub(before=note)
    for first in range(0, jobs, 1000):
        redis.rpush(QUEUE, *(resque(number) for number in range(first, min(first + 1000, jobs))))
    limits = Limits(rate=rate, concurrency=8)

    async def walk() -> None:
        async with (
            stub.serving() as url,
            running_worker(redis_server.url, url, limits=limits),
            running_worker(redis_server.url, url, limits=limits),
        ):
            watching = asyncio.create_task(watch())
            await until(lambda: len(stub.ledger) == jobs, "all", seconds=30 + 2 * jobs / rate)
            watching.cancel()

    asyncio.run(walk())
    return seen


def test_never_more_at_once_than_the_concurrency_allows(redis: Redis, redis_server: RedisServer) -> None:
    under_way = most = 0

    async def slow(_: web.Request, key_: str) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.005)
        under_way -= 1

    stub = GatewayStub(before=slow)
    redis.rpush(QUEUE, *(resque(number) for number in range(100)))
    work_until(lambda: len(stub.ledger) == 100, "all", redis_server, stub, limits=Limits(concurrency=5))
    assert most == 5


@pytest.mark.parametrize("rate", [None, 200])
def test_retry_after_is_honoured_and_costs_no_attempt(
    redis: Redis, redis_server: RedisServer, rate: float | None
) -> None:
    asked: list[float] = []

    async def refuse(_: web.Request, key_: str) -> web.Response | None:
        asked.append(now())
        if len(asked) == 1:
            return web.json_response({}, status=429, headers={"Retry-After": "1"})
        return None

    stub = GatewayStub(before=refuse)
    redis.rpush(QUEUE, resque(1))
    settings = Settings(lease=2.0, poll=0.05, backoff=0.05, attempts=1)

    async def walk() -> None:
        limits = Limits(rate=rate)
        async with (
            stub.serving() as url,
            running_worker(redis_server.url, url, limits=limits, settings=settings),
            running_worker(redis_server.url, url, limits=limits, settings=settings),
        ):
            await until(lambda: asked, "the refusal")
            if rate:  # without a shared bucket each worker finds out by itself
                pause = "{resque:gateway:push}:token-bucket", "until"
                await until(lambda: float(redis.hget(*pause) or 0) > redis.time()[0] * 1000, "all know")
                redis.rpush(QUEUE, *(resque(number) for number in range(2, 10)))
            await until(lambda: "d-000001" in stub.ledger, "the delivery")

    asyncio.run(walk())
    assert asked[1] - asked[0] >= 1
    assert redis.llen("resque:failed") == 0


def test_the_breaker_opens_for_a_dead_gateway_and_closes_when_it_is_back(
    redis: Redis, redis_server: RedisServer
) -> None:
    well, asked = False, 0

    async def fail(_: web.Request, key_: str) -> web.Response | None:
        nonlocal asked
        asked += not well
        return None if well else web.Response(status=500)

    stub = GatewayStub(before=fail)
    redis.rpush(QUEUE, *(resque(number) for number in range(300)))
    limits = Limits(concurrency=4, trips_after=5, cooldown=0.3)
    settings = Settings(lease=2.0, poll=0.05, backoff=0.05, attempts=50)

    async def walk() -> None:
        nonlocal well
        async with (
            stub.serving() as url,
            running_worker(redis_server.url, url, limits=limits, settings=settings) as worker,
        ):
            limiter = worker.dispatchers["push"].limiter
            begin = now()
            await until(lambda: limiter.circuit_breaker is BreakerState.OPEN, "it opens")
            await until(lambda: asked >= 5 + 3, "it is probed")
            probes = 1 + log2(1 + (now() - begin) / limits.cooldown)  # each cooldown is twice the one before
            assert asked <= 5 + 3 + probes, "what was under way when it opened, then one probe a cooldown"
            well = True
            await until(lambda: len(stub.ledger) == 300, "all")
            assert limiter.circuit_breaker is BreakerState.CLOSED

    asyncio.run(walk())
    assert redis.llen("resque:failed") == 0


def test_a_gateway_in_trouble_gets_less_and_then_more_again(redis: Redis, redis_server: RedisServer) -> None:
    bad = True

    async def sometimes(_: web.Request, key_: str) -> web.Response | None:
        return web.Response(status=500) if bad and int(key_[-1]) % 2 else None

    stub = GatewayStub(before=sometimes)
    redis.rpush(QUEUE, *(resque(number) for number in range(200)))
    limits = Limits(concurrency=16, rate=1000, trips_after=1000)

    async def walk() -> None:
        nonlocal bad
        async with stub.serving() as url, running_worker(redis_server.url, url, limits=limits) as worker:
            limiter = worker.dispatchers["push"].limiter
            await until(lambda: limiter.adaptive_concurrency <= 8 and limiter.rate_factor < 1, "less")
            narrow = limiter.adaptive_concurrency
            bad = False
            await until(lambda: len(stub.ledger) == 200, "all")
            redis.rpush(QUEUE, *(resque(number) for number in range(200, 700)))
            await until(lambda: len(stub.ledger) == 700, "more")
            assert limiter.adaptive_concurrency > narrow

    asyncio.run(walk())
    assert redis.llen(QUEUE) == 0


def test_a_burst_waits_in_redis_and_not_in_memory(redis: Redis, redis_server: RedisServer) -> None:
    stub = GatewayStub()
    for _ in range(20):
        redis.rpush(QUEUE, *(resque(number) for number in range(5000)))

    async def walk() -> tuple[int, float]:
        async with stub.serving() as url, running_worker(redis_server.url, url, limits=Limits(rate=50)) as worker:
            most, begin = 0, now()
            while len(stub.ledger) < 50:
                await asyncio.sleep(0.01)
                most = max(most, worker.state.in_flight)
            return most, now() - begin

    most, passed = asyncio.run(walk())
    assert most <= QUICK.max_in_flight
    waiting = redis.llen(QUEUE) + redis.zcard(key("scheduled"))
    counts = {name: int(number) for name, number in redis.hgetall(key("counts")).items()}
    assert waiting + counts.get(b"delivered", 0) + counts.get(b"duplicate", 0) == 100_000
    assert len(stub.ledger) <= 50 * (passed + 1)


@pytest.mark.parametrize("rate", [1, 2, 3, 5])
def test_a_low_rate_is_nearly_used_and_never_exceeded(redis: Redis, redis_server: RedisServer, rate: int) -> None:
    """The tokens are counted by Redis' clock and not by this machine's: a busy machine only delays requests."""
    limits = Limits(rate=rate)
    assert limits.burst == 1
    assert 0.95 * rate <= limits.refill <= rate
    stalls: list[float] = []
    seen = arrivals(redis, redis_server, rate, 4 * rate, stalls)
    window = 0.97 - 3 * max(stalls)  # a request that was held up comes nearer to those after it
    assert all(bisect_left(seen, start + window) - number <= rate for number, start in enumerate(seen))
