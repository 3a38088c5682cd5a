"""A consumer of RabbitMQ that writes an invoice for each order, once."""

import os

import pika
from acme_shop import decode

from envelopes import DecodeError, Wire

EXCHANGE, QUEUE = os.environ["BILLING_EXCHANGE"], os.environ["BILLING_QUEUE"]


class Consumer:
    def __init__(self):
        self.invoices = {}
        self.done = 0
        self._connection = pika.BlockingConnection(pika.URLParameters(os.environ["BILLING_RABBITMQ"]))
        self.channel = self._connection.channel()
        self.channel.exchange_declare(EXCHANGE, "topic", durable=True)
        self.channel.queue_declare(QUEUE, durable=True)
        self.channel.queue_bind(QUEUE, EXCHANGE, "order.placed")
        self.channel.basic_qos(prefetch_count=1)
        self.channel.basic_consume(QUEUE, self._take)

    def run_once(self):
        """Wait for what comes next."""
        self._connection.process_data_events(time_limit=1)

    def _take(self, channel, method, properties, body):
        try:
            order = decode(Wire(body, method.routing_key), channel="orders").data
        except DecodeError:
            channel.basic_reject(method.delivery_tag, requeue=False)
        else:
            self.write_invoice(order)
            channel.basic_ack(method.delivery_tag)
        self.done += 1

    def write_invoice(self, order):
        text = f"{order.order_id}: {order.total} {order.currency}"
        self.invoices.setdefault(order.order_id, text if order.note is None else f"{text} ({order.note})")
