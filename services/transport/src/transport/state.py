"""The state that the parts of one worker share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from .connection import RedisAvailability
from .job_queue import JobQueue
from .settings import Settings


@dataclass
class WorkerState:
    """A worker's settings, its queues in order of priority, and whether it is ready, paused or stopping."""

    settings: Settings
    queues: Sequence[JobQueue]
    redis: RedisAvailability = field(default_factory=RedisAvailability)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    paused: bool = False
    paused_by_signal: bool = False
    ready: bool = False

    def stop(self) -> None:
        """Ask every part to finish its requests and end."""
        self.stopping.set()
        self.changed.set()

    def pause(self, *, paused: bool) -> None:
        """Fetch no more jobs, or fetch again, whatever `resque:pause-all-workers` says."""
        self.paused = self.paused_by_signal = paused

    @property
    def in_flight(self) -> int:
        """The number of jobs that this worker has fetched and not settled yet."""
        return sum(len(queue.in_flight) for queue in self.queues)

    async def wait_for_change(self, longest: float) -> None:
        """Wait until a job has been settled, or for `longest` seconds."""
        self.changed.clear()
        try:
            async with asyncio.timeout(longest):
                await self.changed.wait()
        except TimeoutError:
            pass
