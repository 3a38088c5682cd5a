"""The limits of one gateway: concurrency and rate. Its circuit breaker is in `circuit_breaker`."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from . import scripts
from .circuit_breaker import BreakerState, CircuitBreaker
from .connection import AnyRedis
from .gateways import FailureKind, GatewayError

log = logging.getLogger("transport")

_PAUSE_BEFORE_PROBE = 0.2
"""Seconds between a failure of kind BLOCKED and the first probe. Other requests in flight end in the meantime."""


@dataclass(frozen=True)
class Limits:
    """The limits of a gateway.

    `rate` is the number of requests that it may receive in any one second from all workers together; None means no
    limit. `trips_after` failures in a row open the circuit breaker, first for `cooldown` and at most for
    `max_cooldown` seconds.
    """

    concurrency: int = 32
    rate: float | None = None
    trips_after: int = 10
    cooldown: float = 1.0
    max_cooldown: float = 30.0

    @property
    def burst(self) -> float:
        """The capacity of the token bucket."""
        return max(1.0, (self.rate or 0) / 20)

    @property
    def refill(self) -> float:
        """Tokens a second. With a full bucket no second sees more than `rate`, even if requests are 60 ms late.

        A bucket of one token spaces requests evenly, so it needs no reserve for a burst: only 2 % for late requests.
        """
        rate = self.rate or 0
        return (rate - self.burst) / 1.06 if self.burst > 1 else rate / 1.02


class GatewayLimiter:
    """One worker's limiter for one gateway. The workers share the token bucket in Redis.

    `blocked` is true from a failure of kind BLOCKED to the next success.
    """

    def __init__(self, name: str, limits: Limits, redis: AnyRedis) -> None:
        self.name, self.limits, self._redis = name, limits, redis
        self.adaptive_concurrency = float(limits.concurrency)
        self.rate_factor = 1.0
        """The fraction of the full rate in use. The workers share it through Redis."""
        self._bucket = f"{{resque:gateway:{name}}}:token-bucket"
        self._taking = asyncio.Lock()
        self._tokens = self._waiting = 0
        self._breaker = CircuitBreaker(limits.trips_after, limits.cooldown, limits.max_cooldown)
        self._closed = self.blocked = False
        self._reduced_at = self._tokens_valid_until = 0.0

    @property
    def circuit_breaker(self) -> BreakerState:
        """The current state of the circuit breaker."""
        return self._breaker.state

    @property
    def concurrency(self) -> int:
        """The number of requests that may be in flight."""
        return int(self.adaptive_concurrency) if self._breaker.state is BreakerState.CLOSED else 1

    def paused_for(self) -> float:
        """Return the seconds until a request may be sent, 0 for now."""
        return self._breaker.paused_for()

    def close(self) -> None:
        """Allow no more requests."""
        self._closed = True

    async def acquire(self) -> bool:
        """Wait for permission to send one request. Return False during a pause. Raises redis' connection errors."""
        if self.limits.rate is None:
            return not self.paused_for()
        self._waiting += 1
        try:
            while not self.paused_for() and not self._closed:
                async with self._taking:
                    if time.monotonic() > self._tokens_valid_until:  # late requests would meet those that follow
                        self._tokens = 0
                    wait = 0.0 if self._tokens else await self._take_tokens(self._waiting)
                    if self._tokens:
                        self._tokens -= 1
                        return True
                await asyncio.sleep(wait)
        finally:
            self._waiting -= 1
        return False

    async def _take_tokens(self, wanted: int, pause: float = 0, *, slow_down: bool = False) -> float:
        limits = self.limits
        arguments = [limits.refill, limits.burst, wanted, int(pause * 1000), int(slow_down)]
        self._tokens_valid_until = time.monotonic() + 0.05
        granted, wait, factor = await scripts.TAKE_TOKENS(self._redis, [self._bucket], arguments)
        self._tokens, self.rate_factor = self._tokens + granted, factor / 1000
        return min(float(wait) / 1000, 1.0)

    def record_success(self) -> None:
        """Close the circuit breaker, and raise the concurrency a little."""
        self._breaker.record_success()
        self.blocked = False
        if self.adaptive_concurrency < self.limits.concurrency:
            raised = self.adaptive_concurrency + 1 / self.adaptive_concurrency
            self.adaptive_concurrency = min(self.limits.concurrency, raised)

    def record_failure(self, error: GatewayError) -> None:
        """Halve the concurrency, pause if the gateway asks for it, and open the breaker after failures in a row."""
        if error.kind is FailureKind.REFUSED:  # the gateway works
            self.record_success()
            return
        if error.kind is FailureKind.BLOCKED and self.circuit_breaker is BreakerState.CLOSED:
            log.error("the gateway accepts no deliveries", extra={"gateway": self.name, "reason": error.reason})
            self.blocked = True  # the next job is sent alone: its result shows whether the gateway is to blame
            self._breaker.trip(_PAUSE_BEFORE_PROBE)
        elif error.kind is FailureKind.OVERLOADED:
            self._breaker.pause(error.retry_after or 0.0)
        else:
            self._breaker.record_failure()
        if time.monotonic() - self._reduced_at > 1:
            self._reduced_at = time.monotonic()
            self.adaptive_concurrency = max(1.0, self.adaptive_concurrency / 2)

    async def share_failure(self, error: GatewayError) -> None:
        """Slow all workers down, and pass a pause on to them. Raises redis' connection errors."""
        if self.limits.rate is not None and error.kind in (FailureKind.OVERLOADED, FailureKind.FAILED):
            pause = error.retry_after if error.kind is FailureKind.OVERLOADED else None
            await self._take_tokens(0, pause or 0.0, slow_down=True)
