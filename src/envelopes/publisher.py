"""Publishing to a Redis channel, with an explicit choice for the time when Redis is not there.

>>> publisher = Publisher(Redis.from_url(url), when_away="buffer", limit=10_000)
>>> publisher.publish(DeliveryRequested(...))

`when_away` decides what happens when Redis cannot be reached. With `raise`, RedisAwayError is raised at once. With
`buffer`, up to `limit` messages are kept in memory, and RedisAwayError is raised only if there are more. The next
`publish` or `flush` sends buffered messages first. They are lost if the process ends before that. If Redis took a
message but its answer was lost, the message is sent again. So it may be in the list twice, and consumers recognize
it by its id. Give the client a short `socket_timeout`.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from ._default import default_catalog, encode
from ._envelope import Envelope
from ._errors import EnvelopesError
from ._values import ValueObject
from .catalog import Catalog

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

_RESQUE_QUEUE = "resque:queue:"


class RedisAwayError(EnvelopesError):
    """Redis did not answer: the client's `error`, and how many messages are `waiting`, without the new one."""

    def __init__(self, error: Exception, waiting: int) -> None:
        self.error, self.waiting = error, waiting
        waits = "1 message waits" if waiting == 1 else f"{waiting} messages wait"
        super().__init__(f"Redis is away ({type(error).__name__}), {waits} in memory; try again later")


R = TypeVar("R", "Redis", "AsyncRedis")


class _Outbox(Generic[R]):
    """Messages on their way to the Redis lists of their channels, in order."""

    def __init__(
        self,
        redis: R,
        *,
        when_away: Literal["raise", "buffer"] = "raise",
        limit: int = 1000,
        source: str | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        self._redis: R = redis
        self._source, self._catalog = source, catalog
        self._limit = limit if when_away == "buffer" else 0
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._answered = False
        self._thread_lock, self._task_lock = threading.Lock(), asyncio.Lock()

    def __len__(self) -> int:
        """Return how many messages are buffered."""
        return len(self._waiting)

    def _prepare(self, message: Envelope[Any] | ValueObject) -> tuple[str, bytes]:
        catalog = self._catalog or default_catalog()
        data = message.data if isinstance(message, Envelope) else message
        channel = catalog.channel(str(catalog.subject(type(data).__contract__.subject).channel))
        if channel.is_pattern:
            raise ValueError(
                f"channel {channel.name} has many addresses ({channel.address}), and this publishes to one"
            )
        if channel.protocol != "redis-list":
            raise ValueError(f"channel {channel.name} is {channel.protocol}, and this publishes to a redis-list")
        return channel.address, bytes(encode(message, source=self._source, catalog=self._catalog))

    def _fill(self, pipeline: Any) -> Any:
        """Put what sends the first message into a pipeline."""
        address, raw = self._waiting[0]
        if address.startswith(_RESQUE_QUEUE):
            pipeline.sadd("resque:queues", address.removeprefix(_RESQUE_QUEUE))
        pipeline.rpush(address, raw)
        return pipeline

    def _sent(self, replies: list[Any]) -> None:
        """Remove the first message if Redis has taken it, whatever became of the set of queues. Raises the error."""
        if isinstance(replies[-1], Exception):
            raise replies[-1]
        self._answered = True
        self._waiting.popleft()

    def _failed(self, error: Exception, *, publishing: bool) -> bool:
        """Return True if the error goes away by itself, as all errors of Redis do but a few. Otherwise raise it.

        The message being published is removed if it is not kept. Raises RedisAwayError if the buffer is full.
        """
        from redis import exceptions

        away = isinstance(error, exceptions.RedisError | exceptions.RedisClusterException | OSError)
        # redis-py's own, where another task has closed the connection that this one writes to
        away = away or (isinstance(error, AttributeError) and error.obj is None)
        wrong_login = isinstance(error, exceptions.AuthenticationError) and not self._answered
        if not away or wrong_login or isinstance(error, exceptions.DataError) or "WRONGTYPE" in str(error):
            if publishing:
                self._waiting.pop()
            raise error
        if not publishing or len(self._waiting) > self._limit:
            if publishing:
                self._waiting.pop()
            raise RedisAwayError(error, len(self._waiting)) from error
        return True


class Publisher(_Outbox["Redis"]):
    """Publishes with a client of redis-py. Threads may share it.

    Args:
        redis: A client of redis-py, with its own timeouts and retries.
        when_away: `raise` RedisAwayError if Redis cannot be reached, or `buffer` messages in memory.
        limit: With `buffer`: how many messages are kept in memory at most.
        source: The CloudEvents `source` of bare value objects. The default is the one that `encode` uses.
        catalog: The catalog of the package to which the messages belong. The default is the one of `envelopes`.

    """

    def publish(self, message: Envelope[Any] | ValueObject) -> None:
        """Send a message (a value object or an envelope), or buffer it. Raises EncodeError and RedisAwayError."""
        prepared = self._prepare(message)
        with self._thread_lock:
            self._waiting.append(prepared)
            try:
                self._send()
            except Exception as error:  # noqa: BLE001 - raised again unless it goes away by itself
                self._failed(error, publishing=True)

    def flush(self) -> None:
        """Send the buffered messages, in order. Raises RedisAwayError at the first one that Redis did not take."""
        with self._thread_lock:
            try:
                self._send()
            except Exception as error:  # noqa: BLE001 - raised again, or as RedisAwayError
                self._failed(error, publishing=False)

    def _send(self) -> None:
        while self._waiting:
            try:
                self._sent(self._fill(self._redis.pipeline(transaction=False)).execute(raise_on_error=False))
            except Exception:  # it may no longer be the master: new connections look its name up again
                if hasattr(self._redis, "connection_pool"):
                    self._redis.connection_pool.disconnect(inuse_connections=False)
                raise


class AsyncPublisher(_Outbox["AsyncRedis"]):
    """Publishes with a client of `redis.asyncio`. Tasks may share it.

    Args:
        redis: A client of `redis.asyncio`, with its own timeouts and retries.
        when_away: `raise` RedisAwayError if Redis cannot be reached, or `buffer` messages in memory.
        limit: With `buffer`: how many messages are kept in memory at most.
        source: The CloudEvents `source` of bare value objects. The default is the one that `encode` uses.
        catalog: The catalog of the package to which the messages belong. The default is the one of `envelopes`.

    """

    async def publish(self, message: Envelope[Any] | ValueObject) -> None:
        """Send a message (a value object or an envelope), or buffer it. Raises EncodeError and RedisAwayError."""
        prepared = self._prepare(message)
        async with self._task_lock:
            self._waiting.append(prepared)
            try:
                await self._send()
            except Exception as error:  # noqa: BLE001 - raised again unless it goes away by itself
                self._failed(error, publishing=True)
            except BaseException:
                self._waiting.pop()
                raise

    async def flush(self) -> None:
        """Send the buffered messages, in order. Raises RedisAwayError at the first one that Redis did not take."""
        async with self._task_lock:
            try:
                await self._send()
            except Exception as error:  # noqa: BLE001 - raised again, or as RedisAwayError
                self._failed(error, publishing=False)

    async def _send(self) -> None:
        while self._waiting:
            try:
                self._sent(await self._fill(self._redis.pipeline(transaction=False)).execute(raise_on_error=False))
            except Exception:  # as above
                if hasattr(self._redis, "connection_pool"):
                    await self._redis.connection_pool.disconnect(inuse_connections=False)
                raise
