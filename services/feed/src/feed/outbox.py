"""Pushes on their way from the store's outbox to the transport's mailbox."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

import redis
from envelopes import encode
from envelopes.messages import CATALOG

from .feed import ask_for_push
from .metrics import PUSHES
from .store import Store
from .stream import STREAM

log = logging.getLogger("feed")

MAILBOX = CATALOG.channel("transport").address
PAGE = 500
"""How many pushes go to Redis at once."""
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
        self._send = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5).register_script(_SEND)
        self._not_before = 0.0

    def send(self, partitions: Collection[str]) -> None:
        """Send all pushes of these partitions that wait; if Redis is unavailable, they keep waiting."""
        if time.monotonic() < self._not_before:
            return
        while found := self._store.waiting(partitions):
            partition, last, requested_at, pushes = found
            for start in range(0, len(pushes), PAGE):
                arguments: list[str | int | bytes] = [MAILBOX.rpartition(":")[2], partition]
                for push in pushes[start : start + PAGE]:
                    arguments += [push.offset, encode(ask_for_push(push, requested_at), source="/feed")]
                try:
                    self._send(keys=[MAILBOX, "resque:queues", SENT], args=arguments)
                except redis.RedisError as error:
                    log.warning("pushes wait in the outbox, retrying in 1 s: %s", error)
                    self._not_before = time.monotonic() + 1
                    return
            PUSHES.inc(len(pushes))
            with self._store.begin() as unit:
                unit.sent(partition, last)
