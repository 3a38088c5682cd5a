"""Value objects, one module a version; the bare name is the newest version.

Generated from contracts/ by `contract-test generate`: change the contract, not this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envelopes.generated import Catalog, Channel, Reader, Subject, reader_of

if TYPE_CHECKING:
    from .delivery_requested_v1 import DeliveryRequestedV1 as DeliveryRequested
    from .delivery_requested_v1 import DeliveryRequestedV1 as DeliveryRequestedV1
    from .message_liked_v1 import MessageLikedV1 as MessageLikedV1
    from .message_liked_v2 import MessageLikedV2 as MessageLiked
    from .message_liked_v2 import MessageLikedV2 as MessageLikedV2
    from .message_posted_v1 import MessagePostedV1 as MessagePosted
    from .message_posted_v1 import MessagePostedV1 as MessagePostedV1
    from .message_unliked_v1 import MessageUnlikedV1 as MessageUnliked
    from .message_unliked_v1 import MessageUnlikedV1 as MessageUnlikedV1

__all__ = [
    "CATALOG",
    "DeliveryRequested",
    "DeliveryRequestedV1",
    "MessageLiked",
    "MessageLikedV1",
    "MessageLikedV2",
    "MessagePosted",
    "MessagePostedV1",
    "MessageUnliked",
    "MessageUnlikedV1",
    "decode_activity",
    "decode_transport",
]

CATALOG = Catalog(
    __name__,
    channels=[
        Channel(
            name="activity",
            protocol="kafka",
            address="activity",
            codec="cloudevents",
            delivery="exactly-once",
        ),
        Channel(
            name="transport",
            protocol="redis-list",
            address="resque:queue:transport",
            codec="resque",
            expires_after="PT2H",
            delivery="exactly-once",
        ),
    ],
    subjects=[
        Subject(
            name="message.posted",
            versions={1: "message_posted_v1:MessagePostedV1"},
            channel="activity",
            key="/message_id",
            id="/message_id",
            time="/posted_at",
            dataschemas={1: "urn:contract:message.posted:v1"},
        ),
        Subject(
            name="message.liked",
            versions={1: "message_liked_v1:MessageLikedV1", 2: "message_liked_v2:MessageLikedV2"},
            channel="activity",
            key="/message_id",
            id="/like_id",
            time="/liked_at",
            dataschemas={1: "urn:contract:message.liked:v1", 2: "urn:contract:message.liked:v2"},
        ),
        Subject(
            name="message.unliked",
            versions={1: "message_unliked_v1:MessageUnlikedV1"},
            channel="activity",
            key="/message_id",
            id="/unlike_id",
            time="/unliked_at",
            dataschemas={1: "urn:contract:message.unliked:v1"},
        ),
        Subject(
            name="delivery.requested",
            versions={1: "delivery_requested_v1:DeliveryRequestedV1"},
            channel="transport",
            type="DeliveryRequested",
            id="/delivery_id",
            time="/enqueued_at",
            dataschemas={1: "urn:contract:delivery.requested:v1"},
        ),
    ],
)

decode_activity: Reader[MessagePostedV1 | MessageLikedV1 | MessageLikedV2 | MessageUnlikedV1] = reader_of(CATALOG, "activity")
"""Read one message of the channel activity."""

decode_transport: Reader[DeliveryRequestedV1] = reader_of(CATALOG, "transport")
"""Read one message of the channel transport."""


def __getattr__(name: str) -> object:
    return CATALOG.load(name)
