"""Publishing to a Redis channel, with an explicit choice for the time when Redis is not there.

>>> publisher = Publisher(Redis.from_url(url), when_away="buffer", limit=10_000)
>>> publisher.publish(DeliveryRequested(...))
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from ._catalog import Catalog
from ._coding import encode
from ._envelope import Envelope
from ._errors import EnvelopesError
from ._values import ValueObject

if TYPE_CHECKING:
    from redis import Redis

_RESQUE_QUEUE = "resque:queue:"


class RedisAwayError(EnvelopesError):
    """Redis was not reached; `error` says why. The message that was given was neither sent nor kept."""

    def __init__(self, error: Exception, waiting: int) -> None:
        self.error, self.waiting = error, waiting
        super().__init__(f"Redis is away ({type(error).__name__}), {waiting} messages wait in memory; try again later")


class Publisher:
    """Appends messages to the Redis lists of their channels, in order.

    `when_away` says what happens when Redis cannot be reached: `raise` RedisAwayError at once, or `buffer` up to
    `limit` messages in memory and raise only beyond that. What is buffered goes out first with the next `publish`, or
    with `flush`; it is lost when the process ends without. A message whose answer got lost is sent again, so it may be
    on the list twice: the ids in messages are what consumers tell them by.

    `redis` is a client of redis-py; give it a short `socket_timeout`. Not for use from several threads at once.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        when_away: Literal["raise", "buffer"] = "raise",
        limit: int = 1000,
        source: str | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        self._redis, self._limit, self._source, self._catalog = redis, limit, source, catalog
        self._limit = limit if when_away == "buffer" else 0
        self._waiting: deque[tuple[str, bytes]] = deque()

    def __len__(self) -> int:
        """How many messages wait in memory."""
        return len(self._waiting)

    def publish(self, message: Envelope[Any] | ValueObject) -> None:
        """Send a message, or buffer it. Raises EncodeError, RedisAwayError."""
        wire = encode(message, source=self._source, catalog=self._catalog)
        self._waiting.append((self._address(message), bytes(wire)))
        try:
            self.flush()
        except RedisAwayError as away:
            if len(self._waiting) > self._limit:
                self._waiting.pop()
                raise RedisAwayError(away.error, len(self._waiting)) from away.error

    def flush(self) -> None:
        """Send what waits in memory, as far as Redis takes it. Raises RedisAwayError."""
        from redis import exceptions

        while self._waiting:
            address, raw = self._waiting[0]
            try:
                if address.startswith(_RESQUE_QUEUE):
                    self._redis.sadd("resque:queues", address.removeprefix(_RESQUE_QUEUE))
                self._redis.rpush(address, raw)
            except (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ReadOnlyError, OSError) as error:
                raise RedisAwayError(error, len(self._waiting)) from error
            self._waiting.popleft()

    def _address(self, message: Envelope[Any] | ValueObject) -> str:
        from .messages import CATALOG

        catalog = self._catalog or CATALOG
        data = message.data if isinstance(message, Envelope) else message
        channel = catalog.channel(str(catalog.subject(type(data).__contract__.subject).channel))
        if channel.protocol != "redis-list":
            raise ValueError(f"channel {channel.name} is {channel.protocol}, and this publishes to a redis-list")
        return channel.address
