"""Resque's own books, in its own layout, so that its dashboard and its `retry` work.

They are beside the point for delivery: each is written by a command of its own, and what a killed worker had not yet
written is missing from the statistics (at most a second's worth).
"""

from __future__ import annotations

import base64
import json
import os
import socket
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from envelopes import DecodeError

from .jobs import Outcome
from .scripts import AnyRedis

FAILED = "resque:failed"
PAUSED = "resque:pause-all-workers"


class Books:
    """One worker's entries. Its name is Resque's `<host>:<pid>:<queues>`.

    The host part is not the bare host name: Ruby workers there would prune a worker whose pid they cannot see.
    """

    def __init__(self, redis: AnyRedis, queues: Sequence[str], token: str) -> None:
        self._redis, self._queues = redis, queues
        self.worker = f"{socket.gethostname()}-transport-{token}:{os.getpid()}:{','.join(queues)}"
        self._unwritten: Counter[str] = Counter()

    async def register(self) -> None:
        """Appear among the workers."""
        await self._do("SADD", "resque:workers", self.worker)
        await self._do("SET", f"resque:worker:{self.worker}:started", _now().strftime("%Y-%m-%d %H:%M:%S +0000"))
        for queue in self._queues:
            await self._do("SADD", "resque:queues", queue)

    async def unregister(self, worker: str = "") -> None:
        """Disappear, with everything that is kept under this name."""
        worker = worker or self.worker
        await self._do("SREM", "resque:workers", worker)
        await self._do("HDEL", "resque:workers:heartbeat", worker)
        for key in (
            f"worker:{worker}",
            f"worker:{worker}:started",
            f"stat:processed:{worker}",
            f"stat:failed:{worker}",
        ):
            await self._do("DEL", f"resque:{key}")

    async def prune(self, token: str) -> None:
        """Take a dead worker out of the books."""
        for name in await self._do("SMEMBERS", "resque:workers"):
            if f"-transport-{token}:" in name.decode():
                await self.unregister(name.decode())

    async def beat(self, in_hand: tuple[str, bytes] | None) -> bool:
        """Write the heartbeat, a job in hand as `(queue, raw)`, and the statistics; say whether workers are paused."""
        await self._do("HSET", "resque:workers:heartbeat", self.worker, _now().isoformat(timespec="seconds"))
        key = f"resque:worker:{self.worker}"
        if in_hand is None:
            await self._do("DEL", key)
        else:
            queue, raw = in_hand
            at = _now().isoformat(timespec="seconds")
            await self._do("SET", key, _json({"queue": queue, "run_at": at, "payload": _payload(raw)}))
        for name, number in list(self._unwritten.items()):
            await self._do("INCRBY", f"resque:stat:{name}", number)
            self._unwritten[name] -= number
            await self._do("INCRBY", f"resque:stat:{name}:{self.worker}", number)
        return bool(await self._do("GET", PAUSED) == b"true")

    def count(self, *, processed: int = 0, failed: int = 0) -> None:
        """Add to the statistics; `beat` writes them."""
        self._unwritten += Counter({"processed": processed, "failed": failed})

    async def fail(self, queue: str, outcomes: Sequence[Outcome]) -> None:
        """Append to `resque:failed`. Done before the jobs are settled: a death in between leaves an entry too many."""
        entries = [self._entry(queue, outcome) for outcome in outcomes]
        await self._do("RPUSH", FAILED, *entries)

    def _entry(self, queue: str, outcome: Outcome) -> bytes:
        error, violation = outcome.error, getattr(outcome.error, "violation", None)
        return _json({
            "failed_at": _now().strftime("%Y/%m/%d %H:%M:%S UTC"),
            "payload": _payload(outcome.job.raw),
            "exception": type(error).__name__,
            "error": str(error),
            "backtrace": [],
            "worker": self.worker,
            "queue": queue,
            "pointer": violation.pointer if violation else None,
            "attempts": outcome.job.failures + (not isinstance(error, DecodeError)),
            "original": base64.b64encode(outcome.job.raw).decode(),
        })  # fmt: skip

    async def _do(self, *command: Any) -> Any:
        return await self._redis.execute_command(*command)


def _payload(raw: bytes) -> Any:
    """The job as Resque reads it. What is no job is given as the argument of one, for a person to look at."""
    try:
        job = json.loads(raw)
    except ValueError:
        job = None
    if isinstance(job, dict) and isinstance(job.get("class"), str) and isinstance(job.get("args"), list):
        return job
    return {"class": "Unreadable", "args": [raw.decode(errors="replace")]}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _now() -> datetime:
    return datetime.now(UTC)
