"""message.posted v1

Generated from contracts/ by `contract-test generate`: change the contract, not this file.
"""

from __future__ import annotations

from typing import Literal

from envelopes.generated import (
    Integer,
    Timestamp,
    ValueObject,
    contract_beside,
)

CONTRACT = contract_beside("message.posted", 1, __file__)


class Group(ValueObject):
    """Group

    The group a message belongs to.
    """

    __contract__ = CONTRACT
    __pointer__ = "/$defs/Group"

    group_id: str
    """The group's id."""

    name: str
    """The group's name when the event happened."""

    size: Integer
    """How many people were in the group."""


class Person(ValueObject):
    """Person

    A member of a group, as other members see them.
    """

    __contract__ = CONTRACT
    __pointer__ = "/$defs/Person"

    person_id: str
    """The person's id; never reused."""

    name: str
    """The name on the person's profile."""

    locale: str | None = None
    """The language the person reads, as a BCP 47 tag."""


class Client(ValueObject):
    """Client

    What the author posted with.
    """

    __contract__ = CONTRACT
    __pointer__ = "/properties/client"

    platform: Literal["ios", "android", "web"]
    """The family of the app."""

    version: str | None = None
    """The app's version."""


class MessagePostedV1(ValueObject):
    """Message posted

    Somebody posted a message to a group.
    """

    __contract__ = CONTRACT
    __pointer__ = ""

    message_id: str
    """The message that was posted."""

    group: Group
    """The group a message belongs to."""

    author: Person
    """A member of a group, as other members see them."""

    kind: Literal["text", "photo", "voice"]
    """What the message mainly carries."""

    text: str
    """The message's text; empty for a photo without a caption."""

    posted_at: Timestamp
    """When the server accepted the message."""

    mentions: tuple[Person, ...] | None = None
    """The people the text mentions."""

    client: Client | None = None
    """What the author posted with."""
