"""Pushes on their way from the store's outbox to the transport's mailbox."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from socket import gaierror
from ssl import SSLError
from typing import Any

from envelopes import encode
from envelopes.messages import CATALOG
from redis.exceptions import AuthenticationError, RedisClusterException, RedisError

from .errors import UnusableError
from .likes import ask_for_push
from .metrics import OUTBOX_AGE, OUTBOX_PUSHES, PUSH_LATENCY, PUSHES, REDIS_DATA_LOSSES
from .redis_client import Client, connect, drop_connections, memory_of
from .store import UNAVAILABLE, Push, Store, as_microseconds, is_collision
from .stream import STREAM

log = logging.getLogger("feed")

MAILBOX = CATALOG.channel("transport").address
PAGE = 500
"""How many pushes go to Redis at once."""
CHECK_INTERVAL = 2
"""Seconds between two looks at Redis and at the length of the outbox."""
SECONDS_TO_STOP = 1
"""How long pushes are still sent after the service was told to stop."""
REDIS_ERRORS = (RedisError, RedisClusterException, OSError)
SENT = f"{{{MAILBOX}}}:feed:sent:{STREAM}"
"""Hash of partition → offset of the last like whose push is in the mailbox. It moves together with the mailbox, so that
whoever sends a push again, after a crash or beside a newer owner of the partition, sends nothing."""
STORE = f"{{{MAILBOX}}}:feed:store:{STREAM}"
"""The identity of the one store that all members of the group share."""

# KEYS: the mailbox, SENT, STORE. ARGV: the store, the partition, then offset, job, and so on.
# Returns the store that was kept, if any. Nothing is sent for another one.
_SEND = """
local store = redis.call('GET', KEYS[3])
if store and store ~= ARGV[1] then return store end
local sent = tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or -1)
local last = tonumber(ARGV[#ARGV - 1])
for i = 3, #ARGV, 2 do
  if tonumber(ARGV[i]) > sent then redis.call('RPUSH', KEYS[1], ARGV[i + 1]) end
end
if #ARGV > 2 and last > sent then redis.call('HSET', KEYS[2], ARGV[2], last) end
if not store then redis.call('SET', KEYS[3], ARGV[1]) end
return store
"""


class Outbox:
    """Sends what waits in the store, each push once, in the order of the likes, in a thread of its own."""

    def __init__(self, store: Store, url: str, *, cluster: bool = False, adopt_store: bool = False) -> None:
        self._store, self._adopt_store = store, adopt_store
        self._redis: Client = connect(url, cluster=cluster)
        self._send: Any = self._redis.register_script(_SEND)
        self._sent: dict[str, int] = {}
        self._not_before, self._next_check, self._deadline = 0.0, 0.0, math.inf
        self._store_was_kept = False
        self._eviction: str | None = None
        self._wake, self._lock = threading.Event(), threading.Lock()
        self._error: Exception | None = None
        self.partitions: Collection[str] = ()
        """The partitions whose pushes are sent."""
        self.problem: str | None = None
        """Why pushes do not leave; None while they do."""

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send until the end of the block, and then what can be sent in a second."""
        thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._deadline = time.monotonic() + SECONDS_TO_STOP
            self.wake()
            thread.join(SECONDS_TO_STOP + 0.5)

    def wake(self) -> None:
        """Send what waits now."""
        self._wake.set()

    def raise_error(self) -> None:
        """Raise what ended the sending, if anything did."""
        if self._error:
            raise self._error

    def check(self) -> None:
        """Write the store's identity where nobody did. Raises UnusableError if Redis, or this store, must not be used.

        A Redis that is unavailable is waited for.
        """
        try:
            self._check_redis()
        except REDIS_ERRORS as error:
            self._refuse_or_wait(error)

    def send(self) -> None:
        """Send all pushes of the partitions that wait, until it is told to stop.

        If Redis or the database is unavailable or refuses them, for whatever reason, they keep waiting.
        """
        if time.monotonic() < self._not_before:
            return
        try:
            if time.monotonic() > self._next_check:
                self._report_backlog()
                self._check_redis()
                self._next_check = time.monotonic() + CHECK_INTERVAL
            while (found := self._store.waiting(self.partitions)) and time.monotonic() < self._deadline:
                partition, last, requested_at, pushes = found
                unsent = [push for push in pushes if push.offset > self._sent.get(partition, -1)]
                for start in range(0, len(unsent), PAGE):
                    self._send_page(partition, requested_at, unsent[start : start + PAGE])
                with self._store.begin() as unit:
                    unit.sent(partition, last)
            self.problem = self._eviction
        except REDIS_ERRORS as error:
            self._refuse_or_wait(error)
        except UNAVAILABLE as error:
            if not is_collision(error):
                self._wait(error)

    def _run(self) -> None:
        try:
            while time.monotonic() < self._deadline:
                self.send()
                if self._deadline < math.inf:
                    break
                self._wake.wait(1)
                self._wake.clear()
        except Exception as error:  # noqa: BLE001 - the service raises it
            self._error = error

    def _send_page(self, partition: str, requested_at: int, page: Sequence[Push]) -> None:
        arguments: list[str | int | bytes] = []
        for push in page:
            arguments += [push.offset, encode(ask_for_push(push, requested_at), source="/feed")]
        self._call(partition, *arguments)
        self._sent[partition] = page[-1].offset
        PUSHES.inc(len(page))
        now = as_microseconds(datetime.now(UTC))
        for push in page:
            PUSH_LATENCY.observe(max(0, now - push.liked_at) / 1e6)

    def _call(self, partition: str, *arguments: str | int | bytes) -> None:
        """Run the script. Raises UnusableError if another store is the one of the group."""
        with self._lock:  # of two threads that find no identity, the second one would take it for a loss
            kept = self._send(keys=[MAILBOX, SENT, STORE], args=[self._store.identity, partition, *arguments])
            is_lost, self._store_was_kept = kept is None and self._store_was_kept, True
        if is_lost:
            REDIS_DATA_LOSSES.inc()
            log.error("Redis came back without its data: pushes that waited in %s are lost", MAILBOX)
        if kept is not None and kept.decode() != self._store.identity:
            raise UnusableError(
                f"the members of the group feed share the store {kept.decode()}, and --store is another one"
                f" ({self._store.identity}). Give all members the same --store. If it was moved on purpose, start one"
                " member with --adopt-store"
            )

    def _refuse_or_wait(self, error: Exception) -> None:
        """Raise UnusableError for what is set up wrong, if this Redis was never used. Else wait."""
        causes = (error, error.__cause__, error.__context__)
        wrong = isinstance(error, AuthenticationError) or "DB index" in str(error) or "WRONGTYPE" in str(error)
        wrong = wrong or any(isinstance(each, gaierror | SSLError | FileNotFoundError) for each in causes)
        if wrong and not self._store_was_kept:
            raise UnusableError(f"Redis cannot be used. Check --redis. The error was: {error}") from None
        self._wait(error)

    def _check_redis(self) -> None:
        """Compare the store with the one of the group, and look whether Redis may drop pushes."""
        self._store.prepare()
        if self._adopt_store:
            self._redis.set(STORE, str(self._store.identity))
            self._adopt_store = False
        self._redis.sadd("resque:queues", MAILBOX.rpartition(":")[2])
        self._call("")
        memory = memory_of(self._redis, MAILBOX)
        policy = memory.get("maxmemory_policy", "noeviction")
        evicts = memory.get("maxmemory", 0) and policy != "noeviction"
        self._eviction = f"Redis may drop pushes: its maxmemory-policy is {policy}, not noeviction" if evicts else None

    def _report_backlog(self) -> None:
        count, since = self._store.backlog()
        OUTBOX_PUSHES.set(count)
        OUTBOX_AGE.set(max(0.0, as_microseconds(datetime.now(UTC)) - since) / 1e6 if count else 0)

    def _wait(self, error: Exception) -> None:
        """Say why pushes wait, and have the next try use new connections, which look the name up again."""
        self.problem = f"pushes wait in the outbox: {str(getattr(error, 'orig', error)).strip()}"
        log.warning("%s; retrying in 1 s", self.problem)
        drop_connections(self._redis)
        self._next_check, self._not_before = 0.0, time.monotonic() + 1
