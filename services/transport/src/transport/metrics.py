"""What the worker measures: Prometheus metrics, `/healthz`, and a snapshot in Redis for `transport status`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .jobs import FINAL, Fate, Outcome
from .mailbox import Mailbox
from .routes import Route
from .valve import Breaker

if TYPE_CHECKING:
    from .worker import Worker

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 7200)


class Metrics(Collector):
    """One worker's. Gauges are read from the worker when they are asked for."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self._jobs = Counter(
            "transport_jobs", "Jobs by what became of them", ["fate", "gateway"], registry=self.registry
        )
        self._age = Histogram(
            "transport_age_seconds",
            "From enqueued_at to the end of a job",
            ["fate", "gateway"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._depth: dict[str, dict[str, int]] = {}

    def settled(self, fate: Fate, outcomes: Sequence[Outcome]) -> None:
        """Count jobs whose fate is known to Redis."""
        now, final = time.time(), fate in FINAL
        for gateway in {outcome.gateway for outcome in outcomes}:
            here = [outcome.job.message for outcome in outcomes if outcome.gateway == gateway]
            self._jobs.labels(fate.value, gateway).inc(len(here))
            age = self._age.labels(fate.value, gateway)
            for message in here if final else ():
                if message is not None:
                    age.observe(max(0.0, now - message.enqueued_at.timestamp()))

    def snapshot(self, box: Mailbox) -> dict[str, Any]:
        """Describe this worker in a few words."""
        gateways = {
            name: {
                "breaker": route.valve.breaker.value,
                "under_way": route.busy,
                "waiting": len(route),
                "lanes": route.valve.lanes,
                "share": route.valve.share,
                "rate": route.valve.limits.rate,
            }
            for name, route in self._worker.routes.items()
        }
        return {"in_hand": len(box.in_hand), "paused": self._worker.paused, "gateways": gateways}

    def collect(self) -> Iterable[Metric]:
        """Give the gauges."""
        depth = GaugeMetricFamily("transport_depth", "Jobs in Redis, by where they wait", labels=["queue", "where"])
        for queue, places in self._depth.items():
            for where, number in places.items():
                depth.add_metric([queue, where], number)
        in_hand = GaugeMetricFamily("transport_in_hand", "Jobs that this worker holds", labels=["queue"])
        for box in self._worker.mailboxes:
            in_hand.add_metric([box.queue], len(box.in_hand))
        gauges: dict[str, tuple[str, Callable[[Route], float]]] = {
            "transport_breaker": ("0 closed, 1 half-open, 2 open", lambda r: list(Breaker).index(r.valve.breaker)),
            "transport_under_way": ("Deliveries that a gateway has not answered yet", lambda r: r.busy),
            "transport_lanes": ("Deliveries that may be under way at once", lambda r: r.valve.lanes),
            "transport_rate": ("Deliveries a second", lambda r: (r.valve.limits.rate or 0) * r.valve.share),
        }  # fmt: skip
        families: list[Metric] = []
        for name, (text, read) in gauges.items():
            family = GaugeMetricFamily(name, text, labels=["gateway"])
            for gateway, route in self._worker.routes.items():
                family.add_metric([gateway], read(route))
            families.append(family)
        up = GaugeMetricFamily("transport_redis_up", "Whether Redis answered the last time", value=self._worker.link.up)
        return [depth, in_hand, up, *families]

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve `/metrics` and `/healthz`; give the port."""
        app = web.Application()
        app.add_routes([web.get("/metrics", self._show), web.get("/healthz", self._health)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    async def _show(self, _: web.Request) -> web.Response:
        if self._worker.link.up:
            self._depth = {box.queue: await box.depth() for box in self._worker.mailboxes}
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def _health(self, _: web.Request) -> web.Response:
        worker = self._worker
        leased = all(time.monotonic() < box.lease_ends for box in worker.mailboxes)
        facts = {"ready": worker.ready, "redis": worker.link.up, "leased": leased, "paused": worker.paused}
        healthy = worker.ready and worker.link.up and leased
        return web.json_response(facts, status=200 if healthy else 503)
