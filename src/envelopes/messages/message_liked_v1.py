"""message.liked v1

Generated from contracts/ by `contract-test generate`: change the contract, not this file.
"""

from __future__ import annotations

from envelopes.generated import (
    Timestamp,
    ValueObject,
    contract_beside,
)

CONTRACT = contract_beside("message.liked", 1, __file__)


class Person(ValueObject):
    """Person

    A member of a group, as other members see them.
    """

    __contract__ = CONTRACT
    __pointer__ = "/$defs/Person"

    person_id: str
    """The person's id; never reused.

    Limits: pattern `^p-[0-9a-z]{4,20}$`
    """

    name: str
    """The name on the person's profile.

    Limits: minLength 1, maxLength 80
    """

    locale: str | None = None
    """The language the person reads, as a BCP 47 tag.

    Limits: pattern `^[a-z]{2}(-[A-Z]{2})?$`
    """


class MessageLikedV1(ValueObject):
    """Message liked

    Somebody liked a message.
    """

    __contract__ = CONTRACT
    __pointer__ = ""

    like_id: str
    """This like; a second delivery of the same like carries the same id.

    Limits: pattern `^l-[0-9a-z]{4,20}$`
    """

    message_id: str
    """The message that was liked.

    Limits: pattern `^m-[0-9a-z]{4,20}$`
    """

    group_id: str
    """The group's id.

    Limits: pattern `^g-[0-9a-z]{4,20}$`
    """

    liker: Person
    """A member of a group, as other members see them."""

    author: Person
    """A member of a group, as other members see them."""

    liked_at: Timestamp
    """When the like reached the server."""
