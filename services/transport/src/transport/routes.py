"""One gateway's jobs in hand, on their way through its valve."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from .jobs import Job
from .link import REDIS_AWAY
from .mailbox import Mailbox
from .valve import Valve

Attempt = Callable[["Route", Mailbox, Job], Awaitable[bool]]


class Route:
    """Jobs waiting for one gateway. Lanes carry them, as many as the valve allows; none is kept while idle.

    `attempt` sends one job and says whether the lane may go on; `limit` is how many may wait here.
    """

    def __init__(self, valve: Valve, attempt: Attempt, limit: int, priorities: int) -> None:
        self.name, self.valve, self.limit = valve.name, valve, limit
        self._attempt = attempt
        self._waiting: tuple[deque[tuple[Mailbox, Job]], ...] = tuple(deque() for _ in range(priorities))
        self._count = 0
        self._lanes: set[asyncio.Task[None]] = set()
        self._opening = False
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def takes(self) -> bool:
        """Whether more jobs would get a move on here."""
        return self._count <= self.limit // 2 and self.valve.ready_in() == 0

    @property
    def busy(self) -> int:
        """How many lanes are at work."""
        return len(self._lanes)

    def put(self, box: Mailbox, job: Job, priority: int, *, first: bool = False) -> None:
        """Let a job wait; lower numbers go first. `pump` sets it in motion."""
        line = self._waiting[priority]
        (line.appendleft if first else line.append)((box, job))
        self._count += 1

    def pump(self) -> None:
        """Open another lane, where there is work for it and the valve allows it."""
        wait = self.valve.ready_in()
        if wait:
            if self._count and (self._timer is None or self._timer.when() <= asyncio.get_running_loop().time()):
                self._timer = asyncio.get_running_loop().call_later(wait, self.pump)
        elif self._count and not self._opening and len(self._lanes) < self.valve.lanes:
            self._opening = True
            lane = asyncio.create_task(self._lane())
            self._lanes.add(lane)
            lane.add_done_callback(self._closed)

    def drain(self, box: Mailbox | None = None) -> list[tuple[Mailbox, Job]]:
        """Take back what waits, all of it or one mailbox's."""
        drained = []
        for line in self._waiting:
            drained += [each for each in line if box in (None, each[0])]
            left = [each for each in line if box not in (None, each[0])]
            line.clear()
            line.extend(left)
        self._count = sum(map(len, self._waiting))
        return drained

    async def finish(self) -> None:
        """Wait for what is under way."""
        while self._lanes:
            await asyncio.wait(self._lanes)

    def _closed(self, lane: asyncio.Task[None]) -> None:
        self._lanes.discard(lane)
        if not lane.cancelled() and lane.exception() is not None:
            asyncio.get_running_loop().call_exception_handler({"message": "lane", "exception": lane.exception()})
        if self._count and not self._lanes:
            asyncio.get_running_loop().call_later(0.05, self.pump)

    async def _lane(self) -> None:
        self._opening = False
        while self._count and len(self._lanes) <= self.valve.lanes:
            try:
                if not await self.valve.permit():
                    return
            except REDIS_AWAY:  # no tokens, no sending
                await asyncio.sleep(0.1)
                continue
            if not self._count:
                return
            box, job = next(line for line in self._waiting if line).popleft()
            self._count -= 1
            self.pump()
            if not await self._attempt(self, box, job):
                return
