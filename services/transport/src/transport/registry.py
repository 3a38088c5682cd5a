"""Resque's registry of workers, failures and statistics, in Resque's layout, so that its dashboard and `retry` work.

Deliveries do not depend on it. It is written by separate commands, and a killed worker loses at most one second of
statistics.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import socket
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from envelopes import ContractViolationError

from . import scripts
from .connection import AnyRedis
from .gateways import GatewayError
from .jobs import LARGE, Job, JobTooLargeError, WorkerDiedError

_FAILED_AT = "%Y/%m/%d %H:%M:%S UTC"
_MAX_DEPTH = 98
"""Ruby's parser reads 100 levels, and an entry in `resque:failed` is one of them."""
_MAX_PAYLOAD = 1 << 20
"""Jobs above this size in bytes are only kept in base64."""


class ResqueRegistry:
    """One worker's entries. Its name has Resque's form `<host>:<pid>:<queues>`.

    The host part is not the bare host name. Otherwise Ruby workers on that host would prune a worker whose pid they
    cannot see.
    """

    def __init__(self, redis: AnyRedis, queues: Sequence[str], token: str) -> None:
        self._redis, self._queues = redis, queues
        self.worker = f"{socket.gethostname()}-transport-{token}:{os.getpid()}:{','.join(queues)}"
        self._unwritten: Counter[str] = Counter()
        self._oldest_failure: float | None = None
        self._look_at = 0.0

    async def register(self) -> None:
        """Add this worker to Resque's workers."""
        started = _now().strftime("%Y-%m-%d %H:%M:%S +0000")
        await self._redis.call(
            ("SADD", "resque:workers", self.worker),
            ("SET", f"resque:worker:{self.worker}:started", started),
            ("SADD", "resque:queues", *self._queues),
        )

    async def unregister(self, worker: str) -> None:
        """Remove a worker and everything that is kept under its name."""
        own = (f"worker:{worker}", f"worker:{worker}:started", f"stat:processed:{worker}", f"stat:failed:{worker}")
        await self._redis.call(
            ("SREM", "resque:workers", worker),
            ("HDEL", "resque:workers:heartbeat", worker),
            *(("DEL", f"resque:{key}") for key in own),
        )

    async def prune(self, token: str) -> None:
        """Remove a dead worker, named by its token."""
        (names,) = await self._redis.call(("SMEMBERS", "resque:workers"))
        for name in names:
            if f"-transport-{token}:" in name.decode():
                await self.unregister(name.decode())

    async def write_heartbeat(self, in_flight: tuple[str, bytes] | None) -> bool:
        """Write heartbeat, statistics and a job in flight as `(queue, raw)`. Return True if workers are paused."""
        at, key = _now().isoformat(timespec="seconds"), f"resque:worker:{self.worker}"
        working_on: tuple[Any, ...] = ("DEL", key)
        if in_flight is not None:
            working_on = ("SET", key, _json({"queue": in_flight[0], "run_at": at, "payload": _payload(in_flight[1])}))
        written = self._unwritten.copy()
        stats = [("INCRBY", f"resque:stat:{name}{suffix}", number) for name, number in written.items()
                 for suffix in ("", f":{self.worker}")]  # fmt: skip
        heartbeat = ("HSET", "resque:workers:heartbeat", self.worker, at)
        paused, *_ = await self._redis.call(("GET", "resque:pause-all-workers"), heartbeat, working_on, *stats)
        self._unwritten -= written
        return bool(paused == b"true")

    def count(self, *, processed: int = 0, failed: int = 0) -> None:
        """Add to the statistics. The next heartbeat writes them."""
        self._unwritten += Counter({"processed": processed, "failed": failed})

    async def add_failure(self, queue: str, job: Job) -> None:
        """Append a job to `resque:failed`. Call this before the job is settled: a crash between leaves two entries."""
        entry = self._entry(queue, job) if len(job.raw) < LARGE else await asyncio.to_thread(self._entry, queue, job)
        await self._redis.call(("RPUSH", "resque:failed", entry))

    async def dead_letters(self) -> tuple[int, float]:
        """Return the number of entries of `resque:failed`, and the age of the oldest in seconds, 0 if there is none.

        The oldest is looked up once a minute, because Redis has to copy all of it. NaN means that its time is unknown.
        """
        (number,) = await self._redis.call(("LLEN", "resque:failed"))
        if not number:
            self._oldest_failure = None
            return 0, 0.0
        if self._oldest_failure is None or time.monotonic() > self._look_at:
            self._look_at = time.monotonic() + 60
            failed_at = await scripts.FAILED_AT(self._redis, ["resque:failed"], [])
            try:
                self._oldest_failure = datetime.strptime(failed_at.decode(), _FAILED_AT).replace(tzinfo=UTC).timestamp()
            except ValueError:
                self._oldest_failure = math.nan
        return number, time.time() - self._oldest_failure

    def _entry(self, queue: str, job: Job) -> bytes:
        violation = getattr(job.error, "violation", None)
        return _json({
            "failed_at": _now().strftime(_FAILED_AT),
            "payload": _payload(job.raw),
            "exception": type(job.error).__name__,
            "error": _text(_without_values(job.error)),
            "backtrace": [],
            "worker": self.worker,
            "queue": queue,
            "pointer": _text(violation.pointer) if violation else None,
            "attempts": job.failures + (job.message is not None),
            "original": base64.b64encode(job.raw).decode(),
        })  # fmt: skip


def _without_values(error: Exception | None) -> str:
    """Describe an error without values from the payload."""
    if isinstance(error, ContractViolationError) and error.violation.public:  # its text shows the value
        return f"{error.subject} at {error.pointer or '/'}: expected {error.expected}"
    known = isinstance(error, ContractViolationError | GatewayError | JobTooLargeError | WorkerDiedError)
    return str(error) if known else "an unexpected error"


def _text(value: object) -> str:
    """Return a text without lone surrogates, which Ruby's parser rejects."""
    return str(value).encode(errors="replace").decode()


def _payload(raw: bytes) -> Any:
    """Return the job as Resque reads it, or a job of class `Unreadable` if Ruby's JSON parser would reject it."""
    if len(raw) <= _MAX_PAYLOAD:
        try:
            job = json.loads(raw)
            # Ruby's parser rejects NaN, Infinity, lone surrogates and deep nesting.
            json.dumps(job, allow_nan=False, ensure_ascii=False).encode()
            readable = _depth(job) < _MAX_DEPTH
        except (ValueError, RecursionError):
            readable = False
        if (
            readable
            and isinstance(job, dict)
            and isinstance(job.get("class"), str)
            and isinstance(job.get("args"), list)
        ):
            return job
    return {"class": "Unreadable", "args": ["This is not a job that Resque can read. See `original`, in base64."]}


def _depth(value: Any) -> int:
    """Return how deep lists and objects are nested."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]
    return depth


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _now() -> datetime:
    return datetime.now(UTC)
