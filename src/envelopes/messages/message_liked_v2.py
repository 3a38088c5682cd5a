"""message.liked v2

Generated from contracts/ by `contract-test generate`: change the contract, not this file.
"""

from __future__ import annotations

from typing import Literal

from envelopes.generated import (
    Timestamp,
    ValueObject,
    contract_beside,
)

from .shared import (
    Person as Person,
)

__all__ = [
    "CONTRACT",
    "MessageLikedV2",
    "Person",
]

CONTRACT = contract_beside("message.liked", 2, __file__)


class MessageLikedV2(ValueObject):
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

    reaction: Literal["like", "love", "laugh", "wow"] | None = None
    """How it was liked; absent means a plain like."""
