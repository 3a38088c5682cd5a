"""The worker: it fetches a batch, decodes it, delivers, and settles. A consumer per queue fetches and settles."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence

from envelopes.messages import DeliveryRequested

from .consumer import QueueConsumer
from .dispatch import GatewayDispatcher
from .gateways import FailureKind, Gateway, GatewayError
from .job_queue import HEARTBEAT, JobQueue, LeaseLostError
from .jobs import Job, Outcome
from .limiter import GatewayLimiter
from .metrics import Metrics
from .registry import ResqueRegistry
from .settings import Settings
from .state import WorkerState

log = logging.getLogger("transport")


async def deliver(message: DeliveryRequested, gateways: Mapping[str, Gateway]) -> None:
    """Send one delivery to its gateway, with a key that makes a second attempt harmless. Raises GatewayError."""
    await gateways[message.kind].send(message, key=message.delivery_id)


class Worker:
    """Works on queues in order of priority: on a later one only while the earlier ones are empty."""

    def __init__(
        self,
        queues: Sequence[JobQueue],
        gateways: Mapping[str, Gateway],
        limiters: Sequence[GatewayLimiter],
        registry: ResqueRegistry,
        settings: Settings | None = None,
    ) -> None:
        self.state = WorkerState(settings or Settings(), queues)
        self._settings, self._registry, self._gateways = self.state.settings, registry, gateways
        self._retry, self.stop = self.state.redis.retry, self.state.stop
        names, limit = [queue.name for queue in queues], self._settings.batch
        self.dispatchers = {
            limiter.name: GatewayDispatcher(limiter, self._attempt, limit, names, self.state.redis)
            for limiter in limiters
        }
        self.metrics = Metrics(self.state, self.dispatchers, registry)
        self._consumers: dict[str, QueueConsumer] = {}
        for queue in queues:
            more_urgent = tuple(self._consumers.values())
            self._consumers[queue.name] = QueueConsumer(
                self.state, queue, more_urgent, self.dispatchers, registry, self.metrics
            )

    async def run(self) -> None:
        """Run until `stop`. Raises OldKeysError, and any error that no part of the worker expects."""
        state, consumers = self.state, self._consumers.values()
        stopping = asyncio.create_task(state.stopping.wait())
        starting = asyncio.create_task(self._start())
        await asyncio.wait([stopping, starting], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            return
        await starting
        fetching = [asyncio.create_task(consumer.fetch_loop()) for consumer in consumers]
        staying_alive = [
            asyncio.create_task(self._heartbeat_loop()),
            *(asyncio.create_task(consumer.resync_loop()) for consumer in consumers),
        ]
        tasks = [
            *staying_alive,
            asyncio.create_task(self.metrics.sample_loop()),
            *fetching,
            *(asyncio.create_task(consumer.settle_loop()) for consumer in consumers),
        ]
        state.ready = True
        log.info("ready", extra={"queues": list(self._consumers)})
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        state.ready = False
        self.stop()
        try:
            async with asyncio.timeout(self._settings.deadline):
                await self._drain(fetching, staying_alive)
        except TimeoutError:
            log.warning("stopped at the deadline", extra={"in_flight": state.in_flight})
        for task in (stopping, *tasks):
            task.cancel()
        for task in done - {stopping}:
            if not task.cancelled():
                task.result()

    async def _start(self) -> None:
        for consumer in self._consumers.values():
            await consumer.start()
        await self._retry(self._registry.register)

    async def _drain(self, fetching: Sequence[asyncio.Task[None]], staying_alive: Sequence[asyncio.Task[None]]) -> None:
        await asyncio.wait(fetching)
        for dispatcher in self.dispatchers.values():
            dispatcher.limiter.close()
            for name, consumer in self._consumers.items():
                for job in dispatcher.remove_waiting(name):
                    consumer.give_back(job, dispatcher.name)
        for dispatcher in self.dispatchers.values():
            await dispatcher.wait_until_idle()
        while self.state.in_flight:
            await self.state.wait_for_change(1)
        for task in staying_alive:
            task.cancel()  # they would acquire again the lease that ends here
        await asyncio.wait(staying_alive)
        await self._retry(self._write_registry)
        for queue in self.state.queues:
            await self._retry(queue.release_lease)
        await self._retry(self._registry.unregister, self._registry.worker)

    # deliver

    async def _attempt(self, gateway: str, queue_name: str, job: Job) -> bool:
        """Send one job and decide its outcome. Return False if the sending task should end."""
        assert job.message is not None
        consumer, dispatcher = self._consumers[queue_name], self.dispatchers[gateway]
        if consumer.queue.is_expired(job):
            consumer.finish(Outcome.EXPIRED, job, gateway)
            return True
        if time.monotonic() > consumer.queue.lease_ends:  # another worker may have it; the heartbeat finds out
            dispatcher.add(queue_name, job, first=True)
            return False
        try:
            await deliver(job.message, self._gateways)
        except Exception as error:  # noqa: BLE001 - whatever a gateway raises, the job must not be lost
            unknown = GatewayError(FailureKind.FAILED, type(error).__name__)
            failure = error if isinstance(error, GatewayError) else unknown
            outcome, delay = self._outcome_for(consumer.queue, job, failure)
            consumer.finish(outcome, job, gateway, delay, error)
            dispatcher.limiter.record_failure(failure)
            await self._retry(dispatcher.limiter.share_failure, failure)
        else:
            dispatcher.limiter.record_success()
            consumer.finish(Outcome.DELIVERED, job, gateway)
        return True

    def _outcome_for(self, queue: JobQueue, job: Job, error: GatewayError) -> tuple[Outcome, float]:
        """Return the outcome of a job that was not accepted, and the delay in seconds before it is tried again."""
        after, settings = error.retry_after or 0.0, self._settings
        if error.kind in (FailureKind.OVERLOADED, FailureKind.BLOCKED):
            return Outcome.POSTPONED, max(after, settings.backoff) * random.uniform(1, 1.5)  # noqa: S311 - jitter
        if queue.at_most_once and error.kind is FailureKind.FAILED:
            return Outcome.UNSURE, 0.0
        if error.kind is FailureKind.REFUSED or job.failures + 1 >= settings.attempts:
            return Outcome.DEAD, 0.0
        backoff = min(settings.max_backoff, settings.backoff * 2**job.failures)
        return Outcome.RETRIED, max(after, backoff * random.uniform(0.5, 1))  # noqa: S311 - jitter

    # stay alive

    async def _heartbeat_loop(self) -> None:
        """Renew the leases, recover the jobs of dead workers, and write the registry."""
        while True:
            for consumer in self._consumers.values():
                try:
                    dead = await self._retry(consumer.queue.renew_lease)
                except LeaseLostError:
                    await consumer.resync()
                    continue
                # After an outage every worker gets a full lease to come back.
                if time.monotonic() > self.state.redis.available_since + self._settings.lease:
                    for worker in dead:
                        await self._recover(consumer.queue, worker)
            await self._retry(self._write_registry)
            await asyncio.sleep(self._settings.lease * HEARTBEAT)

    async def _recover(self, queue: JobQueue, worker: str) -> None:
        jobs = await self._retry(queue.recover, worker)
        if jobs >= 0:
            await self._retry(self._registry.prune, worker.partition(".")[0])
            log.warning("recovered a dead worker's jobs", extra={"queue": queue.name, "worker": worker, "jobs": jobs})

    async def _write_registry(self) -> None:
        jobs = ((queue.name, job.raw) for queue in self.state.queues for job in queue.in_flight.values())
        paused = await self._registry.write_heartbeat(next(jobs, None))
        self.state.paused = paused or self.state.paused_by_signal
        for queue in self.state.queues:
            await queue.write_report({"name": self._registry.worker} | self.metrics.snapshot())
