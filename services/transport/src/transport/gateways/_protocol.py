"""What the worker asks of a gateway, and what a gateway may answer."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from envelopes.messages import DeliveryRequested


class Trouble(Enum):
    """Why a gateway did not accept a delivery, which decides what happens next."""

    REFUSED = "refused"
    """It will never accept this one: no second attempt."""
    OVERLOADED = "overloaded"
    """It asks for less: everything slows down, and this one comes again without having failed."""
    FAILED = "failed"
    """It did not answer, or not sensibly. It may have acted: only the idempotency key makes a second attempt safe."""


class GatewayError(Exception):
    """A gateway did not accept a delivery. `retry_after` is in seconds, where it named a time."""

    def __init__(self, trouble: Trouble, reason: str, retry_after: float | None = None) -> None:
        self.trouble, self.reason, self.retry_after = trouble, reason, retry_after
        super().__init__(f"{trouble.value}: {reason}")

    def __reduce__(self) -> tuple[type[GatewayError], tuple[Trouble, str, float | None]]:
        return type(self), (self.trouble, self.reason, self.retry_after)


class Gateway(Protocol):
    """Sends deliveries of one kind."""

    async def send(self, message: DeliveryRequested, key: str) -> None:
        """Return when the gateway has accepted it; with the same `key` once more, it acts no second time.

        Raises GatewayError. Anything else that it raises counts as FAILED.
        """
        ...
