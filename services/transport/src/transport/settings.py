"""What can be set, with the values that the worker is tested with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """All times are in seconds.

    `batch` jobs are fetched at once, and `in_hand` of each queue are held at most: that bounds memory, and what is
    tried again after a death. A dead worker's jobs are back after `lease` + `lease` / 5 + `poll` at the latest.
    `attempts` attempts, or `max_crashes` deaths of workers, send a job to the dead letters. A stop takes at most
    `deadline`.
    """

    batch: int = 200
    lease: float = 2.5
    poll: float = 0.5
    deadline: float = 10.0
    attempts: int = 8
    max_crashes: int = 5
    backoff: float = 1.0
    longest_backoff: float = 600.0

    @property
    def in_hand(self) -> int:
        """How many jobs of each queue are held at most."""
        return 3 * self.batch
