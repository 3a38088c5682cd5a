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
from .job_queue import JobQueue, LeaseLostError
from .jobs import FAILED, FINAL, LARGE, Job, JobTooLargeError, Outcome, WorkerDiedError, entered_at, read_delivery
from .metrics import Metrics
from .registry import ResqueRegistry
from .state import WorkerState

log = logging.getLogger("transport")

_SEARCH_INTERVAL = 0.05
"""While one gateway has enough jobs, the queue is searched for the jobs of others at this interval, in seconds."""


class QueueConsumer:
    """Fetches while its jobs can be sent and the consumers of `more_urgent` queues have nothing to fetch."""

    def __init__(
        self,
        state: WorkerState,
        queue: JobQueue,
        more_urgent: Sequence[QueueConsumer],
        dispatchers: Mapping[str, GatewayDispatcher],
        registry: ResqueRegistry,
        metrics: Metrics,
    ) -> None:
        self.queue, self.drained = queue, False
        self.gateway_queues = dict.fromkeys(queue.gateway_queues, 0)
        """The number of jobs that wait in Redis for each gateway."""
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
            if not self._wants_more():
                await self._state.wait_for_change(_SEARCH_INTERVAL)
            elif not all(consumer.drained for consumer in self._more_urgent):
                await asyncio.sleep(0.02)
            else:
                # At least 2 ms: Redis 6.2 rounds 1 ms down to 0, which waits for ever.
                longest = self._settings.poll if due_in is None else min(self._settings.poll, max(due_in, 0.002))
                try:
                    if self._state.redis.failures != self._failures_seen:  # jobs of a lost reply are in flight, too
                        await self.resync()
                    async with self._fetching:
                        due_in = await self._fetch(longest if self.drained else 0)
                except LeaseLostError:
                    await self.resync()
                except REDIS_UNAVAILABLE as error:
                    self._state.redis.record_failure(error)
                    await asyncio.sleep(0.05)

    def _wants_more(self) -> bool:
        wanted = [dispatcher.wants_more for dispatcher in self._dispatchers.values()]
        if self._state.paused or not any(wanted):
            return False
        if self._quarantine and self._state.in_flight:  # quarantined jobs are tried alone
            return False
        if time.monotonic() < self._search_at and not all(wanted):
            return False
        space = self._settings.max_in_flight - self._settings.batch
        return len(self.queue.in_flight) <= space and self.queue.space > 0

    async def _fetch(self, longest: float) -> float | None:
        """Fetch a batch and jobs that wait for their gateways. Return the seconds until the next job is due."""
        limit = self._settings.batch // 4 if any(self.gateway_queues.values()) else self._settings.batch
        batch = await self.queue.fetch(limit, longest=longest)
        self.gateway_queues = batch.gateway_queues
        self.drained = len(batch.jobs) < limit and not batch.quarantined
        self._quarantine = batch.quarantined > 0 or any(job.crashes > 1 for job in batch.jobs)
        await self._accept(batch.jobs)
        for name, dispatcher in self._dispatchers.items():
            waiting = self.gateway_queues[name] and not self._quarantine and not self._is_behind(name)
            if waiting and dispatcher.wants_more:
                waited = await self.queue.fetch(dispatcher.space, name)
                self.gateway_queues = waited.gateway_queues
                self.drained &= not self.gateway_queues[name]
                await self._accept(waited.jobs, from_gateway_queue=True)
        return batch.due_in

    def _is_behind(self, gateway: str) -> bool:
        """Return True if jobs of more urgent queues wait for this gateway."""
        return any(consumer.gateway_queues[gateway] for consumer in self._more_urgent)

    async def _accept(self, jobs: Sequence[Job], *, from_gateway_queue: bool = False) -> None:
        """Decode jobs, claim those that can be sent now, and hand them to their dispatchers."""
        if self._state.stopping.is_set():
            for job in jobs:
                self.give_back(job)
            return
        dispatchers = self._dispatchers
        pauses = {name: dispatcher.limiter.paused_for() for name, dispatcher in dispatchers.items()}
        queued = {
            name: self._is_behind(name) or (not from_gateway_queue and self.gateway_queues[name] > 0)
            for name in dispatchers
        }
        space = {name: 0 if pauses[name] else dispatcher.space for name, dispatcher in dispatchers.items()}
        waiting, ready = defaultdict(list), list[tuple[GatewayDispatcher, Job]]()
        for job in jobs:
            name = await self._read(job)
            if not name:
                continue
            if space[name] > 0 and (job.tried or not queued[name]):
                space[name] -= 1
                ready.append((dispatchers[name], job))
            elif job.tried:
                self._postpone(job, name, max(pauses[name], 1.0))
            else:
                waiting[name].append(job)
        for name, some in waiting.items():
            await self._move_to_gateway_queue(name, some)
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
        if self.drained:  # send a single job before asking for more
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

    async def _move_to_gateway_queue(self, gateway: str, jobs: Sequence[Job]) -> None:
        self._search_at = time.monotonic() + _SEARCH_INTERVAL
        if await self._retry(self.queue.move_to_gateway_queue, gateway, jobs) == len(jobs):
            self.queue.forget(jobs)
            self.gateway_queues[gateway] += len(jobs)
        else:  # `settle_loop` resyncs
            for job in jobs:
                self.finish(Outcome.RETURNED, job, gateway)

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
