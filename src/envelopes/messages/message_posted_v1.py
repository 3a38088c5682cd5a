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

from .shared import (
    Person as Person,
)

__all__ = [
    "CONTRACT",
    "Client",
    "Group",
    "MessagePostedV1",
    "Person",
]

CONTRACT = contract_beside("message.posted", 1, __file__)


class Group(ValueObject):
    """Group

    The group a message belongs to.
    """

    __contract__ = CONTRACT
    __pointer__ = "/$defs/Group"

    group_id: str
    """The group's id.

    Limits: pattern `^g-[0-9a-z]{4,20}$`
    """

    name: str
    """The group's name when the event happened.

    Limits: minLength 1, maxLength 120
    """

    size: Integer
    """How many people were in the group.

    Limits: minimum 1, maximum 5000
    """


class Client(ValueObject):
    """Client

    What the author posted with.
    """

    __contract__ = CONTRACT
    __pointer__ = "/properties/client"

    platform: Literal["ios", "android", "web"]
    """The family of the app."""

    version: str | None = None
    """The app's version.

    Limits: pattern `^[0-9]+(\\.[0-9]+){1,2}$`
    """


class MessagePostedV1(ValueObject):
    """Message posted

    Somebody posted a message to a group.
    """

    __contract__ = CONTRACT
    __pointer__ = ""

    message_id: str
    """The message that was posted.

    Limits: pattern `^m-[0-9a-z]{4,20}$`
    """

    group: Group
    """The group a message belongs to."""

    author: Person
    """A member of a group, as other members see them."""

    kind: Literal["text", "photo", "voice"]
    """What the message mainly carries."""

    text: str
    """The message's text; empty for a photo without a caption.

    Limits: maxLength 4000
    """

    posted_at: Timestamp
    """When the server accepted the message."""

    mentions: tuple[Person, ...] | None = None
    """The people the text mentions.

    Limits: maxItems 50
    """

    client: Client | None = None
    """What the author posted with."""
