"""Pushes in the shape of the FCM HTTP v1 API: `POST /v1/projects/{project}/messages:send`."""

from __future__ import annotations

from typing import Any

from envelopes.messages import DeliveryRequested

from ._http import Endpoint

_QUOTA_PAUSE = 60.0
"""The pause in seconds after 429 without `Retry-After`. FCM refills the project's quota every minute."""


class PushGateway:
    """The push gateway. `account` is the project, and the credential an OAuth 2 access token.

    FCM documents no idempotency key. If the gateway ignores the header, a push whose response was lost may arrive
    twice; the app can tell by `data.delivery_id`.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._path = f"/v1/projects/{endpoint.account}/messages:send"

    async def send(self, message: DeliveryRequested, key: str) -> None:
        """Send to the device, or to every device of the person: they subscribe to the topic `person-<id>`."""
        high = message.priority == "high"
        to, data = message.recipient, dict(message.details or {})
        body: dict[str, Any] = {
            **({"token": to.device} if to.device else {"topic": f"person-{to.person_id}"}),
            "notification": {"body": message.text},
            "data": data | {"delivery_id": message.delivery_id},
            "android": {"priority": "HIGH" if high else "NORMAL"},
            "apns": {"headers": {"apns-priority": "10" if high else "5"}},
        }
        token = await self._endpoint.credential.get()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        await self._endpoint.post(self._path, headers, pause=_QUOTA_PAUSE, json={"message": body})
