"""The dispatcher of one gateway: jobs that wait for it, and the tasks that send them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from .connection import RedisAvailability
from .jobs import Job
from .limiter import GatewayLimiter

Attempt = Callable[[str, str, Job], Awaitable[bool]]
"""Sends one job, given the names of its gateway and queue. Returns False when the sending task should end."""


class GatewayDispatcher:
    """Jobs that wait for one gateway, in one line per queue, the most urgent queue first.

    Up to `limit` jobs wait here. The limiter decides how many tasks send them, and an idle dispatcher has no task.
    """

    def __init__(
        self, limiter: GatewayLimiter, attempt: Attempt, limit: int, queues: Iterable[str], redis: RedisAvailability
    ) -> None:
        self.name, self.limiter, self.limit = limiter.name, limiter, limit
        self._attempt, self._redis = attempt, redis
        self._waiting: dict[str, deque[Job]] = {queue: deque() for queue in queues}
        self._senders: set[asyncio.Task[None]] = set()
        self._starting = False
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    @property
    def space(self) -> int:
        """The number of jobs that may still be added."""
        return self.limit - len(self)

    @property
    def wants_more(self) -> bool:
        """Whether more jobs would be sent soon."""
        return len(self) <= self.limit // 2 and self.limiter.paused_for() == 0

    @property
    def requests_in_flight(self) -> int:
        """The number of tasks that are sending."""
        return len(self._senders)

    def add(self, queue: str, job: Job, *, first: bool = False) -> None:
        """Add a job. Call `start_sender` afterwards."""
        waiting = self._waiting[queue]
        (waiting.appendleft if first else waiting.append)(job)

    def start_sender(self) -> None:
        """Start another sending task if jobs wait and the limiter allows it."""
        if self._starting or not any(self._waiting.values()):
            return
        wait = self.limiter.paused_for()
        if wait:
            if self._timer is None or self._timer.when() <= asyncio.get_running_loop().time():
                self._timer = asyncio.get_running_loop().call_later(wait, self.start_sender)
        elif len(self._senders) < self.limiter.concurrency:
            self._starting = True
            sender = asyncio.create_task(self._send_jobs())
            self._senders.add(sender)
            sender.add_done_callback(self._sender_ended)

    def remove_waiting(self, queue: str) -> list[Job]:
        """Remove and return the jobs of one queue that have not been sent."""
        removed, self._waiting[queue] = self._waiting[queue], deque()
        return list(removed)

    async def wait_until_idle(self) -> None:
        """Wait for the requests in flight."""
        while self._senders:
            await asyncio.wait(self._senders)

    def _sender_ended(self, sender: asyncio.Task[None]) -> None:
        self._senders.discard(sender)
        if not sender.cancelled() and sender.exception() is not None:
            context = {"message": "a sending task failed", "exception": sender.exception()}
            asyncio.get_running_loop().call_exception_handler(context)
        if not self._senders:  # after a pause, because whatever ended the task may last
            asyncio.get_running_loop().call_later(0.05, self.start_sender)

    async def _send_jobs(self) -> None:
        self._starting = False
        while any(self._waiting.values()) and len(self._senders) <= self.limiter.concurrency:
            if not await self._redis.retry(self.limiter.acquire):
                return
            queue = next((queue for queue, waiting in self._waiting.items() if waiting), None)
            if queue is None:
                return
            job = self._waiting[queue].popleft()
            self.start_sender()
            if not await self._attempt(self.name, queue, job):
                return
