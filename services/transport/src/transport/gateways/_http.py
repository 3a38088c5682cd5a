"""HTTP answers as the troubles that they mean (RFC 9110, RFC 6585; `Idempotency-Key`: draft-ietf-httpapi)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession
from orjson import JSONDecodeError, loads

from ._protocol import GatewayError, Trouble

TOO_MANY, UNAVAILABLE = 429, 503
_ABOUT_US = (401, 403, 408)
"""Not this delivery's fault: credentials, a timeout. It is tried again."""
_ABOUT_IT = ("SENDER_ID_MISMATCH",)
"""This delivery's fault, whatever the status says."""


_LONGEST_PAUSE = 3600.0
"""In seconds: after that, a gateway that asked for more is asked again. It may have meant milliseconds."""


@dataclass(frozen=True)
class Endpoint:
    """An account at a gateway, reached over the worker's one pooled client."""

    session: ClientSession
    url: str
    account: str
    secret: str = "local"  # noqa: S105 - what the stub takes
    sender: str = ""

    async def post(self, path: str, headers: Mapping[str, str], *, pause: float = 0, **body: Any) -> None:
        """Post a body (`json=` or `data=`), and return when it is accepted. Raises GatewayError.

        Where the gateway asks for less and names no time, it gets a `pause`, in seconds.
        """
        try:
            async with self.session.post(self.url + path, headers=headers, **body) as answer:
                if not answer.ok:
                    raise await _trouble(answer, pause)
                await answer.read()
        except (ClientError, TimeoutError, OSError) as error:
            raise GatewayError(Trouble.FAILED, type(error).__name__) from None


async def _trouble(answer: ClientResponse, pause: float) -> GatewayError:
    status, code = answer.status, _code(await answer.content.read(1 << 16)) or answer.reason or ""
    reason = f"{status} {code}".strip()
    wait = retry_after(answer.headers.get("Retry-After"))
    if status == TOO_MANY or (status == UNAVAILABLE and wait is not None):
        return GatewayError(Trouble.OVERLOADED, reason, pause if wait is None else wait)
    if 400 <= status < 500 and (status not in _ABOUT_US or code in _ABOUT_IT):  # noqa: PLR2004 - the class of the status
        return GatewayError(Trouble.REFUSED, reason)
    return GatewayError(Trouble.FAILED, reason, wait)


def _code(body: bytes) -> str:
    """The gateway's own short code, never its message: that may quote the payload."""
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
    except (ValueError, TypeError):  # no date, or one without a zone
        return None
    return min(_LONGEST_PAUSE, max(0.0, seconds))
