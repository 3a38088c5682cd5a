"""A local stub of both gateways (`python -m transport.gateway_stub`) that keeps a ledger instead of delivering.

It accepts requests as documented for FCM HTTP v1 and Twilio's Messages API, and refuses others with the same errors.
Unlike them it honours idempotency keys: a repeated key gets the same response and has no second effect.
`GET /ledger` returns `[{"delivery_id", "kind", "requests"}]`, one row for each delivery in the order of acceptance.
`requests` is the number of requests for it.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web
from orjson import loads

from .http_server import serving

Misbehave = Callable[[web.Request, str], Awaitable[web.StreamResponse | None]]


@dataclass
class Row:
    """A delivery in the ledger."""

    delivery_id: str
    kind: str
    requests: int = 1


class GatewayStub:
    """The ledger, and the HTTP server in front of it.

    A test can pass `before` and `after`, which run before and after a delivery is accepted. They get the request and
    its key, and may return a response to send instead.
    """

    def __init__(self, before: Misbehave | None = None, after: Misbehave | None = None) -> None:
        self.ledger: dict[str, Row] = {}
        self._before, self._after = before, after

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on the loopback interface until the block ends, and yield the URL."""
        routes = (
            web.post("/v1/projects/{project}/messages:send", self._push),
            web.post("/2010-04-01/Accounts/{account}/Messages.json", self._sms),
            web.get("/ledger", self._show),
        )
        async with serving(routes, "127.0.0.1", port) as taken:
            yield f"http://127.0.0.1:{taken}"

    async def _push(self, request: web.Request) -> web.StreamResponse:
        status, code, wrong = _wrong_push(request.headers, request.content_type, await request.read())
        if wrong:
            fcm = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}
            error = {"code": status, "message": wrong, "status": _CANONICAL[status], "details": [fcm]}
            return web.json_response({"error": error}, status=status)
        project = request.match_info["project"]
        return await self._accept(request, "push", 200, lambda key: {"name": f"projects/{project}/messages/{key}"})

    async def _sms(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        status, code, wrong = _wrong_sms(request.headers, request.match_info["account"], form)
        if wrong:
            return web.json_response({"code": code, "message": wrong, "status": status}, status=status)
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


_CANONICAL = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND"}
_UNREGISTERED = "unregistered"
"""Device tokens that start with this are answered with UNREGISTERED."""
_MAGIC = {
    "+15005550001": (21211, "The 'To' number is not a valid phone number"),
    "+15005550002": (21612, "The 'To' number is not reachable"),
    "+15005550003": (21408, "Permission to send to this region is not enabled"),
    "+15005550004": (21610, "The recipient has unsubscribed"),
    "+15005550009": (21614, "The 'To' number cannot receive SMS"),
}
"""Twilio's responses to these numbers under test credentials."""


def _wrong_push(headers: Mapping[str, str], content: str, raw: bytes) -> tuple[int, str, str]:
    """Return the status, FCM's error code and a message."""
    if not headers.get("Authorization", "").startswith("Bearer "):
        return 401, "THIRD_PARTY_AUTH_ERROR", "an OAuth 2 access token is needed"
    wrong = _malformed(loads(raw)) if content == "application/json" else "the body is JSON"
    if wrong:
        return 400, "INVALID_ARGUMENT", wrong
    if loads(raw)["message"].get("token", "").startswith(_UNREGISTERED):
        return 404, "UNREGISTERED", "Requested entity was not found."
    return 200, "", ""


def _malformed(body: Any) -> str:
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
    if sum(len(text.encode()) for each in data.items() for text in each) > 4096:  # noqa: PLR2004 - FCM's limit
        return "the message is too big"
    if message.get("android", {}).get("priority", "NORMAL") not in ("NORMAL", "HIGH"):
        return "android.priority is NORMAL or HIGH"
    return ""


def _wrong_sms(headers: Mapping[str, str], account: str, form: Mapping[str, str]) -> tuple[int, int, str]:
    """Return the status, Twilio's error code and a message."""
    scheme, _, credentials = headers.get("Authorization", "").partition(" ")
    if scheme != "Basic" or not b64decode(credentials).startswith(f"{account}:".encode()):
        return 401, 20003, "Authenticate"
    code, wrong = _MAGIC.get(form.get("To", ""), (0, ""))
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", form.get("To", "")):
        code, wrong = _MAGIC["+15005550001"]
    elif not form.get("From") and not form.get("MessagingServiceSid"):
        code, wrong = 21603, "A 'From' phone number is required"
    elif not form.get("Body"):
        code, wrong = 21602, "Message body is required"
    elif len(form["Body"]) > 1600:  # noqa: PLR2004 - Twilio's limit
        code, wrong = 21617, "The message body exceeds 1600 characters"
    return 400, code, wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. The first line on stdout is the URL."""
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
