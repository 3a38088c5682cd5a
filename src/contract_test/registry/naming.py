"""The names of subjects in a registry: by topic, by record, or by both, as Confluent's strategies make them."""

from __future__ import annotations

import re
from typing import Literal

from contract_test.data.contract import Subject, usable_subject

Naming = Literal["topic", "record", "topic-record"]
VALUE, KEY = "-value", "-key"
_DIRECTORY = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_MAX_LENGTH = 100


def registry_names(subject: Subject, naming: Naming) -> tuple[str, ...]:
    """Return what a subject of the catalog is called in a registry: one name, or one for each of its channels.

    The record is the `type` in the catalog, or else the subject. A subject without a channel is named by its record.
    """
    record = subject.type or subject.name
    if naming == "record" or not subject.channels:
        return (record,)
    if naming == "topic":
        return tuple(f"{each.address}{VALUE}" for each in subject.channels)
    return tuple(f"{each.address}-{record}" for each in subject.channels)


def topic_and_record(name: str, naming: Naming, title: object) -> tuple[str, str] | None:
    """Return the topic (or "") and the record of a registry's subject; None if it is not named like this.

    Which dash of `orders-order-placed` divides both is known by the title of the schema, and is the last one otherwise.
    """
    if naming == "record":
        return "", name
    if naming == "topic":
        return (name.removesuffix(VALUE), name.removesuffix(VALUE)) if name.endswith(VALUE) else None
    if isinstance(title, str) and name.endswith(f"-{title}"):
        topic = name.removesuffix(f"-{title}")
        return (topic, title) if topic and title else None
    topic, _, record = name.rpartition("-")
    return (topic, record) if topic and record else None


def directory_name(record: str) -> str | None:
    """Return the subject, and directory, that a record gets in a contracts directory; None if it has no such name.

    `order.placed` stays, and `OrderPlaced` → `order.placed`. So no name leads out of the directory.
    """
    name = record if _DIRECTORY.fullmatch(record) else ".".join(_WORD.findall(record)).lower()
    name = usable_subject(name) if name else ""
    return name if _DIRECTORY.fullmatch(name) and len(name) <= _MAX_LENGTH else None
