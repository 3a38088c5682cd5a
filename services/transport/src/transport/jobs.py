"""A job in hand, and what can become of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from envelopes import DecodeError, decode
from envelopes.messages import DeliveryRequested


@dataclass(slots=True, eq=False)
class Job:
    """A job that this worker has taken. `ticket` is its name in Redis while it is under way.

    `failures` counts attempts that failed, `crashes` the deaths of workers that had it in hand; `enqueued_at` is in
    seconds of Unix time. `claimed` says that this worker may send it. `delay`, in seconds, and `error` belong to the
    fate that it meets.
    """

    ticket: str
    raw: bytes
    failures: int = 0
    crashes: int = 0
    message: DeliveryRequested | None = None
    enqueued_at: float = 0.0
    claimed: bool = False
    delay: float = 0.0
    error: Exception | None = None

    @property
    def tried(self) -> bool:
        """Whether it has a history that must not be forgotten."""
        return bool(self.failures or self.crashes)


class Fate(Enum):
    """What became of a job; the value is its counter's name."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"
    INVALID = "invalid"
    DEAD = "dead"
    UNSURE = "unsure"
    """Under at-most-once: it may have been sent, and is not sent again."""
    RETRIED = "retried"
    POSTPONED = "postponed"
    RETURNED = "returned"


FINAL = frozenset((Fate.DELIVERED, Fate.DUPLICATE, Fate.EXPIRED, Fate.INVALID, Fate.DEAD, Fate.UNSURE))
UNSENT = frozenset((Fate.RETURNED, Fate.EXPIRED, Fate.INVALID, Fate.DEAD))
"""What gives up its claim: whoever asks again may try."""
FAILED = frozenset((Fate.INVALID, Fate.DEAD, Fate.UNSURE))


class WorkerDiedError(Exception):
    """The reason in `resque:failed` for a job that was in hand when workers died."""


def read_delivery(raw: bytes, channel: str) -> DeliveryRequested:
    """Decode a job, or a bare CloudEvent where a job should be. Raises DecodeError."""
    try:
        message: DeliveryRequested = decode(raw, channel=channel).data
    except DecodeError as error:
        if error.pointer != "/class" or b'"specversion"' not in raw:
            raise
        message = decode(b'{"class":"","args":[' + raw + b"]}", channel=channel).data
    return message
