"""Clients for Kafka from a URL: options as librdkafka and the Java client name them, credentials never shown."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from contract_test.data.errors import CatalogError, NothingFoundError, UnreachableError
from contract_test.transports.kafka_token import TOKEN_OPTIONS, Tokens
from contract_test.transports.urls import Address
from envelopes.catalog import address_matches

_PROTOCOL = (2, 3)
"""The oldest broker that is spoken to; asking for it spares the probing that librdkafka's broker does not survive."""
_PATIENCE = 15.0  # seconds
_ATTEMPT = 2.0
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
    **dict.fromkeys(TOKEN_OPTIONS, ""),
}
"""In the URL's query, or in the environment (`KAFKA_SASL_PASSWORD`), and what kafka-python calls them.

That one reads without a group here, so it has no sessions; both get their tokens from `Tokens`.
"""
_OAUTH = "OAUTHBEARER"


@contextmanager
def kafka_consumer(url: str, topic: str, left_out: Collection[str] = ()) -> Iterator[tuple[Any, dict[str, str]]]:
    """Connect a consumer without a group that reads what is committed; gives the topics too, as `find_topics`.

    Raises UnreachableError, from inside the block too, NothingFoundError where there is no such topic, CatalogError for
    an option that is not known; none of them shows a credential.
    """
    from kafka import KafkaConsumer
    from kafka.errors import KafkaError

    address = Address.of(url)
    topics = find_topics(address, topic, left_out)
    given = kafka_options(address)
    options: dict[str, Any] = {OPTIONS[name]: value for name, value in given.items() if OPTIONS[name]}
    if given.get("sasl.mechanism") == _OAUTH:
        options["sasl_oauth_token_provider"] = _provider(Tokens(given, address.shown))
    consumer = None
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=list(address.hosts),
            group_id=None,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            isolation_level="read_committed",
            api_version=_PROTOCOL,
            **options,
        )
        yield consumer, topics
    except (KafkaError, OSError) as error:
        raise unreachable(address, topic, error) from None
    finally:
        if consumer is not None:
            consumer.close(autocommit=False)


def find_topics(address: Address, topic: str, left_out: Collection[str] = ()) -> dict[str, str]:
    """See whether the servers answer, take the credentials and have the topic, or topics that match one with `*`.

    Gives for each the id that no other topic has had, one of the same name before it included (KIP-516); empty where
    the servers know none. By librdkafka's client, which ends and says why, where the other one tries for ever. Raises
    as `kafka_consumer`.
    """
    from confluent_kafka import KafkaException, TopicCollection

    admin, found = connected_admin(address, topic)
    names = [topic] if topic in found.topics else []
    if "*" in topic:
        names = sorted(each for each in found.topics if address_matches(topic, each) and each not in left_out)
    if not names:
        place = f"{address.shown} {topic}"
        advice = "Check the channel's address, and that this user may read the topic: Kafka hides it from others."
        raise NothingFoundError("there is no such topic", place=place, advice=advice)
    if found.controller_id < 0:  # librdkafka's own broker, which has no ids
        return dict.fromkeys(names, "")
    topics = {}
    for name, future in admin.describe_topics(TopicCollection(names), request_timeout=_ATTEMPT).items():
        try:
            described = future.result()
        except KafkaException:  # older servers, and users who may read and not describe
            topics[name] = ""
        else:
            topics[name] = "" if described.topic_id is None else str(described.topic_id)
    return topics


def connected_admin(address: Address, topic: str) -> tuple[Any, Any]:
    """Return librdkafka's client for administrators, and what it says of all topics. `topic` is what errors name.

    Raises UnreachableError where the servers do not answer or refuse, and CatalogError where the options are wrong.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    reported: list[str] = []
    options = {**librdkafka_options(address), "error_cb": lambda error: reported.append(error.str())}
    deadline = time.monotonic() + _PATIENCE
    found = None
    try:
        admin = AdminClient(options)
    except (KafkaException, ValueError, TypeError) as error:  # nothing was asked of a server yet
        reason = _without_secrets(address, error)
        advice = "Correct it in the URL, or in the environment (KAFKA_SECURITY_PROTOCOL, KAFKA_SSL_CA_LOCATION, …)."
        raise CatalogError(
            f"Kafka's client does not take the options: {reason}", place=address.shown, advice=advice
        ) from None
    try:
        while found is None:
            try:
                found = admin.list_topics(timeout=_ATTEMPT)  # all: asking for one by name could create it
            except KafkaException:
                admin.poll(0)
                if reported or time.monotonic() > deadline:
                    raise
    except (KafkaException, ValueError, TypeError) as error:
        raise unreachable(address, topic, reported[0] if reported else error) from None
    return admin, found


def librdkafka_options(address: Address) -> dict[str, Any]:
    """Return its settings for an address: quiet, because this module reports errors.

    Raises CatalogError, and UnreachableError where a token is needed and nobody gives one.
    """
    given = kafka_options(address)
    options: dict[str, Any] = {name: value for name, value in given.items() if name not in TOKEN_OPTIONS}
    if given.get("sasl.mechanism") == _OAUTH:
        tokens = Tokens(given, address.shown)
        tokens.token()  # what is wrong with it is told here, in words; the client would try for ever
        options["oauth_cb"] = lambda _: tokens.token()
    return {**options, "bootstrap.servers": ",".join(address.hosts), "log_level": 0}


def _provider(tokens: Tokens) -> Any:
    """Give kafka-python what it asks for a token."""
    from kafka.net.sasl.oauth import AbstractTokenProvider

    class Provider(AbstractTokenProvider):  # type: ignore[misc]  # the package has no types
        def token(self) -> str:
            return tokens.token()[0]

    return Provider()


def unreachable(address: Address, topic: str, error: object) -> UnreachableError:
    """Return the error for servers that do not answer, or refuse, without credentials."""
    reason = _without_secrets(address, error)
    advice = (
        "Check kafka://HOST:PORT[,HOST:PORT], security.protocol, sasl.* and ssl.*, and that this user may read there."
    )
    return UnreachableError(f"Kafka did not answer: {reason}", place=f"{address.shown} {topic}", advice=advice)


def _without_secrets(address: Address, error: object) -> str:
    """An error's text without credentials."""
    from confluent_kafka import KafkaException

    hidden = ("username", "password", "secret")
    secrets = [value for name, value in kafka_options(address).items() if name.endswith(hidden)]
    return address.hide(error.args[0].str() if isinstance(error, KafkaException) else error, *secrets)


def kafka_options(address: Address) -> dict[str, str]:
    """Return what the URL and the environment say of security, under librdkafka's names. Raises CatalogError."""
    for name in address.options:
        if name not in OPTIONS:
            advice = f"Known: {', '.join(OPTIONS)}."
            raise CatalogError("the URL has an option that Kafka does not know", place=address.shown, advice=advice)
    given = {name: os.environ.get("KAFKA_" + name.upper().replace(".", "_")) for name in OPTIONS}
    given.update(address.options)
    given["sasl.username"] = given["sasl.username"] or address.user
    given["sasl.password"] = given["sasl.password"] or address.password
    if given["sasl.username"] or given["sasl.mechanism"] == _OAUTH:
        given["sasl.mechanism"] = given["sasl.mechanism"] or "PLAIN"
        # A password is sent in the clear only where the URL asks for it: SASL_PLAINTEXT.
        given["security.protocol"] = given["security.protocol"] or "SASL_SSL"
    return {name: value for name, value in given.items() if value}
