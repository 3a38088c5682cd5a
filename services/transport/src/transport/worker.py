"""The worker: fetch a batch, decode, deliver, settle."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from envelopes import ContractViolationError, DecodeError
from envelopes.messages import DeliveryRequested

from .books import Books
from .gateways import Gateway, GatewayError, Trouble
from .jobs import FAILED, FINAL, Fate, Job, Outcome, WorkerDiedError, read_delivery
from .link import Link
from .mailbox import LeaseLostError, Mailbox
from .metrics import Metrics
from .routes import Route
from .settings import Settings
from .valve import Valve

log = logging.getLogger("transport")

_SIFT = 0.05
"""While a gateway has enough to do, the queue is searched for other gateways' jobs only so often, in seconds."""


async def deliver(message: DeliveryRequested, gateways: Mapping[str, Gateway]) -> None:
    """Hand one delivery to its gateway, under a key that makes doing so again harmless. Raises GatewayError."""
    gateway = gateways.get(message.kind)
    if gateway is None:
        raise GatewayError(Trouble.REFUSED, f"no gateway for {message.kind}")
    await gateway.send(message, key=message.delivery_id)


class Worker:
    """Works mailboxes in order of priority: a later one only while the earlier ones are empty."""

    def __init__(
        self,
        mailboxes: Sequence[Mailbox],
        gateways: Mapping[str, Gateway],
        valves: Sequence[Valve],
        books: Books,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.mailboxes, self.books, self.link = mailboxes, books, Link()
        self.routes = {valve.name: Route(valve, self._attempt, self.settings.batch, len(mailboxes)) for valve in valves}
        self.metrics = Metrics(self)
        self.stopping = asyncio.Event()
        self.paused = self.ready = False
        self._gateways = gateways
        self._finished: dict[Mailbox, list[Outcome]] = {box: [] for box in mailboxes}
        self._settle_now = {box: asyncio.Event() for box in mailboxes}
        self._taking = {box: asyncio.Lock() for box in mailboxes}
        self._settling = {box: asyncio.Lock() for box in mailboxes}
        self._drained = dict.fromkeys(mailboxes, False)
        self._suspects = dict.fromkeys(mailboxes, 0)
        self._rooms: dict[Mailbox, dict[str, int]] = {box: {} for box in mailboxes}
        self._shelving: Counter[tuple[Mailbox, str]] = Counter()
        self._sift_at = 0.0
        self._accepting = dict[Mailbox, asyncio.Task[None] | None].fromkeys(mailboxes)
        self._changed = asyncio.Event()
        self._run_ids: dict[Mailbox, bytes] = {}

    def stop(self) -> None:
        """Finish what is under way, give the rest back, and end."""
        self.stopping.set()
        self._changed.set()

    @property
    def in_hand(self) -> int:
        """How many jobs this worker holds."""
        return sum(len(box.in_hand) for box in self.mailboxes)

    async def run(self) -> None:
        """Work until `stop`. Raises what no part of the worker expects."""
        stopping = asyncio.create_task(self.stopping.wait())
        entering = asyncio.create_task(self._enter())
        await asyncio.wait([stopping, entering], return_when=asyncio.FIRST_COMPLETED)
        if not entering.done():
            entering.cancel()
            return
        await entering
        takers = [asyncio.create_task(self._take(box)) for box in self.mailboxes]
        beating = asyncio.create_task(self._beat())
        tasks = [beating, *takers, *(asyncio.create_task(self._settle(box)) for box in self.mailboxes)]
        self.ready = True
        sys.stderr.write(f"transport: ready, taking from {', '.join(box.address for box in self.mailboxes)}\n")
        sys.stderr.flush()
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        self.ready = False
        self.stop()
        try:
            async with asyncio.timeout(self.settings.deadline):
                await self._drain(takers, beating)
        except TimeoutError:
            log.warning("stopped at the deadline", extra={"fields": {"in_hand": self.in_hand}})
        for task in (stopping, *tasks):
            task.cancel()
        for task in done - {stopping}:
            if not task.cancelled():
                task.result()

    async def _enter(self) -> None:
        for box in self.mailboxes:
            await self.link.reach(box.enter)
            self._run_ids[box] = await self.link.reach(box.run_id)
        await self.link.reach(self.books.register)

    async def _drain(self, takers: Sequence[asyncio.Task[None]], beating: asyncio.Task[None]) -> None:
        await asyncio.wait(takers)
        for route in self.routes.values():
            route.valve.close()
            for box, job in route.drain():
                self._give_back(box, job)
        for route in self.routes.values():
            await route.finish()
        while self.in_hand:
            self._changed.clear()
            for box in self.mailboxes:
                self._settle_now[box].set()
            await self._changed.wait()
        beating.cancel()  # or it would take the lease again that ends here
        await asyncio.wait([beating])
        await self.link.reach(self._write_books)
        for box in self.mailboxes:
            await self.link.reach(box.leave)
        await self.link.reach(self.books.unregister)

    def _give_back(self, box: Mailbox, job: Job) -> None:
        self._finish(box, Outcome(job, Fate.POSTPONED if job.tried else Fate.RETURNED))

    # fetch

    async def _take(self, box: Mailbox) -> None:
        """Keep this mailbox's jobs coming, as long as there is a use for them."""
        higher = self.mailboxes[: self.mailboxes.index(box)]
        due_in: float | None = 0.0
        while not self.stopping.is_set():
            if not self._wants(box):
                await self._change()
            elif not all(self._drained[each] for each in higher):
                await asyncio.sleep(0.02)
            else:
                wait = self.settings.poll if due_in is None else min(self.settings.poll, max(due_in, 0.001))
                try:
                    async with self._taking[box]:
                        due_in = await self._fetch(box, wait if self._drained[box] else 0)
                except LeaseLostError:
                    await self._renew(box)
        await self._accepted(box)

    async def _accepted(self, box: Mailbox) -> None:
        accepting = self._accepting[box]
        if accepting is not None:
            await accepting

    def _wants(self, box: Mailbox) -> bool:
        if self.paused or not any(route.takes for route in self.routes.values()):
            return False
        if self._suspects[box] and self.in_hand:  # to be tried alone
            return False
        if time.monotonic() < self._sift_at and not all(route.takes for route in self.routes.values()):
            return False
        return len(box.in_hand) <= self.settings.in_hand - self.settings.batch

    async def _change(self) -> None:
        """Wait until something in hand has been settled, or a valve may have opened."""
        self._changed.clear()
        try:
            async with asyncio.timeout(_SIFT):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _fetch(self, box: Mailbox, longest: float) -> float | None:
        """Fetch and accept a batch, then what waits in rooms; give the seconds until the next job is due."""
        sifting = any(self._rooms[box].values())
        limit = self.settings.batch // 4 if sifting else self.settings.batch
        batch = await self.link.reach(box.fetch, limit, None, longest)
        self._rooms[box] = dict(zip(self.routes, batch.rooms, strict=True))
        self._drained[box] = len(batch.jobs) < limit and not batch.suspects
        self._suspects[box] = batch.suspects or int(any(job.crashes > 1 for job in batch.jobs))
        await self._accepted(box)
        self._accepting[box] = asyncio.create_task(self._accept(box, batch.jobs))
        if self._drained[box] or any(batch.rooms) or self._suspects[box]:
            await self._accepted(box)  # else the next batch is fetched in the meantime
        for number, route in enumerate(self.routes.values()):
            space = route.limit - len(route)
            if batch.rooms[number] and route.takes and not self._suspects[box] and not self._behind(box, route):
                shelved = await self.link.reach(box.fetch, space, number)
                self._rooms[box][route.name] = shelved.rooms[number]
                await self._accept(box, shelved.jobs, from_room=True)
                self._drained[box] &= shelved.rooms[number] == 0
        return batch.due_in

    def _behind(self, box: Mailbox, route: Route) -> bool:
        """Whether more urgent mailboxes have jobs waiting for this gateway."""
        return any(self._backlog(each, route) for each in self.mailboxes[: self.mailboxes.index(box)])

    def _backlog(self, box: Mailbox, route: Route) -> int:
        """How many jobs wait in a gateway's room, or are on their way there."""
        return self._rooms[box].get(route.name, 0) + self._shelving[box, route.name]

    # decode

    async def _accept(self, box: Mailbox, jobs: Sequence[Job], *, from_room: bool = False) -> None:
        """Decode jobs, claim those that may be sent now, and let them wait at their gateways."""
        if self.stopping.is_set():
            for job in jobs:
                self._give_back(box, job)
            return
        going: list[tuple[Job, Route]] = []
        room_left: dict[str, int] = {name: route.limit - len(route) for name, route in self.routes.items()}
        for job in jobs:
            name = self._read(box, job)
            route = self.routes.get(name)
            if route is None:
                continue
            shut = route.valve.ready_in()
            queued = not from_room and self._backlog(box, route) > 0
            if shut or room_left[name] <= 0 or (not job.tried and (queued or self._behind(box, route))):
                fate = Fate.POSTPONED if job.tried else Fate.SHELVED
                self._shelving[box, name] += fate is Fate.SHELVED
                self._sift_at = time.monotonic() + _SIFT
                self._finish(box, Outcome(job, fate, name, delay=max(shut, 1.0) * random.uniform(1, 1.5)))  # noqa: S311
            else:
                room_left[name] -= 1
                going.append((job, route))
        claimed = [job for job, _ in going]
        verdicts = await self.link.reach(box.claim, claimed)
        for (job, route), verdict in zip(going, verdicts, strict=True):
            match verdict:
                case "g":
                    route.put(box, job, self.mailboxes.index(box))
                case "d":
                    self._finish(box, Outcome(job, Fate.DUPLICATE, route.name))
                case "b":
                    self._finish(box, Outcome(job, Fate.POSTPONED, route.name, delay=2.0))
                case _:
                    reason = WorkerDiedError(
                        "it may have been sent when its worker died, and at-most-once forbids more"
                    )
                    self._finish(box, Outcome(job, Fate.UNSURE, route.name, error=reason))
        for route in self.routes.values():
            route.pump()

    def _read(self, box: Mailbox, job: Job) -> str:
        """Give the name of the job's gateway, or an empty name where its fate is sealed already."""
        limit = self.settings.max_crashes
        died = WorkerDiedError(f"{job.crashes} workers died with this job in hand")
        if job.crashes > limit:  # not even decoded: that may be what kills
            self._finish(box, Outcome(job, Fate.DEAD, error=died))
            return ""
        try:
            message = job.message = read_delivery(job.raw, box.channel.name)
        except DecodeError as error:
            self._finish(box, Outcome(job, Fate.INVALID, error=error))
            return ""
        if box.expires_after is not None:
            job.age_limit = message.enqueued_at.timestamp() + box.expires_after
        if job.crashes == limit:
            self._finish(box, Outcome(job, Fate.DEAD, message.kind, error=died))
        elif message.kind not in self.routes:
            refused = GatewayError(Trouble.REFUSED, f"no gateway for {message.kind}")
            self._finish(box, Outcome(job, Fate.DEAD, message.kind, error=refused))
        elif job.age_limit is not None and time.time() > job.age_limit:
            self._finish(box, Outcome(job, Fate.EXPIRED, message.kind))
        else:
            return str(message.kind)
        return ""

    # deliver

    async def _attempt(self, route: Route, box: Mailbox, job: Job) -> bool:
        """Send one job and decide its fate; False where the lane should end."""
        assert job.message is not None
        if job.age_limit is not None and time.time() > job.age_limit:
            self._finish(box, Outcome(job, Fate.EXPIRED, route.name))
            return True
        if time.monotonic() > box.lease_ends:  # others may have it by now: `_beat` will know
            route.put(box, job, self.mailboxes.index(box), first=True)
            return False
        try:
            await deliver(job.message, self._gateways)
        except Exception as error:  # noqa: BLE001 - whatever a gateway raises, the job must not be lost
            trouble = error.trouble if isinstance(error, GatewayError) else Trouble.FAILED
            self._finish(box, self._judge(route, box, job, error, trouble))
            await self._slow_down(route.valve, error, trouble)
        else:
            route.valve.succeeded()
            self._finish(box, Outcome(job, Fate.DELIVERED, route.name))
        return True

    def _judge(self, route: Route, box: Mailbox, job: Job, error: Exception, trouble: Trouble) -> Outcome:
        after = (error.retry_after if isinstance(error, GatewayError) else None) or 0.0
        settings = self.settings
        if trouble is Trouble.OVERLOADED:
            wait = max(after, settings.backoff) * random.uniform(1, 1.5)  # noqa: S311 - jitter
            return Outcome(job, Fate.POSTPONED, route.name, wait, error)
        if box.at_most_once and trouble is Trouble.FAILED:
            return Outcome(job, Fate.UNSURE, route.name, error=error)
        if trouble is Trouble.REFUSED or job.failures + 1 >= settings.max_failures:
            return Outcome(job, Fate.DEAD, route.name, error=error)
        backoff = min(settings.longest_backoff, settings.backoff * 2**job.failures)
        wait = max(after, backoff * random.uniform(0.5, 1))  # noqa: S311 - jitter
        return Outcome(job, Fate.RETRIED, route.name, wait, error)

    async def _slow_down(self, valve: Valve, error: Exception, trouble: Trouble) -> None:
        after = (error.retry_after if isinstance(error, GatewayError) else None) or 0.0
        match trouble:
            case Trouble.OVERLOADED:
                valve.overloaded(after)
                await self.link.reach(valve.tell_others, after)
            case Trouble.FAILED:
                valve.failed()
                await self.link.reach(valve.tell_others, 0.0)
            case Trouble.REFUSED:  # the gateway is well
                valve.succeeded()

    # settle

    def _finish(self, box: Mailbox, outcome: Outcome) -> None:
        self._finished[box].append(outcome)
        self._settle_now[box].set()

    async def _settle(self, box: Mailbox) -> None:
        """Write down what became of jobs, as many at once as there are."""
        while True:
            await self._settle_now[box].wait()
            self._settle_now[box].clear()
            outcomes, self._finished[box] = self._finished[box], []
            groups: dict[tuple[Fate, str, bool], list[Outcome]] = defaultdict(list)
            for outcome in outcomes:
                shelf = outcome.gateway if outcome.fate is Fate.SHELVED else ""
                groups[outcome.fate, shelf, outcome.job.message is None].append(outcome)
            for (fate, *_), group in groups.items():
                if fate in FAILED:
                    await self.link.reach(self.books.fail, box.queue, group)
                if not await self._settled(box, fate, group):
                    await self._renew(box, doubt=True)
                    await self._settled(box, fate, group)
                box.forget(outcome.job for outcome in group)
                self._report(box, fate, group)
            self._changed.set()

    async def _settled(self, box: Mailbox, fate: Fate, outcomes: Sequence[Outcome]) -> bool:
        """Settle, and say whether Redis knew of all these jobs; if not, it has forgotten, or others have them now."""
        async with self._settling[box]:
            settled = await self.link.reach(box.settle, fate, outcomes) == len(outcomes)
            if settled:
                box.forget(outcome.job for outcome in outcomes)
        return settled

    def _report(self, box: Mailbox, fate: Fate, outcomes: Sequence[Outcome]) -> None:
        self.metrics.settled(fate, outcomes)
        if fate is Fate.SHELVED:
            self._shelving[box, outcomes[0].gateway] -= len(outcomes)
            self._rooms[box][outcomes[0].gateway] = self._rooms[box].get(outcomes[0].gateway, 0) + len(outcomes)
        if fate in FINAL:
            failed = len(outcomes) if fate in FAILED else 0
            self.books.count(processed=len(outcomes), failed=failed)
        for outcome in outcomes:
            if outcome.error is not None:
                fields = {"ticket": outcome.job.ticket, "queue": box.queue, "gateway": outcome.gateway}
                log.warning(fate.value, extra={"fields": fields | {"reason": _reason(outcome.error)}})

    # stay alive

    async def _beat(self) -> None:
        """Renew the leases, take over from the dead, and keep the books."""
        breaks, spare_until, write_at = self.link.breaks, 0.0, 0.0
        while True:
            seen = self.link.breaks  # now: a break during what follows is the next round's to look into
            if seen != breaks:  # everyone gets the time to come back
                spare_until = time.monotonic() + self.settings.lease
            for box in self.mailboxes:
                dead = await self._renew(box, doubt=seen != breaks)
                if time.monotonic() > spare_until:
                    for worker in dead:
                        await self._recover(box, worker)
            breaks = seen
            if time.monotonic() > write_at:
                await self.link.reach(self._write_books)
                write_at = time.monotonic() + self.settings.lease / 2
            await asyncio.sleep(self.settings.lease / 5)

    async def _renew(self, box: Mailbox, *, doubt: bool = False) -> list[str]:
        """Renew a lease, and give the dead; in doubt, or where it is lost, find out what was lost on either side."""
        try:
            dead = await self.link.reach(box.beat)
            if not doubt:
                return dead
        except LeaseLostError:
            dead = []
        async with self._taking[box]:
            await self._find_out(box)
        return dead

    async def _find_out(self, box: Mailbox) -> None:
        lost = False
        try:
            await self.link.reach(box.beat)  # once more: others may have found out while this waited for its turn
        except LeaseLostError:
            lost = True
        run_id = await self.link.reach(box.run_id)
        restarted = run_id != self._run_ids[box]
        self._run_ids[box] = run_id
        if restarted:
            log.warning("redis was restarted", extra={"fields": {"queue": box.queue, "in_hand": len(box.in_hand)}})
            async with self._settling[box]:
                await self.link.reach(box.reassert)
        elif lost:
            log.warning("lease lost", extra={"fields": {"queue": box.queue, "in_hand": len(box.in_hand)}})
            for route in self.routes.values():
                route.drain(box)
            await self.link.reach(box.enter)
            await self.link.reach(self.books.register)
        await self._accept(box, await self.link.reach(box.adopt))

    async def _recover(self, box: Mailbox, worker: str) -> None:
        jobs = await self.link.reach(box.recover, worker)
        if jobs >= 0:
            await self.link.reach(self.books.prune, worker.partition(".")[0])
            log.warning("recovered", extra={"fields": {"queue": box.queue, "worker": worker, "jobs": jobs}})

    async def _write_books(self) -> None:
        held = next(((box.queue, job.raw) for box in self.mailboxes for job in box.in_hand.values()), None)
        self.paused = await self.books.beat(held)
        for box in self.mailboxes:
            await box.report(self.metrics.snapshot(box))


def _reason(error: Exception) -> str:
    """What may be logged of an error: never what was found in a payload."""
    if isinstance(error, ContractViolationError):
        return f"{error.violation.pointer or '/'}: {error.violation.keyword}"
    return str(error) if isinstance(error, GatewayError | WorkerDiedError) else type(error).__name__
