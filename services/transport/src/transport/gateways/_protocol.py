"""The interface of a gateway, and its errors."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from envelopes.messages import DeliveryRequested


class FailureKind(Enum):
    """Why a gateway did not accept a delivery. This decides what happens to the job."""

    REFUSED = "refused"
    """The gateway will never accept this delivery, so it is not tried again."""
    OVERLOADED = "overloaded"
    """The gateway asks for fewer requests. All workers slow down, and the delivery is tried again without a failure."""
    BLOCKED = "blocked"
    """The gateway, or a server in front of it, accepts no delivery at the moment, whatever the message is. The delivery
    is tried again without a failure."""
    FAILED = "failed"
    """There was no usable response. The gateway may have acted: the idempotency key makes a second attempt safe."""


class GatewayError(Exception):
    """A gateway did not accept a delivery. `retry_after` is in seconds, or None if the gateway named no time."""

    def __init__(self, kind: FailureKind, reason: str, retry_after: float | None = None) -> None:
        self.kind, self.reason, self.retry_after = kind, reason, retry_after
        super().__init__(f"{kind.value}: {reason}")

    def __reduce__(self) -> tuple[type[GatewayError], tuple[FailureKind, str, float | None]]:
        return type(self), (self.kind, self.reason, self.retry_after)


class Gateway(Protocol):
    """Sends deliveries of one kind."""

    async def send(self, message: DeliveryRequested, key: str) -> None:
        """Send a delivery, and return when the gateway has accepted it.

        A second call with the same `key` must have no effect. Raises GatewayError; any other error counts as FAILED.
        """
        ...
