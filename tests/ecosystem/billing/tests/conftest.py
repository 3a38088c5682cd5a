import time

import pytest
from billing.consumer import EXCHANGE, Consumer


@pytest.fixture(scope="session")
def consumer():
    return Consumer()


@pytest.fixture
def arrives(consumer):
    """A function that publishes a message to the exchange, and waits until the consumer has dealt with it."""
    consumer.invoices.clear()

    def publish(wire):
        before, deadline = consumer.done, time.monotonic() + 90
        consumer.channel.basic_publish(EXCHANGE, "order.placed", bytes(wire))
        while consumer.done == before:
            assert time.monotonic() < deadline
            consumer.run_once()
        return consumer.invoices

    return publish


@pytest.fixture
def contract_state(consumer):
    return lambda: sorted(consumer.invoices.items())
