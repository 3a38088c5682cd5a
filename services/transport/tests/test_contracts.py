"""Every recorded delivery request, and what else its contract allows: `pytest --contracts`."""

import asyncio

import aiohttp
import pytest

from envelopes.messages import DeliveryRequested
from transport.gateway_stub import GatewayStub
from transport.gateways import Endpoint, GatewayError, Trouble, open_gateways
from transport.worker import deliver


@pytest.mark.consumes("delivery.requested")
def test_a_delivery_reaches_its_gateway_once(message: DeliveryRequested) -> None:
    stub = GatewayStub()

    async def deliver_twice() -> None:
        async with stub.serving() as url, aiohttp.ClientSession() as session:
            here = Endpoint(session, url, "local", sender="+15005550006")
            gateways = open_gateways({"push": here, "sms": here})
            await deliver(message, gateways)
            await deliver(message, gateways)

    if message.kind == "sms" and message.recipient.phone is None:  # which the contract allows
        with pytest.raises(GatewayError) as refused:
            asyncio.run(deliver_twice())
        assert refused.value.trouble is Trouble.REFUSED
        assert not stub.ledger
        return
    asyncio.run(deliver_twice())

    (row,) = stub.ledger.values()
    assert (row.delivery_id, row.kind, row.requests) == (message.delivery_id, message.kind, 2)
