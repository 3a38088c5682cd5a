"""Prometheus metrics, `/healthz`, and the snapshot in Redis that `transport status` shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from .circuit_breaker import BreakerState
from .connection import REDIS_UNAVAILABLE
from .dispatch import GatewayDispatcher
from .http_server import serving
from .jobs import FINAL, Job, Outcome
from .registry import ResqueRegistry
from .state import WorkerState

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 7200)
_GATEWAY_GAUGES: dict[str, tuple[str, Callable[[GatewayDispatcher], float]]] = {
    "circuit_breaker": (
        "0 closed, 1 half-open, 2 open", lambda each: list(BreakerState).index(each.limiter.circuit_breaker)
    ),
    "blocked": ("1 if the gateway accepts no delivery, whatever the message is", lambda each: each.limiter.blocked),
    "requests_in_flight": ("Requests that the gateway has not answered yet", lambda each: each.requests_in_flight),
    "concurrency_limit": ("Requests that may be in flight at once", lambda each: each.limiter.concurrency),
    "waiting": ("Jobs in flight that wait for their gateway", len),
    "rate_limit": ("Requests allowed per second; 0 means no limit", lambda each: each.limiter.limits.rate or 0),
    "rate": (
        "Requests per second at present", lambda each: (each.limiter.limits.rate or 0) * each.limiter.rate_factor
    ),
}  # fmt: skip


class Metrics:
    """The metrics of one worker. Gauges are read from its state when they are asked for."""

    def __init__(
        self, state: WorkerState, dispatchers: Mapping[str, GatewayDispatcher], resque: ResqueRegistry
    ) -> None:
        self._state, self._dispatchers, self._resque, self.registry = state, dispatchers, resque, CollectorRegistry()
        labels = ["outcome", "gateway"]
        self._jobs = Counter("transport_jobs", "Jobs by outcome", labels, registry=self.registry)
        text = "Seconds from the event behind a delivery to the outcome of its job"
        self._age = Histogram("transport_age_seconds", text, labels, buckets=_BUCKETS, registry=self.registry)
        text = "Jobs that wait in Redis, by place"
        self._depth = Gauge("transport_depth", text, ["queue", "where"], registry=self.registry)
        text = "Seconds since the event behind the delivery at the head of each place; NaN if it cannot be read"
        self._oldest = Gauge("transport_oldest_seconds", text, ["queue", "where"], registry=self.registry)
        text = "Jobs that this worker has fetched and not settled yet"
        in_flight = Gauge("transport_in_flight", text, ["queue"], registry=self.registry)
        for queue in state.queues:
            in_flight.labels(queue.name).set_function(partial(len, queue.in_flight))
        text = "How often Redis came back without its data"
        self.redis_data_losses = Counter("transport_redis_data_losses", text, registry=self.registry)
        self._dead_letters = Gauge("transport_dead_letters", "Entries of resque:failed", registry=self.registry)
        text = "Seconds since the oldest entry of resque:failed was written"
        self._oldest_dead_letter = Gauge("transport_oldest_dead_letter_seconds", text, registry=self.registry)
        up = Gauge("transport_redis_up", "1 if Redis answered the last call", registry=self.registry)
        up.set_function(lambda: state.redis.available)
        for name, (text, read) in _GATEWAY_GAUGES.items():
            gauge = Gauge(f"transport_{name}", text, ["gateway"], registry=self.registry)
            for gateway, dispatcher in dispatchers.items():
                gauge.labels(gateway).set_function(partial(read, dispatcher))

    def count_settled(self, outcome: Outcome, gateway: str, jobs: Sequence[Job]) -> None:
        """Count jobs whose outcome has been written to Redis."""
        self._jobs.labels(outcome.value, gateway).inc(len(jobs))
        age, now = self._age.labels(outcome.value, gateway), time.time()
        for job in jobs if outcome in FINAL else ():
            if job.message is not None:
                age.observe(max(0.0, now - job.entered_at))

    def snapshot(self) -> dict[str, Any]:
        """Return the worker's state as it is shown by `transport status`."""
        gateways = {
            gateway: {name: read(dispatcher) for name, (_, read) in _GATEWAY_GAUGES.items()}
            for gateway, dispatcher in self._dispatchers.items()
        }
        return {"paused": self._state.paused, "gateways": gateways}

    def serving(self, host: str, port: int) -> AbstractAsyncContextManager[int]:
        """Serve `/metrics`, `/healthz` and `/livez` until the block ends, and yield the port."""
        routes = {"/metrics": self._show, "/healthz": self._health, "/livez": self._live}
        return serving([web.get(path, handler) for path, handler in routes.items()], host, port)

    async def sample_loop(self) -> None:
        """Read from Redis what the pages show, so that the pages themselves never wait for Redis.

        That takes at most a twentieth of the time, also if large jobs are at the heads of queues.
        """
        while True:
            started = time.monotonic()
            try:
                for queue in self._state.queues:
                    for where, depth in (await queue.depth()).items():
                        self._depth.labels(queue.name, where).set(depth.jobs)
                        self._oldest.labels(queue.name, where).set(depth.age)
                dead_letters, age = await self._resque.dead_letters()
                self._dead_letters.set(dead_letters)
                self._oldest_dead_letter.set(age)
            except REDIS_UNAVAILABLE:
                self._state.redis.failures += 1
            await asyncio.sleep(max(self._state.settings.lease / 2, 19 * (time.monotonic() - started)))

    async def _show(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def _health(self, _: web.Request) -> web.Response:
        state = self._state
        leased = all(time.monotonic() < queue.lease_ends for queue in state.queues)
        closed = {name: each.limiter.circuit_breaker for name, each in self._dispatchers.items()}
        delivering = all(breaker is BreakerState.CLOSED for breaker in closed.values())
        healthy = {"ready": state.ready, "redis": state.redis.available, "leased": leased, "delivering": delivering}
        healthy["keeps_all_keys"] = not any(queue.evicts for queue in state.queues)
        facts = healthy | {"paused": state.paused, "gateways": {name: each.value for name, each in closed.items()}}
        return web.json_response(facts, status=200 if all(healthy.values()) else 503)

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})
