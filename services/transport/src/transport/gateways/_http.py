"""What the HTTP responses of gateways mean (RFC 9110, RFC 6585; `Idempotency-Key`: draft-ietf-httpapi)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession
from orjson import JSONDecodeError, loads

from ._protocol import FailureKind, GatewayError

HTTP_TOO_MANY_REQUESTS, HTTP_UNAVAILABLE = 429, 503
_NOT_ABOUT_THE_MESSAGE = (401, 403, 408)
"""Statuses about credentials or a timeout: the delivery is tried again."""
_ABOUT_THE_RECIPIENT = ("SENDER_ID_MISMATCH",)
"""Error codes about one recipient, whatever the status is: the delivery is not tried again."""


_MAX_PAUSE = 3600.0
"""The longest pause in seconds. A gateway that asks for more may have meant milliseconds."""


@dataclass(frozen=True)
class Endpoint:
    """An account at a gateway, and the worker's HTTP session to reach it."""

    session: ClientSession
    url: str
    account: str
    secret: str = "local"  # noqa: S105 - what the stub takes
    sender: str = ""

    async def post(self, path: str, headers: Mapping[str, str], *, pause: float = 0, **body: Any) -> None:
        """Post a body (`json=` or `data=`) and return when the gateway has accepted it. Raises GatewayError.

        `pause` is the time in seconds to wait after 429 without `Retry-After`.
        """
        try:
            async with self.session.post(self.url + path, headers=headers, **body) as response:
                if not response.ok:
                    raise await _error_of(response, pause)
                await response.read()
        except (ClientError, TimeoutError, OSError) as error:
            raise GatewayError(FailureKind.FAILED, type(error).__name__) from None


async def _error_of(response: ClientResponse, pause: float) -> GatewayError:
    status, code = response.status, _code(await response.content.read(1 << 16)) or response.reason or ""
    reason = f"{status} {code}".strip()
    wait = retry_after(response.headers.get("Retry-After"))
    if status == HTTP_TOO_MANY_REQUESTS or (status == HTTP_UNAVAILABLE and wait is not None):
        return GatewayError(FailureKind.OVERLOADED, reason, pause if wait is None else wait)
    if 400 <= status < 500 and (status not in _NOT_ABOUT_THE_MESSAGE or code in _ABOUT_THE_RECIPIENT):  # noqa: PLR2004 - the class of the status
        return GatewayError(FailureKind.REFUSED, reason)
    return GatewayError(FailureKind.FAILED, reason, wait)


def _code(body: bytes) -> str:
    """Return the gateway's error code. Its message is left out, because it may quote the payload."""
    try:
        document = loads(body)
    except JSONDecodeError:
        return ""
    error = document.get("error", document) if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return ""
    details = error.get("details")
    codes = [each.get("errorCode") for each in details if isinstance(each, dict)] if isinstance(details, list) else []
    codes += [error.get("status") if isinstance(error.get("status"), str) else None, error.get("code")]
    return next((str(code)[:40] for code in codes if isinstance(code, str | int)), "")


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
