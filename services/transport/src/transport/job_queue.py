"""A Resque queue: the jobs that this worker has in flight, and every change to them in Redis.

All keys carry the queue's address as their hash tag, for example `{resque:queue:transport}:leases`. A key without a tag
hashes as a whole, so they are in the same Cluster slot as the queue, and one script can change them together with it.
Resque's registry is in other slots and is written by separate commands, see `registry`.
"""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from envelopes.catalog import Channel

from . import scripts
from .connection import AnyRedis, Cluster
from .gateways import GATEWAYS
from .jobs import LARGE, UNSENT, Job, Outcome, age

DELIVERY_MODES = ("at-most-once", "at-least-once", "exactly-once")
QUEUE_PREFIX = "resque:queue:"
DAY = 86400.0
HEARTBEAT = 0.2
"""The time between two heartbeats, as a fraction of the lease."""
MAX_BYTES_IN_FLIGHT = 32 << 20
"""The bytes of one queue's jobs that a worker holds. The last fetch may add as many again."""
DELIVERIES_REMEMBERED = 10_000
"""So many of its last deliveries a worker remembers, and does not send again after a failover that has lost them."""
_DURATION = TypeAdapter(timedelta)


class LeaseLostError(Exception):
    """Another worker has recovered the jobs that this worker had in flight."""


class OldKeysError(Exception):
    """Redis holds jobs under key names of an earlier version, which this version does not read."""

    def __init__(self, queue: str, keys: Sequence[str]) -> None:
        super().__init__(queue, keys)
        self.queue, self.keys = queue, keys

    def __str__(self) -> str:
        return (
            f"the queue {self.queue!r} has keys of an earlier version: {', '.join(self.keys)}. Drain it before you"
            " upgrade: run the earlier version until its `status` shows no job besides those in the queue, and stop it"
            " with SIGTERM"
        )


class Batch(NamedTuple):
    """The result of a fetch. `due_in` is in seconds, or None."""

    jobs: list[Job]
    quarantined: int
    due_in: float | None


class Found(NamedTuple):
    """Jobs behind a place in the queue, and whether the last one is its end. Large ones are empty."""

    position: int
    is_end: bool
    jobs: list[bytes]


class Depth(NamedTuple):
    """The number of jobs in one place, and the age of the one at its head in seconds, 0 if there is none.

    The age is NaN if that job cannot be read.
    """

    jobs: int
    age: float


def _hash_tag(key: str) -> str:
    """Return the part of a key that decides its Cluster slot."""
    return found[1] if (found := re.search(r"\{([^}]+)\}", key)) else key


def _key_beside(address: str, name: str) -> str:
    """Return the name of a key in the Cluster slot of a queue."""
    return f"{{{address}}}:{name}" if _hash_tag(address) == address else f"{address}:{name}"


def _jobs(reply: Sequence[bytes]) -> list[Job]:
    """Return jobs from a script's reply that has the ticket, the bytes, the failures and the crashes of each."""
    each = zip(*[iter(reply)] * 4, strict=True)
    return [Job(ticket.decode(), raw, int(failures), int(crashes)) for ticket, raw, failures, crashes in each]


class JobQueue:
    """One queue. Every method may raise redis' connection errors, and all but `fetch` may then be called again.

    `token` is unique to this process. Leases last `lease` seconds.
    """

    def __init__(self, redis: AnyRedis, name: str, channel: Channel, token: str, lease: float) -> None:
        mode = channel.delivery or "at-least-once"
        if mode not in DELIVERY_MODES:
            expected = ", ".join(DELIVERY_MODES)
            raise ValueError(f"channel {channel.name}: delivery is {mode!r}; expected one of {expected}")
        self.redis, self.name, self.channel, self._token, self._lease = redis, name, channel, token, lease
        self.deduplicates, self.at_most_once = mode != "at-least-once", mode == "at-most-once"
        expiry = channel.expires_after
        self.expires_after = _DURATION.validate_python(expiry).total_seconds() if expiry else None
        # A claim outlives every duplicate that is young enough to be sent. The hour is for clocks that disagree.
        self._keep_claims_ms = int(((self.expires_after or DAY) + 3600) * 1000)
        self.address = QUEUE_PREFIX + name
        self.hash_tag = _hash_tag(self.address)
        self.in_flight: dict[str, Job] = {}
        self.lease_ends = 0.0
        """The time.monotonic() until which no other worker can have recovered this worker's jobs."""
        self.run_id = (b"", b"")
        """The run id of the server that holds this queue, and the id of its data."""
        self._expired: dict[str, float] = {}
        """The workers whose leases have expired, and since when this worker has seen that, in time.monotonic()."""
        self.evicts = False
        """True if the server may remove keys when its memory is full."""
        self._delivered = deque[str](maxlen=DELIVERIES_REMEMBERED)
        """The claim keys of the last deliveries."""
        self._incarnation = 0
        self._rename()

    def key(self, name: str) -> str:
        """Return the full name of one of the keys beside the queue."""
        return _key_beside(self.address, name)

    def _claims(self, jobs: Sequence[Job]) -> list[str]:
        """Return the claim key of each decoded job, or no keys if the channel does not deduplicate.

        All queues share the claims, on a Cluster all queues with the same hash tag.
        """
        prefix = f"{{{self.hash_tag}}}:claim:" if isinstance(self.redis, Cluster) else "resque:claim:"
        return [prefix + job.message.delivery_id for job in jobs if job.message] if self.deduplicates else []

    def _rename(self) -> None:
        self._incarnation += 1
        self.worker, self._number = f"{self._token}.{self._incarnation}", 0
        self._in_flight = self.key(f"in-flight:{self.worker}")

    def _keys(self, *names: str) -> list[str]:
        return [self._in_flight if name == "in-flight" else self.key(name) for name in names]

    async def check_old_keys(self) -> None:
        """Raise OldKeysError if an earlier version of this worker has left jobs under its own key names."""
        gateway_queues = (
            f"{self.address}:{kind}" if "{" in self.name else QUEUE_PREFIX + self.key(kind) for kind in GATEWAYS
        )
        old = [
            *self._keys("workers", "later", "parked", "suspects", *(f"room:{kind}" for kind in GATEWAYS)),
            *gateway_queues,
        ]
        found = await self.redis.call(*[("EXISTS", key) for key in old])
        if any(found):
            raise OldKeysError(self.name, [key for key, exists in zip(old, found, strict=True) if exists])

    async def acquire_lease(self) -> None:
        """Acquire a lease under a new name. Jobs in flight under the old name are left to be recovered."""
        self.in_flight.clear()
        self._rename()
        await self.renew_lease(acquire=True)

    async def renew_lease(self, *, acquire: bool = False) -> list[str]:
        """Renew the lease, and return the dead workers. Raises LeaseLostError.

        A worker is dead when its lease has expired and stayed so for two heartbeats on this worker's own clock: a step
        of the server's clock makes all leases expire at once, and the next heartbeats renew those of live workers.
        """
        asked = time.monotonic()
        arguments = [self.worker, int(self._lease * 1000), int(acquire)]
        keys = self._keys("leases", "data-id", "clock")
        had, run_id, data_id, evicts, *dead = await scripts.RENEW_LEASE(self.redis, keys, arguments)
        self.run_id, self.evicts = (run_id, data_id), bool(evicts)
        if not had and not acquire:
            raise LeaseLostError(self.name)
        self.lease_ends = asked + self._lease
        self._expired = {name.decode(): self._expired.get(name.decode(), asked) for name in dead}
        return [name for name, since in self._expired.items() if asked - since >= 2 * HEARTBEAT * self._lease]

    async def recover(self, worker: str) -> int:
        """Take over the jobs in flight of a dead worker. Return their number, or -1 if the worker is alive."""
        keys = self._keys(
            "leases", f"in-flight:{worker}", "scheduled", "waiting-jobs", "attempts", "quarantine", "counts", "clock"
        )
        return int(await scripts.RECOVER(self.redis, keys, [worker]))

    async def release_lease(self) -> None:
        """End the lease. With jobs in flight it is left to expire, so that other workers recover them."""
        if await self.redis.call(("HLEN", self._in_flight)) == [0]:
            await self.redis.call(("ZREM", self.key("leases"), self.worker))

    @property
    def space(self) -> int:
        """The bytes of jobs that may still be fetched."""
        return MAX_BYTES_IN_FLIGHT - sum([len(job.raw) for job in self.in_flight.values()])

    async def fetch(self, limit: int, longest: float = 0, *, head: bool = True) -> Batch:
        """Fetch up to `limit` jobs: those that are due, and the `head` of the queue. Raises LeaseLostError.

        Wait up to `longest` seconds for a job: BLMOVE moves the head of the queue to its own place. If the reply gets
        lost, `find_unknown` finds the fetched jobs.
        """
        tickets = self._tickets(limit)
        keys = [self.address]
        keys += self._keys("in-flight", "leases", "scheduled", "waiting-jobs", "attempts", "quarantine", "clock")
        arguments = [
            self.worker,
            limit,
            int(not self.in_flight),
            f"{self.worker}-",
            tickets.start,
            self.space,
            int(head),
        ]
        wait_for_job = ("BLMOVE", self.address, self.address, "LEFT", "LEFT", longest) if longest else None
        reply = await scripts.FETCH(self.redis, keys, arguments, after=wait_for_job)
        if reply is None:
            raise LeaseLostError(self.name)
        quarantined, wait, again, fresh = reply
        jobs = [*_jobs(again), *(Job(self._ticket(number), raw) for number, raw in zip(tickets, fresh, strict=False))]
        self.in_flight.update([(job.ticket, job) for job in jobs])
        return Batch(jobs, quarantined, None if wait < 0 else wait / 1000)

    async def search(self, position: int, last: bytes, number: int) -> Found:
        """Read jobs behind the job `last`, which was in front of a position when it was read."""
        position, is_end, jobs = await scripts.SEARCH(self.redis, [self.address], [position, last, number, LARGE])
        return Found(position, bool(is_end), jobs)

    async def pick(self, found: Mapping[int, bytes]) -> list[Job]:
        """Fetch jobs by their positions in the queue. Others may have moved some. Raises LeaseLostError."""
        tickets = [self._ticket(number) for number in self._tickets(len(found))]
        arguments: list[Any] = [self.worker]
        for ticket, (position, raw) in zip(tickets, found.items(), strict=True):
            arguments += (ticket, position, raw)
        picked = await scripts.PICK(self.redis, [self.address, *self._keys("in-flight", "leases")], arguments)
        if picked is None:
            raise LeaseLostError(self.name)
        raws = list(found.values())
        jobs = [Job(tickets[number], raws[number]) for number in picked]
        self.in_flight.update([(job.ticket, job) for job in jobs])
        return jobs

    def _tickets(self, number: int) -> range:
        """Return the numbers of new tickets. Those of a lost reply are not used again."""
        first, self._number = self._number, self._number + number
        return range(first, self._number)

    def _ticket(self, number: int) -> str:
        return f"{self.worker}-{number:012d}"

    async def find_unknown(self) -> list[Job]:
        """Return jobs that are in flight here according to Redis only.

        The reply to their fetch was lost, or a failover has lost their acknowledgement.
        """
        found = await scripts.FIND_UNKNOWN(self.redis, self._keys("in-flight", "attempts"), list(self.in_flight))
        jobs = sorted(_jobs(found), key=lambda job: job.ticket)
        if jobs:
            await self._claim_delivered()
        self.in_flight.update((job.ticket, job) for job in jobs)
        return jobs

    async def _claim_delivered(self) -> None:
        """Write the claims of the last deliveries, which a failover may have lost."""
        claims, keys = list(self._delivered), self._keys("in-flight", "attempts", "counts")
        for first in range(0, len(claims), 1000):
            some = claims[first : first + 1000]
            await scripts.ACKNOWLEDGE(self.redis, keys + some, [Outcome.DELIVERED.value, self._keep_claims_ms])

    async def restore(self) -> None:
        """Write the jobs in flight and all claims to a Redis that was restarted or replaced and may have lost them."""
        await self.renew_lease(acquire=True)
        await self._claim_delivered()
        for job in list(self.in_flight.values()):
            await self.redis.call(("HSET", self._in_flight, job.ticket, job.raw))
            for claim in self._claims([job]) if job.claimed else ():
                ticket = f"{'gone:' if self.at_most_once else ''}{job.ticket}@{self.name}"
                await self.redis.call(("SET", claim, ticket, "NX", "PX", self._keep_claims_ms))

    async def claim(self, jobs: Sequence[Job]) -> str:
        """Claim deliveries. Return a letter for each job: g (go), d (duplicate), b (busy) or u (unsure)."""
        if not self.deduplicates or not jobs:
            return "g" * len(jobs)
        claims = self._claims(jobs)
        arguments = [int(self.at_most_once), self._keep_claims_ms, f"@{self.name}", *[job.ticket for job in jobs]]
        letters, rivals = await scripts.CLAIM(self.redis, [self._in_flight, *claims], arguments)
        verdicts = str(letters.decode())
        for rival in rivals:
            verdict = await self._check_claim(claims[verdicts.index("c")], rival)
            verdicts = verdicts.replace("c", verdict, 1)
        for job, verdict in zip(jobs, verdicts, strict=True):
            job.claimed = verdict == "g"
        return verdicts

    async def _check_claim(self, claim: str, rival: bytes) -> str:
        """Return d if the delivery that another job has claimed has happened, or b if that job is busy."""
        ticket, _, queue = rival.decode().partition("@")
        key = partial(_key_beside, QUEUE_PREFIX + queue)
        (workers,) = await self.redis.call(("ZRANGE", key("leases"), 0, -1))
        in_flight = [key(f"in-flight:{worker.decode()}") for worker in workers]
        keys = [claim, key("leases"), key("waiting-jobs"), *in_flight]
        return str((await scripts.CHECK_CLAIM(self.redis, keys, [rival, ticket, *workers])).decode())

    async def settle(self, outcome: Outcome, jobs: Sequence[Job], *, in_doubt: bool = False) -> int:
        """Write one outcome of some jobs to Redis. Return how many of them were still in flight here.

        If that is `in_doubt`, delivered jobs are marked as done, so that another worker that has them does not send
        them again.
        """
        mine = self._mine(jobs)
        tickets = [job.ticket for job in mine]
        postponed = outcome is Outcome.POSTPONED
        if outcome in UNSENT or postponed:
            # A claim from before a worker's death, or before a failure, may have been followed by a request. A job
            # without a history must not keep its claim: in the queue it has no ticket, and gets another one.
            released = [
                job
                for job in mine
                if job.message and (job.claimed if self.at_most_once else not (postponed and job.tried))
            ]
            if claims := self._claims(released):
                own = [job.ticket for job in released]
                await scripts.RELEASE_CLAIMS(self.redis, [self._in_flight, *claims], [f"@{self.name}", *own])
        match outcome:
            case Outcome.RETRIED | Outcome.POSTPONED:
                keys = self._keys("in-flight", "scheduled", "waiting-jobs", "attempts", "counts", "clock")
                arguments: list[Any] = [outcome.value]
                for job in mine:
                    arguments += (job.ticket, int(job.delay * 1000), int(outcome is Outcome.RETRIED))
                return int(await scripts.SCHEDULE(self.redis, keys, arguments))
            case Outcome.RETURNED:
                return int(await scripts.REQUEUE(self.redis, [self._in_flight, self.address], tickets[::-1]))
        keys = self._keys("in-flight", "attempts", "counts")
        claims = self._claims(jobs) if outcome is Outcome.DELIVERED else []
        keys += claims if in_doubt else []
        settled = await scripts.ACKNOWLEDGE(self.redis, keys, [outcome.value, self._keep_claims_ms, *tickets])
        self._delivered.extend(claims)
        return int(settled)

    def is_expired(self, job: Job) -> bool:
        """Return True if a decoded job is too old to be sent."""
        return self.expires_after is not None and time.time() > job.entered_at + self.expires_after

    async def depth(self) -> dict[str, Depth]:
        """Describe the jobs that wait in Redis, by place."""
        keys = [self.address, *self._keys("scheduled", "waiting-jobs", "quarantine")]
        reply = await scripts.DEPTH(self.redis, keys, [LARGE])
        heads = zip(reply[::2], reply[1::2], strict=True)
        depths = [Depth(jobs, age(head, self.channel.name) if jobs else 0.0) for jobs, head in heads]
        return dict(zip(("queue", "scheduled", "quarantine"), depths, strict=True))

    async def write_report(self, snapshot: Mapping[str, Any]) -> None:
        """Write a description of this worker that expires with its lease."""
        key, text = self.key(f"report:{self.worker}"), json.dumps(snapshot)
        await self.redis.call(("SET", key, text, "PX", int(self._lease * 2000)))

    def forget(self, jobs: Iterable[Job]) -> None:
        """Remove settled jobs from memory."""
        for job in self._mine(jobs):
            del self.in_flight[job.ticket]

    def _mine(self, jobs: Iterable[Job]) -> list[Job]:
        """Leave out jobs that were lost with a lease. If one came back, its ticket belongs to another Job object."""
        return [job for job in jobs if self.in_flight.get(job.ticket) is job]
