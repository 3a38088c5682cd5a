"""Pushes on their way from the store's outbox to the transport's mailbox."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

import redis
from envelopes.messages import CATALOG

from .metrics import PUSHES
from .store import Store

log = logging.getLogger("feed")

MAILBOX = CATALOG.channel("transport").address
STREAM = CATALOG.channel("activity").address
SENT = f"feed:sent:{STREAM}"
"""Hash of partition → offset of the last like whose push is in the mailbox. It moves together with the mailbox, so
whoever sends a push again, after a crash or beside a newer owner of the partition, sends nothing."""

# KEYS: the mailbox, Resque's set of queues, SENT. ARGV: the queue's name, then partition, offset, job, and so on.
_SEND = """
redis.call('SADD', KEYS[2], ARGV[1])
local sent = {}
for i = 2, #ARGV, 3 do
  local partition, offset = ARGV[i], tonumber(ARGV[i + 1])
  sent[partition] = sent[partition] or tonumber(redis.call('HGET', KEYS[3], partition) or -1)
  if offset > sent[partition] then
    redis.call('RPUSH', KEYS[1], ARGV[i + 2])
    redis.call('HSET', KEYS[3], partition, ARGV[i + 1])
    sent[partition] = offset
  end
end
"""


class Outbox:
    """Sends what waits in the store, each push once, in the order of the likes."""

    def __init__(self, store: Store, url: str, page: int = 1000, pause: float = 1.0) -> None:
        self._store, self._page, self._pause = store, page, pause
        self._redis = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
        self._send = self._redis.register_script(_SEND)
        self._not_before = 0.0

    def send(self, partitions: Collection[int]) -> bool:
        """Send everything that waits for these partitions; False where Redis is away and it goes on waiting."""
        if time.monotonic() < self._not_before:
            return False
        while jobs := self._store.waiting(partitions, self._page):
            try:
                arguments = [part for job in jobs for part in job]
                self._send(keys=[MAILBOX, "resque:queues", SENT], args=[MAILBOX.rpartition(":")[2], *arguments])
            except redis.RedisError as error:
                log.warning("pushes wait in the outbox, the next try is in %g s: %s", self._pause, error)
                self._not_before = time.monotonic() + self._pause
                return False
            PUSHES.inc(len(jobs))
            with self._store.begin() as unit:
                unit.sent({partition: offset for partition, offset, _ in jobs})
        return True

    def close(self) -> None:
        """Let go of Redis."""
        self._redis.close()
