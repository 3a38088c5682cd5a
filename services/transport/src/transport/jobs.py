"""A fetched job, and the outcomes that it can have."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from enum import Enum
from typing import Any

from envelopes import DecodeError, Envelope, decode
from envelopes.messages import DeliveryRequested


@dataclass(slots=True, eq=False)
class Job:
    """A job that this worker has fetched. `ticket` identifies it in Redis until it is settled.

    `failures` counts failed attempts, and `crashes` the workers that died while they had it in flight. `entered_at`
    is a Unix time, see the function of that name. `claimed` is true when this worker may send it. `delay` (in seconds)
    and `error` belong to the outcome.
    """

    ticket: str
    raw: bytes
    failures: int = 0
    crashes: int = 0
    message: DeliveryRequested | None = None
    entered_at: float = 0.0
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


FINAL = frozenset(Outcome) - {Outcome.RETRIED, Outcome.POSTPONED, Outcome.RETURNED}
UNSENT = frozenset((Outcome.RETURNED, Outcome.EXPIRED, Outcome.INVALID, Outcome.DEAD))
"""Outcomes that release the claim on a delivery, so that another job for it may be sent."""
FAILED = frozenset((Outcome.INVALID, Outcome.DEAD, Outcome.UNSURE))
"""Outcomes that put the job into `resque:failed`."""


ACTIVE_JOB = "ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper"

LARGE = 1 << 16
"""Jobs above this size in bytes are decoded and encoded outside the event loop."""


class JobTooLargeError(Exception):
    """The error in `resque:failed` for a job that is larger than the worker decodes."""


class WorkerDiedError(Exception):
    """The error in `resque:failed` for a job that was in flight when workers died."""


def read_delivery(raw: bytes, channel: str) -> Envelope[DeliveryRequested]:
    """Decode a Resque job, ActiveJob's wrapper around one, or a CloudEvent without a job. Raises DecodeError."""
    try:
        return decode(_unwrap(raw) if ACTIVE_JOB.encode() in raw else raw, channel=channel)
    except DecodeError as error:
        if error.pointer != "/class" or b'"specversion"' not in raw:
            raise
        return decode(b'{"class":"","args":[' + raw + b"]}", channel=channel)


def entered_at(envelope: Envelope[DeliveryRequested]) -> float:
    """Return the Unix time of what caused the delivery: the event's own time, or `enqueued_at` if that is earlier."""
    times = (envelope.data.enqueued_at, envelope.time)
    return min(time.timestamp() for time in times if time is not None)


def age(raw: bytes, channel: str) -> float:
    """Return the seconds since what caused the delivery, or NaN if the job cannot be read."""
    try:
        return max(0.0, time.time() - entered_at(read_delivery(raw, channel)))
    except Exception:  # noqa: BLE001 - whatever reading it raises
        return math.nan


def _unwrap(raw: bytes) -> bytes:
    """Return the job in the wrapper of ActiveJob, without the keys that ActiveJob adds to hashes."""
    try:
        job = json.loads(raw)
        inner = job["args"][0]
        if job["class"] != ACTIVE_JOB:
            return raw
        return json.dumps({"class": inner["job_class"], "args": _without_marks(inner["arguments"])}).encode()
    except (ValueError, LookupError, TypeError, RecursionError):
        return raw


def _without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_marks(item) for key, item in value.items() if not key.startswith("_aj_")}
    return [_without_marks(item) for item in value] if isinstance(value, list) else value
