"""The text of `transport status`: the queues, their workers and gateways."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .circuit_breaker import BreakerState
from .job_queue import JobQueue


async def show_status(queues: Sequence[JobQueue]) -> str:
    """Describe every queue, its workers, and the gateways as each worker sees them."""
    lines = []
    for queue in queues:
        depth = ", ".join(f"{number} {where}" for where, number in (await queue.depth()).items())
        found = await queue.redis.execute_command("HGETALL", queue.key("counts"))
        counts = ", ".join(f"{int(number)} {name.decode()}" for name, number in sorted(found.items()))
        lines.append(f"{queue.address}: {depth}")
        lines.append(f"  so far: {counts or 'no jobs'}")
        leases: Any = await queue.redis.zrange(queue.key("leases"), 0, -1, withscores=True)
        lines += [await _worker(queue, name.decode(), lease) for name, lease in leases] or ["  no workers"]
    failed = await queues[0].redis.execute_command("LLEN", "resque:failed")
    return "\n".join([*lines, f"resque:failed: {failed}"])


async def _worker(queue: JobQueue, worker: str, lease: float) -> str:
    clock = queue.key("clock")
    ahead = float(await queue.redis.execute_command("HGET", clock, "ahead") or 0)
    seconds, _ = await queue.redis.execute_command("EVAL", "return redis.call('TIME')", 1, clock)
    left = (lease - ahead) / 1000 - int(seconds)
    held = await queue.redis.execute_command("HLEN", queue.key(f"in-flight:{worker}"))
    state = f"lease {left:.1f} s" if left > 0 else "dead, will be recovered"
    report = json.loads(await queue.redis.execute_command("GET", queue.key(f"report:{worker}")) or b"{}")
    named = f" ({report['name']}{', paused' if report['paused'] else ''})" if report else ""
    return f"  worker {worker}{named}: {state}, {held} in flight" + "".join(
        f"\n    {gateway}: {_gateway(facts)}" for gateway, facts in report.get("gateways", {}).items()
    )


def _gateway(facts: dict[str, Any]) -> str:
    rate = f"{facts['rate']:.1f} of {facts['rate_limit']:g}/s" if facts["rate_limit"] else "no rate limit"
    requests = f"{facts['requests_in_flight']} of {facts['concurrency_limit']} requests in flight"
    state = list(BreakerState)[facts["circuit_breaker"]].value
    return f"circuit breaker {state}, {requests}, {facts['waiting']} waiting, {rate}"
