import pytest
from orders.checkout import place_order
from orders.models import OutboxMessage
from orders.outbox import relay


@pytest.mark.django_db
def test_a_message_is_sent_once():
    place_order("o-1", "c-1", [("sku", 2, 100)], "Berlin", "DE")
    sent = []
    for _ in range(2):
        relay(lambda *message: sent.append(message))
    assert [topic for topic, *_ in sent] == ["orders"]
    assert OutboxMessage.objects.filter(sent_at=None).count() == 0
