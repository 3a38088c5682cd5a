import pytest
from faststream.kafka import KafkaMessage, TestKafkaBroker
from fulfilment import app

from envelopes import Wire

sent = []


async def as_it_is(message: KafkaMessage):
    record = message.raw_message
    return Wire(record.value, record.key, record.headers)


@app.broker.subscriber("shipments", decoder=as_it_is)
async def carrier(wire):
    sent.append(wire)


@pytest.fixture
def warehouse(monkeypatch):
    monkeypatch.setattr(app, "warehouse", app.Warehouse())
    return app


@pytest.fixture(scope="session")
async def kafka():
    async with TestKafkaBroker(app.broker) as kafka:
        yield kafka


@pytest.fixture
def arrives(kafka, warehouse):
    """A function that puts a message on a topic of FastStream's broker in memory; it returns what was sent then."""

    async def publish(wire, topic="orders"):
        sent.clear()
        headers = {name: value.decode() for name, value in wire.headers}
        await kafka.publish(bytes(wire), topic, key=wire.key, headers=headers)
        return list(sent)

    return publish


@pytest.fixture
def contract_state(warehouse):
    return lambda: {name: each.to_json().decode() for name, each in warehouse.warehouse.shipments.items()}
