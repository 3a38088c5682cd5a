"""HTTP answers as the troubles that they mean (RFC 9110, RFC 6585; `Idempotency-Key`: draft-ietf-httpapi)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession

from ._protocol import GatewayError, Trouble

TOO_MANY, UNAVAILABLE = 429, 503
_ABOUT_US = (401, 403, 408)
"""Not this delivery's fault: credentials, a timeout. It is tried again."""


@dataclass(frozen=True)
class Endpoint:
    """An account at a gateway, reached over the worker's one pooled client."""

    session: ClientSession
    url: str
    account: str
    secret: str = ""
    sender: str = ""

    async def post(self, path: str, key: str, headers: Mapping[str, str] | None = None, **body: Any) -> None:
        """Post a body (`json=` or `data=`), and return when it is accepted. Raises GatewayError."""
        headers = {"Idempotency-Key": key, **(headers or {})}
        try:
            async with self.session.post(self.url + path, headers=headers, **body) as answer:
                if not answer.ok:
                    raise await _trouble(answer)
                await answer.read()
        except (ClientError, TimeoutError, OSError) as error:
            raise GatewayError(Trouble.FAILED, type(error).__name__) from None


async def _trouble(answer: ClientResponse) -> GatewayError:
    reason = f"{answer.status} {_code(await answer.read(), answer)}".strip()
    wait = retry_after(answer.headers.get("Retry-After"))
    if answer.status == TOO_MANY or (answer.status == UNAVAILABLE and wait is not None):
        return GatewayError(Trouble.OVERLOADED, reason, wait)
    if 400 <= answer.status < 500 and answer.status not in _ABOUT_US:  # noqa: PLR2004 - the class of the status
        return GatewayError(Trouble.REFUSED, reason)
    return GatewayError(Trouble.FAILED, reason, wait)


def _code(body: bytes, answer: ClientResponse) -> str:
    """The gateway's own short code, never its message: that may quote the payload."""
    from orjson import JSONDecodeError, loads

    try:
        document = loads(body)
    except JSONDecodeError:
        return answer.reason or ""
    error = document.get("error", document) if isinstance(document, dict) else {}
    code = error.get("status") if isinstance(error, dict) and isinstance(error.get("status"), str) else None
    code = code or (error.get("code") if isinstance(error, dict) else None)
    return str(code)[:40] if isinstance(code, int | str) else ""


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Read a `Retry-After` header, delay or date, as seconds from now (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
