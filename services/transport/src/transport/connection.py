"""The connection to Redis, and retries while Redis is unavailable."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
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
from redis.exceptions import ConnectionError as RedisConnectionError

log = logging.getLogger("transport")
T = TypeVar("T")
P = ParamSpec("P")

SENTINEL_SCHEME = "redis+sentinel://"

REDIS_UNAVAILABLE = (RedisError, RedisClusterException, OSError)
"""All errors of Redis. They are waited for, except those that `check_usable` finds."""

_UNUSABLE_AT_START = re.compile(
    r"Error -\d+ connecting"  # a host that has no address: only errors of the resolver have negative numbers
    r"|DB index|Invalid Database|unknown command|Cluster mode is not enabled"
)

REPLY_TIMEOUT = 5
"""The time that a round trip may take, in seconds. It is longer than a fetch waits for a job."""


class RedisUnusableError(Exception):
    """Redis cannot be used as it is set up, and waiting does not help."""


def check_usable(error: Exception, *, at_start: bool) -> None:
    """Raise RedisUnusableError if an error of Redis does not go away by itself."""
    if isinstance(error, DataError) or "WRONGTYPE" in str(error):
        raise RedisUnusableError(f"a key in Redis has the wrong type, or a value cannot be written: {error}") from error
    refused = isinstance(error, AuthenticationError) or _UNUSABLE_AT_START.search(str(error))
    causes = (error, error.__cause__, error.__context__)
    if at_start and (refused or any(isinstance(each, SSLError | FileNotFoundError) for each in causes)):
        raise RedisUnusableError(f"Redis cannot be used. Check --redis. The error was: {error}") from error


def connect(url: str, *, cluster: bool) -> AnyRedis:
    """Return a client that reports every broken connection, because a fetch must not be repeated silently.

    The URL is one of redis-py, or `redis+sentinel://[user:password@]host:port[,host:port]/service[/db]`.
    """
    options: dict[str, Any] = {"socket_timeout": REPLY_TIMEOUT, "socket_connect_timeout": 2}
    options["retry"] = Retry(NoBackoff(), 0)
    if cluster:
        return cast(Cluster, Cluster.from_url(url, **options))
    if not url.startswith(SENTINEL_SCHEME):
        return cast(PipeliningRedis, PipeliningRedis.from_url(url, **options))
    sentinels, service, login = parse_sentinel_url(url)
    sentinel_options = {"socket_timeout": 2, "socket_connect_timeout": 2, "retry": options["retry"]}
    sentinel = Sentinel(sentinels, sentinel_kwargs=sentinel_options)  # type: ignore[no-untyped-call] # redis-py's
    return cast(PipeliningRedis, sentinel.master_for(service, redis_class=PipeliningRedis, **login, **options))


@asynccontextmanager
async def connected(url: str, *, cluster: bool) -> AsyncIterator[AnyRedis]:
    """Yield a client, see `connect`, and close it. A connection that cannot be closed in time is left to the system."""
    redis = connect(url, cluster=cluster)
    try:
        yield redis
    finally:
        with suppress(*REDIS_UNAVAILABLE):
            await redis.aclose()


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
        """Open connections. An error replaces the list, so a connection of an earlier list is not used again."""

    async def call(self, *commands: Sequence[Any]) -> list[Any]:
        """Run commands in one round trip on one connection, and return their replies.

        After an error of any kind all connections are replaced, those of other tasks at the end of their call. The
        server may not be the master any more, and new connections resolve its name again.
        """
        idle, pool = self._idle, cast(Any, self.connection_pool)
        async with asyncio.timeout(REPLY_TIMEOUT):
            connection = idle.pop() if idle else await pool.get_connection()
        connection.socket_timeout = None  # it would make a task of every write
        try:
            async with asyncio.timeout(REPLY_TIMEOUT):
                await connection.send_packed_command([hiredis.pack_command(tuple(each)) for each in commands])
                replies = [await connection.read_response() for _ in commands]
        except BaseException:
            broken, self._idle = self._idle, []
            for each in broken:
                await self._discard(each)
            raise
        finally:
            if idle is self._idle:
                idle.append(connection)
            else:
                await self._discard(connection)
        return replies

    async def _discard(self, connection: Connection) -> None:
        await connection.disconnect(nowait=True)
        await self.connection_pool.release(connection)


class Cluster(RedisCluster):
    """A client of a Redis Cluster. The keys of each command decide its node, and redis-py follows a failover."""

    async def call(self, *commands: Sequence[Any]) -> list[Any]:
        """Run commands one after the other, and return their replies."""
        try:
            return [await self.execute_command(*command) for command in commands]
        except AttributeError as error:  # of redis-py, in a failover: another task closed the connection meanwhile
            raise RedisConnectionError("the connection was closed") from error


AnyRedis = PipeliningRedis | Cluster


class RedisAvailability:
    """Whether Redis is available, since when, in time.monotonic(), and how many calls have failed."""

    def __init__(self) -> None:
        self.available, self.available_since, self.failures = True, -math.inf, 0
        self._answered = False

    async def retry(self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Repeat a call with back-off until Redis answers. It must be safe to repeat. Raises RedisUnusableError."""
        delay = 0.02
        while True:
            try:
                reply = await call(*args, **kwargs)
            except REDIS_UNAVAILABLE as error:
                self.record_failure(error)
                await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
                delay = min(delay * 2, 0.5)
            else:
                self._answered = True
                if not self.available:
                    self.available, self.available_since = True, time.monotonic()
                    log.info("redis is available again")
                return reply

    def record_failure(self, error: Exception) -> None:
        """Note that Redis does not answer. Raises RedisUnusableError."""
        check_usable(error, at_start=not self._answered)
        self.failures += 1
        if self.available:
            self.available = False
            code = str(error).partition(" ")[0]  # such as MISCONF; redis-py makes classes of some codes
            known = type(error) is ResponseError and code.isupper()  # the rest may quote a key
            log.warning("redis is unavailable", extra={"error": code if known else type(error).__name__})
