"""message.unliked v1

Generated from contracts/ by `contract-test generate`: change the contract, not this file.
"""

from __future__ import annotations

from envelopes.generated import (
    Timestamp,
    ValueObject,
    contract_beside,
)

CONTRACT = contract_beside("message.unliked", 1, __file__)


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


class MessageUnlikedV1(ValueObject):
    """Message unliked

    Somebody took a like back.
    """

    __contract__ = CONTRACT
    __pointer__ = ""

    unlike_id: str
    """This unlike; a second delivery of the same unlike carries the same id."""

    like_id: str
    """The like that is taken back."""

    message_id: str
    """The message that was liked."""

    group_id: str
    """The group's id."""

    liker: Person
    """A member of a group, as other members see them."""

    author: Person
    """A member of a group, as other members see them."""

    liked_at: Timestamp
    """When the like that is taken back reached the server."""

    unliked_at: Timestamp
    """When it was taken back. Where a clock says that this was before `liked_at`, `liked_at` counts."""
