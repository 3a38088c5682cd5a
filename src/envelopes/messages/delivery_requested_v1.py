"""delivery.requested v1

Generated from contracts/ by `contract-test generate`: change the contract, not this file.
"""

from __future__ import annotations

from collections.abc import Mapping as _Mapping
from typing import TYPE_CHECKING, Literal

from envelopes.generated import (
    FrozenMap,
    Timestamp,
    ValueObject,
    contract_beside,
)

CONTRACT = contract_beside("delivery.requested", 1, __file__)


class Recipient(ValueObject):
    """Recipient

    The one person who gets it.
    """

    __contract__ = CONTRACT
    __pointer__ = "/properties/recipient"

    person_id: str
    """The person's id; never reused.

    Limits: pattern `^p-[0-9a-z]{4,20}$`
    """

    phone: str | None = None
    """For an SMS: the number in E.164.

    Limits: pattern `^\\+[1-9][0-9]{6,14}$`
    """

    device: str | None = None
    """For a push: the device's token; absent means every device of the person.

    Limits: minLength 8, maxLength 200
    """


class DeliveryRequestedV1(ValueObject):
    """Delivery requested

    One push or SMS to one recipient.
    """

    __contract__ = CONTRACT
    __pointer__ = ""

    delivery_id: str
    """This delivery; the gateway's idempotency key.

    Limits: pattern `^d-[0-9a-z-]{4,40}$`
    """

    kind: Literal["push", "sms"]
    """Through which gateway it goes."""

    recipient: Recipient
    """The one person who gets it."""

    text: str
    """What the person reads.

    Limits: minLength 1, maxLength 1000
    """

    enqueued_at: Timestamp
    """When it was asked for; it is dropped unsent when it gets too old."""

    caused_by: str
    """The id of the event that caused it.

    Limits: minLength 1, maxLength 60
    """

    priority: Literal["normal", "high"] | None = None
    """Whether the phone may wake for it; absent means normal."""

    details: FrozenMap[str, str] | None = None
    """What the app needs to open the right screen.

    Limits: maxProperties 10
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            delivery_id: str,
            kind: Literal["push", "sms"],
            recipient: Recipient,
            text: str,
            enqueued_at: Timestamp,
            caused_by: str,
            priority: Literal["normal", "high"] | None = ...,
            details: _Mapping[str, str] | None = ...,
        ) -> None: ...
