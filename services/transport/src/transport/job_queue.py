"""A Resque queue as a mailbox: what this worker has of it in hand, and every change of that in Redis.

All keys carry the queue's own name as their hash tag, `{resque:queue:transport}:hand:…`. A key without a tag hashes
as a whole, so these live in the same Cluster slot as the queue, and one script may touch them together with it.
Resque's books live in other slots: they are written by separate commands, see `books`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from redis.exceptions import ResponseError

from envelopes.catalog import Channel

from . import scripts
from .jobs import UNSENT, Fate, Job
from .link import AnyRedis

MODES = ("at-most-once", "at-least-once", "exactly-once")
PREFIX = "resque:queue:"
DAY = 86400.0
MOST_BYTES = 32 << 20
"""What one hand holds of a queue; the jobs that are taken last may be as much again."""
_DURATION = TypeAdapter(timedelta)


class LeaseLostError(Exception):
    """Others have taken over what this worker had in hand."""


class Batch(NamedTuple):
    """What a fetch gave: `rooms` says how many wait for each gateway, `due_in` is in seconds, or None."""

    jobs: list[Job]
    suspects: int
    rooms: dict[str, int]
    due_in: float | None


class Mailbox:
    """One queue. Every method may raise redis' connection errors; all but `fetch` may then be called again.

    `token` is a name that no other process ever had; leases are for `lease` seconds.
    """

    def __init__(
        self, redis: AnyRedis, queue: str, channel: Channel, gateways: Sequence[str], token: str, lease: float
    ) -> None:
        mode = channel.delivery or "at-least-once"
        if mode not in MODES:
            raise ValueError(f"channel {channel.name}: delivery is {mode!r}; it can be one of {', '.join(MODES)}")
        self.redis, self.queue, self.channel, self._token, self._lease = redis, queue, channel, token, lease
        self.marks, self.at_most_once = mode != "at-least-once", mode == "at-most-once"
        expiry = channel.expires_after
        self.expires_after = _DURATION.validate_python(expiry).total_seconds() if expiry else None
        # A mark outlives every duplicate that is young enough to be sent; the hour is for clocks that disagree.
        self._keep = int(((self.expires_after or DAY) + 3600) * 1000)
        self.address = PREFIX + queue
        self.rooms = {name: self.key(f"room:{name}") for name in gateways}
        self.in_hand: dict[str, Job] = {}
        self.lease_ends = 0.0
        """Until when nobody else can have taken this worker's jobs over; in time.monotonic()."""
        self.run_id = b""
        """Which run of which server holds this queue."""
        self._incarnation = 0
        self._join()

    def key(self, name: str) -> str:
        """Name one of the keys beside the queue."""
        return f"{{{self.address}}}:{name}"

    def _marks(self, jobs: Sequence[Job]) -> list[str]:
        """Name the keys that say whether these deliveries, decoded ones, have happened: one for each job, or none."""
        prefix = self.key("once:")
        return [prefix + job.message.delivery_id for job in jobs if job.message] if self.marks else []

    def _join(self) -> None:
        self._incarnation += 1
        self.worker, self._number = f"{self._token}.{self._incarnation}", 0
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
        arguments = [self.worker, int(self._lease * 1000), int(enter)]
        had, self.run_id, *dead = await scripts.BEAT(self.redis, self._keys("workers"), arguments)
        if not had and not enter:
            raise LeaseLostError(self.queue)
        self.lease_ends = asked + self._lease
        return [name.decode() for name in dead if name.decode() != self.worker]

    async def recover(self, worker: str) -> int:
        """Take over what a dead worker had in hand; how many jobs that was, or -1 where it is alive after all."""
        keys = self._keys("workers", f"hand:{worker}", "later", "parked", "tries", "suspects", "counts")
        return int(await scripts.RECOVER(self.redis, keys, [worker]))

    async def leave(self) -> None:
        """End the lease, unless something is still in hand: then it runs out, and others recover that."""
        if not await self.redis.execute_command("HLEN", self._hand):
            await self.redis.execute_command("ZREM", self.key("workers"), self.worker)

    @property
    def space(self) -> int:
        """For how many bytes of jobs there is space in this hand."""
        return MOST_BYTES - sum([len(job.raw) for job in self.in_hand.values()])

    async def fetch(self, limit: int, room: str = "", longest: float = 0) -> Batch:
        """Take up to `limit` jobs from the queue, or from a gateway's room. Raises LeaseLostError.

        Waits up to `longest` seconds for the queue to hold something: there, its head takes its own place. Where the
        answer got lost, `adopt` finds what was taken.
        """
        first, self._number = self._number, self._number + limit  # a lost answer's tickets are never given out again
        prefix = f"{self.worker}-"
        keys = [self.rooms[room] if room else self.address]
        keys += [*self._keys("hand", "workers", "later", "parked", "tries", "suspects"), *self.rooms.values()]
        arguments = [self.worker, limit, int(not self.in_hand), prefix, first, self.space]
        filled = ("BLMOVE", self.address, self.address, "LEFT", "LEFT", longest) if longest else None
        try:
            suspects, wait, rooms, again, fresh = await scripts.FETCH(self.redis, keys, arguments, after=filled)
        except ResponseError as error:
            if "LEASELOST" in str(error):
                raise LeaseLostError(self.queue) from None
            raise
        jobs = [
            Job(ticket.decode(), raw, int(failures), int(crashes))
            for ticket, raw, failures, crashes in zip(*[iter(again)] * 4, strict=True)
        ]
        jobs += [Job(f"{prefix}{number:012d}", raw) for number, raw in enumerate(fresh, first)]
        self.in_hand.update([(job.ticket, job) for job in jobs])
        return Batch(jobs, suspects, dict(zip(self.rooms, rooms, strict=True)), None if wait < 0 else wait / 1000)

    async def adopt(self) -> list[Job]:
        """Find jobs that Redis has in this hand and this worker does not know: their fetch was not answered."""
        held = await self.redis.execute_command("HGETALL", self._hand)
        jobs = []
        for ticket in sorted(held.keys() - {ticket.encode() for ticket in self.in_hand}):
            tried = await self.redis.execute_command("HMGET", self.key("tries"), b"f:" + ticket, b"c:" + ticket)
            jobs.append(Job(ticket.decode(), held[ticket], int(tried[0] or 0), int(tried[1] or 0)))
        self.in_hand.update((job.ticket, job) for job in jobs)
        return jobs

    async def reassert(self) -> None:
        """Tell a Redis that was restarted what is in hand: it may have forgotten."""
        await self.beat(enter=True)
        for job in list(self.in_hand.values()):
            await self.redis.execute_command("HSET", self._hand, job.ticket, job.raw)

    async def claim(self, jobs: Sequence[Job]) -> str:
        """Claim deliveries: for each job g go, d a duplicate, b busy, or u unsure. Without marks every job may go."""
        if not self.marks or not jobs:
            return "g" * len(jobs)
        marks = self._marks(jobs)
        arguments = [int(self.at_most_once), self._keep, *[job.ticket for job in jobs]]
        letters, *rivals = await scripts.CLAIM(self.redis, [self._hand, *marks], arguments)
        verdicts = str(letters.decode())
        for rival in rivals:
            verdict = await self._probe(marks[verdicts.index("c")], rival)
            verdicts = verdicts.replace("c", verdict, 1)
        for job, verdict in zip(jobs, verdicts, strict=True):
            job.claimed = verdict == "g"
        return verdicts

    async def _probe(self, mark: str, rival: bytes) -> str:
        """Say whether the delivery that another job has claimed has happened, or is busy."""
        workers = await self.redis.execute_command("ZRANGE", self.key("workers"), 0, -1)
        hands = [self.key(f"hand:{worker.decode()}") for worker in workers]
        keys = [mark, *self._keys("workers", "parked"), *hands]
        return str((await scripts.PROBE(self.redis, keys, [rival, *workers])).decode())

    async def settle(self, fate: Fate, jobs: Sequence[Job], *, doubt: bool = False) -> int:
        """Make the one fate of some jobs known to Redis; give how many of them were still in this hand.

        In `doubt` about that, what was delivered is marked as done, so that whoever has it now need not ask again.
        """
        mine = self._mine(jobs)
        tickets = [job.ticket for job in mine]
        if fate in UNSENT or (fate is Fate.POSTPONED and self.at_most_once):
            # At most once: a claim that stems from before a worker's death may have been followed by a request.
            released = [job for job in mine if job.message and (job.claimed or not self.at_most_once)]
            if marks := self._marks(released):
                await scripts.RELEASE(self.redis, [self._hand, *marks], [job.ticket for job in released])
        match fate:
            case Fate.RETRIED | Fate.POSTPONED:
                keys = self._keys("hand", "later", "parked", "tries", "counts")
                arguments: list[Any] = [fate.value]
                for job in mine:
                    arguments += (job.ticket, int(job.delay * 1000), int(fate is Fate.RETRIED))
                return int(await scripts.POSTPONE(self.redis, keys, arguments))
            case Fate.RETURNED:
                return int(await scripts.MOVE(self.redis, [self._hand, self.address], ["LPUSH", *reversed(tickets)]))
        keys = self._keys("hand", "tries", "counts")
        if doubt and fate is Fate.DELIVERED:
            keys += self._marks(jobs)
        return int(await scripts.SETTLE(self.redis, keys, [fate.value, self._keep, *tickets]))

    async def shelve(self, gateway: str, jobs: Sequence[Job]) -> int:
        """Let unclaimed jobs wait in a gateway's room; give how many were still in this hand."""
        arguments = ["RPUSH", *[job.ticket for job in self._mine(jobs)]]
        return int(await scripts.MOVE(self.redis, [self._hand, self.rooms[gateway]], arguments))

    def too_old(self, job: Job) -> bool:
        """Whether a decoded job must not be sent any more."""
        return self.expires_after is not None and time.time() > job.enqueued_at + self.expires_after

    async def depth(self) -> dict[str, int]:
        """Count what waits in Redis, by where it waits."""
        do = self.redis.execute_command
        waiting = {"queue": await do("LLEN", self.address), "later": await do("ZCARD", self.key("later"))}
        waiting["suspects"] = await do("LLEN", self.key("suspects"))
        return waiting | {f"room:{name}": await do("LLEN", room) for name, room in self.rooms.items()}

    async def report(self, snapshot: Mapping[str, Any]) -> None:
        """Leave a description of this worker, for as long as its lease lasts."""
        key, text = self.key(f"report:{self.worker}"), json.dumps(snapshot)
        await self.redis.execute_command("SET", key, text, "PX", int(self._lease * 2000))

    def forget(self, jobs: Iterable[Job]) -> None:
        """Drop settled jobs from memory."""
        for job in self._mine(jobs):
            del self.in_hand[job.ticket]

    def _mine(self, jobs: Iterable[Job]) -> list[Job]:
        """Leave out what was lost with a lease: where it came back, the ticket is another job's."""
        return [job for job in jobs if self.in_hand.get(job.ticket) is job]
