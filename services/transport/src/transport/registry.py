"""Resque's own books, in its own layout, so that its dashboard and its `retry` work.

They are beside the point for delivery: they are written by commands of their own, and what a killed worker had not yet
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

from .jobs import Job
from .link import AnyRedis


class Books:
    """One worker's entries. Its name is Resque's `<host>:<pid>:<queues>`.

    The host part is not the bare host name: Ruby workers there would prune a worker whose pid they cannot see.
    """

    def __init__(self, redis: AnyRedis, queues: Sequence[str], token: str) -> None:
        self._redis, self._queues = redis, queues
        self.worker = f"{socket.gethostname()}-transport-{token}:{os.getpid()}:{','.join(queues)}"
        self._unwritten: Counter[str] = Counter()

    async def _do(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Run commands in one go; their keys may live anywhere."""
        together = self._redis.pipeline(transaction=False)
        for command in commands:
            together.execute_command(*command)
        answers: list[Any] = await together.execute()
        return answers

    async def register(self) -> None:
        """Appear among the workers."""
        started = _now().strftime("%Y-%m-%d %H:%M:%S +0000")
        await self._do(
            ("SADD", "resque:workers", self.worker),
            ("SET", f"resque:worker:{self.worker}:started", started),
            ("SADD", "resque:queues", *self._queues),
        )

    async def unregister(self, worker: str = "") -> None:
        """Disappear, with everything that is kept under this name."""
        worker = worker or self.worker
        own = (f"worker:{worker}", f"worker:{worker}:started", f"stat:processed:{worker}", f"stat:failed:{worker}")
        await self._do(
            ("SREM", "resque:workers", worker),
            ("HDEL", "resque:workers:heartbeat", worker),
            *(("DEL", f"resque:{key}") for key in own),
        )

    async def prune(self, token: str) -> None:
        """Take a dead worker out of the books."""
        (names,) = await self._do(("SMEMBERS", "resque:workers"))
        for name in names:
            if f"-transport-{token}:" in name.decode():
                await self.unregister(name.decode())

    async def beat(self, in_hand: tuple[str, bytes] | None) -> bool:
        """Write the heartbeat, a job in hand as `(queue, raw)`, and the statistics; say whether workers are paused."""
        at, key = _now().isoformat(timespec="seconds"), f"resque:worker:{self.worker}"
        doing: tuple[Any, ...] = ("DEL", key)
        if in_hand is not None:
            doing = ("SET", key, _json({"queue": in_hand[0], "run_at": at, "payload": _payload(in_hand[1])}))
        written = self._unwritten.copy()
        stats = [("INCRBY", f"resque:stat:{name}{whose}", number) for name, number in written.items()
                 for whose in ("", f":{self.worker}")]  # fmt: skip
        heartbeat = ("HSET", "resque:workers:heartbeat", self.worker, at)
        paused, *_ = await self._do(("GET", "resque:pause-all-workers"), heartbeat, doing, *stats)
        self._unwritten -= written
        return bool(paused == b"true")

    def count(self, *, processed: int = 0, failed: int = 0) -> None:
        """Add to the statistics; `beat` writes them."""
        self._unwritten += Counter({"processed": processed, "failed": failed})

    async def fail(self, queue: str, job: Job) -> None:
        """Append to `resque:failed`. Done before the job is settled: a death in between leaves an entry too many."""
        await self._do(("RPUSH", "resque:failed", self._entry(queue, job)))

    def _entry(self, queue: str, job: Job) -> bytes:
        violation = getattr(job.error, "violation", None)
        return _json({
            "failed_at": _now().strftime("%Y/%m/%d %H:%M:%S UTC"),
            "payload": _payload(job.raw),
            "exception": type(job.error).__name__,
            "error": str(job.error),
            "backtrace": [],
            "worker": self.worker,
            "queue": queue,
            "pointer": violation.pointer if violation else None,
            "attempts": job.failures + (job.message is not None),
            "original": base64.b64encode(job.raw).decode(),
        })  # fmt: skip


def _payload(raw: bytes) -> Any:
    """The job as Resque reads it. What is no job is given as the argument of one, for a person to look at."""
    try:
        job = json.loads(raw)
        json.dumps([[job]])  # what is nested too deeply to be written is no job, either
    except (ValueError, RecursionError):
        job = None
    if isinstance(job, dict) and isinstance(job.get("class"), str) and isinstance(job.get("args"), list):
        return job
    return {"class": "Unreadable", "args": [raw.decode(errors="replace")]}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _now() -> datetime:
    return datetime.now(UTC)
