"""Every recorded delivery request, replayed: `pytest --contracts`."""

import asyncio

import aiohttp
import pytest

from envelopes.messages import DeliveryRequested
from transport.gateway_stub import GatewayStub
from transport.gateways import Endpoint, open_gateways
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

    asyncio.run(deliver_twice())

    (row,) = stub.ledger.values()
    assert (row.delivery_id, row.kind, row.requests) == (message.delivery_id, message.kind, 2)
