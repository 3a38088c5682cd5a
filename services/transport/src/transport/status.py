"""What the mailboxes and their workers are doing, for people in a terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from .mailbox import Mailbox
from .valve import Breaker


async def show_status(mailboxes: Sequence[Mailbox]) -> str:
    """Describe every queue, its workers and the gateways as they see them."""
    lines = []
    for box in mailboxes:
        depth = ", ".join(f"{number} {where}" for where, number in (await box.depth()).items())
        found = await box.redis.execute_command("HGETALL", box.key("counts"))
        counts = ", ".join(f"{int(number)} {name.decode()}" for name, number in sorted(found.items()))
        lines.append(f"{box.address}: {depth}")
        lines.append(f"  so far: {counts or 'nothing'}")
        leases: Any = await box.redis.zrange(box.key("workers"), 0, -1, withscores=True)
        lines += [await _worker(box, name.decode(), lease) for name, lease in leases] or ["  no workers"]
    failed = await mailboxes[0].redis.execute_command("LLEN", "resque:failed")
    return "\n".join([*lines, f"resque:failed: {failed}"])


async def _worker(box: Mailbox, worker: str, lease: float) -> str:
    left = lease / 1000 - time.time()
    held = await box.redis.execute_command("HLEN", box.key(f"hand:{worker}"))
    state = f"lease {left:.1f} s" if left > 0 else "dead, to be recovered"
    report = json.loads(await box.redis.execute_command("GET", box.key(f"report:{worker}")) or b"{}")
    named = f" ({report['name']}{', paused' if report['paused'] else ''})" if report else ""
    return f"  worker {worker}{named}: {state}, {held} in hand" + "".join(
        f"\n    {gateway}: {_gateway(facts)}" for gateway, facts in report.get("gateways", {}).items()
    )


def _gateway(facts: dict[str, Any]) -> str:
    rate = f"{facts['rate']:.1f} of {facts['limit']:g}/s" if facts["limit"] else "no rate limit"
    busy = f"{facts['under_way']} of {facts['lanes']} under way, {facts['waiting']} waiting"
    return f"breaker {list(Breaker)[facts['breaker']].value}, {busy}, {rate}"
