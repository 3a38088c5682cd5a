"""The worker's settings and their tested defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Settings of a worker. All times are in seconds.

    A fetch takes up to `batch` jobs, and up to `max_in_flight` jobs of each queue are held at once. This bounds memory
    and the number of jobs that are retried after a crash. The jobs of a dead worker are recovered within 1.8 times
    `lease`, plus `poll`. A job goes to the dead letters after `attempts` failed attempts or `max_crashes` crashed
    workers. A stop takes at most `deadline`. A job above `max_job_bytes` goes to the dead letters
    without being decoded.
    """

    batch: int = 200
    lease: float = 2.5
    poll: float = 0.5
    deadline: float = 10.0
    attempts: int = 8
    max_crashes: int = 5
    backoff: float = 1.0
    max_backoff: float = 600.0
    max_job_bytes: int = 1 << 20

    @property
    def max_in_flight(self) -> int:
        """The maximum number of jobs of each queue that are held at once."""
        return 3 * self.batch
