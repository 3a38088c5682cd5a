"""Value objects: immutable, equal by value, and never in disagreement with their contract."""

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from envelopes import ContractViolationError, DecodeError, EncodeError
from envelopes.messages import DeliveryRequested, MessageLiked, MessageLikedV1, MessageLikedV2
from envelopes.messages.message_liked_v2 import Person

LIKE = {
    "like_id": "l-5d21e0",
    "message_id": "m-7f3a9c",
    "group_id": "g-blue01",
    "liker": {"person_id": "p-bo0002", "name": "Bo", "locale": "sv"},
    "author": {"person_id": "p-ana001", "name": "Ana"},
    "liked_at": "2026-03-01T12:00:05.120Z",
    "reaction": "love",
}


@pytest.fixture
def like() -> MessageLiked:
    return MessageLiked.from_json(json.dumps(LIKE))


def test_the_bare_name_is_the_newest_version():
    assert MessageLiked is MessageLikedV2
    assert MessageLiked is not MessageLikedV1


def test_what_was_read_is_what_is_written(like):
    assert json.loads(like.to_json()) == LIKE


def test_unknown_fields_are_ignored_on_read(like):
    assert MessageLiked.from_json(json.dumps(LIKE | {"colour": "red"})) == like


def test_unknown_fields_are_refused_on_construction(like):
    fields = {name: getattr(like, name) for name in type(like).model_fields}
    with pytest.raises(ContractViolationError, match="colour"):
        MessageLiked(**fields, colour="red")
    with pytest.raises(ContractViolationError) as caught:
        MessageLiked(**fields | {"liker": {"person_id": "p-bo0002", "name": "Bo", "colour": "red"}})
    assert caught.value.pointer == "/liker/colour"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"reaction": "hate"}, "/reaction"),
        ({"liker": None}, "/liker"),
        ({"liker": {"person_id": "nobody", "name": "Bo"}}, "/liker/person_id"),
        ({"liked_at": "yesterday"}, "/liked_at"),
        ({"liked_at": 0}, "/liked_at"),
    ],
)
def test_what_breaks_the_contract_is_refused_with_its_place(change, pointer):
    raw = json.dumps(LIKE | change).encode()
    with pytest.raises(DecodeError) as caught:
        MessageLiked.from_json(raw)
    assert (caught.value.subject, caught.value.version, caught.value.pointer) == ("message.liked", 2, pointer)
    assert caught.value.raw == raw


def test_an_error_shows_an_excerpt_and_never_the_whole_message():
    raw = json.dumps(LIKE | {"reaction": "x" * 500, "liker": ["secret"]})
    with pytest.raises(DecodeError) as caught:
        MessageLiked.from_json(raw)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_value_cannot_be_built_outside_its_contract():
    with pytest.raises(ContractViolationError) as caught:
        Person(person_id="p-bo0002", name="")
    assert caught.value.pointer == "/name"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"reaction": "hate"},
            '/reaction: expected one of ["like","love","laugh","wow"], found a text of 4 characters',
        ),
        ({"message_id": None}, "/message_id: expected string, found null"),
        ({"message_id": 3.5}, "/message_id: expected string, found a number of 2 digits"),
        ({"liker": 5}, "/liker: expected object, found a number of 1 digit"),
        ({"liker": {"name": "Bo"}}, '/liker: expected the field "person_id", found an object with 1 field'),
    ],
)
def test_what_is_wrong_in_code_is_told_as_in_a_message(like, change, told):
    fields = {name: getattr(like, name) for name in type(like).model_fields}
    with pytest.raises(ContractViolationError) as caught:
        MessageLiked(**fields | change)
    assert str(caught.value) == f"message.liked v2 at {told}"


def test_a_copy_with_changes_satisfies_the_contract_too(like):
    assert like.model_copy(update={"reaction": "wow"}).reaction == "wow"
    with pytest.raises(ContractViolationError):
        like.model_copy(update={"reaction": "hate"})


def test_what_leaves_is_checked_even_where_construction_was_avoided(like):
    forged = MessageLiked.model_construct(**{**like.__dict__, "reaction": "hate"})
    with pytest.raises(EncodeError):
        forged.to_json()


def test_no_door_leads_around_the_contract():
    with pytest.raises(ValidationError):
        MessageLiked.model_validate(LIKE | {"group_id": "blue"})
    with pytest.raises(ValidationError):
        MessageLiked.model_validate_json(json.dumps(LIKE | {"group_id": "blue"}))


def test_values_are_frozen_all_the_way_down(like):
    with pytest.raises(ValueError, match="frozen"):
        like.reaction = "wow"
    with pytest.raises(ValueError, match="frozen"):
        like.liker.name = "Zoe"
    request = request_with({"screen": "chat"})
    with pytest.raises(TypeError):
        request.details["screen"] = "other"
    with pytest.raises(AttributeError):
        request.details._items = {}


def test_values_are_equal_and_hash_by_value(like):
    again = MessageLiked.from_json(json.dumps(LIKE))
    assert again == like
    assert len({again, like}) == 1
    assert like != MessageLikedV1.from_json(json.dumps({k: v for k, v in LIKE.items() if k != "reaction"}))
    assert len({request_with({"a": "1"}), request_with({"a": "1"}), request_with({"a": "2"})}) == 2


def test_values_survive_copies_and_pickles(like):
    for value in (like, request_with({"a": "1"})):
        assert copy.copy(value) == copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
        assert pickle.loads(pickle.dumps(value)).to_json() == value.to_json()


def test_absent_stays_absent(like):
    plain = {name: value for name, value in LIKE.items() if name != "reaction"}
    message = MessageLiked.from_json(json.dumps(plain))
    assert message.reaction is None
    assert json.loads(message.to_json()) == plain
    assert "reaction" not in repr(message)
    built = like.model_copy(update={"reaction": None})
    assert built == message


def test_a_wrong_name_in_code_says_which_class_has_no_such_field(like):
    with pytest.raises(AttributeError, match="MessageLikedV2 has no field 'lover'"):
        _ = like.lover


def test_times_need_an_offset_and_keep_it():
    assert b'"enqueued_at":"2026-03-01T12:00:00Z"' in request_with(None).to_json()
    east = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert b"+05:30" in request_with(None, enqueued_at=east).to_json()
    with pytest.raises(ContractViolationError, match="offset"):
        request_with(None, enqueued_at=datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point


def request_with(details, enqueued_at=datetime(2026, 3, 1, 12, tzinfo=UTC)):
    return DeliveryRequested(
        delivery_id="d-12345",
        kind="push",
        recipient={"person_id": "p-ana001"},
        text="Bo likes your message",
        details=details,
        enqueued_at=enqueued_at,
        caused_by="l-5d21e0",
    )
