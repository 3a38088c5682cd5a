"""SMS in the shape of Twilio's Messages API: `POST /2010-04-01/Accounts/{AccountSid}/Messages.json`, form-encoded."""

from __future__ import annotations

from aiohttp import encode_basic_auth

from envelopes.messages import DeliveryRequested

from ._http import Endpoint
from ._protocol import FailureKind, GatewayError


class SmsGateway:
    """Sends SMS. `account` is the Account SID, the credential its token, `sender` a number or a Messaging Service SID.

    Twilio documents no idempotency key for Messages. If the gateway ignores the header, an SMS whose response was lost
    may arrive twice. If you cannot accept this, choose at-most-once for the channel.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._path = f"/2010-04-01/Accounts/{endpoint.account}/Messages.json"
        by_service = endpoint.sender.startswith("MG")
        self._sender = {"MessagingServiceSid" if by_service else "From": endpoint.sender}

    async def send(self, message: DeliveryRequested, key: str) -> None:
        """Send to the recipient's number. A message without a number is refused here."""
        if message.recipient.phone is None:
            raise GatewayError(FailureKind.REFUSED, "an SMS needs /recipient/phone, which is missing")
        form = {"To": message.recipient.phone, "Body": message.text, **self._sender}
        secret = await self._endpoint.credential.get()
        headers = {"Authorization": encode_basic_auth(self._endpoint.account, secret), "Idempotency-Key": key}
        await self._endpoint.post(self._path, headers, data=form)
