"""A fetched job, and the outcomes that it can have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from envelopes import DecodeError, decode
from envelopes.messages import DeliveryRequested


@dataclass(slots=True, eq=False)
class Job:
    """A job that this worker has fetched. `ticket` identifies it in Redis until it is settled.

    `failures` counts failed attempts, and `crashes` the workers that died while they had it in flight. `enqueued_at`
    is a Unix time. `claimed` is true when this worker may send it. `delay` (in seconds) and `error` belong to the
    outcome.
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
        """Whether Redis keeps a history of failures or crashes for this job."""
        return bool(self.failures or self.crashes)


class Outcome(Enum):
    """What became of a job. The value is the name of its counter."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"
    INVALID = "invalid"
    DEAD = "dead"
    UNSURE = "unsure"
    """At-most-once only: the job may have been sent, so it is not sent again."""
    RETRIED = "retried"
    POSTPONED = "postponed"
    RETURNED = "returned"


FINAL = frozenset((
    Outcome.DELIVERED, Outcome.DUPLICATE, Outcome.EXPIRED, Outcome.INVALID, Outcome.DEAD, Outcome.UNSURE,
))  # fmt: skip
UNSENT = frozenset((Outcome.RETURNED, Outcome.EXPIRED, Outcome.INVALID, Outcome.DEAD))
"""Outcomes that release the claim on a delivery, so that another job for it may be sent."""
FAILED = frozenset((Outcome.INVALID, Outcome.DEAD, Outcome.UNSURE))
"""Outcomes that put the job into `resque:failed`."""


LARGE = 1 << 16
"""Jobs above this size in bytes are decoded and encoded outside the event loop."""


class JobTooLargeError(Exception):
    """The error in `resque:failed` for a job that is larger than the worker decodes."""


class WorkerDiedError(Exception):
    """The error in `resque:failed` for a job that was in flight when workers died."""


def read_delivery(raw: bytes, channel: str) -> DeliveryRequested:
    """Decode a Resque job, or a CloudEvent without a job around it. Raises DecodeError."""
    try:
        message: DeliveryRequested = decode(raw, channel=channel).data
    except DecodeError as error:
        if error.pointer != "/class" or b'"specversion"' not in raw:
            raise
        message = decode(b'{"class":"","args":[' + raw + b"]}", channel=channel).data
    return message
