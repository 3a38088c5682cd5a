"""Uses of the public API that type checkers must accept, with the types that they must see.

`test_typing.py` runs mypy and pyright over this file. Nothing here is executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, assert_never, assert_type

import envelopes.messages
from contract_test import compare
from envelopes import (
    ContractViolationError,
    DecodeError,
    EncodeError,
    Envelope,
    FrozenMap,
    UnknownNameError,
    UpcastError,
    ValueObject,
    Violation,
    Wire,
    as_newest,
    decode,
    encode,
    upcast,
)
from envelopes.catalog import Catalog
from envelopes.messages import (
    CATALOG,
    MessageLiked,
    MessageLikedV1,
    MessageLikedV2,
    MessagePostedV1,
    MessageUnlikedV1,
    decode_activity,
)
from envelopes.messages.message_liked_v2 import Person


def reading(raw: bytes, text: str) -> None:
    like = assert_type(MessageLiked.from_json(raw), MessageLikedV2)
    assert_type(MessageLiked.from_json(text), MessageLikedV2)
    assert_type(like.liked_at, datetime)
    assert_type(like.author, Person)
    assert_type(like.author.locale, str | None)
    assert_type(like.to_json(), bytes)
    assert_type(like.model_copy(update={"like_id": "l-2"}), MessageLikedV2)


def decoding(raw: bytes) -> None:
    envelope = assert_type(decode(raw, channel="activity"), Envelope[Any])
    assert_type(decode(Wire(raw, key="k", headers=[("h", b"v")]), channel="activity", catalog=CATALOG), Envelope[Any])
    assert_type(decode("text", channel="activity"), Envelope[Any])
    assert_type(envelope.id, str | None)
    assert_type(envelope.key, str | bytes | None)
    assert_type(envelope.time, datetime | None)
    match envelope.data:
        case MessageLikedV2() as like:
            assert_type(like, MessageLikedV2)
        case MessageLikedV1() as old:
            assert_type(old, MessageLikedV1)


def reading_a_channel(raw: bytes) -> str:
    envelope = decode_activity(Wire(raw, key="k"))
    assert_type(envelope, Envelope[MessagePostedV1 | MessageLikedV1 | MessageLikedV2 | MessageUnlikedV1])
    match envelope.data:
        case MessagePostedV1() as posted:
            return posted.text
        case MessageLikedV1() | MessageLikedV2() as liked:
            return liked.like_id
        case MessageUnlikedV1():
            return "unliked"
        case never:
            assert_never(never)


def encoding(like: MessageLiked) -> None:
    wire = assert_type(encode(like, source="/web"), Wire)
    assert_type(encode(Envelope(like, id="e-1", extensions={"trace": "t"})), Wire)
    assert_type(wire.key, bytes | None)
    assert_type(Wire(None, 7, {"name": None, b"other": "text"}).is_null, bool)
    assert_type(Envelope(like), Envelope[MessageLikedV2])
    assert_type(Envelope(like).data, MessageLikedV2)
    assert_type(envelopes.messages.CATALOG, Catalog)


def upgrading(old: MessageLikedV1, wrapped: Envelope[MessageLikedV1]) -> None:
    assert_type(as_newest(old), ValueObject)
    assert_type(as_newest(wrapped), Envelope[Any])

    @upcast(MessageLikedV1, MessageLikedV2)
    def from_v1(message: MessageLikedV1) -> MessageLikedV2:
        return MessageLikedV2.from_json(message.to_json())

    assert_type(from_v1(old), MessageLikedV2)


def errors(raw: bytes) -> None:
    try:
        decode(raw, channel="activity")
    except DecodeError as error:
        assert_type(error.raw, bytes)
        assert_type(error.violation, Violation)
        assert_type((error.pointer, error.expected, error.found), tuple[str, str, str])
        assert_type(error.version, int | None)
    except UnknownNameError as error:
        assert_type(error.known, tuple[str, ...])
    except UpcastError as error:
        assert_type(error.to, int)
    except (EncodeError, ContractViolationError) as error:
        assert_type(error.subject, str)


def maps(headers: FrozenMap[str, int]) -> None:
    assert_type(headers["a"], int)
    as_mapping: Mapping[str, int] = headers
    assert_type(as_mapping.get("a"), int | None)


def comparing(old: dict[str, Any], new: dict[str, Any]) -> None:
    verdict = compare(writer=old, reader=new)
    assert_type(verdict.status, Literal["compatible", "incompatible", "unknown"])
    for incompatibility in verdict.incompatibilities:
        assert_type(incompatibility.rule, str)
