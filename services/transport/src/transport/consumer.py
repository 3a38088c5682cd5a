"""One queue's desk at a worker: jobs come in, are decoded and claimed, wait for their gateways, and are settled."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from envelopes import ContractViolationError

from .gateways import GatewayError, Trouble
from .jobs import FAILED, FINAL, Fate, Job, WorkerDiedError, read_delivery
from .link import REDIS_AWAY
from .mailbox import LeaseLostError, Mailbox
from .routes import Route

if TYPE_CHECKING:
    from .worker import Worker

log = logging.getLogger("transport")

_SIFT = 0.05
"""While a gateway has enough to do, the queue is searched for other gateways' jobs only so often, in seconds."""


class Desk:
    """Takes from its mailbox while there is a use for more jobs, and the desks `above`, more urgent, are drained."""

    def __init__(self, worker: Worker, box: Mailbox, above: Sequence[Desk]) -> None:
        self.box, self.drained = box, False
        self.rooms = dict.fromkeys(box.rooms, 0)
        """How many jobs wait in each gateway's room."""
        self._worker, self._above, self._link, self._settings = worker, above, worker.link, worker.settings
        self._finished: defaultdict[tuple[Fate, str], list[Job]] = defaultdict(list)
        self._settle_now = asyncio.Event()
        self._taking, self._settling = asyncio.Lock(), asyncio.Lock()
        self._suspects, self._sift_at, self._run_id = False, 0.0, b""

    async def enter(self) -> None:
        """Take a lease."""
        await self._link.reach(self.box.enter)
        self._run_id = self.box.run_id

    # take

    async def take(self) -> None:
        """Keep this queue's jobs coming, until the worker stops."""
        due_in: float | None = 0.0
        while not self._worker.stopping.is_set():
            if not self._wants_more():
                await self._worker.change(_SIFT)
            elif not all(desk.drained for desk in self._above):
                await asyncio.sleep(0.02)
            else:
                # At least 2 ms: Redis 6.2 rounds 1 ms down to 0, which is for ever.
                longest = self._settings.poll if due_in is None else min(self._settings.poll, max(due_in, 0.002))
                try:
                    async with self._taking:
                        due_in = await self._fetch(longest if self.drained else 0)
                except (LeaseLostError, *REDIS_AWAY):  # what it took may be in this hand all the same
                    await self.find_out()

    def _wants_more(self) -> bool:
        takes = [route.takes for route in self._worker.routes.values()]
        if self._worker.paused or not any(takes):
            return False
        if self._suspects and self._worker.in_hand:  # to be tried alone
            return False
        if time.monotonic() < self._sift_at and not all(takes):
            return False
        return len(self.box.in_hand) <= self._settings.in_hand - self._settings.batch and self.box.space > 0

    async def _fetch(self, longest: float) -> float | None:
        """Fetch and accept a batch, then what waits in rooms; give the seconds until the next job is due."""
        limit = self._settings.batch // 4 if any(self.rooms.values()) else self._settings.batch
        batch = await self.box.fetch(limit, longest=longest)
        self.rooms = batch.rooms
        self.drained = len(batch.jobs) < limit and not batch.suspects
        self._suspects = batch.suspects > 0 or any(job.crashes > 1 for job in batch.jobs)
        await self._accept(batch.jobs)
        for name, route in self._worker.routes.items():
            if self.rooms[name] and route.takes and not self._suspects and not self._behind(name):
                shelved = await self.box.fetch(route.space, name)
                self.rooms = shelved.rooms
                self.drained &= not self.rooms[name]
                await self._accept(shelved.jobs, from_room=True)
        return batch.due_in

    def _behind(self, gateway: str) -> bool:
        """Whether more urgent queues have jobs waiting for this gateway."""
        return any(desk.rooms[gateway] for desk in self._above)

    async def _accept(self, jobs: Sequence[Job], *, from_room: bool = False) -> None:
        """Decode jobs, claim those that may be sent now, and let them wait at their gateways."""
        if self._worker.stopping.is_set():
            for job in jobs:
                self.give_back(job)
            return
        routes = self._worker.routes
        shut = {name: route.valve.ready_in() for name, route in routes.items()}
        queued = {name: self._behind(name) or (not from_room and self.rooms[name] > 0) for name in routes}
        space = {name: 0 if shut[name] else route.space for name, route in routes.items()}
        shelved, going = defaultdict(list), list[tuple[Route, Job]]()
        for job in jobs:
            name = self._read(job)
            if not name:
                continue
            if space[name] > 0 and (job.tried or not queued[name]):
                space[name] -= 1
                going.append((routes[name], job))
            elif job.tried:
                self._postpone(job, name, max(shut[name], 1.0))
            else:
                shelved[name].append(job)
        for name, some in shelved.items():
            await self._shelve(name, some)
        verdicts = await self._link.reach(self.box.claim, [job for _, job in going])
        for (route, job), verdict in zip(going, verdicts, strict=True):
            match verdict:
                case "g":
                    route.put(self, job)
                case "d":
                    self.finish(Fate.DUPLICATE, job, route.name)
                case "b":
                    self._postpone(job, route.name, 2.0)
                case _:
                    reason = "it may have been sent when its worker died, and at-most-once forbids more"
                    self.finish(Fate.UNSURE, job, route.name, error=WorkerDiedError(reason))
        for route in routes.values():
            route.pump()
        if self.drained:  # a lone job is on its way before this asks for more
            await asyncio.sleep(0)

    def _read(self, job: Job) -> str:
        """Give the name of the job's gateway, or an empty one where its fate is sealed already."""
        limit, died = self._settings.max_crashes, f"{job.crashes} workers died with this job in hand"
        if job.crashes > limit:  # not even decoded: that may be what kills
            self.finish(Fate.DEAD, job, error=WorkerDiedError(died))
            return ""
        try:
            message = job.message = read_delivery(job.raw, self.box.channel.name)
        except Exception as error:  # noqa: BLE001 - whatever reading it raises, a job must not stop the queue
            self.finish(Fate.INVALID, job, error=error)
            return ""
        job.enqueued_at, kind = message.enqueued_at.timestamp(), str(message.kind)
        if job.crashes == limit:
            self.finish(Fate.DEAD, job, kind, error=WorkerDiedError(died))
        elif kind not in self._worker.routes:
            self.finish(Fate.DEAD, job, kind, error=GatewayError(Trouble.REFUSED, f"no gateway for {kind}"))
        elif self.box.too_old(job):
            self.finish(Fate.EXPIRED, job, kind)
        else:
            return kind
        return ""

    async def _shelve(self, gateway: str, jobs: Sequence[Job]) -> None:
        self._sift_at = time.monotonic() + _SIFT
        if await self._link.reach(self.box.shelve, gateway, jobs) == len(jobs):
            self.box.forget(jobs)
            self.rooms[gateway] += len(jobs)
        else:  # `settle` finds out why not
            for job in jobs:
                self.finish(Fate.RETURNED, job, gateway)

    # settle

    def finish(self, fate: Fate, job: Job, gateway: str = "", delay: float = 0, error: Exception | None = None) -> None:
        """Seal a job's fate; `settle` makes it known. The gateway is empty where the job was not decoded."""
        job.delay, job.error = delay, error
        self._finished[fate, gateway].append(job)
        self._settle_now.set()

    def give_back(self, job: Job, gateway: str = "") -> None:
        """Put a job back where it came from, unsent."""
        self.finish(Fate.POSTPONED if job.tried else Fate.RETURNED, job, gateway)

    def _postpone(self, job: Job, gateway: str, delay: float) -> None:
        self.finish(Fate.POSTPONED, job, gateway, delay * random.uniform(1, 1.5))  # noqa: S311 - jitter

    async def settle(self) -> None:
        """Write down what became of jobs, as many at once as there are."""
        while True:
            await self._settle_now.wait()
            self._settle_now.clear()
            finished, self._finished = self._finished, defaultdict(list)
            for (fate, gateway), jobs in finished.items():
                for job in jobs if fate in FAILED else ():  # one by one: they may be large
                    await self._link.reach(self._worker.books.fail, self.box.queue, job)
                if not await self._settled(fate, jobs):
                    await self.find_out()
                    await self._settled(fate, jobs, doubt=True)
                self._report(fate, gateway, jobs)
            self._worker.changed.set()

    async def _settled(self, fate: Fate, jobs: Sequence[Job], *, doubt: bool = False) -> bool:
        """Settle, and say whether Redis knew of all these jobs; if not, it has forgotten, or others have them now."""
        async with self._settling:
            settled = await self._link.reach(self.box.settle, fate, jobs, doubt=doubt) == len(jobs)
            if settled or doubt:
                self.box.forget(jobs)
        return settled

    def _report(self, fate: Fate, gateway: str, jobs: Sequence[Job]) -> None:
        self._worker.metrics.settled(fate, gateway, jobs)
        if fate in FINAL:
            self._worker.books.count(processed=len(jobs), failed=len(jobs) if fate in FAILED else 0)
        for job in jobs:
            if job.error is not None:
                facts = {"ticket": job.ticket, "queue": self.box.queue, "gateway": gateway}
                log.warning(fate.value, extra=facts | {"reason": _reason(job.error)})

    # doubt

    async def find_out(self) -> None:
        """Bring Redis and this worker to one mind about what is in hand, whoever forgot or took something."""
        box, reach = self.box, self._link.reach
        async with self._taking:
            async with self._settling:
                lost = False
                try:
                    await reach(box.beat)
                except LeaseLostError:
                    lost = True
                restarted, self._run_id = box.run_id != self._run_id, box.run_id
                if restarted:
                    log.warning("redis was restarted", extra={"queue": box.queue, "in_hand": len(box.in_hand)})
                    await reach(box.reassert)
                elif lost:
                    log.warning("lease lost", extra={"queue": box.queue, "in_hand": len(box.in_hand)})
                    for route in self._worker.routes.values():
                        route.drain(self)
                    await reach(box.enter)
                    await reach(self._worker.books.register)
                adopted = await reach(box.adopt)
            await self._accept(adopted)


def _reason(error: Exception) -> str:
    """What may be logged of an error: never what was found in a payload."""
    if isinstance(error, ContractViolationError):
        return f"{error.violation.pointer or '/'}: {error.violation.keyword}"
    return str(error) if isinstance(error, GatewayError | WorkerDiedError) else type(error).__name__
