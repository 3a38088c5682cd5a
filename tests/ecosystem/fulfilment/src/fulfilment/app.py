"""Ships what customers order: `faststream run fulfilment.app:app`."""

from acme_orders import decode, encode
from faststream import FastStream
from faststream.kafka import KafkaBroker, KafkaMessage

from envelopes import Wire
from fulfilment.warehouse import Warehouse

broker = KafkaBroker("localhost:9092", apply_types=False)
app = FastStream(broker)
shipments = broker.publisher("shipments")
warehouse = Warehouse()


async def read_order(message: KafkaMessage):
    """Read a record of Kafka as the contract says, before the handler gets it."""
    record = message.raw_message
    return decode(Wire(record.value, record.key, record.headers), channel="orders")


@broker.subscriber("orders", "orders.retry", group_id="fulfilment", decoder=read_order)
async def ship(envelope):
    """Ask the carrier to fetch an order."""
    shipment = warehouse.reserve(envelope.data, envelope.id)
    if shipment is not None:
        wire = encode(shipment, source="/fulfilment")
        headers = {name: value.decode() for name, value in wire.headers}
        await shipments.publish(bytes(wire), key=wire.key, headers=headers)
