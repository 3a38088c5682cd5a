"""Pushes in the shape of the FCM HTTP v1 API: `POST /v1/projects/{project}/messages:send`."""

from __future__ import annotations

from typing import Any

from envelopes.messages import DeliveryRequested

from ._http import Endpoint

_QUOTA_PAUSE = 60.0
"""What FCM asks for at least after 429 where it names no time: the project's quota comes back by the minute."""


class PushGateway:
    """`account` is the project, `secret` an OAuth 2 access token.

    FCM documents no idempotency key: behind a gateway that ignores the header, a push whose answer got lost may come
    twice, and the app tells by `data.delivery_id`.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._path = f"/v1/projects/{endpoint.account}/messages:send"
        self._headers = {"Authorization": f"Bearer {endpoint.secret}"}

    async def send(self, message: DeliveryRequested, key: str) -> None:
        """Send it to the device, or to every device of the person: those subscribe to the topic `person-<id>`."""
        high = message.priority == "high"
        to, data = message.recipient, dict(message.details or {})
        body: dict[str, Any] = {
            **({"token": to.device} if to.device else {"topic": f"person-{to.person_id}"}),
            "notification": {"body": message.text},
            "data": data | {"delivery_id": message.delivery_id},
            "android": {"priority": "HIGH" if high else "NORMAL"},
            "apns": {"headers": {"apns-priority": "10" if high else "5"}},
        }
        headers = self._headers | {"Idempotency-Key": key}
        await self._endpoint.post(self._path, headers, pause=_QUOTA_PAUSE, json={"message": body})
