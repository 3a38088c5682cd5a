"""The text of `transport status`: the queues, their workers and gateways."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .circuit_breaker import BreakerState
from .job_queue import JobQueue
from .jobs import Outcome


async def show_status(queues: Sequence[JobQueue]) -> str:
    """Describe every queue, its workers, and the gateways as each worker sees them."""
    lines = []
    for queue in queues:
        waiting = ", ".join(f"{depth.jobs} {where}" for where, depth in (await queue.depth()).items())
        counters = [outcome.value for outcome in Outcome] + ["recovered"]
        (numbers,) = await queue.redis.call(("HMGET", queue.key("counts"), *counters))
        found = {name: int(number) for name, number in zip(counters, numbers, strict=True) if number}
        counts = ", ".join(f"{number} {name}" for name, number in sorted(found.items()))
        lines.append(f"{queue.address}: {waiting}")
        lines.append(f"  so far: {counts or 'no jobs'}")
        (workers,) = await queue.redis.call(("ZRANGE", queue.key("leases"), 0, -1))
        lines += [await _worker(queue, name.decode()) for name in workers] or ["  no workers"]
    (failed,) = await queues[0].redis.call(("LLEN", "resque:failed"))
    return "\n".join([*lines, f"resque:failed: {failed}"])


async def _worker(queue: JobQueue, worker: str) -> str:
    clock = queue.key("clock")
    lease, ahead, (seconds, _), held, text = await queue.redis.call(
        ("ZSCORE", queue.key("leases"), worker),
        ("HGET", clock, "ahead"),
        ("EVAL", "return redis.call('TIME')", 1, clock),
        ("HLEN", queue.key(f"in-flight:{worker}")),
        ("GET", queue.key(f"report:{worker}")),
    )
    left = (float(lease or 0) - float(ahead or 0)) / 1000 - int(seconds)
    state = f"lease {left:.1f} s" if left > 0 else "dead, will be recovered"
    report = json.loads(text or b"{}")
    named = f" ({report['name']}{', paused' if report['paused'] else ''})" if report else ""
    return f"  worker {worker}{named}: {state}, {held} in flight" + "".join(
        f"\n    {gateway}: {_gateway(facts)}" for gateway, facts in report.get("gateways", {}).items()
    )


def _gateway(facts: dict[str, Any]) -> str:
    rate = f"{facts['rate']:.1f} of {facts['rate_limit']:g}/s" if facts["rate_limit"] else "no rate limit"
    requests = f"{facts['requests_in_flight']} of {facts['concurrency_limit']} requests in flight"
    state = list(BreakerState)[facts["circuit_breaker"]].value
    return f"circuit breaker {state}, {requests}, {facts['waiting']} waiting, {rate}"
