"""What the HTTP responses of gateways mean (RFC 9110, RFC 6585; `Idempotency-Key`: draft-ietf-httpapi)."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession
from orjson import JSONDecodeError, loads

from ._credential import Credential
from ._protocol import FailureKind, GatewayError

HTTP_OK, HTTP_REDIRECTS, HTTP_CLIENT_ERRORS, HTTP_SERVER_ERRORS = 200, 300, 400, 500
HTTP_REQUEST_TIMEOUT, HTTP_GONE, HTTP_TOO_MANY_REQUESTS, HTTP_UNAVAILABLE = 408, 410, 429, 503
_CREDENTIAL_REJECTED = (401, 403)
_NOT_THE_GATEWAY = (404, 405, 407, 421, 425)
"""Statuses that a server in front of the gateway sends for every delivery, for example during a deployment."""
_ABOUT_THE_MESSAGE = ("SENDER_ID_MISMATCH", "UNREGISTERED", "Unregistered", "BadDeviceToken", "DeviceTokenNotForTopic")
"""Error codes about one recipient: the delivery is refused, whatever the status is."""
_TWILIO_MESSAGE_ERRORS = range(21000, 22000)
_LOGGABLE_CODE = re.compile(r"[A-Z][A-Za-z_]{2,39}|\d{3,5}")
"""A code that the log shows. Other texts of a gateway may quote the payload, also the reason beside the status."""
_STANDARD_PHRASES = {each.value: each.phrase for each in HTTPStatus}
_MAX_BODY = 1 << 16
"""The bytes of a response that are read, before and after decompression."""
_MAX_BODY_SECONDS = 2.0
_MAX_PAUSE = 3600.0
"""The longest pause in seconds. A gateway that asks for more may have meant milliseconds."""


@dataclass(frozen=True)
class Endpoint:
    """An account at a gateway, and the worker's HTTP session to reach it."""

    session: ClientSession
    url: str
    account: str
    credential: Credential = field(default_factory=Credential)
    sender: str = ""

    async def post(self, path: str, headers: Mapping[str, str], *, pause: float = 0, **body: Any) -> None:
        """Post a body (`json=` or `data=`) and return when the gateway has accepted it. Raises GatewayError.

        `pause` is the time in seconds to wait after 429 without `Retry-After`.
        """
        options: dict[str, Any] = {"allow_redirects": False, "auto_decompress": False}
        try:
            async with self.session.post(self.url + path, headers=headers, **options, **body) as response:
                error = _error_of(response, await _read_body(response), pause)
        except (ClientError, TimeoutError, OSError) as failure:
            raise GatewayError(FailureKind.FAILED, type(failure).__name__) from None
        if error is not None:
            if response.status in _CREDENTIAL_REJECTED:
                self.credential.expire()
            raise error


async def _read_body(response: ClientResponse) -> bytes:
    """Return the start of the body, decompressed. The status counts even if the body never ends."""
    body = b""
    try:
        async with asyncio.timeout(_MAX_BODY_SECONDS):
            while len(body) < _MAX_BODY and (chunk := await response.content.read(_MAX_BODY - len(body))):
                body += chunk
        if response.headers.get("Content-Encoding") in ("gzip", "deflate"):
            body = zlib.decompressobj(wbits=47).decompress(body, _MAX_BODY)
    except (ClientError, TimeoutError, OSError, zlib.error):
        pass
    if not response.content.at_eof():
        response.close()
    return body


def _error_of(response: ClientResponse, body: bytes, pause: float) -> GatewayError | None:
    """Return None if the gateway has accepted the delivery."""
    status, code = response.status, _code(body, response.status)
    reason = f"{status} {code if _LOGGABLE_CODE.fullmatch(code) else _STANDARD_PHRASES.get(status, '')}".strip()
    wait = retry_after(response.headers.get("Retry-After"))
    about_message = code in _ABOUT_THE_MESSAGE or (code.isdecimal() and int(code) in _TWILIO_MESSAGE_ERRORS)
    accepted = HTTP_OK <= status < HTTP_REDIRECTS
    if accepted and response.content_type != "text/html":  # no gateway answers in HTML, but captive portals do
        return None
    if status == HTTP_TOO_MANY_REQUESTS or (status == HTTP_UNAVAILABLE and wait is not None):
        return GatewayError(FailureKind.OVERLOADED, reason, pause if wait is None else wait)
    if accepted or HTTP_REDIRECTS <= status < HTTP_CLIENT_ERRORS:
        return GatewayError(FailureKind.BLOCKED, reason)
    if status in (*_CREDENTIAL_REJECTED, *_NOT_THE_GATEWAY) and not about_message:
        return GatewayError(FailureKind.BLOCKED, reason)
    refused = HTTP_CLIENT_ERRORS <= status < HTTP_SERVER_ERRORS and status != HTTP_REQUEST_TIMEOUT
    if about_message or (refused and (code or status == HTTP_GONE)):
        return GatewayError(FailureKind.REFUSED, reason)
    return GatewayError(FailureKind.FAILED, reason, wait)


def _code(body: bytes, status: int) -> str:
    """Return the gateway's own error code, or an empty text. Its message may quote the payload."""
    try:
        document = loads(body)
    except JSONDecodeError:
        return ""
    error = document.get("error", document) if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return ""
    details = error.get("details")
    codes = [each.get("errorCode") for each in details if isinstance(each, dict)] if isinstance(details, list) else []
    codes += [
        error.get("status") if isinstance(error.get("status"), str) else None,
        error.get("code"),
        error.get("reason"),
    ]
    return next((str(code)[:40] for code in codes if isinstance(code, str | int) and code != status), "")


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Read a `Retry-After` header, delay or date, as seconds from now, an hour at most (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    try:
        if value.strip().isdecimal():
            seconds = float(value)
        else:
            seconds = (parsedate_to_datetime(value) - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, TypeError):  # not a date, or a date without a zone
        return None
    return min(_MAX_PAUSE, max(0.0, seconds))
