"""Clients for Kafka from a URL: options as librdkafka and the Java client name them, credentials never shown."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contract_test.data.errors import CatalogError, NothingFoundError, UnreachableError
from contract_test.transports.urls import Address

_PROTOCOL = (2, 3)
"""The oldest broker that is spoken to; asking for it spares the probing that librdkafka's broker does not survive."""
OPTIONS = {
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
    "session.timeout.ms": "",
}
"""In the URL's query, or in the environment (`KAFKA_SASL_PASSWORD`), and what kafka-python calls them.

That one reads without a group here, so it has no sessions.
"""


@contextmanager
def kafka_consumer(url: str, topic: str, **settings: Any) -> Iterator[Any]:
    """Connect a consumer that commits nothing by itself and reads what is committed.

    Raises UnreachableError, from inside the block too, NothingFoundError where there is no such topic, CatalogError for
    an option that is not known; none of them shows a credential.
    """
    from kafka import KafkaConsumer
    from kafka.errors import KafkaError

    address = Address.of(url)
    options = {OPTIONS[name]: value for name, value in kafka_options(address).items() if OPTIONS[name]}
    place = f"{address.shown} {topic}"
    secrets = [options.get(name) for name in ("sasl_plain_username", "sasl_plain_password", "ssl_password")]
    try:
        if not any(_listens(server) for server in address.hosts):  # the client itself would try for ever
            raise OSError("nobody listens there")  # noqa: TRY301 - told like the client's own failures
        consumer: Any = KafkaConsumer(
            bootstrap_servers=list(address.hosts),
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            isolation_level="read_committed",
            api_version=_PROTOCOL,
            **options,
            **settings,
        )
    except (KafkaError, OSError, ValueError, AssertionError) as error:
        told = address.hide(error, *secrets)
        advice = (
            "Check the address, kafka://HOST:PORT[,HOST:PORT], and security.protocol, sasl.* and ssl.* in its query."
        )
        raise UnreachableError(f"Kafka did not answer: {told}", place=place, advice=advice) from None
    try:
        if topic not in consumer.topics():
            raise NothingFoundError("there is no such topic", place=place, advice="Check the channel's address.")
        yield consumer
    except KafkaError as error:
        advice = "Check that this user may read the topic."
        told = address.hide(error, *secrets)
        raise UnreachableError(f"Kafka did not answer: {told}", place=place, advice=advice) from None
    finally:
        consumer.close(autocommit=False)


def kafka_options(address: Address) -> dict[str, str]:
    """What the URL and the environment say of security, under librdkafka's names. Raises CatalogError."""
    for name in address.options:
        if name not in OPTIONS:
            advice = f"Known: {', '.join(OPTIONS)}."
            raise CatalogError(f"{name!r} is not an option for Kafka", place=address.shown, advice=advice)
    given = {name: os.environ.get("KAFKA_" + name.upper().replace(".", "_")) for name in OPTIONS}
    given.update(address.options)
    given["sasl.username"] = given["sasl.username"] or address.user
    given["sasl.password"] = given["sasl.password"] or address.password
    if given["sasl.username"]:
        given["sasl.mechanism"] = given["sasl.mechanism"] or "PLAIN"
        # A password is sent in the clear only where the URL asks for it: SASL_PLAINTEXT.
        given["security.protocol"] = given["security.protocol"] or "SASL_SSL"
    return {name: value for name, value in given.items() if value}


def _listens(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, ValueError):
        return False
    return True
