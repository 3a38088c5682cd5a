"""`python -m transport.gateway_stub`: both gateways on this machine, with a ledger instead of deliveries.

It takes what the documentation of FCM HTTP v1 and of Twilio's Messages API asks for and refuses the rest as they do.
Unlike them it honours idempotency keys: a key that it has seen is answered like the first time, and acted on once.
`GET /ledger` gives `[{"delivery_id", "kind", "requests"}]`, one row for each delivery in the order of acceptance;
`requests` counts how often it was asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

Misbehave = Callable[[web.Request, str], Awaitable[web.StreamResponse | None]]


@dataclass
class Row:
    """One delivery in the ledger."""

    delivery_id: str
    kind: str
    requests: int = 1


class GatewayStub:
    """The ledger, and the HTTP server in front of it.

    `before` and `after` let a test misbehave, before the delivery is accepted or once it is: they get the request and
    its key, and may answer instead.
    """

    def __init__(self, before: Misbehave | None = None, after: Misbehave | None = None) -> None:
        self.ledger: dict[str, Row] = {}
        self._before, self._after = before, after

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on the loopback interface, and give the URL."""
        app = web.Application()
        app.add_routes([
            web.post("/v1/projects/{project}/messages:send", self._push),
            web.post("/2010-04-01/Accounts/{account}/Messages.json", self._sms),
            web.get("/ledger", self._show),
        ])  # fmt: skip
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _push(self, request: web.Request) -> web.StreamResponse:
        wrong = _wrong_push(await request.json())
        if wrong:
            error = {"code": 400, "message": wrong, "status": "INVALID_ARGUMENT"}
            return web.json_response({"error": error}, status=400)
        project = request.match_info["project"]
        return await self._accept(request, "push", 200, lambda key: {"name": f"projects/{project}/messages/{key}"})

    async def _sms(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        code, wrong = _wrong_sms({name: str(value) for name, value in form.items()})
        if wrong:
            return web.json_response({"code": code, "message": wrong, "status": 400}, status=400)
        return await self._accept(request, "sms", 201, lambda key: {"sid": f"SM{key}", "status": "queued"})

    async def _accept(
        self, request: web.Request, kind: str, status: int, answer: Callable[[str], dict[str, Any]]
    ) -> web.StreamResponse:
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return web.json_response({"error": {"code": 400, "message": "no Idempotency-Key"}}, status=400)
        instead = await self._before(request, key) if self._before else None
        if instead is not None:
            return instead
        if key in self.ledger:
            self.ledger[key].requests += 1
        else:
            self.ledger[key] = Row(key, kind)
        instead = await self._after(request, key) if self._after else None
        return instead or web.json_response(answer(key), status=status)

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(row) for row in self.ledger.values()])


def _wrong_push(body: Any) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, dict):
        return "message is missing"
    if sum(name in message for name in ("token", "topic", "condition")) != 1:
        return "exactly one of token, topic or condition is needed"
    if not re.fullmatch(r"[a-zA-Z0-9-_.~%]+", message.get("topic", "x")):
        return "the topic's name is malformed"
    data = message.get("data", {})
    if not all(isinstance(value, str) for value in data.values()):
        return "data is a map of strings"
    if any(name in ("from", "message_type") or name.startswith(("google", "gcm")) for name in data):
        return "data has a reserved name"
    if message.get("android", {}).get("priority", "NORMAL") not in ("NORMAL", "HIGH"):
        return "android.priority is NORMAL or HIGH"
    return ""


def _wrong_sms(form: dict[str, str]) -> tuple[int, str]:
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", form.get("To", "")):
        return 21211, "The 'To' number is not a valid phone number"
    if not form.get("From") and not form.get("MessagingServiceSid"):
        return 21603, "A 'From' phone number is required"
    if not form.get("Body"):
        return 21602, "Message body is required"
    return (21617, "The message body exceeds 1600 characters") if len(form["Body"]) > 1600 else (0, "")  # noqa: PLR2004


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
