"""How long Kafka keeps the messages of topics, by the settings of the topics themselves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from contract_test.transports.kafka_client import connected_admin, unreachable
from contract_test.transports.urls import Address
from envelopes.catalog import address_matches

_SECONDS = 15.0


def retention_of_topics(url: str, topics: Collection[str]) -> dict[str, timedelta | None]:
    """Return for how long a message may stay in each topic that is there; None: for ever. A name may hold `*`.

    That is `retention.ms` and one segment, because whole segments are removed. A topic that is only compacted keeps the
    newest message of each key for ever. Raises UnreachableError where the servers do not answer, or refuse.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import (  # type: ignore[attr-defined] # both are public, and it has no __all__
        ConfigResource,
        ResourceType,
    )

    address = Address.of(url)
    admin, found = connected_admin(address, "")
    there = {
        topic: [each for each in found.topics if each == topic or address_matches(topic, each)] for topic in topics
    }
    names = sorted({name for matching in there.values() for name in matching})
    asked = {name: ConfigResource(ResourceType.TOPIC, name) for name in names}
    kept: dict[str, timedelta | None] = {}
    answers = admin.describe_configs(list(asked.values()), request_timeout=_SECONDS) if asked else {}
    for name, resource in asked.items():
        try:
            settings = {key: entry.value for key, entry in answers[resource].result().items()}
        except KafkaException as error:
            raise unreachable(address, name, error) from None
        kept[name] = _kept(settings)
    longest: dict[str, timedelta | None] = {}
    for topic, matching in there.items():
        times = [kept[name] for name in matching]
        if times:
            longest[topic] = None if None in times else max(each for each in times if each is not None)
    return longest


def _kept(settings: dict[str, str]) -> timedelta | None:
    retention, policies = int(settings["retention.ms"]), settings["cleanup.policy"].split(",")
    if retention < 0 or "delete" not in policies:
        return None
    try:
        return timedelta(milliseconds=retention + int(settings["segment.ms"]))
    except OverflowError:
        return None
