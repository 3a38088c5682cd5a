"""The Lua scripts, in every order that a state machine can think of: no job is ever in two places, or in none."""

import asyncio
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
from transport_support import CHANNEL, QUEUE, RedisServer, key, resque

from transport.jobs import Fate, Job, read_delivery
from transport.link import connect
from transport.mailbox import LeaseLostError, Mailbox

OPEN_FATES = (Fate.RETRIED, Fate.POSTPONED, Fate.RETURNED, Fate.DEAD, Fate.EXPIRED)
ANYWAY = {"deadline": None, "suppress_health_check": list(HealthCheck)}


class Scripts(RuleBasedStateMachine):
    """Three workers on one queue; `delivered` says how often each delivery was allowed to go and then was sent."""

    url = ""
    delivery = "exactly-once"
    hands = Bundle("hands")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.sync = Redis.from_url(self.url)
        self.sync.flushall()
        self.redis = connect(self.url, cluster=False)
        channel = replace(CHANNEL, delivery=self.delivery)
        self.boxes = [Mailbox(self.redis, "transport", channel, ["push"], f"w{n}", 3600) for n in range(3)]
        for box in self.boxes:
            self.run(box.enter())
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

    @rule(target=hands, worker=st.integers(0, 2), limit=st.integers(1, 5), from_room=st.booleans())
    def fetch(self, worker: int, limit: int, from_room: bool) -> Any:  # noqa: FBT001 - drawn
        box = self.boxes[worker]
        alone = not box.in_hand
        try:
            batch = self.run(box.fetch(limit, "push" if from_room else ""))
        except LeaseLostError:
            self.run(box.enter())
            return multiple()
        suspects = [job for job in batch.jobs if job.crashes > 1]
        assert not suspects or (alone and len(batch.jobs) == 1), "a suspect is alone in a hand"
        assert len(batch.jobs) <= limit
        for job in batch.jobs:
            job.message = read_delivery(job.raw, "transport")
        return multiple(*((worker, job) for job in batch.jobs))

    def held(self, worker: int, job: Job) -> bool:
        """Whether this worker has this job in hand, and not one that came back under its ticket after a death."""
        box = self.boxes[worker]
        return box.in_hand.get(job.ticket) is job and bool(self.sync.hexists(key(f"hand:{box.worker}"), job.ticket))

    @rule(hand=consumes(hands), fate=st.sampled_from(OPEN_FATES))
    def settle(self, hand: tuple[int, Job], fate: Fate) -> None:
        worker, job = hand
        box, mine = self.boxes[worker], self.held(worker, job)
        if job.tried and fate is Fate.RETURNED:
            fate = Fate.POSTPONED
        job.delay = 1000.0
        settled = self.run(box.settle(fate, [job]))
        assert settled == mine
        self.ended += mine and fate in (Fate.DEAD, Fate.EXPIRED)
        if fate in (Fate.DEAD, Fate.EXPIRED) and self.delivery == "exactly-once":
            self.sent.pop(job.message.delivery_id, None)  # type: ignore[union-attr] # given up: another may try
        box.forget([job])

    @rule(hand=consumes(hands))
    def shelve(self, hand: tuple[int, Job]) -> None:
        """Only what nobody has claimed waits in a room; what has a history keeps it."""
        worker, job = hand
        box, mine = self.boxes[worker], self.held(worker, job)
        if not job.tried and self.sync.get(key(f"once:{job.message.delivery_id}")) != job.ticket.encode():  # type: ignore[union-attr]
            assert self.run(box.shelve("push", [job])) == mine
        elif mine:
            assert self.run(box.settle(Fate.POSTPONED, [job])) == 1
        box.forget([job])

    def send(self, worker: int, job: Job) -> str:
        """Claim, and send where the claim allows it; to a job that is another's by now, `d` says only that."""
        assert job.message is not None
        box, mine = self.boxes[worker], self.held(worker, job)
        delivery = job.message.delivery_id
        verdict: str = self.run(box.claim([job]))
        assert verdict == "d" or delivery not in self.done or not box.marks
        if mine and not box.at_most_once:
            assert verdict != "d" or delivery in self.done, "a duplicate of what has not happened"
        if verdict == "g":
            self.sent.setdefault(delivery, []).append(job.ticket)
        return verdict

    @rule(hand=consumes(hands))
    def send_and_say_nothing(self, hand: tuple[int, Job]) -> None:
        """What a worker does that dies between the gateway's answer and the settlement; see `die`."""
        worker, job = hand
        if self.held(worker, job):
            self.send(worker, job)

    @rule(hand=consumes(hands))
    def put_off(self, hand: tuple[int, Job]) -> None:
        """The gateway asks for less: what was claimed was not sent, and comes again."""
        worker, job = hand
        box = self.boxes[worker]
        if self.held(worker, job) and self.run(box.claim([job])) == "g":
            assert self.run(box.settle(Fate.POSTPONED, [job])) == 1
            box.forget([job])

    @rule(hand=consumes(hands))
    def deliver(self, hand: tuple[int, Job]) -> None:
        """Claim, send, settle: the send counts only where the claim allowed it."""
        worker, job = hand
        box, mine = self.boxes[worker], self.held(worker, job)
        verdict = self.send(worker, job)
        fate = {"g": Fate.DELIVERED, "d": Fate.DUPLICATE, "b": Fate.POSTPONED, "u": Fate.UNSURE}[verdict]
        if fate is Fate.DELIVERED:
            self.done.add(job.message.delivery_id)  # type: ignore[union-attr]
        settled = self.run(box.settle(fate, [job]))
        assert settled == mine
        if not settled:
            self.run(box.settle(fate, [job], doubt=True))
        self.ended += mine and fate is not Fate.POSTPONED
        box.forget([job])

    @rule(worker=st.integers(0, 2))
    def die(self, worker: int) -> None:
        """A worker dies, somebody notices, and another starts in its place."""
        box = self.boxes[worker]
        self.sync.zadd(key("workers"), {box.worker: 1})
        other = self.boxes[(worker + 1) % 3]
        try:
            dead = self.run(other.beat())
        except LeaseLostError:
            self.run(other.enter())
            dead = self.run(other.beat())
        assert box.worker in dead
        assert self.run(other.recover(box.worker)) == len(box.in_hand)
        assert self.run(other.recover(box.worker)) == 0, "once"
        self.run(box.enter())

    @rule(worker=st.integers(0, 2), other=st.integers(0, 2))
    def nobody_robs_the_living(self, worker: int, other: int) -> None:
        if self.sync.zscore(key("workers"), self.boxes[worker].worker):
            assert self.run(self.boxes[other].recover(self.boxes[worker].worker)) == -1

    @rule()
    def time_passes(self) -> None:
        for ticket in self.sync.zrange(key("later"), 0, -1):
            self.sync.zadd(key("later"), {ticket: 1})

    @rule(worker=st.integers(0, 2))
    def a_fetch_is_not_answered(self, worker: int) -> None:
        box = self.boxes[worker]
        before = dict(box.in_hand)
        try:
            self.run(box.fetch(2))
        except LeaseLostError:
            return
        box.in_hand = dict(before)
        found = self.run(box.adopt())
        assert all(job.ticket not in before for job in found)
        if found:
            assert self.run(box.settle(Fate.POSTPONED, found)) == len(found)
        box.forget(found)

    @invariant()
    def every_job_is_in_one_place(self) -> None:
        hands = [set(self.sync.hkeys(name)) for name in self.sync.keys("*hand:*")]
        parked = set(self.sync.hkeys(key("parked")))
        later, suspects = set(self.sync.zrange(key("later"), 0, -1)), self.sync.lrange(key("suspects"), 0, -1)
        assert parked == later | set(suspects)
        assert len(parked) == len(later) + len(suspects)
        tickets = [ticket for hand in hands for ticket in hand] + list(parked)
        assert len(tickets) == len(set(tickets))
        waiting = self.sync.llen(QUEUE) + self.sync.llen(key("room:push"))
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
        live = {ticket for name in self.sync.keys("*hand:*") for ticket in self.sync.hkeys(name)}
        live |= set(self.sync.hkeys(key("parked")))
        assert {name[2:] for name in self.sync.hkeys(key("tries"))} <= live


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


def test_a_claim_is_over_with_its_job(redis: Redis, redis_server: RedisServer) -> None:
    """A worker that stood still may claim nothing that another has delivered in the meantime."""

    async def walk() -> list[str]:
        client = connect(redis_server.url, cluster=False)
        first, second = (Mailbox(client, "transport", CHANNEL, ["push"], name, 3600) for name in "ab")
        await first.enter()
        await second.enter()
        redis.rpush(QUEUE, resque(1))
        (stale,) = (await first.fetch(1)).jobs
        redis.zadd(key("workers"), {first.worker: 1})
        assert await second.recover(first.worker) == 1
        (job,) = (await second.fetch(1)).jobs
        verdicts = []
        for box, each in ((second, job), (first, stale)):
            each.message = read_delivery(each.raw, "transport")
            verdicts.append(await box.claim([each]))
            assert await box.settle(Fate.DELIVERED, [each]) == (box is second)
        await client.aclose()
        return verdicts

    assert asyncio.run(walk()) == ["g", "d"]


@pytest.mark.parametrize("fate", [Fate.POSTPONED, Fate.DEAD, Fate.EXPIRED])
def test_what_may_have_been_sent_at_most_once_keeps_its_claim(
    redis: Redis, redis_server: RedisServer, fate: Fate
) -> None:
    """A recovered job is put aside or given up before it is claimed again: that says nothing about its first life."""

    async def walk() -> list[str]:
        client, channel = connect(redis_server.url, cluster=False), replace(CHANNEL, delivery="at-most-once")
        first, second = (Mailbox(client, "transport", channel, ["push"], name, 3600) for name in "ab")

        async def take_one(box: Mailbox) -> Job:
            (job,) = (await box.fetch(1)).jobs
            job.message = read_delivery(job.raw, "transport")
            return job

        await first.enter()
        await second.enter()
        redis.rpush(QUEUE, resque(1))
        verdicts = [await first.claim([await take_one(first)])]
        redis.zadd(key("workers"), {first.worker: 1})
        assert await second.recover(first.worker) == 1
        assert await second.settle(fate, [await take_one(second)]) == 1
        if fate is not Fate.POSTPONED:
            redis.rpush(QUEUE, resque(1))
        verdicts.append(await second.claim([await take_one(second)]))
        await client.aclose()
        return verdicts

    assert asyncio.run(walk()) == ["g", "u" if fate is Fate.POSTPONED else "d"]


def test_a_job_that_came_back_is_not_settled_by_its_first_life(redis: Redis, redis_server: RedisServer) -> None:
    """A worker that lost its lease may be given the same job again while it still delivers it."""

    async def walk() -> list[int]:
        client = connect(redis_server.url, cluster=False)
        box = Mailbox(client, "transport", CHANNEL, ["push"], "a", 3600)
        await box.enter()
        redis.rpush(QUEUE, resque(1))
        (stale,) = (await box.fetch(1)).jobs
        redis.zadd(key("workers"), {box.worker: 1})
        assert await box.recover(box.worker) == 1
        await box.enter()
        (job,) = (await box.fetch(1)).jobs
        assert job.ticket == stale.ticket
        settled = [await box.settle(fate, [stale]) for fate in (Fate.RETRIED, Fate.RETURNED, Fate.DELIVERED)]
        box.forget([stale])
        settled.append(await box.settle(Fate.DELIVERED, [job]))
        await client.aclose()
        return settled

    assert asyncio.run(walk()) == [0, 0, 0, 1]


def test_a_hand_takes_no_more_megabytes_than_it_has_space_for(redis: Redis, redis_server: RedisServer) -> None:
    async def walk() -> list[int]:
        client = connect(redis_server.url, cluster=False)
        box = Mailbox(client, "transport", CHANNEL, ["push"], "a", 3600)
        await box.enter()
        redis.rpush(QUEUE, *[b"x" * (1 << 20)] * 70)
        taken = []
        for _ in range(3):
            jobs = (await box.fetch(70)).jobs
            taken.append(len(jobs))
            if not jobs:
                await box.settle(Fate.INVALID, list(box.in_hand.values()))
                box.forget(list(box.in_hand.values()))
        await client.aclose()
        return taken

    first, none, rest = asyncio.run(walk())
    assert 32 <= first < 70
    assert none == 0
    assert rest > 0


def test_an_unknown_delivery_mode_is_refused(redis_server: RedisServer) -> None:
    redis = connect(redis_server.url, cluster=False)
    with pytest.raises(ValueError, match="exactly-once"):
        Mailbox(redis, "transport", replace(CHANNEL, delivery="twice"), [], "w", 1)
