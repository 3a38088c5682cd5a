"""The connection to Redis, and retries while Redis is unavailable."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from socket import gaierror
from ssl import SSLError
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import unquote, urlsplit

import hiredis
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, DataError, RedisClusterException, RedisError, ResponseError

log = logging.getLogger("transport")
T = TypeVar("T")
P = ParamSpec("P")

SENTINEL_SCHEME = "redis+sentinel://"

REDIS_UNAVAILABLE = (RedisError, RedisClusterException, OSError)
"""All errors of Redis. They are waited for, except those that `check_usable` finds."""

_WRONG_SERVER = ("READONLY", "MASTERDOWN", "CLUSTERDOWN", "LOADING", "NOREPLICAS", "UNBLOCKED")
"""Errors of a server that is not, or no longer, the master: the next attempt uses a new connection."""

REPLY_TIMEOUT = 5
"""The time that a reply may take, in seconds."""


class RedisUnusableError(Exception):
    """Redis cannot be used as it is set up, and waiting does not help."""


def check_usable(error: Exception, *, at_start: bool) -> None:
    """Raise RedisUnusableError if an error of Redis does not go away by itself."""
    if isinstance(error, DataError) or "WRONGTYPE" in str(error):
        raise RedisUnusableError(f"a key in Redis has the wrong type, or a value cannot be written: {error}") from error
    causes = (error, error.__cause__, error.__context__)
    refused = isinstance(error, AuthenticationError) or "DB index" in str(error) or "Invalid Database" in str(error)
    if at_start and (refused or any(isinstance(each, gaierror | SSLError | FileNotFoundError) for each in causes)):
        raise RedisUnusableError(f"Redis cannot be used. Check --redis. The error was: {error}") from error


def connect(url: str, *, cluster: bool) -> AnyRedis:
    """Return a client that reports every broken connection, because a fetch must not be repeated silently.

    The URL is one of redis-py, or `redis+sentinel://[user:password@]host:port[,host:port]/service[/db]`.
    """
    options: dict[str, Any] = {"socket_timeout": REPLY_TIMEOUT, "socket_connect_timeout": 2}
    if cluster:
        return cast(Cluster, Cluster.from_url(url, **options))
    options["retry"] = Retry(NoBackoff(), 0)
    if not url.startswith(SENTINEL_SCHEME):
        return cast(PipeliningRedis, PipeliningRedis.from_url(url, **options))
    sentinels, service, login = parse_sentinel_url(url)
    sentinel_options = {"socket_timeout": 2, "socket_connect_timeout": 2}
    sentinel = Sentinel(sentinels, sentinel_kwargs=sentinel_options)  # type: ignore[no-untyped-call] # redis-py's
    return cast(PipeliningRedis, sentinel.master_for(service, redis_class=PipeliningRedis, **login, **options))


def parse_sentinel_url(url: str) -> tuple[list[tuple[str, int]], str, dict[str, Any]]:
    """Return the addresses of the sentinels, the name of the service, and the login and database of the master."""
    login, _, hosts = urlsplit(url).netloc.rpartition("@")
    user, _, password = (unquote(part) for part in login.partition(":"))
    sentinels = [urlsplit(f"//{host}") for host in hosts.split(",")]
    service, _, db = urlsplit(url).path.strip("/").partition("/")
    if not service or not all(each.hostname for each in sentinels):
        raise ValueError(url)
    addresses = [(str(each.hostname), each.port or 26379) for each in sentinels]
    return addresses, service, {"username": user or None, "password": password or None, "db": int(db or 0)}


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

    async def drop_idle_connections(self) -> None:
        """Close the connections that are not in use. New ones resolve the server's name again."""
        for each in self._idle:
            await each.disconnect(nowait=True)
        await self.connection_pool.disconnect(inuse_connections=False)


class Cluster(RedisCluster):
    """A client of a Redis Cluster. The keys of each command decide its node."""

    async def call(self, *commands: Sequence[Any]) -> Any:
        """Run commands one after the other, and return the last reply."""
        for command in commands:
            reply = await self.execute_command(*command)
        return reply

    async def drop_idle_connections(self) -> None:
        """Close the connections, and ask the nodes for the slots again."""
        await self.aclose()


AnyRedis = PipeliningRedis | Cluster


class RedisAvailability:
    """Whether Redis is available, and since when, in time.monotonic()."""

    def __init__(self, redis: AnyRedis) -> None:
        self.available, self.available_since = True, -math.inf
        self._redis, self._answered = redis, False

    async def retry(self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Repeat a call with back-off until Redis answers. It must be safe to repeat. Raises RedisUnusableError."""
        delay = 0.02
        while True:
            try:
                reply = await call(*args, **kwargs)
            except REDIS_UNAVAILABLE as error:
                await self.record_failure(error)
                await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
                delay = min(delay * 2, 0.5)
            else:
                self._answered = True
                if not self.available:
                    self.available, self.available_since = True, time.monotonic()
                    log.info("redis is available again")
                return reply

    async def record_failure(self, error: Exception) -> None:
        """Note that Redis does not answer, and leave a server that is not the master. Raises RedisUnusableError."""
        check_usable(error, at_start=not self._answered)
        if self.available:
            self.available = False
            words = str(error).split(maxsplit=1)  # the code, such as MISCONF: the rest may quote a key
            code = words[0] if isinstance(error, ResponseError) and words else type(error).__name__
            log.warning("redis is unavailable", extra={"error": code})
        if any(word in str(error) for word in _WRONG_SERVER):
            with suppress(*REDIS_UNAVAILABLE):
                await self._redis.drop_idle_connections()
