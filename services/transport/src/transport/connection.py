"""The connection to Redis, and what to do while it is away: wait, and try again."""

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

REDIS_AWAY = (
    RedisConnectionError, RedisTimeoutError, ReadOnlyError, OutOfMemoryError, ClusterError, RedisClusterException,
    TryAgainError, OSError,
)  # fmt: skip
"""Errors that pass by themselves when Redis is back, its replica has taken over, or there is room again."""

PATIENCE = 5
"""How long an answer may take, in seconds."""


def connect(url: str, *, cluster: bool) -> AnyRedis:
    """Make a client that tells of every broken connection: a fetch must not be repeated behind the worker's back."""
    if cluster:
        return cast(Cluster, Cluster.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=2))
    once = Retry(NoBackoff(), 0)
    return cast(QuickRedis, QuickRedis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=2, retry=once))


class QuickRedis(Redis):
    """Adds a way past what redis-py's client does around every call, which takes longer than the call."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: list[Connection] = []

    async def call(self, *commands: Sequence[Any]) -> Any:
        """Run commands in one round trip, on a connection of their own; give the last one's answer."""
        pool: Any = self.connection_pool
        connection = self._idle.pop() if self._idle else await pool.get_connection()
        connection.socket_timeout = None  # it would make a task of every write
        answer = None
        try:
            async with asyncio.timeout(PATIENCE):
                await connection.connect()
                await connection.send_packed_command([hiredis.pack_command(tuple(each)) for each in commands])
            for _ in commands:
                async with asyncio.timeout(PATIENCE):
                    answer = await connection.read_response()
        except BaseException:  # answers may be on their way; and where one connection broke, others did
            for each in (connection, *self._idle):
                await each.disconnect(nowait=True)
            raise
        finally:
            self._idle.append(connection)
        return answer


class Cluster(RedisCluster):
    """A Redis Cluster, where each command finds its node by its keys."""

    async def call(self, *commands: Sequence[Any]) -> Any:
        """Run commands one after the other; give the last one's answer."""
        for command in commands:
            answer = await self.execute_command(*command)
        return answer


AnyRedis = QuickRedis | Cluster


class Link:
    """Says whether Redis is there, and when it was last back, in time.monotonic()."""

    def __init__(self) -> None:
        self.up, self.back_at = True, -math.inf

    async def reach(self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a call that may be repeated, until Redis answers."""
        delay = 0.02
        while True:
            try:
                answer = await call(*args, **kwargs)
            except REDIS_AWAY as error:
                if self.up:
                    self.up = False
                    log.warning("redis is away", extra={"error": type(error).__name__})
                await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
                delay = min(delay * 2, 0.5)
            else:
                if not self.up:
                    self.up, self.back_at = True, time.monotonic()
                    log.info("redis is back")
                return answer
