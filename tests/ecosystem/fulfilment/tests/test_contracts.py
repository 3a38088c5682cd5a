import pytest
from acme_orders import encode

from envelopes import Envelope


@pytest.mark.consumes("order.placed")
async def test_an_order_is_shipped(envelope, arrives, warehouse, contract_state):
    await arrives(encode(envelope))
    shipment = warehouse.warehouse.shipments[envelope.data.order_id]
    assert shipment.items >= len(envelope.data.lines)


@pytest.mark.produces("shipment.requested", caused_by="order.placed")
async def test_the_carrier_is_asked(cause, recorded, emits, arrives):
    for wire in await arrives(encode(Envelope(cause, id=recorded.caused_by, source="/shop"))):
        emits(wire)
