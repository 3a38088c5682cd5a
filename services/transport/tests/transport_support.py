"""What the tests share: a Redis of their own, the worker as a process or in this one, jobs, and waiting."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from redis import Redis
from transport_processes import RedisServer

from envelopes.messages import CATALOG
from transport.connection import connect
from transport.gateway_stub import GatewayStub
from transport.gateways import GATEWAYS, Endpoint, Gateway
from transport.job_queue import JobQueue
from transport.limiter import GatewayLimiter, Limits
from transport.registry import ResqueRegistry
from transport.settings import Settings
from transport.worker import Worker

QUEUE = "resque:queue:transport"
CHANNEL = CATALOG.channel("transport")
QUICK = Settings(lease=2.0, poll=0.05, backoff=0.05, deadline=5)


def key(name: str, queue: str = QUEUE) -> str:
    return f"{{{queue}}}:{name}"


def resque(number: int | str = 0, age: timedelta = timedelta(0), **changes: Any) -> bytes:
    """A job as a plain Resque client writes it."""
    data = {
        "delivery_id": f"d-{number:06}" if isinstance(number, int) else number,
        "kind": "push",
        "recipient": {"person_id": "p-ana001", "phone": "+4915112345678"},
        "text": "Bo likes your message",
        "enqueued_at": f"{datetime.now(UTC) - age:%Y-%m-%dT%H:%M:%S.%fZ}",
        "caused_by": "l-5d21e0",
    }
    return json.dumps({"class": "DeliveryRequested", "args": [data | changes]}).encode()


LEFT = """
local in_flight = #redis.call('KEYS', '*:in-flight:*')
return in_flight + redis.call('LLEN', KEYS[1]) + redis.call('LLEN', KEYS[2])
  + redis.call('ZCARD', KEYS[3]) + redis.call('HLEN', KEYS[4])
"""


def settled(redis: Redis) -> bool:
    """Nothing waits, and nobody holds anything: at one instant."""
    return not redis.eval(LEFT, 4, QUEUE, key("quarantine"), key("scheduled"), key("waiting-jobs"))


async def until(true: Callable[[], object], what: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.01)


def gateways_at(url: str, session: aiohttp.ClientSession) -> dict[str, Gateway]:
    account = Endpoint(session, url, "local", sender="+15005550006")
    return {kind: make(account) for kind, make in GATEWAYS.items()}


@asynccontextmanager
async def running_worker(
    redis_url: str,
    gateway_url: str,
    *,
    queues: Sequence[str] = ("transport",),
    settings: Settings = QUICK,
    limits: Limits | None = None,
    delivery: str = "exactly-once",
    cluster: bool = False,
    patience: float = 5,
) -> AsyncIterator[Worker]:
    """A worker in this process, at work until the block ends; then it is stopped in order."""
    redis, token = connect(redis_url, cluster=cluster), secrets.token_hex(6)
    channel = replace(CHANNEL, delivery=delivery)
    job_queues = [JobQueue(redis, queue, channel, token, settings.lease) for queue in queues]
    limiters = [GatewayLimiter(kind, limits or Limits(), redis) for kind in ("push", "sms")]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=patience)) as session:
        worker = Worker(
            job_queues,
            gateways_at(gateway_url, session),
            limiters,
            ResqueRegistry(redis, queues, token),
            settings,
        )
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await running
            await redis.aclose()


def work_until(true: Callable[[], object], what: str, redis: RedisServer, stub: GatewayStub, **options: Any) -> None:
    """A worker delivers to the stub until something is true."""

    async def walk() -> None:
        async with stub.serving() as url, running_worker(redis.url, url, **options):
            await until(true, what)

    asyncio.run(walk())
