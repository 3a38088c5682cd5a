"""Pushes on their way from the store's outbox to the transport's mailbox."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

import redis
from envelopes import encode
from envelopes.messages import CATALOG

from .likes import ask_for_push
from .metrics import PUSHES
from .store import Store
from .stream import STREAM

log = logging.getLogger("feed")

MAILBOX = CATALOG.channel("transport").address
PAGE = 500
"""How many pushes go to Redis at once."""
MAX_SECONDS = 0.2
"""How long one call of `send` may send: a long outbox must hold up neither reading nor stopping."""
SENT = f"feed:sent:{STREAM}"
"""Hash of partition → offset of the last like whose push is in the mailbox. It moves together with the mailbox, so that
whoever sends a push again, after a crash or beside a newer owner of the partition, sends nothing."""

# KEYS: the mailbox, Resque's set of queues, SENT. ARGV: the queue's name, the partition, then offset, job, and so on.
_SEND = """
redis.call('SADD', KEYS[2], ARGV[1])
local sent = tonumber(redis.call('HGET', KEYS[3], ARGV[2]) or -1)
for i = 3, #ARGV, 2 do
  if tonumber(ARGV[i]) > sent then redis.call('RPUSH', KEYS[1], ARGV[i + 1]) end
end
if tonumber(ARGV[#ARGV - 1]) > sent then redis.call('HSET', KEYS[3], ARGV[2], ARGV[#ARGV - 1]) end
"""


class Outbox:
    """Sends what waits in the store, each push once, in the order of the likes."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._redis = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
        self._send = self._redis.register_script(_SEND)
        self._not_before = 0.0
        self.problem: str | None = None
        """Why pushes do not leave; None while they do."""

    def send(self, partitions: Collection[str]) -> bool:
        """Send pushes of these partitions that wait, for a moment; return True if more of them can be sent at once.

        If Redis is unavailable or refuses them, for whatever reason, they keep waiting.
        """
        now = time.monotonic()
        if now < self._not_before:
            return False
        while found := self._store.waiting(partitions):
            partition, last, requested_at, pushes = found
            for start in range(0, len(pushes), PAGE):
                arguments: list[str | int | bytes] = [MAILBOX.rpartition(":")[2], partition]
                for push in pushes[start : start + PAGE]:
                    arguments += [push.offset, encode(ask_for_push(push, requested_at), source="/feed")]
                try:
                    self._send(keys=[MAILBOX, "resque:queues", SENT], args=arguments)
                except redis.RedisError as error:
                    self.problem = f"pushes wait in the outbox: {error}"
                    log.warning("%s; retrying in 1 s", self.problem)
                    self._redis.connection_pool.disconnect()  # the next try looks the name up again
                    self._not_before = time.monotonic() + 1
                    return False
            PUSHES.inc(len(pushes))
            with self._store.begin() as unit:
                unit.sent(partition, last)
            self.problem = None
            if time.monotonic() > now + MAX_SECONDS:
                return True
        return False
