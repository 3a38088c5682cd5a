import json

import pytest
from acme_mails import encode


@pytest.mark.usefixtures("contract_state")
@pytest.mark.consumes("email.requested")
def test_an_email_is_sent(envelope, arrives):
    mails = map(json.loads, arrives(encode(envelope)))
    (to, template), order = envelope.data.args, envelope.data.kwargs
    text = f"{template} {order.order_id}" + (f": {order.total:.2f}" if order.total is not None else "")
    assert {"to": to, "text": text} in mails
