"""One gateway's jobs in hand, on their way through its valve."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from .jobs import Job
from .link import REDIS_AWAY
from .valve import Valve

if TYPE_CHECKING:
    from .desk import Desk

Attempt = Callable[["Route", "Desk", Job], Awaitable[bool]]


class Route:
    """Jobs waiting for one gateway. Lanes carry them, as many as the valve allows; none is kept while idle.

    `attempt` sends one job and says whether the lane may go on; `limit` is how many may wait here. Each desk has a line
    of its own, the most urgent first.
    """

    def __init__(self, valve: Valve, attempt: Attempt, limit: int, desks: Iterable[Desk]) -> None:
        self.name, self.valve, self.limit = valve.name, valve, limit
        self._attempt = attempt
        self._lines: dict[Desk, deque[Job]] = {desk: deque() for desk in desks}
        self._lanes: set[asyncio.Task[None]] = set()
        self._opening = False
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    @property
    def space(self) -> int:
        """How many more may wait here."""
        return self.limit - len(self)

    @property
    def takes(self) -> bool:
        """Whether more jobs would get a move on here."""
        return len(self) <= self.limit // 2 and self.valve.ready_in() == 0

    @property
    def busy(self) -> int:
        """How many lanes are at work."""
        return len(self._lanes)

    def put(self, desk: Desk, job: Job, *, first: bool = False) -> None:
        """Let a job wait; `pump` sets it in motion."""
        line = self._lines[desk]
        (line.appendleft if first else line.append)(job)

    def pump(self) -> None:
        """Open another lane, where there is work for it and the valve allows it."""
        if self._opening or not any(self._lines.values()):
            return
        wait = self.valve.ready_in()
        if wait:
            if self._timer is None or self._timer.when() <= asyncio.get_running_loop().time():
                self._timer = asyncio.get_running_loop().call_later(wait, self.pump)
        elif len(self._lanes) < self.valve.lanes:
            self._opening = True
            lane = asyncio.create_task(self._lane())
            self._lanes.add(lane)
            lane.add_done_callback(self._closed)

    def drain(self, desk: Desk) -> list[Job]:
        """Take back what waits for one queue."""
        drained, self._lines[desk] = self._lines[desk], deque()
        return list(drained)

    async def finish(self) -> None:
        """Wait for what is under way."""
        while self._lanes:
            await asyncio.wait(self._lanes)

    def _closed(self, lane: asyncio.Task[None]) -> None:
        self._lanes.discard(lane)
        if not lane.cancelled() and lane.exception() is not None:
            asyncio.get_running_loop().call_exception_handler({"message": "lane", "exception": lane.exception()})
        if not self._lanes:  # soon, and not at once: whatever ended it may last
            asyncio.get_running_loop().call_later(0.05, self.pump)

    async def _lane(self) -> None:
        self._opening = False
        while any(self._lines.values()) and len(self._lanes) <= self.valve.lanes:
            try:
                if not await self.valve.permit():
                    return
            except REDIS_AWAY:  # no tokens, no sending
                await asyncio.sleep(0.1)
                continue
            desk = next((desk for desk, line in self._lines.items() if line), None)
            if desk is None:
                return
            job = self._lines[desk].popleft()
            self.pump()
            if not await self._attempt(self, desk, job):
                return
