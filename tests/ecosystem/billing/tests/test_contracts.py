import pytest
from acme_shop import encode


@pytest.mark.usefixtures("contract_state")
@pytest.mark.consumes("order.placed")
def test_an_order_gets_an_invoice(message, envelope, arrives):
    text = f"{message.order_id}: {message.total} {message.currency}"
    text += f" ({message.note})" if message.note is not None else ""
    assert arrives(encode(envelope))[message.order_id] == text
