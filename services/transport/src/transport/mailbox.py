"""A Resque queue as a mailbox: what this worker has of it in hand, and every change of that in Redis.

All keys carry the queue's own name as their hash tag, `{resque:queue:transport}:hand:…`. A key without a tag hashes
as a whole, so these live in the same Cluster slot as the queue, and one script may touch them together with it.
Resque's books live in other slots: they are written by separate commands, see `books`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from redis.asyncio import RedisCluster
from redis.exceptions import ResponseError

from envelopes import Channel

from . import scripts
from .durations import seconds
from .jobs import Fate, Job, Outcome
from .scripts import AnyRedis

MODES = ("at-most-once", "at-least-once", "exactly-once")
PREFIX = "resque:queue:"
DAY = 86400.0


class LeaseLostError(Exception):
    """Others have taken over what this worker had in hand."""


class Holder(NamedTuple):
    """Who takes leases: one process, by a name that nobody else ever had, for so many seconds each time."""

    token: str
    lease: float


class Batch(NamedTuple):
    """What a fetch gave: `rooms` are the gateways' rooms' lengths, `due_in` is in seconds, or None."""

    jobs: list[Job]
    suspects: int
    rooms: list[int]
    due_in: float | None


class Mailbox:
    """One queue. Every method may raise redis' connection errors, and may then be called again with the same jobs."""

    def __init__(self, redis: AnyRedis, queue: str, channel: Channel, gateways: Sequence[str], holder: Holder) -> None:
        mode = channel.delivery or "at-least-once"
        if mode not in MODES:
            raise ValueError(f"channel {channel.name}: delivery is {mode!r}; it can be one of {', '.join(MODES)}")
        self.redis, self.queue, self.channel, self.holder = redis, queue, channel, holder
        self.marks, self.at_most_once = mode != "at-least-once", mode == "at-most-once"
        self.expires_after = seconds(channel.expires_after) if channel.expires_after else None
        # A mark outlives every duplicate that is young enough to be sent; the hour is for clocks that disagree.
        self._keep = int(((self.expires_after or DAY) + 3600) * 1000)
        self.address = PREFIX + queue
        self.rooms = [self.key(f"room:{name}") for name in gateways]
        self.in_hand: dict[str, Job] = {}
        self.lease_ends = 0.0
        """Until when nobody else can have taken this worker's jobs over; in time.monotonic()."""
        self._incarnation = 0
        self._join()

    def key(self, name: str) -> str:
        """Name one of the keys beside the queue."""
        return f"{{{self.address}}}:{name}"

    def mark(self, job: Job) -> str:
        """Name the key that says whether this delivery has happened."""
        assert job.message is not None
        return self.key(f"once:{job.message.delivery_id}")

    def _join(self) -> None:
        self._incarnation += 1
        self.worker, self._number = f"{self.holder.token}.{self._incarnation}", 0
        self._hand = self.key(f"hand:{self.worker}")

    def _keys(self, *names: str) -> list[str]:
        return [self._hand if name == "hand" else self.key(name) for name in names]

    async def enter(self) -> None:
        """Take a lease under a fresh name; what was held under the old one is left to be recovered."""
        self.in_hand.clear()
        self._join()
        await self.beat(enter=True)

    async def beat(self, *, enter: bool = False) -> list[str]:
        """Renew the lease; give the workers that let theirs run out. Raises LeaseLostError."""
        asked = time.monotonic()
        had, *dead = await scripts.BEAT(
            self.redis, self._keys("workers"), [self.worker, int(self.holder.lease * 1000), int(enter)]
        )
        if not had and not enter:
            raise LeaseLostError(self.queue)
        self.lease_ends = asked + self.holder.lease
        return [name.decode() for name in dead if name.decode() != self.worker]

    async def recover(self, worker: str) -> int:
        """Take over what a dead worker had in hand; how many jobs that was, or -1 where it is alive after all."""
        keys = self._keys("workers", f"hand:{worker}", "later", "parked", "tries", "suspects", "counts")
        recovered: int = await scripts.RECOVER(self.redis, keys, [worker])
        return recovered

    async def leave(self) -> None:
        """End the lease, unless something is still in hand: then it runs out, and others recover that."""
        if not await self.redis.execute_command("HLEN", self._hand):
            await self.redis.execute_command("ZREM", self.key("workers"), self.worker)

    async def fetch(self, limit: int, room: int | None = None, longest: float = 0) -> Batch:
        """Take up to `limit` jobs from the queue, or from a gateway's room. Raises LeaseLostError.

        Waits up to `longest` seconds for the queue to hold something: there, its head takes its own place.
        """
        source = self.address if room is None else self.rooms[room]
        first, self._number = self._number, self._number + limit  # a lost answer's tickets are never given out again
        prefix = f"{self.worker}-"
        keys = [source, *self._keys("hand", "workers", "later", "parked", "tries", "suspects"), *self.rooms]
        alone = int(not self.in_hand)
        arguments = [self.worker, limit, alone, prefix, first]
        filled = ("BLMOVE", self.address, self.address, "LEFT", "LEFT", longest)
        try:
            if longest:
                answer = await scripts.FETCH.after(self.redis, filled, keys, arguments)
            else:
                answer = await scripts.FETCH(self.redis, keys, arguments)
        except ResponseError as error:
            if "LEASELOST" in str(error):
                raise LeaseLostError(self.queue) from None
            raise
        suspects, wait, rooms, again, fresh = answer
        jobs = [
            Job(ticket.decode(), raw, int(failures), int(crashes))
            for ticket, raw, failures, crashes in zip(*[iter(again)] * 4, strict=True)
        ]
        jobs += [Job(f"{prefix}{number:012d}", raw) for number, raw in enumerate(fresh, first)]
        self.in_hand.update((job.ticket, job) for job in jobs)
        return Batch(jobs, suspects, rooms, None if wait < 0 else wait / 1000)

    async def run_id(self) -> bytes:
        """Which run of which server holds this queue."""
        if isinstance(self.redis, RedisCluster):
            node = self.redis.get_node_from_key(self.address)
            return str((await self.redis.info("server", target_nodes=node))["run_id"]).encode()
        return str((await self.redis.info("server"))["run_id"]).encode()

    async def adopt(self) -> list[Job]:
        """Find jobs that Redis has in this hand and this worker does not know: their fetch was not answered."""
        held = await self.redis.execute_command("HGETALL", self._hand)
        unknown = {ticket.decode(): raw for ticket, raw in held.items() if ticket.decode() not in self.in_hand}
        jobs = []
        for ticket in sorted(unknown):
            tried = await self.redis.execute_command("HMGET", self.key("tries"), f"f:{ticket}", f"c:{ticket}")
            jobs.append(Job(ticket, unknown[ticket], int(tried[0] or 0), int(tried[1] or 0)))
        self.in_hand.update((job.ticket, job) for job in jobs)
        return jobs

    async def reassert(self) -> None:
        """Tell a Redis that was restarted what is in hand: it may have forgotten."""
        await self.beat(enter=True)
        for job in list(self.in_hand.values()):
            await self.redis.execute_command("HSET", self._hand, job.ticket, job.raw)

    async def claim(self, jobs: Sequence[Job]) -> str:
        """Claim deliveries; one letter for each job, see `lua/claim.lua`. Without marks every job may go."""
        if not self.marks or not jobs:
            return "g" * len(jobs)
        arguments = [int(self.at_most_once), self._keep, *(job.ticket for job in jobs)]
        verdicts: bytes = await scripts.CLAIM(self.redis, [self.mark(job) for job in jobs], arguments)
        return verdicts.decode()

    async def settle(self, fate: Fate, outcomes: Sequence[Outcome]) -> int:
        """Make the one fate of some jobs known to Redis; give how many of them were still in this hand."""
        jobs = [outcome.job for outcome in outcomes]
        marks = [self.mark(job) for job in jobs] if self.marks and all(job.message for job in jobs) else []
        tickets = [job.ticket for job in jobs]
        match fate:
            case Fate.RETRIED | Fate.POSTPONED:
                keys = [*self._keys("hand", "later", "parked", "tries", "counts"), *marks]
                left = await scripts.POSTPONE(self.redis, keys, [fate.value, *_postponed(fate, outcomes)])
            case Fate.SHELVED:
                room = next(key for key in self.rooms if key.endswith(f":{outcomes[0].gateway}"))
                left = await scripts.MOVE(self.redis, [self._hand, room, *marks], ["RPUSH", *tickets])
            case Fate.RETURNED:
                back = [self._hand, self.address, *reversed(marks)]
                left = await scripts.MOVE(self.redis, back, ["LPUSH", *reversed(tickets)])
            case _:
                mark = _MARKS.get(fate, "release")
                keys = [*self._keys("hand", "tries", "counts"), *marks]
                left = await scripts.SETTLE(self.redis, keys, [fate.value, mark, self._keep, *tickets])
        return int(left)

    async def depth(self) -> dict[str, int]:
        """Count what waits in Redis, by where it waits."""
        places = [("queue", "LLEN", self.address)]
        places += [("later", "ZCARD", self.key("later")), ("suspects", "LLEN", self.key("suspects"))]
        places += [(room.removeprefix(self.key("")), "LLEN", room) for room in self.rooms]
        return {where: await self.redis.execute_command(command, key) for where, command, key in places}

    async def report(self, snapshot: Mapping[str, Any]) -> None:
        """Leave a description of this worker, for as long as its lease lasts."""
        key, text = self.key(f"report:{self.worker}"), json.dumps(snapshot)
        await self.redis.execute_command("SET", key, text, "PX", int(self.holder.lease * 2000))

    def forget(self, jobs: Iterable[Job]) -> None:
        """Drop settled jobs from memory."""
        for job in jobs:
            self.in_hand.pop(job.ticket, None)


_MARKS = {Fate.DELIVERED: "done", Fate.DUPLICATE: "keep", Fate.UNSURE: "keep"}


def _postponed(fate: Fate, outcomes: Sequence[Outcome]) -> Iterable[Any]:
    for outcome in outcomes:
        yield from (outcome.job.ticket, int(outcome.delay * 1000), int(fate is Fate.RETRIED))
