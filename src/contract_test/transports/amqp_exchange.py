"""A read-only tap on an AMQP exchange: a queue of our own, bound beside the queues of others.

The exchange copies each message into every queue that is bound to it, so nothing is taken from another queue. Ours is
exclusive: the server deletes it with the connection, however that ends.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from contract_test.data.errors import NothingFoundError, UnreachableError
from contract_test.data.interaction import Tapped
from contract_test.data.reading import Reading
from contract_test.transports.amqp_client import amqp_connection
from contract_test.transports.urls import without_password
from envelopes import Wire

MAX_LENGTH = 10_000
MAX_BYTES = 64 * 1024 * 1024
PREFETCH = 500
_WAIT = 0.2  # seconds
_NOT_FOUND, _ACCESS_REFUSED = 404, 403
QUEUE = {
    "x-queue-type": "classic",  # whatever the default of the virtual host is: only these can be exclusive
    "x-max-length": MAX_LENGTH,
    "x-max-length-bytes": MAX_BYTES,
    "x-overflow": "drop-head",
}


def read_exchange(url: str, exchange: str, reading: Reading) -> Iterator[Tapped | None]:
    """Yield copies of the messages that come to an exchange from now on, with the routing keys of the reading.

    None stands for "nothing new just now". Raises UnreachableError, and NothingFoundError where there is no such
    exchange.
    """
    with amqp_connection(url, exchange) as connection:
        from pika.exceptions import ChannelClosedByBroker

        channel = connection.channel()
        try:
            channel.exchange_declare(exchange, passive=True)
            queue = channel.queue_declare("", exclusive=True, auto_delete=True, arguments=QUEUE).method.queue
            for routing_key in reading.routing_keys:
                channel.queue_bind(queue, exchange, routing_key)
            channel.basic_qos(prefetch_count=PREFETCH)
        except ChannelClosedByBroker as error:
            raise _refused(connection, url, exchange, error) from None
        yield from _messages(connection, channel, queue, reading)


def _messages(connection: Any, channel: Any, queue: str, reading: Reading) -> Iterator[Tapped | None]:
    started, count = time.monotonic(), 0
    for method, properties, body in channel.consume(queue, inactivity_timeout=_WAIT):
        if method is None:
            _note_overflow(channel, queue, reading)
            yield None
            started, count = time.monotonic(), 0
            continue
        # The routing key is the message's key, which is scrubbed; `seen` is kept as it is.
        yield Tapped(Wire(body, method.routing_key, headers_of(properties)), {"exchange": method.exchange})
        channel.basic_ack(method.delivery_tag)
        count += 1
        if count % PREFETCH == 0:
            _note_overflow(channel, queue, reading)
        ahead = count / reading.rate - (time.monotonic() - started)
        if ahead > _WAIT:
            connection.sleep(ahead)  # sends heartbeats meanwhile
    raise UnreachableError(
        "RabbitMQ deleted the queue of this run",
        place=queue,
        advice="Run it again.",
    )


def _note_overflow(channel: Any, queue: str, reading: Reading) -> None:
    """Note that messages may have been dropped if the queue is about full; the server does not count them."""
    if channel.queue_declare(queue, passive=True).method.message_count >= MAX_LENGTH - PREFETCH:
        reading.note("messages came faster than they were read, and the server may have dropped some: raise --rate")


def headers_of(properties: Any) -> list[tuple[str, bytes]]:
    """Return the application's headers, and the content's type and encoding under the names that HTTP has for them."""
    named = (("content-type", properties.content_type), ("content-encoding", properties.content_encoding))
    headers: Mapping[str, Any] = properties.headers or {}
    return [(name, _text(value)) for name, value in (*named, *headers.items()) if value is not None]


def _text(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, datetime):
        return value.isoformat().encode()
    return (value if isinstance(value, str) else json.dumps(value, default=str)).encode(errors="replace")


def _refused(connection: Any, url: str, exchange: str, error: Any) -> UnreachableError | NothingFoundError:
    place = f"{without_password(url)} {exchange}"
    if error.reply_code == _NOT_FOUND:
        if _is_queue(connection, exchange):
            advice = (
                "Reading from a queue takes its messages from the consumers. Publish through a named exchange that "
                "the queue is bound to, or copy the messages to one: with a shovel, or with the firehose (rabbitmqctl "
                "trace_on; exchange amq.rabbitmq.trace)."
            )
            return NothingFoundError("this is a queue, and not an exchange", place=place, advice=advice)
        advice = "Check the channel's address, and the virtual host behind the host's / in the URL."
        return NothingFoundError("there is no such exchange", place=place, advice=advice)
    if error.reply_code == _ACCESS_REFUSED:
        advice = (
            "It needs to read the exchange, and to configure, write and read queues of its own: rabbitmqctl "
            f"set_permissions -p VHOST USER '^amq\\.gen' '^amq\\.gen' '^(amq\\.gen.*|{exchange})$'."
        )
        return UnreachableError("RabbitMQ lets this user not bind a queue to the exchange", place=place, advice=advice)
    return UnreachableError(f"RabbitMQ refused: {error.reply_text}", place=place, advice="Check the exchange.")


def _is_queue(connection: Any, name: str) -> bool:
    from pika.exceptions import ChannelClosedByBroker

    try:
        connection.channel().queue_declare(name, passive=True)
    except ChannelClosedByBroker as error:
        return bool(error.reply_code != _NOT_FOUND)
    return True
