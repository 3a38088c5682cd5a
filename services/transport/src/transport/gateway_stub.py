"""`python -m transport.gateway_stub`: a gateway on this machine that keeps a ledger instead of delivering.

It honours idempotency keys: a key it has seen is answered like the first time, and delivered once. `GET /ledger` gives
`[{"delivery_id", "kind", "requests"}]`, one row for each delivery; `requests` counts how often it was asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from aiohttp import web


@dataclass
class Row:
    """One delivery in the ledger."""

    delivery_id: str
    kind: str
    requests: int = 1


class GatewayStub:
    """The ledger, and the HTTP server in front of it."""

    def __init__(self) -> None:
        self.ledger: dict[str, Row] = {}

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on the loopback interface, and give the URL."""
        app = web.Application()
        app.add_routes([web.post("/deliveries", self._deliver), web.get("/ledger", self._show)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _deliver(self, request: web.Request) -> web.Response:
        key = request.headers.get("Idempotency-Key")
        body = await request.json()
        if not key:
            return web.json_response({"error": "no Idempotency-Key"}, status=400)
        if key in self.ledger:
            self.ledger[key].requests += 1
        else:
            self.ledger[key] = Row(key, body["kind"])
        return web.json_response({"delivery_id": key})

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(row) for row in self.ledger.values()])


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the first line on stdout is the URL."""
    parser = argparse.ArgumentParser(prog="transport.gateway_stub", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args(arguments)
    asyncio.run(_serve(options.port))
    return 0


async def _serve(port: int) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with GatewayStub().serving(port) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        await stopping.wait()


if __name__ == "__main__":
    sys.exit(main())
