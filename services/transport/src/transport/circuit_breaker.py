"""The circuit breaker of one gateway: open after failures in a row, half-open for one probe, closed after a success."""

from __future__ import annotations

import time
from enum import Enum


class BreakerState(Enum):
    """The states of a circuit breaker. HALF_OPEN lets one request through at a time."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


class CircuitBreaker:
    """Opens after `trips_after` failures in a row, first for `cooldown` and at most for `max_cooldown` seconds."""

    def __init__(self, trips_after: int, cooldown: float, max_cooldown: float) -> None:
        self._trips_after, self._first_cooldown, self._max_cooldown = trips_after, cooldown, max_cooldown
        self._cooldown = cooldown
        self._failures = 0
        self._tripped = False
        self._paused_until = 0.0

    @property
    def state(self) -> BreakerState:
        """The current state."""
        if not self._tripped:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.paused_for() else BreakerState.HALF_OPEN

    def paused_for(self) -> float:
        """Return the seconds until a request may be sent, 0 for now."""
        return max(0.0, self._paused_until - time.monotonic()) if self._paused_until else 0.0

    def pause(self, seconds: float) -> None:
        """Let no request through for a time, whatever the state is. A longer pause stays."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def trip(self, seconds: float) -> None:
        """Open at once, until a probe after these seconds succeeds."""
        self._tripped = True
        self._paused_until = time.monotonic() + seconds

    def record_success(self) -> None:
        """Close."""
        self._failures = 0
        if self._tripped:
            self._tripped, self._cooldown = False, self._first_cooldown

    def record_failure(self) -> None:
        """Count a failure. Open if it is one too many, or if a probe failed."""
        self._failures += 1
        probe = self.state is BreakerState.HALF_OPEN
        if probe or (not self._tripped and self._failures >= self._trips_after):
            self.trip(self._cooldown)
            self._cooldown = min(self._cooldown * 2, self._max_cooldown)
