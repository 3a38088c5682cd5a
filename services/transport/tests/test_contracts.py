"""Every recorded delivery request, replayed: `pytest --contracts`."""

import asyncio

import aiohttp
import pytest

from envelopes.messages import DeliveryRequested
from transport.gateway_stub import GatewayStub
from transport.gateways import HttpGateway
from transport.worker import deliver


@pytest.mark.consumes("delivery.requested")
def test_a_delivery_reaches_its_gateway_once(message: DeliveryRequested) -> None:
    stub = GatewayStub()

    async def deliver_twice() -> None:
        async with stub.serving() as url, aiohttp.ClientSession() as session:
            gateway = HttpGateway(url, session)
            await deliver(message, gateway)
            await deliver(message, gateway)

    asyncio.run(deliver_twice())

    (row,) = stub.ledger.values()
    assert (row.delivery_id, row.kind, row.requests) == (message.delivery_id, message.kind, 2)
