"""How much one gateway is given: concurrency, rate, pauses, and a circuit breaker."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import Enum

from . import scripts
from .gateways import GatewayError, Trouble
from .link import AnyRedis


class Breaker(Enum):
    """CLOSED lets everything through, OPEN nothing, HALF_OPEN one at a time, to see."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


@dataclass(frozen=True)
class Limits:
    """What a gateway allows.

    `rate` is what it may see in any one second, from all workers together; None for no limit. `trips_after` failures
    in a row open the breaker, for `cooldown` seconds at first and `longest_cooldown` at most.
    """

    concurrency: int = 32
    rate: float | None = None
    trips_after: int = 10
    cooldown: float = 1.0
    longest_cooldown: float = 30.0

    @property
    def burst(self) -> float:
        """How many tokens the bucket holds."""
        return max(1.0, (self.rate or 0) / 20)

    @property
    def refill(self) -> float:
        """Tokens a second: with the bucket's, no window of a second sees more than `rate`, though some be 60 ms late.

        Below two a second, the single token of the bucket is spread instead of set aside.
        """
        rate = self.rate or 0
        return (rate - self.burst) / 1.06 if rate > 2 * self.burst else rate / 2


class Valve:
    """One gateway's, in one worker; what is shared between workers is the bucket in Redis."""

    def __init__(self, name: str, limits: Limits, redis: AnyRedis) -> None:
        self.name, self.limits, self._redis = name, limits, redis
        self.window = float(limits.concurrency)
        self.share = 1.0
        """Which share of the full rate is in use; the workers agree on it through Redis."""
        self._bucket = f"{{transport:gateway:{name}}}:bucket"
        self._refilling = asyncio.Lock()
        self._granted = self._waiting = self._failures = 0
        self._cooldown = limits.cooldown
        self._tripped = self._closed = False
        self._resume = self._narrowed = self._good_until = 0.0

    @property
    def breaker(self) -> Breaker:
        """Where it stands now."""
        if not self._tripped:
            return Breaker.CLOSED
        return Breaker.OPEN if self.ready_in() else Breaker.HALF_OPEN

    @property
    def lanes(self) -> int:
        """How many deliveries may be under way."""
        return 1 if self._tripped else int(self.window)

    def ready_in(self) -> float:
        """In how many seconds something may be sent; 0 for now."""
        return max(0.0, self._resume - time.monotonic())

    def close(self) -> None:
        """Let nothing through any more."""
        self._closed = True

    async def permit(self) -> bool:
        """Wait for this delivery's turn; False where nothing may be sent for now. Raises redis' connection errors."""
        if self.limits.rate is None:
            return not self._resume or not self.ready_in()
        self._waiting += 1
        try:
            while not self.ready_in() and not self._closed:
                async with self._refilling:
                    if time.monotonic() > self._good_until:  # late ones would come at once with those that follow
                        self._granted = 0
                    wait = 0.0 if self._granted else await self._refill(self._waiting)
                    if self._granted:
                        self._granted -= 1
                        return True
                await asyncio.sleep(wait)
        finally:
            self._waiting -= 1
        return False

    async def _refill(self, want: int, pause: float = 0, *, slow: bool = False) -> float:
        limits = self.limits
        arguments = [limits.refill, limits.burst, want, int(pause * 1000), int(slow)]
        self._good_until = time.monotonic() + 0.05
        granted, wait, share = await scripts.PACE(self._redis, [self._bucket], arguments)
        self._granted, self.share = self._granted + granted, share / 1000
        return min(float(wait) / 1000, 1.0)

    def succeeded(self) -> None:
        """Open a little wider."""
        self._failures = 0
        if self._tripped:
            self._tripped, self._cooldown = False, self.limits.cooldown
        if self.window < self.limits.concurrency:
            self.window = min(self.limits.concurrency, self.window + 1 / self.window)

    def suffered(self, error: GatewayError) -> None:
        """Narrow down, pause where asked to, and trip after too many failures in a row."""
        if error.trouble is Trouble.REFUSED:  # the gateway is well
            self.succeeded()
            return
        if error.trouble is Trouble.OVERLOADED:
            self._resume = max(self._resume, time.monotonic() + (error.retry_after or 0.0))
        else:
            self._failures += 1
            probe = self.breaker is Breaker.HALF_OPEN
            if probe or (not self._tripped and self._failures >= self.limits.trips_after):
                self._tripped = True
                self._resume = time.monotonic() + self._cooldown
                self._cooldown = min(self._cooldown * 2, self.limits.longest_cooldown)
        if time.monotonic() - self._narrowed > 1:
            self._narrowed = time.monotonic()
            self.window = max(1.0, self.window / 2)

    async def tell_others(self, error: GatewayError) -> None:
        """Slow every worker down, and let them pause, too. Raises redis' connection errors."""
        if self.limits.rate is not None and error.trouble is not Trouble.REFUSED:
            pause = error.retry_after if error.trouble is Trouble.OVERLOADED else None
            await self._refill(0, pause or 0.0, slow=True)
