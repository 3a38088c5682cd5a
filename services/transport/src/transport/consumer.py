"""The consumer of one queue. It fetches, decodes and claims jobs, and settles them after the gateway has answered."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from envelopes import ContractViolationError

from .connection import REDIS_UNAVAILABLE
from .dispatch import GatewayDispatcher
from .gateways import FailureKind, GatewayError
from .job_queue import Batch, JobQueue, LeaseLostError
from .jobs import FAILED, FINAL, LARGE, Job, JobTooLargeError, Outcome, WorkerDiedError, entered_at, read_delivery
from .metrics import Metrics
from .registry import ResqueRegistry
from .state import WorkerState

log = logging.getLogger("transport")

_SEARCH_INTERVAL = 0.05
"""While one gateway wants no jobs, the queue is searched for the jobs of others at this interval, in seconds."""
_SEARCH_AGAIN = 60.0
"""Seconds after which a search that has reached the end starts again at the head, where workers return jobs."""


class QueueConsumer:
    """Fetches while its jobs can be sent and the consumers of `more_urgent` queues have nothing to fetch.

    While every gateway wants jobs, it fetches the head of the queue. While only some want jobs, it searches the queue
    for theirs, and leaves the others where they are.
    """

    def __init__(
        self,
        state: WorkerState,
        queue: JobQueue,
        more_urgent: Sequence[QueueConsumer],
        dispatchers: Mapping[str, GatewayDispatcher],
        registry: ResqueRegistry,
        metrics: Metrics,
    ) -> None:
        self.queue = queue
        self.drained: set[str] = set()
        """The gateways that the queue had no more jobs for when it was last looked at."""
        self._searched: dict[str, tuple[int, bytes, float]] = {}
        """For each gateway, the position behind the last job that is not for it, that job, and since when."""
        self._state, self._more_urgent, self._dispatchers = state, more_urgent, dispatchers
        self._registry, self._metrics = registry, metrics
        self._retry, self._settings = state.redis.retry, state.settings
        self._finished: defaultdict[tuple[Outcome, str], list[Job]] = defaultdict(list)
        self._settle_now = asyncio.Event()
        self._fetching, self._settling = asyncio.Lock(), asyncio.Lock()
        self._quarantine, self._search_at, self._run_id = False, 0.0, queue.run_id
        self._failures_seen = 0

    async def start(self) -> None:
        """Acquire a lease. Raises OldKeysError."""
        await self._retry(self.queue.check_old_keys)
        await self._retry(self.queue.acquire_lease)
        self._run_id = self.queue.run_id

    # fetch

    async def fetch_loop(self) -> None:
        """Fetch jobs until the worker stops."""
        due_in: float | None = 0.0
        while not self._state.stopping.is_set():
            gateways = self._gateways_to_fetch_for()
            searches = len(gateways) < len(self._dispatchers)
            if not gateways or (searches and time.monotonic() < self._search_at):
                await self._state.wait_for_change(_SEARCH_INTERVAL)
            else:
                # At least 2 ms: Redis 6.2 rounds 1 ms down to 0, which waits for ever.
                longest = self._settings.poll if due_in is None else min(self._settings.poll, max(due_in, 0.002))
                try:
                    if self._state.redis.failures != self._failures_seen:  # jobs of a lost reply are in flight, too
                        await self.resync()
                    async with self._fetching:
                        if searches:
                            await self._search(gateways)
                        else:
                            due_in = await self._fetch(longest if self._is_empty else 0)
                except LeaseLostError:
                    await self.resync()
                except REDIS_UNAVAILABLE as error:
                    self._state.redis.record_failure(error)
                    await asyncio.sleep(0.05)

    @property
    def _is_empty(self) -> bool:
        return len(self.drained) == len(self._dispatchers)

    def _gateways_to_fetch_for(self) -> list[str]:
        """Return the gateways that want jobs of this queue now, and have none in more urgent queues."""
        space = self._settings.max_in_flight - self._settings.batch
        if (
            self._state.paused
            or (self._quarantine and self._state.in_flight)  # quarantined jobs are tried alone
            or len(self.queue.in_flight) > space
            or self.queue.space <= 0
        ):
            return []
        return [
            name
            for name, dispatcher in self._dispatchers.items()
            if dispatcher.wants_more and all(name in each.drained for each in self._more_urgent)
        ]

    async def _fetch(self, longest: float) -> float | None:
        """Fetch a batch. Return the seconds until the next job is due."""
        limit = min(self._settings.batch, *(dispatcher.space for dispatcher in self._dispatchers.values()))
        batch = await self.queue.fetch(limit, longest=longest)
        is_empty = len(batch.jobs) < limit and not batch.quarantined
        self.drained = set(self._dispatchers) if is_empty else set()
        await self._accept_batch(batch)
        return batch.due_in

    async def _accept_batch(self, batch: Batch) -> None:
        self._quarantine = batch.quarantined > 0 or any(job.crashes > 1 for job in batch.jobs)
        await self._accept(batch.jobs)

    async def _search(self, gateways: Sequence[str]) -> None:
        """Fetch jobs that are due, and those of some gateways from behind those of others, which stay in the queue."""
        self._search_at = time.monotonic() + _SEARCH_INTERVAL
        await self._accept_batch(await self.queue.fetch(self._settings.batch, head=False))
        for name in gateways if not self._quarantine else ():
            position, last, since = self._searched.get(name, (0, b"", time.monotonic()))
            position, is_end, raws = await self.queue.search(position, last, self._settings.batch)
            found, seen, space = dict[int, bytes](), 0, self._dispatchers[name].space
            for seen, raw in enumerate(raws, 1):
                if self._kind(raw) == name:
                    found[position + seen - 1] = raw
                else:
                    last = raw
                if len(found) == space:
                    break
            jobs = await self.queue.pick(found) if found else []
            if len(jobs) == len(found):  # else another worker has moved them: look again
                self._searched[name] = position + seen - len(jobs), last, since
            self.drained.discard(name)
            if is_end and seen == len(raws) and len(jobs) == len(found):
                self.drained.add(name)
                if time.monotonic() > since + _SEARCH_AGAIN:
                    del self._searched[name]
            await self._accept(jobs)

    def _kind(self, raw: bytes) -> str:
        try:
            return str(read_delivery(raw, self.queue.channel.name).data.kind)
        except Exception:  # noqa: BLE001 - whatever reading it raises, it is handled at the head of the queue
            return ""

    async def _accept(self, jobs: Sequence[Job]) -> None:
        """Decode jobs, claim those that can be sent now, and hand them to their dispatchers."""
        if self._state.stopping.is_set():
            for job in jobs:
                self.give_back(job)
            return
        dispatchers, ready = self._dispatchers, list[tuple[GatewayDispatcher, Job]]()
        for job in jobs:
            name = await self._read(job)
            if not name:
                continue
            pause = dispatchers[name].limiter.paused_for()
            if job.tried and (pause or dispatchers[name].space <= 0):
                self._postpone(job, name, max(pause, 1.0))
            else:
                ready.append((dispatchers[name], job))
        verdicts = await self._retry(self.queue.claim, [job for _, job in ready])
        for (dispatcher, job), verdict in zip(ready, verdicts, strict=True):
            match verdict:
                case "g":
                    dispatcher.add(self.queue.name, job)
                case "d":
                    self.finish(Outcome.DUPLICATE, job, dispatcher.name)
                case "b":
                    self._postpone(job, dispatcher.name, 2.0)
                case _:
                    reason = "its worker died after it may have sent this job, and at-most-once forbids a second try"
                    self.finish(Outcome.UNSURE, job, dispatcher.name, error=WorkerDiedError(reason))
        for dispatcher in dispatchers.values():
            dispatcher.start_sender()
        if self._is_empty:  # send a single job before asking for more
            await asyncio.sleep(0)

    async def _read(self, job: Job) -> str:
        """Decode a job and return the name of its gateway, or an empty name if the job has been finished here."""
        limit, died = self._settings.max_crashes, f"{job.crashes} workers died with this job in flight"
        if job.crashes > limit:  # do not even decode it: that may be what kills
            self.finish(Outcome.DEAD, job, error=WorkerDiedError(died))
            return ""
        try:
            if len(job.raw) > self._settings.max_job_bytes:
                limit = self._settings.max_job_bytes
                raise JobTooLargeError(f"the job has {len(job.raw)} bytes, and the limit is {limit}")  # noqa: TRY301
            large = len(job.raw) > LARGE
            read = partial(read_delivery, job.raw, self.queue.channel.name)
            envelope = await asyncio.to_thread(read) if large else read()
            job.message, job.entered_at = envelope.data, entered_at(envelope)
        except Exception as error:  # noqa: BLE001 - whatever reading it raises, a job must not stop the queue
            self.finish(Outcome.INVALID, job, error=error)
            return ""
        kind = str(envelope.data.kind)
        if job.crashes == limit:
            self.finish(Outcome.DEAD, job, kind, error=WorkerDiedError(died))
        elif kind not in self._dispatchers:
            refused = GatewayError(FailureKind.REFUSED, f"there is no gateway for {kind}")
            self.finish(Outcome.DEAD, job, kind, error=refused)
        elif self.queue.is_expired(job):
            self.finish(Outcome.EXPIRED, job, kind)
        else:
            return kind
        return ""

    # settle

    def finish(
        self, outcome: Outcome, job: Job, gateway: str = "", delay: float = 0, error: Exception | None = None
    ) -> None:
        """Decide the outcome of a job. `settle_loop` writes it. The gateway is empty if the job was not decoded."""
        job.delay, job.error = delay, error
        self._finished[outcome, gateway].append(job)
        self._settle_now.set()

    def give_back(self, job: Job, gateway: str = "") -> None:
        """Return a job that was not sent."""
        self.finish(Outcome.POSTPONED if job.tried else Outcome.RETURNED, job, gateway)

    def _postpone(self, job: Job, gateway: str, delay: float) -> None:
        self.finish(Outcome.POSTPONED, job, gateway, delay * random.uniform(1, 1.5))  # noqa: S311 - jitter

    async def settle_loop(self) -> None:
        """Write outcomes to Redis, as many at once as there are."""
        while True:
            await self._settle_now.wait()
            self._settle_now.clear()
            finished, self._finished = self._finished, defaultdict(list)
            for (outcome, gateway), jobs in finished.items():
                for job in jobs if outcome in FAILED else ():  # one by one, because they may be large
                    await self._retry(self._registry.add_failure, self.queue.name, job)
                if not await self._settle(outcome, jobs):
                    await self.resync()
                    await self._settle(outcome, jobs, in_doubt=True)
                self._report(outcome, gateway, jobs)
            self._state.changed.set()

    async def _settle(self, outcome: Outcome, jobs: Sequence[Job], *, in_doubt: bool = False) -> bool:
        """Settle jobs. Return False if Redis did not know all of them: it lost them, or other workers have them."""
        async with self._settling:
            settled = await self._retry(self.queue.settle, outcome, jobs, in_doubt=in_doubt) == len(jobs)
            if settled or in_doubt:
                self.queue.forget(jobs)
        return settled

    def _report(self, outcome: Outcome, gateway: str, jobs: Sequence[Job]) -> None:
        self._metrics.count_settled(outcome, gateway, jobs)
        if outcome in FINAL:
            self._registry.count(processed=len(jobs), failed=len(jobs) if outcome in FAILED else 0)
        for job in jobs:
            if job.error is not None:
                facts = {"ticket": job.ticket, "queue": self.queue.name, "gateway": gateway}
                log.warning(outcome.value, extra=facts | {"reason": _reason(job.error)})

    # resync

    async def resync_loop(self) -> None:
        """Call `resync` once per lease: a failover can lose acknowledgements without a call that fails."""
        while True:
            await asyncio.sleep(self._settings.lease)
            await self.resync()

    async def resync(self) -> None:
        """Make Redis and this worker agree on the jobs in flight, after a failover, a restart, or a lost lease."""
        queue, retry = self.queue, self._retry
        async with self._fetching:
            async with self._settling:
                self._failures_seen, lost = self._state.redis.failures, False
                try:
                    await retry(queue.renew_lease)
                except LeaseLostError:
                    lost = True
                restarted = queue.run_id != self._run_id
                facts = {"queue": queue.name, "in_flight": len(queue.in_flight)}
                if restarted:
                    lost_data = queue.run_id[1] != self._run_id[1]
                    if lost_data:
                        self._metrics.redis_data_losses.inc()
                        log.error("redis lost its data: queued jobs and records of deliveries are gone", extra=facts)
                    else:
                        log.warning("redis was restarted", extra=facts)
                    await retry(queue.restore)
                    await retry(self._registry.register)
                elif lost:
                    log.warning("the lease was lost", extra=facts)
                    for dispatcher in self._dispatchers.values():
                        dispatcher.remove_waiting(queue.name)
                    await retry(queue.acquire_lease)
                    await retry(self._registry.register)
                self._run_id = queue.run_id
                unknown = await retry(queue.find_unknown)
            await self._accept(unknown)


def _reason(error: Exception) -> str:
    """Return the part of an error that may be logged, without values from a payload."""
    if isinstance(error, ContractViolationError):
        return f"{error.violation.pointer or '/'}: {error.violation.keyword}"
    return str(error) if isinstance(error, GatewayError | JobTooLargeError | WorkerDiedError) else type(error).__name__
