"""The connection to Redis, and retries while Redis is unavailable."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ParamSpec, TypeVar, cast

import hiredis
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ClusterError, OutOfMemoryError, ReadOnlyError, RedisClusterException, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

log = logging.getLogger("transport")
T = TypeVar("T")
P = ParamSpec("P")

REDIS_UNAVAILABLE = (
    RedisConnectionError, RedisTimeoutError, ReadOnlyError, OutOfMemoryError, ClusterError, RedisClusterException,
    TryAgainError, OSError,
)  # fmt: skip
"""Errors that go away when Redis is back, a replica has taken over, or memory has been freed."""

REPLY_TIMEOUT = 5
"""The time that a reply may take, in seconds."""


def connect(url: str, *, cluster: bool) -> AnyRedis:
    """Return a client that reports every broken connection, because a fetch must not be repeated silently."""
    if cluster:
        return cast(Cluster, Cluster.from_url(url, socket_timeout=REPLY_TIMEOUT, socket_connect_timeout=2))
    once = Retry(NoBackoff(), 0)
    client = PipeliningRedis.from_url(url, socket_timeout=REPLY_TIMEOUT, socket_connect_timeout=2, retry=once)
    return cast(PipeliningRedis, client)


class PipeliningRedis(Redis):
    """A client with `call`, which avoids redis-py's cost per command: that takes longer than the command itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: list[Connection] = []

    async def call(self, *commands: Sequence[Any]) -> Any:
        """Run commands in one round trip on one connection, and return the last reply."""
        pool: Any = self.connection_pool
        connection = self._idle.pop() if self._idle else await pool.get_connection()
        connection.socket_timeout = None  # it would make a task of every write
        reply = None
        try:
            async with asyncio.timeout(REPLY_TIMEOUT):
                await connection.connect()
                await connection.send_packed_command([hiredis.pack_command(tuple(each)) for each in commands])
            for _ in commands:
                async with asyncio.timeout(REPLY_TIMEOUT):
                    reply = await connection.read_response()
        except BaseException:  # replies may be on their way, and the other connections are probably broken too
            for each in (connection, *self._idle):
                await each.disconnect(nowait=True)
            raise
        finally:
            self._idle.append(connection)
        return reply


class Cluster(RedisCluster):
    """A client of a Redis Cluster. The keys of each command decide its node."""

    async def call(self, *commands: Sequence[Any]) -> Any:
        """Run commands one after the other, and return the last reply."""
        for command in commands:
            reply = await self.execute_command(*command)
        return reply


AnyRedis = PipeliningRedis | Cluster


class RedisAvailability:
    """Whether Redis is available, and since when, in time.monotonic()."""

    def __init__(self) -> None:
        self.available, self.available_since = True, -math.inf

    async def retry(self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Repeat a call with back-off until Redis answers. The call must be safe to repeat."""
        delay = 0.02
        while True:
            try:
                reply = await call(*args, **kwargs)
            except REDIS_UNAVAILABLE as error:
                if self.available:
                    self.available = False
                    log.warning("redis is unavailable", extra={"error": type(error).__name__})
                await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
                delay = min(delay * 2, 0.5)
            else:
                if not self.available:
                    self.available, self.available_since = True, time.monotonic()
                    log.info("redis is available again")
                return reply
