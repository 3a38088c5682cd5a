"""The Lua scripts, in every order that a state machine can think of: no job is ever in two places, or in none."""

import asyncio
import secrets
import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from redis import Redis
from redis.exceptions import ResponseError
from transport_processes import RedisServer
from transport_support import CHANNEL, QUEUE, key, resque

from transport.connection import connect
from transport.job_queue import JobQueue, LeaseLostError
from transport.jobs import Job, Outcome, read_delivery

OPEN_OUTCOMES = (Outcome.RETRIED, Outcome.POSTPONED, Outcome.RETURNED, Outcome.DEAD, Outcome.EXPIRED)
ANYWAY = {"deadline": None, "suppress_health_check": list(HealthCheck)}


class Scripts(RuleBasedStateMachine):
    """Three workers on one queue; `delivered` says how often each delivery was allowed to go and then was sent."""

    url = ""
    delivery = "exactly-once"
    fetched = Bundle("fetched")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.sync = Redis.from_url(self.url)
        self.sync.flushall()
        self.redis = connect(self.url, cluster=False)
        channel = replace(CHANNEL, delivery=self.delivery)
        self.job_queues = [JobQueue(self.redis, "transport", channel, f"w{n}", 3600) for n in range(3)]
        for job_queue in self.job_queues:
            self.run(job_queue.acquire_lease())
        self.enqueued = self.ended = 0
        self.done: set[str] = set()
        self.sent: dict[str, list[str]] = {}

    def teardown(self) -> None:
        self.run(self.redis.aclose())
        self.runner.close()
        self.sync.close()

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    @rule(numbers=st.lists(st.integers(0, 5), min_size=1, max_size=6))
    def enqueue(self, numbers: list[int]) -> None:
        self.sync.rpush(QUEUE, *(resque(number) for number in numbers))
        self.enqueued += len(numbers)

    @rule(target=fetched, worker=st.integers(0, 2), limit=st.integers(1, 5))
    def fetch(self, worker: int, limit: int) -> Any:
        job_queue = self.job_queues[worker]
        alone = not job_queue.in_flight
        try:
            batch = self.run(job_queue.fetch(limit))
        except LeaseLostError:
            self.run(job_queue.acquire_lease())
            return multiple()
        quarantined = [job for job in batch.jobs if job.crashes > 1]
        assert not quarantined or (alone and len(batch.jobs) == 1), "a suspect is alone in a hand"
        assert len(batch.jobs) <= limit
        for job in batch.jobs:
            job.message = read_delivery(job.raw, "transport").data
        return multiple(*((worker, job) for job in batch.jobs))

    def held(self, worker: int, job: Job) -> bool:
        """Return True if this job is in flight at this worker, and not one that was redelivered under its ticket."""
        job_queue = self.job_queues[worker]
        return job_queue.in_flight.get(job.ticket) is job and bool(
            self.sync.hexists(key(f"in-flight:{job_queue.worker}"), job.ticket)
        )

    @rule(job_of=consumes(fetched), outcome=st.sampled_from(OPEN_OUTCOMES))
    def settle(self, job_of: tuple[int, Job], outcome: Outcome) -> None:
        worker, job = job_of
        job_queue, mine = self.job_queues[worker], self.held(worker, job)
        if job.tried and outcome is Outcome.RETURNED:
            outcome = Outcome.POSTPONED
        job.delay = 1000.0
        settled = self.run(job_queue.settle(outcome, [job]))
        assert settled == mine
        self.ended += mine and outcome in (Outcome.DEAD, Outcome.EXPIRED)
        if outcome in (Outcome.DEAD, Outcome.EXPIRED) and self.delivery == "exactly-once":
            self.sent.pop(job.message.delivery_id, None)  # type: ignore[union-attr] # given up: another may try
        job_queue.forget([job])

    @rule(target=fetched, worker=st.integers(0, 2), position=st.integers(0, 5), wanted=st.sets(st.integers(0, 5)))
    def pick(self, worker: int, position: int, wanted: set[int]) -> Any:
        """Fetch from the middle of the queue. Before that, another fetch has moved what was found there."""
        job_queue = self.job_queues[worker]
        found = self.run(job_queue.search(position, b"", 5))
        assert found.jobs == self.sync.lrange(QUEUE, position, position + 4)
        picked = {position + each: raw for each, raw in enumerate(found.jobs) if each in wanted}
        before = self.sync.lrange(QUEUE, 0, -1)
        try:
            jobs = self.run(job_queue.pick(picked | {position + 7: b"moved"}))
        except LeaseLostError:
            self.run(job_queue.acquire_lease())
            return multiple()
        assert [job.raw for job in jobs] == list(picked.values())
        assert self.sync.lrange(QUEUE, 0, -1) == [raw for each, raw in enumerate(before) if each not in picked]
        for job in jobs:
            job.message = read_delivery(job.raw, "transport").data
        return multiple(*((worker, job) for job in jobs))

    def send(self, worker: int, job: Job) -> str:
        """Claim, and send where the claim allows it; to a job that is another's by now, `d` says only that."""
        assert job.message is not None
        job_queue, mine = self.job_queues[worker], self.held(worker, job)
        delivery = job.message.delivery_id
        verdict: str = self.run(job_queue.claim([job]))
        assert verdict == "d" or delivery not in self.done or not job_queue.deduplicates
        if mine and not job_queue.at_most_once:
            assert verdict != "d" or delivery in self.done, "a duplicate of what has not happened"
        if verdict == "g":
            self.sent.setdefault(delivery, []).append(job.ticket)
        return verdict

    @rule(job_of=consumes(fetched))
    def send_and_say_nothing(self, job_of: tuple[int, Job]) -> None:
        """What a worker does that dies between the gateway's answer and the settlement; see `die`."""
        worker, job = job_of
        if self.held(worker, job):
            self.send(worker, job)

    @rule(job_of=consumes(fetched))
    def put_off(self, job_of: tuple[int, Job]) -> None:
        """The gateway asks for less: what was claimed was not sent, and comes again."""
        worker, job = job_of
        job_queue = self.job_queues[worker]
        if self.held(worker, job) and self.run(job_queue.claim([job])) == "g":
            assert self.run(job_queue.settle(Outcome.POSTPONED, [job])) == 1
            job_queue.forget([job])

    @rule(job_of=consumes(fetched))
    def deliver(self, job_of: tuple[int, Job]) -> None:
        """Claim, send, settle: the send counts only where the claim allowed it."""
        worker, job = job_of
        job_queue, mine = self.job_queues[worker], self.held(worker, job)
        verdict = self.send(worker, job)
        outcome = {"g": Outcome.DELIVERED, "d": Outcome.DUPLICATE, "b": Outcome.POSTPONED, "u": Outcome.UNSURE}[verdict]
        if outcome is Outcome.DELIVERED:
            self.done.add(job.message.delivery_id)  # type: ignore[union-attr]
        settled = self.run(job_queue.settle(outcome, [job]))
        assert settled == mine
        if not settled:
            self.run(job_queue.settle(outcome, [job], in_doubt=True))
        self.ended += mine and outcome is not Outcome.POSTPONED
        job_queue.forget([job])

    @rule(worker=st.integers(0, 2))
    def die(self, worker: int) -> None:
        """A worker dies, somebody notices, and another starts in its place."""
        job_queue = self.job_queues[worker]
        self.sync.zadd(key("leases"), {job_queue.worker: 1})
        other = self.job_queues[(worker + 1) % 3]
        try:
            dead = self.run(other.renew_lease())
        except LeaseLostError:
            self.run(other.acquire_lease())
            dead = self.run(other.renew_lease())
        assert job_queue.worker not in dead, "its next heartbeat may still renew the lease"
        assert self.run(other.recover(job_queue.worker)) == len(job_queue.in_flight)
        assert self.run(other.recover(job_queue.worker)) == 0, "once"
        self.run(job_queue.acquire_lease())

    @rule(worker=st.integers(0, 2), other=st.integers(0, 2))
    def nobody_robs_the_living(self, worker: int, other: int) -> None:
        if self.sync.zscore(key("leases"), self.job_queues[worker].worker):
            assert self.run(self.job_queues[other].recover(self.job_queues[worker].worker)) == -1

    @rule()
    def time_passes(self) -> None:
        for ticket in self.sync.zrange(key("scheduled"), 0, -1):
            self.sync.zadd(key("scheduled"), {ticket: 1})

    @rule(worker=st.integers(0, 2))
    def a_fetch_is_not_answered(self, worker: int) -> None:
        job_queue = self.job_queues[worker]
        before = dict(job_queue.in_flight)
        try:
            self.run(job_queue.fetch(2))
        except LeaseLostError:
            return
        job_queue.in_flight = dict(before)
        found = self.run(job_queue.find_unknown())
        assert all(job.ticket not in before for job in found)
        if found:
            assert self.run(job_queue.settle(Outcome.POSTPONED, found)) == len(found)
        job_queue.forget(found)

    @invariant()
    def every_job_is_in_one_place(self) -> None:
        in_flight = [set(self.sync.hkeys(name)) for name in self.sync.keys("*in-flight:*")]
        parked = set(self.sync.hkeys(key("waiting-jobs")))
        scheduled, quarantined = (
            set(self.sync.zrange(key("scheduled"), 0, -1)),
            self.sync.lrange(key("quarantine"), 0, -1),
        )
        assert parked == scheduled | set(quarantined)
        assert len(parked) == len(scheduled) + len(quarantined)
        tickets = [ticket for held in in_flight for ticket in held] + list(parked)
        assert len(tickets) == len(set(tickets))
        waiting = self.sync.llen(QUEUE)
        assert len(tickets) + waiting + self.ended == self.enqueued

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        """Never under at-most-once; under exactly-once only by the same job, whose worker died: the key closes that."""
        if self.delivery == "exactly-once":
            assert all(len(set(tickets)) == 1 for tickets in self.sent.values())
        elif self.delivery == "at-most-once":
            assert all(len(tickets) == 1 for tickets in self.sent.values())

    @invariant()
    def attempts_are_forgotten_with_their_job(self) -> None:
        live = {ticket for name in self.sync.keys("*in-flight:*") for ticket in self.sync.hkeys(name)}
        live |= set(self.sync.hkeys(key("waiting-jobs")))
        assert {name[2:] for name in self.sync.hkeys(key("attempts"))} <= live


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once", "at-most-once"])
def test_the_scripts_keep_every_job_in_one_place(redis_server: RedisServer, delivery: str) -> None:
    machine = type("Machine", (Scripts,), {"url": redis_server.url, "delivery": delivery})
    calm = settings(
        max_examples=20,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=calm)


@pytest.mark.soak
@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once", "at-most-once"])
def test_the_scripts_keep_every_job_in_one_place_for_long(redis_server: RedisServer, delivery: str) -> None:
    machine = type("Machine", (Scripts,), {"url": redis_server.url, "delivery": delivery})
    long = settings(max_examples=300, stateful_step_count=60, **ANYWAY)
    run_state_machine_as_test(machine, settings=long)


def test_a_worker_without_a_lease_takes_nothing_from_the_queue(redis: Redis, redis_server: RedisServer) -> None:
    """Nobody would recover what it had in flight."""
    raw = resque(1)

    async def walk() -> None:
        client = connect(redis_server.url, cluster=False)
        first, second = (JobQueue(client, "transport", CHANNEL, name, 3600) for name in "ab")
        await first.acquire_lease()
        await second.acquire_lease()
        redis.zadd(key("leases"), {first.worker: 1})
        assert await second.recover(first.worker) == 0
        redis.rpush(QUEUE, raw)
        with pytest.raises(LeaseLostError):
            await first.fetch(1)
        with pytest.raises(LeaseLostError):
            await first.fetch(1, longest=0.01)
        with pytest.raises(LeaseLostError):
            await first.pick({0: raw})
        await client.aclose()

    asyncio.run(walk())
    assert redis.lrange(QUEUE, 0, -1) == [raw]
    assert not redis.keys("*in-flight*")


def test_a_claim_is_over_with_its_job(redis: Redis, redis_server: RedisServer) -> None:
    """A worker that stood still may claim nothing that another has delivered in the meantime."""

    async def walk() -> list[str]:
        client = connect(redis_server.url, cluster=False)
        first, second = (JobQueue(client, "transport", CHANNEL, name, 3600) for name in "ab")
        await first.acquire_lease()
        await second.acquire_lease()
        redis.rpush(QUEUE, resque(1))
        (stale,) = (await first.fetch(1)).jobs
        redis.zadd(key("leases"), {first.worker: 1})
        assert await second.recover(first.worker) == 1
        (job,) = (await second.fetch(1)).jobs
        verdicts = []
        for job_queue, each in ((second, job), (first, stale)):
            each.message = read_delivery(each.raw, "transport").data
            verdicts.append(await job_queue.claim([each]))
            assert await job_queue.settle(Outcome.DELIVERED, [each]) == (job_queue is second)
        await client.aclose()
        return verdicts

    assert asyncio.run(walk()) == ["g", "d"]


@pytest.mark.parametrize("outcome", [Outcome.POSTPONED, Outcome.DEAD, Outcome.EXPIRED])
def test_what_may_have_been_sent_at_most_once_keeps_its_claim(
    redis: Redis, redis_server: RedisServer, outcome: Outcome
) -> None:
    """A recovered job is put aside or given up before it is claimed again: that says nothing about its first life."""

    async def walk() -> list[str]:
        client, channel = connect(redis_server.url, cluster=False), replace(CHANNEL, delivery="at-most-once")
        first, second = (JobQueue(client, "transport", channel, name, 3600) for name in "ab")

        async def take_one(job_queue: JobQueue) -> Job:
            (job,) = (await job_queue.fetch(1)).jobs
            job.message = read_delivery(job.raw, "transport").data
            return job

        await first.acquire_lease()
        await second.acquire_lease()
        redis.rpush(QUEUE, resque(1))
        verdicts = [await first.claim([await take_one(first)])]
        redis.zadd(key("leases"), {first.worker: 1})
        assert await second.recover(first.worker) == 1
        assert await second.settle(outcome, [await take_one(second)]) == 1
        if outcome is not Outcome.POSTPONED:
            redis.rpush(QUEUE, resque(1))
        verdicts.append(await second.claim([await take_one(second)]))
        await client.aclose()
        return verdicts

    assert asyncio.run(walk()) == ["g", "u" if outcome is Outcome.POSTPONED else "d"]


def test_a_job_that_came_back_is_not_settled_by_its_first_life(redis: Redis, redis_server: RedisServer) -> None:
    """A worker that lost its lease may be given the same job again while it still delivers it."""

    async def walk() -> list[int]:
        client = connect(redis_server.url, cluster=False)
        job_queue = JobQueue(client, "transport", CHANNEL, "a", 3600)
        await job_queue.acquire_lease()
        redis.rpush(QUEUE, resque(1))
        (stale,) = (await job_queue.fetch(1)).jobs
        redis.zadd(key("leases"), {job_queue.worker: 1})
        assert await job_queue.recover(job_queue.worker) == 1
        await job_queue.acquire_lease()
        (job,) = (await job_queue.fetch(1)).jobs
        assert job.ticket == stale.ticket
        settled = [
            await job_queue.settle(outcome, [stale])
            for outcome in (Outcome.RETRIED, Outcome.RETURNED, Outcome.DELIVERED)
        ]
        job_queue.forget([stale])
        settled.append(await job_queue.settle(Outcome.DELIVERED, [job]))
        await client.aclose()
        return settled

    assert asyncio.run(walk()) == [0, 0, 0, 1]


def test_a_hand_takes_no_more_megabytes_than_it_has_space_for(
    redis: Redis, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transport.connection.REPLY_TIMEOUT", 60)  # 32 MiB take a while on a busy machine

    async def walk() -> list[int]:
        client = connect(redis_server.url, cluster=False)
        job_queue = JobQueue(client, "transport", CHANNEL, "a", 3600)
        await job_queue.acquire_lease()
        redis.rpush(QUEUE, *[b"x" * (1 << 20)] * 70)
        taken = []
        for _ in range(3):
            jobs = (await job_queue.fetch(70)).jobs
            taken.append(len(jobs))
            if not jobs:
                await job_queue.settle(Outcome.INVALID, list(job_queue.in_flight.values()))
                job_queue.forget(list(job_queue.in_flight.values()))
        await client.aclose()
        return taken

    first, none, rest = asyncio.run(walk())
    assert 32 <= first < 70
    assert none == 0
    assert rest > 0


def test_a_job_that_another_worker_recovers_meanwhile_is_found_whole_or_not_at_all(
    redis: Redis, redis_server: RedisServer
) -> None:
    async def walk() -> None:
        client = connect(redis_server.url, cluster=False)
        queue = JobQueue(client, "transport", CHANNEL, "a", 3600)
        await queue.acquire_lease()
        in_flight, tickets = key(f"in-flight:{queue.worker}"), {f"a.1-{number:012}": b"{}" for number in range(20)}

        def recover_again_and_again() -> None:
            while not ended.is_set():
                redis.hset(in_flight, mapping=tickets)
                redis.delete(in_flight)

        ended = threading.Event()
        other = asyncio.create_task(asyncio.to_thread(recover_again_and_again))
        found = []
        while len(found) < 2000:
            found += await queue.find_unknown()
            queue.in_flight.clear()
        ended.set()
        await other
        await client.aclose()
        assert all(job.raw == b"{}" for job in found)

    asyncio.run(walk())


def test_an_unknown_delivery_mode_is_refused(redis_server: RedisServer) -> None:
    redis = connect(redis_server.url, cluster=False)
    with pytest.raises(ValueError, match="exactly-once"):
        JobQueue(redis, "transport", replace(CHANNEL, delivery="twice"), "w", 1)


LARGE = 20_000


def test_every_script_takes_its_largest_input(redis: Redis, redis_server: RedisServer) -> None:
    """Lua's `unpack` takes less than 8,000 values. A script that fails after it popped jobs loses them."""

    async def walk() -> dict[str, int]:
        client = connect(redis_server.url, cluster=False)
        first, second = (JobQueue(client, "transport", CHANNEL, name, 3600) for name in "ab")
        await first.acquire_lease()
        await second.acquire_lease()

        async def fetch(queue: JobQueue) -> list[Job]:
            jobs = (await queue.fetch(LARGE)).jobs
            for job in jobs:
                job.message = read_delivery(job.raw, "transport").data
            return jobs

        async def settle(queue: JobQueue, outcome: Outcome, jobs: list[Job]) -> int:
            settled = await queue.settle(outcome, jobs)
            queue.forget(jobs)
            return settled

        done = {}
        jobs = [resque(number, text=secrets.token_hex(32)) for number in range(LARGE)]  # as different as real ones
        redis.rpush(QUEUE, *jobs)
        done["returned"] = await settle(first, Outcome.RETURNED, await fetch(first))
        assert redis.lrange(QUEUE, 0, -1) == jobs
        found = list[bytes]()
        while len(found) < LARGE:  # it reads a megabyte at once
            found += (await first.search(len(found), b"", LARGE)).jobs
        assert found == jobs
        done["picked"] = len(await first.pick(dict(enumerate(found))))
        await settle(first, Outcome.RETURNED, list(first.in_flight.values()))
        fetched = await fetch(first)
        done["claimed"] = (await first.claim(fetched)).count("g")
        redis.rpush(QUEUE, *jobs)
        rivals = await fetch(second)
        done["contested"] = len(await second.claim(rivals[:9_000]))
        done["acknowledged"] = await settle(second, Outcome.DUPLICATE, rivals)
        done["scheduled"] = await settle(first, Outcome.POSTPONED, fetched)
        done["due"] = len((await first.fetch(LARGE)).jobs)
        redis.zadd(key("leases"), {first.worker: 1})
        done["recovered"] = await second.recover(first.worker)
        done["fetched again"] = len((await second.fetch(LARGE)).jobs)
        second.in_flight.clear()
        done["found"] = len(await second.find_unknown())
        done["dead"] = await settle(second, Outcome.DEAD, list(second.in_flight.values()))
        await client.aclose()
        return done

    done = asyncio.run(walk())
    assert done.pop("contested") == 9_000
    assert set(done.values()) == {LARGE}, done


def test_a_script_that_fails_leaves_the_jobs_where_they_were(redis: Redis, redis_server: RedisServer) -> None:
    async def walk() -> None:
        client = connect(redis_server.url, cluster=False)
        queue = JobQueue(client, "transport", CHANNEL, "a", 3600)
        await queue.acquire_lease()
        redis.rpush(QUEUE, *jobs)
        redis.set(key(f"in-flight:{queue.worker}"), "a key of the wrong type")
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await queue.fetch(10)
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await queue.pick(dict(enumerate(jobs)))
        redis.delete(key(f"in-flight:{queue.worker}"))
        fetched = (await queue.fetch(10)).jobs
        assert await queue.settle(Outcome.RETURNED, fetched) == len(jobs)
        await client.aclose()

    jobs = [resque(number) for number in range(10)]
    asyncio.run(walk())
    assert redis.lrange(QUEUE, 0, -1) == jobs
