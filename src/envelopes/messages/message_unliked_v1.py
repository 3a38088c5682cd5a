"""message.unliked v1

Generated from contracts/ by `contract-test generate`: change the contract, not this file.
"""

from __future__ import annotations

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
    "MessageUnlikedV1",
    "Person",
]

CONTRACT = contract_beside("message.unliked", 1, __file__)


class MessageUnlikedV1(ValueObject):
    """Message unliked

    Somebody took a like back.
    """

    __contract__ = CONTRACT
    __pointer__ = ""

    unlike_id: str
    """This unlike; a second delivery of the same unlike carries the same id.

    Limits: pattern `^u-[0-9a-z]{4,20}$`
    """

    like_id: str
    """The like that is taken back.

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
    """When the like that is taken back reached the server."""

    unliked_at: Timestamp
    """When it was taken back. Where a clock says that this was before `liked_at`, `liked_at` counts."""
