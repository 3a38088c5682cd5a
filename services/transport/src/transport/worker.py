"""The worker: fetch a batch, decode, deliver, settle. Its desks fetch, decode and settle, one for each queue."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence

from envelopes.messages import DeliveryRequested

from .books import Books
from .desk import Desk
from .gateways import Gateway, GatewayError, Trouble
from .jobs import Fate, Job
from .link import Link
from .mailbox import LeaseLostError, Mailbox
from .metrics import Metrics
from .routes import Route
from .settings import Settings
from .valve import Valve

log = logging.getLogger("transport")


async def deliver(message: DeliveryRequested, gateways: Mapping[str, Gateway]) -> None:
    """Hand one delivery to its gateway, under a key that makes doing so again harmless. Raises GatewayError."""
    await gateways[message.kind].send(message, key=message.delivery_id)


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
        self.books, self.link = books, Link()
        self.desks: list[Desk] = []
        for box in mailboxes:
            self.desks.append(Desk(self, box, tuple(self.desks)))
        self.routes = {valve.name: Route(valve, self._attempt, self.settings.batch, self.desks) for valve in valves}
        self.metrics = Metrics(self)
        self.stopping, self.changed = asyncio.Event(), asyncio.Event()
        self.paused = self.ready = False
        self._gateways = gateways

    def stop(self) -> None:
        """Finish what is under way, give the rest back, and end."""
        self.stopping.set()
        self.changed.set()

    @property
    def in_hand(self) -> int:
        """How many jobs this worker holds."""
        return sum(len(desk.box.in_hand) for desk in self.desks)

    async def change(self, longest: float) -> None:
        """Wait until something in hand has been settled, or so many seconds."""
        self.changed.clear()
        try:
            async with asyncio.timeout(longest):
                await self.changed.wait()
        except TimeoutError:
            pass

    async def run(self) -> None:
        """Work until `stop`. Raises what no part of the worker expects."""
        stopping = asyncio.create_task(self.stopping.wait())
        entering = asyncio.create_task(self._enter())
        await asyncio.wait([stopping, entering], return_when=asyncio.FIRST_COMPLETED)
        if not entering.done():
            entering.cancel()
            return
        await entering
        takers = [asyncio.create_task(desk.take()) for desk in self.desks]
        beating = asyncio.create_task(self._beat())
        tasks = [beating, *takers, *(asyncio.create_task(desk.settle()) for desk in self.desks)]
        self.ready = True
        log.info("ready", extra={"queues": [desk.box.queue for desk in self.desks]})
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        self.ready = False
        self.stop()
        try:
            async with asyncio.timeout(self.settings.deadline):
                await self._drain(takers, beating)
        except TimeoutError:
            log.warning("stopped at the deadline", extra={"in_hand": self.in_hand})
        for task in (stopping, *tasks):
            task.cancel()
        for task in done - {stopping}:
            if not task.cancelled():
                task.result()

    async def _enter(self) -> None:
        for desk in self.desks:
            await desk.enter()
        await self.link.reach(self.books.register)

    async def _drain(self, takers: Sequence[asyncio.Task[None]], beating: asyncio.Task[None]) -> None:
        await asyncio.wait(takers)
        for route in self.routes.values():
            route.valve.close()
            for desk in self.desks:
                for job in route.drain(desk):
                    desk.give_back(job, route.name)
        for route in self.routes.values():
            await route.finish()
        while self.in_hand:
            await self.change(1)
        beating.cancel()  # or it would take the lease again that ends here
        await asyncio.wait([beating])
        await self.link.reach(self._write_books)
        for desk in self.desks:
            await self.link.reach(desk.box.leave)
        await self.link.reach(self.books.unregister)

    # deliver

    async def _attempt(self, route: Route, desk: Desk, job: Job) -> bool:
        """Send one job and decide its fate; False where the lane should end."""
        assert job.message is not None
        if desk.box.too_old(job):
            desk.finish(Fate.EXPIRED, job, route.name)
            return True
        if time.monotonic() > desk.box.lease_ends:  # others may have it by now: `_beat` will know
            route.put(desk, job, first=True)
            return False
        try:
            await deliver(job.message, self._gateways)
        except Exception as error:  # noqa: BLE001 - whatever a gateway raises, the job must not be lost
            trouble = error if isinstance(error, GatewayError) else GatewayError(Trouble.FAILED, type(error).__name__)
            fate, delay = self._judge(desk.box, job, trouble)
            desk.finish(fate, job, route.name, delay, error)
            route.valve.suffered(trouble)
            await self.link.reach(route.valve.tell_others, trouble)
        else:
            route.valve.succeeded()
            desk.finish(Fate.DELIVERED, job, route.name)
        return True

    def _judge(self, box: Mailbox, job: Job, error: GatewayError) -> tuple[Fate, float]:
        """Decide what becomes of a job that was not accepted, and after how many seconds."""
        after, settings = error.retry_after or 0.0, self.settings
        if error.trouble is Trouble.OVERLOADED:
            return Fate.POSTPONED, max(after, settings.backoff) * random.uniform(1, 1.5)  # noqa: S311 - jitter
        if box.at_most_once and error.trouble is Trouble.FAILED:
            return Fate.UNSURE, 0.0
        if error.trouble is Trouble.REFUSED or job.failures + 1 >= settings.attempts:
            return Fate.DEAD, 0.0
        backoff = min(settings.longest_backoff, settings.backoff * 2**job.failures)
        return Fate.RETRIED, max(after, backoff * random.uniform(0.5, 1))  # noqa: S311 - jitter

    # stay alive

    async def _beat(self) -> None:
        """Renew the leases, take over from the dead, and keep the books."""
        write_at = 0.0
        while True:
            for desk in self.desks:
                try:
                    dead = await self.link.reach(desk.box.beat)
                except LeaseLostError:
                    await desk.find_out()
                    continue
                if time.monotonic() > self.link.back_at + self.settings.lease:  # else all get the time to come back
                    for worker in dead:
                        await self._recover(desk.box, worker)
            if time.monotonic() > write_at:
                await self.link.reach(self._write_books)
                write_at = time.monotonic() + self.settings.lease / 2
            await asyncio.sleep(self.settings.lease / 5)

    async def _recover(self, box: Mailbox, worker: str) -> None:
        jobs = await self.link.reach(box.recover, worker)
        if jobs >= 0:
            await self.link.reach(self.books.prune, worker.partition(".")[0])
            log.warning("recovered", extra={"queue": box.queue, "worker": worker, "jobs": jobs})

    async def _write_books(self) -> None:
        held = next(((desk.box.queue, job.raw) for desk in self.desks for job in desk.box.in_hand.values()), None)
        self.paused = await self.books.beat(held)
        for desk in self.desks:
            await desk.box.report({"name": self.books.worker} | self.metrics.snapshot())
