"""Value objects that several messages have in common

Generated from contracts/ by `contract-test generate`: change the contract, not this file.
"""

from __future__ import annotations

from envelopes.generated import (
    ValueObject,
    shared_beside,
)

CONTRACT = shared_beside(__file__)


class Person(ValueObject):
    """Person

    A member of a group, as other members see them.
    """

    __contract__ = CONTRACT
    __pointer__ = "https://contracts.invalid/message.posted/v1.json#/$defs/Person"

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
