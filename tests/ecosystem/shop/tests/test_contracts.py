import pytest
from orders.checkout import place_order
from orders.outbox import relay

from envelopes import Wire

pytestmark = pytest.mark.django_db


@pytest.mark.produces("order.placed")
def test_a_placed_order_is_published(recorded, emits):
    place_order(
        recorded.order_id,
        recorded.customer_id,
        [(line.sku, line.quantity, line.cents) for line in recorded.lines],
        recorded.address.city,
        recorded.address.country,
        getattr(recorded, "note", None),
        has_note="note" in recorded.model_fields_set,
    )
    relay(lambda topic, value, key, headers: emits(Wire(value, key, headers)))
