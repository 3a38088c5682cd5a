"""What the worker measures: Prometheus metrics, `/healthz`, and a snapshot in Redis for `transport status`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from .jobs import FINAL, Fate, Job
from .routes import Route
from .serving import serving
from .valve import Breaker

if TYPE_CHECKING:
    from .worker import Worker

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 7200)
_OF_GATEWAYS: dict[str, tuple[str, Callable[[Route], float]]] = {
    "breaker": ("0 closed, 1 half-open, 2 open", lambda route: list(Breaker).index(route.valve.breaker)),
    "under_way": ("Deliveries that a gateway has not answered yet", lambda route: route.busy),
    "lanes": ("Deliveries that may be under way at once", lambda route: route.valve.lanes),
    "waiting": ("Jobs in hand that wait for their gateway", len),
    "limit": ("Deliveries allowed a second; 0 for any number", lambda route: route.valve.limits.rate or 0),
    "rate": ("Deliveries a second at present", lambda route: (route.valve.limits.rate or 0) * route.valve.share),
}


class Metrics:
    """One worker's. Gauges are read from the worker when they are asked for."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self.registry = worker, CollectorRegistry()
        ends = ["fate", "gateway"]
        self._jobs = Counter("transport_jobs", "Jobs by what became of them", ends, registry=self.registry)
        text = "From enqueued_at to the end of a job"
        self._age = Histogram("transport_age_seconds", text, ends, buckets=_BUCKETS, registry=self.registry)
        where = ["queue", "where"]
        self._depth = Gauge("transport_depth", "Jobs in Redis, by where they wait", where, registry=self.registry)
        in_hand = Gauge("transport_in_hand", "Jobs that this worker holds", ["queue"], registry=self.registry)
        for desk in worker.desks:
            in_hand.labels(desk.box.queue).set_function(partial(len, desk.box.in_hand))
        up = Gauge("transport_redis_up", "Whether Redis answered the last time", registry=self.registry)
        up.set_function(lambda: worker.link.up)
        for name, (text, read) in _OF_GATEWAYS.items():
            gauge = Gauge(f"transport_{name}", text, ["gateway"], registry=self.registry)
            for gateway, route in worker.routes.items():
                gauge.labels(gateway).set_function(partial(read, route))

    def settled(self, fate: Fate, gateway: str, jobs: Sequence[Job]) -> None:
        """Count jobs whose fate is known to Redis."""
        self._jobs.labels(fate.value, gateway).inc(len(jobs))
        age, now = self._age.labels(fate.value, gateway), time.time()
        for job in jobs if fate in FINAL else ():
            if job.message is not None:
                age.observe(max(0.0, now - job.enqueued_at))

    def snapshot(self) -> dict[str, Any]:
        """Describe this worker in a few words."""
        gateways = {
            gateway: {name: read(route) for name, (_, read) in _OF_GATEWAYS.items()}
            for gateway, route in self._worker.routes.items()
        }
        return {"paused": self._worker.paused, "gateways": gateways}

    def serving(self, host: str, port: int) -> AbstractAsyncContextManager[int]:
        """Serve `/metrics` and `/healthz`; give the port."""
        return serving([web.get("/metrics", self._show), web.get("/healthz", self._health)], host, port)

    async def _show(self, _: web.Request) -> web.Response:
        for desk in self._worker.desks if self._worker.link.up else ():
            for where, number in (await desk.box.depth()).items():
                self._depth.labels(desk.box.queue, where).set(number)
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def _health(self, _: web.Request) -> web.Response:
        worker = self._worker
        leased = all(time.monotonic() < desk.box.lease_ends for desk in worker.desks)
        facts = {"ready": worker.ready, "redis": worker.link.up, "leased": leased, "paused": worker.paused}
        healthy = worker.ready and worker.link.up and leased
        return web.json_response(facts, status=200 if healthy else 503)
