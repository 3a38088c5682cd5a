"""Where deliveries go."""

from __future__ import annotations

from typing import Any, Protocol

import aiohttp

from envelopes.messages import DeliveryRequested


class GatewayError(Exception):
    """A gateway did not accept a delivery; the text says why, without the payload."""


class Gateway(Protocol):
    """Sends one delivery; `key` makes sending it again harmless. Raises GatewayError."""

    async def send(self, message: DeliveryRequested, key: str) -> None:
        """Return when the gateway has accepted it."""
        ...


class HttpGateway:
    """Posts each delivery as JSON."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self._session = url.rstrip("/") + "/deliveries", session

    async def send(self, message: DeliveryRequested, key: str) -> None:
        """Post it, with the idempotency key as a header."""
        body: dict[str, Any] = message.model_dump(mode="json")
        try:
            async with self._session.post(self.url, json=body, headers={"Idempotency-Key": key}) as answer:
                if not answer.ok:
                    raise GatewayError(f"{self.url} answered {answer.status}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise GatewayError(f"{self.url}: {type(error).__name__}") from None
