"""What a producer emits, compared with what was recorded: which difference is told, and which is none."""

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from contract_test.data.interaction import Mismatch
from contract_test.files.catalog import load_catalog
from contract_test.files.recordings import read_recording
from contract_test.recordings.messages import read_message
from contract_test.replay.effect_matching import check_emitted, compared_by_type
from contract_test.replay.emitted import Sent, read_emitted
from contract_test.schema.match import Tolerance, json_type, mismatches, same
from envelopes import Envelope, Wire, encode
from envelopes.messages import CATALOG, MessageLikedV1, MessageLikedV2, MessagePosted

CONTRACTS = load_catalog(Path(__file__).parents[2] / "contracts")
LIKED = CONTRACTS.subjects["message.liked"]
EXPECTED = read_message(read_recording(LIKED.contracts[2])[0], CONTRACTS, CATALOG)
OLDER = read_message(read_recording(LIKED.contracts[1])[0], CONTRACTS, CATALOG)
POSTED = read_message(read_recording(CONTRACTS.subjects["message.posted"].contracts[1])[0], CONTRACTS, CATALOG)
DATA = EXPECTED.data


@pytest.mark.parametrize(
    ("expected", "actual", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": True}, {"a": 1}, [Mismatch("/a", "true", "1", "type-changed")]),
        ({"a": None}, {"a": False}, [Mismatch("/a", "null", "false", "type-changed")]),
        ({"a": 1}, {"a": "1"}, [Mismatch("/a", "1", '"1"', "type-changed")]),
        ({"a": []}, {"a": {}}, [Mismatch("/a", "an array of 0", "an object with 0 fields", "type-changed")]),
        ({"a": 1}, {"a": 2}, [Mismatch("/a", "1", "2", "value-changed")]),
        ({"a/b": 1}, {}, [Mismatch("/a~1b", "1", "nothing", "missing-field")]),
        ({}, {"a/b": 1}, [Mismatch("/a~1b", "nothing", "1", "new-field")]),
        ({"a": [1, 2]}, {"a": [1]}, [Mismatch("/a", "an array of 2", "an array of 1", "length-changed")]),
        (
            [{"x": 1}, 2, 3],
            [{"x": 2}, 2],
            [Mismatch("/0/x", "1", "2"), Mismatch("", "an array of 3", "an array of 2", "length-changed")],
        ),
        ({"a": 1, "b": 2}, {"b": 3, "c": 4}, ["/a missing-field", "/b value-changed", "/c new-field"]),
    ],
)
def test_every_difference_is_told_with_its_place(expected, actual, told):
    found = list(mismatches(expected, actual))
    assert [
        f"{each.pointer} {each.check}" if isinstance(want, str) else each
        for each, want in zip(found, told, strict=True)
    ] == told


@pytest.mark.parametrize(
    ("volatile", "masked", "told"),
    [
        ((), (), ["/at", "/list/0/at", "/list/1/at"]),
        (("/at",), (), ["/list/0/at", "/list/1/at"]),
        (("/at", "/list/*/at"), (), []),
        (("/list/1/at",), (), ["/at", "/list/0/at"]),
        (("/*/at",), (), ["/at", "/list/0/at", "/list/1/at"]),
        (("",), (), []),
        ((), ("/at", "/list/0/at"), ["/list/1/at"]),
    ],
)
def test_what_may_differ_is_no_difference(volatile, masked, told):
    before = {"at": "a", "list": [{"at": "a"}, {"at": "b"}]}
    after = {"at": "x", "list": [{"at": "y"}, {"at": "z"}]}
    found = mismatches(before, after, Tolerance(volatile=volatile, masked=masked))
    assert [each.pointer for each in found] == told


def test_what_was_masked_keeps_its_type_and_what_is_volatile_its_place():
    (changed,) = mismatches({"a": "x"}, {"a": 1}, Tolerance(masked=("/a",)))
    assert changed.check == "type-changed"
    (gone,) = mismatches({"a": "x"}, {}, Tolerance(volatile=("/a",)))
    assert gone.check == "missing-field"


def test_numbers_are_equal_as_json_has_it():
    assert same(1, 1.0)
    assert same("a", "a")
    assert not same(1, True)
    assert not same(0, False)
    assert [json_type(each) for each in (None, True, "", 1, 1.5, [], {})] == [
        "null", "boolean", "string", "number", "number", "array", "object",
    ]  # fmt: skip


def emitted(value, subject=LIKED, expected=EXPECTED):
    return read_emitted(value, subject, expected, CATALOG)


def judged(*values, subject=LIKED, expected=EXPECTED, others=(), causes=(), known=True):
    """Compare with one recorded message, whose cause led to `others` as well."""
    actual = [emitted(each, subject, expected) for each in values]
    return check_emitted(actual, expected, (expected, *others), causes, subject, lambda _: known)


def recorded(data, masked=EXPECTED.interaction.masked):
    return replace(EXPECTED, data=data, interaction=replace(EXPECTED.interaction, masked=tuple(masked)))


def liked(**changes):
    return MessageLikedV2.from_value(DATA | changes)


def wire(**changes):
    value = encode(Envelope(liked(), **changes), source="/web", catalog=CATALOG)
    return Wire(bytes(value), value.key, value.headers)


@pytest.mark.parametrize(
    "value",
    [
        liked(),
        Envelope(liked(), source="/web"),
        wire(),
        bytes(wire()),
        bytearray(wire()),
        memoryview(wire()),
        bytes(wire()).decode(),
        DATA,
        MappingProxyType(DATA),
        liked(like_id="l-another", liked_at="2027-01-01T00:00:00Z"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_in_whatever_form_a_message_is_given_what_was_recorded_holds(value):
    assert judged(value) == []


@pytest.mark.parametrize(
    "value", [liked(reaction="love"), Envelope(liked(reaction="love"), source="/web"), DATA | {"reaction": "love"}]
)
def test_in_whatever_form_a_message_is_given_a_change_is_told(value):
    assert judged(value) == [Mismatch("/reaction", '"like"', '"love"', "value-changed")]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (DATA | {"reaction": "hate"}, ("/reaction", "contract-broken")),
        (bytes(wire()).replace(b'"like"', b'"hate"'), ("/reaction", "contract-broken")),
        (b"[]", ("", "contract-broken")),
        (DATA | {"colour": "red"}, ("/colour", "undeclared-field")),
        (DATA | {"liker": DATA["liker"] | {"colour": "red"}}, ("/liker/colour", "undeclared-field")),
        (object(), ("", "contract-broken")),
        (MessagePosted.from_value(POSTED.data), ("", "wrong-subject")),
        (Envelope(MessagePosted.from_value(POSTED.data)), ("", "wrong-subject")),
        (encode(MessagePosted.from_value(POSTED.data), source="/web"), ("", "wrong-subject")),
        (
            bytes(encode(MessagePosted.from_value(POSTED.data))).replace(b'"g-', b'"no '),
            ("", "wrong-subject"),
        ),
    ],
    ids=[
        "value",
        "bytes",
        "no-event",
        "field",
        "inner-field",
        "object",
        "other",
        "other-envelope",
        "other-wire",
        "other-broken",
    ],
)
def test_what_should_not_leave_is_told(value, told):
    (found,) = judged(value)
    assert (found.pointer, found.check) == told


def test_what_is_told_of_a_message_that_should_not_leave_says_what_to_change():
    (other,) = judged(MessagePosted.from_value(POSTED.data))
    assert str(other) == "/: expected a message of message.liked, which the marker names, found one of message.posted"
    (undeclared,) = judged(DATA | {"colour": "red"})
    assert str(undeclared) == '/colour: expected no field that message.liked v2 does not declare, found "red"'
    (nothing_of_these,) = judged(7)
    wanted = "a value object, an envelope, the channel's bytes or text, or plain data"
    assert str(nothing_of_these) == f"/: expected {wanted}, found a `int` given to `emits`"
    (nothing,) = judged()
    assert nothing.check == "nothing-emitted"
    assert "await" in nothing.found


def test_as_many_are_emitted_as_were_recorded():
    one, other = liked(), liked(reaction="wow")
    wow = recorded(DATA | {"reaction": "wow"})
    assert judged(one, other, others=[wow]) == []
    assert judged(other, one, others=[wow]) == [], "in any order"
    assert judged(other, others=[wow]) == [Mismatch("", "2 for this cause", "1 emitted", "too-few-emitted")]
    assert judged(one, others=[wow]) == [], "the other one of the two has a test of its own"
    assert judged(one, other) == [], "a recording keeps what is novel: another of a known kind is no mistake"
    assert judged(one, other, known=False) == MANY


MANY = [Mismatch("", "1 for this cause", "2 emitted", "too-many-emitted")]


@pytest.mark.parametrize("changes", [{}, {"like_id": "l-0002"}, {"liked_at": "2027-01-01T00:00:00Z"}])
def test_one_message_that_leaves_twice_whatever_its_id_and_its_volatile_fields(changes):
    assert judged(liked(), liked(**changes)) == MANY
    assert judged(liked(), liked(**changes), subject=replace(LIKED, id=None)) == MANY or "like_id" in changes
    wow = {"reaction": "wow"}
    assert judged(liked(), liked(**wow), liked(**wow | changes)) == [replace(MANY[0], found="3 emitted")]


def test_messages_that_differ_in_masked_values_are_several_where_several_were_recorded():
    data = DATA | {"group_id": "g-abcabc"}
    first, second = recorded(data, ["/group_id"]), recorded(data | {"group_id": "g-xyzxyz"}, ["/group_id"])
    values = [liked(group_id=f"g-00000{number}") for number in range(3)]
    assert judged(*values, expected=first) == [replace(MANY[0], found="3 emitted")]
    assert judged(*values, expected=first, others=[second]) == []
    assert judged(*values, values[0], expected=first, others=[second]) == [
        Mismatch("", "2 for this cause", "4 emitted", "too-many-emitted")
    ]


def test_one_emitted_message_stands_for_one_recorded_message_only():
    again = recorded(DATA)
    assert judged(liked(), others=[again]) == []
    assert judged(liked(), expected=again, others=[EXPECTED]) == []
    actual = [emitted(liked())]
    found = check_emitted(actual, again, (EXPECTED, again), (), LIKED, lambda _: True)
    assert [each.check for each in found] == ["too-few-emitted"]


def test_a_message_of_another_cause():
    subject = replace(LIKED, caused_by="/message_id", key=None)
    cause = replace(POSTED, envelope=replace(POSTED.envelope, id=DATA["message_id"]))
    assert judged(liked(), subject=subject, causes=[cause]) == []
    (found,) = judged(liked(), liked(message_id="m-0000", reaction="wow"), subject=subject, causes=[cause])
    assert (found.pointer, found.check, found.found) == ("/message_id", "wrong-cause", '"m-0000"')


def test_a_masked_value_is_the_one_of_the_cause_where_the_cause_holds_it():
    expected = recorded(DATA | {"group_id": "g-abcabc", "message_id": "m-xyzxyz"}, ["/group_id", "/message_id"])
    cause = replace(POSTED, data={"group": {"id": "g-abcabc"}})
    assert compared_by_type(expected, [cause]) == ("/message_id",)
    assert judged(liked(group_id="g-abcabc"), expected=expected, causes=[cause]) == []
    (found,) = judged(liked(group_id="g-000000"), expected=expected, causes=[cause])
    assert (found.pointer, found.check) == ("/group_id", "value-changed")


def test_short_values_may_be_the_same_by_chance():
    expected = recorded({"size": 7, "name": "Bo", "on": True, "none": None}, ["/size", "/name", "/on", "/none"])
    assert compared_by_type(expected, [replace(POSTED, data=expected.data)]) == ("/size", "/name", "/on", "/none")


def test_of_several_the_nearest_is_compared_with_the_recorded_one():
    far, near = liked(reaction="love", liker=DATA["liker"] | {"locale": "de"}), liked(reaction="wow")
    love = recorded(DATA | {"reaction": "laugh"})
    assert judged(far, near, others=[love]) == [Mismatch("/reaction", '"like"', '"wow"', "value-changed")]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000Z", True),
        ("2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00", True),
        ("2026-03-01T12:00:00.5Z", "2026-03-01T12:00:00.500000Z", True),
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z", False),
        ("2026-03-01T12:00:00.0000001Z", "2026-03-01T12:00:00.0000002Z", False),
        ("2026-03-01T12:00:00Z", "soon", False),
    ],
)
def test_the_same_instant_in_another_spelling(one, other, is_same):
    assert bool(list(mismatches({"at": one}, {"at": other}))) is True
    found = list(mismatches({"at": [one]}, {"at": [other]}, Tolerance(instants=("/at/*",))))
    assert (found == []) is is_same


def test_an_array_without_an_order():
    tolerance = Tolerance(unordered=("/tags", "/rows"), volatile=("/rows/*/at",))
    one = {"tags": ["a", "b", "c"], "rows": [{"id": 1, "at": 1}, {"id": 2, "at": 2}]}
    other = {"tags": ["c", "a", "b"], "rows": [{"id": 2, "at": 3}, {"id": 1, "at": 4}]}
    assert list(mismatches(one, other, tolerance)) == []
    assert len(list(mismatches(one, other))) == 7
    (changed,) = mismatches(one, other | {"tags": ["c", "x", "a"]}, tolerance)
    assert (changed.pointer, changed.found) == ("/tags/1", '"x"')
    assert [each.check for each in mismatches(one, other | {"tags": ["c", "a"]}, tolerance)][-1] == "length-changed"


def test_what_only_another_version_has_is_no_mistake():
    newer = MessageLikedV2.from_value(OLDER.data | {"reaction": "like"})
    assert judged(newer, expected=OLDER) == []
    (new,) = judged(
        MessageLikedV2.from_value(OLDER.data | {"liker": OLDER.data["liker"] | {"locale": "de"}}), expected=OLDER
    )
    assert (new.pointer, new.check) == ("/liker/locale", "new-field"), "what the older version has as well"
    plain = {name: value for name, value in DATA.items() if name != "reaction"}
    (missing,) = judged(MessageLikedV1.from_value(plain))
    assert (missing.pointer, missing.check) == ("/reaction", "missing-field")
    assert judged(OLDER.data | {"reaction": "like"}, expected=OLDER) == [], "plain data is of the version that it fits"


@pytest.mark.parametrize(
    ("key", "subject", "recorded", "told"),
    [
        (b"m-7839", LIKED, "x", None),
        (b"other", LIKED, "x", '"m-7839" (what stands at /message_id), found "other"'),
        (None, LIKED, "x", '"m-7839" (what stands at /message_id), found null'),
        (b"\xff", replace(LIKED, key=None), "x", None),
        (None, replace(LIKED, key=None), "x", "a key, found null"),
        (b"k", replace(LIKED, key=None), None, 'no key, found "k"'),
        (None, replace(LIKED, key=None), None, None),
        (
            b'{"person_id":"p-bo"}',
            replace(LIKED, key="/absent"),
            "x",
            'null (what stands at /absent), found "{\\"person_id\\":\\"p-bo\\"}"',
        ),
    ],
)
def test_the_key_is_the_one_that_the_catalog_or_the_recording_asks_for(key, subject, recorded, told):
    expected = replace(EXPECTED, interaction=replace(EXPECTED.interaction, key=recorded))
    found = judged(Wire(bytes(wire()), key, wire().headers), subject=subject, expected=expected)
    assert [str(each) for each in found] == ([] if told is None else [f"key: expected {told}"])


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([("content-type", b"application/CloudEvents+json;charset=utf-8"), ("trace", b"other")], []),
        ([("content-type", b"application/json"), ("trace", b"t")], ["header content-type"]),
        ([("content-type", b"application/cloudevents+json; charset=UTF-8")], ["header trace"]),
        ([("trace", b"t")], ["header content-type"]),
    ],
)
def test_headers_that_were_recorded_are_there(headers, told):
    recorded = {"content-type": "application/cloudevents+json; charset=UTF-8", "trace": "t"}
    expected = replace(EXPECTED, interaction=replace(EXPECTED.interaction, headers=recorded))
    found = judged(Wire(bytes(wire()), wire().key, headers), expected=expected)
    assert [each.pointer for each in found] == told
    assert {each.check for each in found} <= {"wrong-header"}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ([("cloudEvents_specversion", b"1.0"), ("cloudEvents_id", b"e-2")], []),
        ([("cloudEvents:specversion", b"1.0"), ("cloudEvents:id", b"e-2")], []),
        ([("cloudEvents_specversion", b"0.3"), ("cloudEvents_id", b"e-2")], ["header cloudEvents:specversion"]),
        ([("cloudEvents_specversion", b"1.0")], ["header cloudEvents:id"]),
    ],
)
def test_both_prefixes_of_the_amqp_binding_are_one_header(sent, told):
    recorded = {"cloudEvents:specversion": "1.0", "cloudEvents:id": "e-1"}
    expected = replace(EXPECTED, interaction=replace(EXPECTED.interaction, headers=recorded))
    found = judged(Wire(bytes(wire()), wire().key, [*wire().headers, *sent]), expected=expected)
    assert [each.pointer for each in found] == told


def test_the_envelopes_attributes_are_those_that_were_recorded():
    def told(value, **before):
        envelope = replace(EXPECTED.envelope, **before)
        found = judged(value, expected=replace(EXPECTED, envelope=envelope))
        assert {each.check for each in found} <= {"wrong-header"}
        return [str(each) for each in found]

    elsewhere = Envelope(liked(), source="/elsewhere")
    assert told(elsewhere) == ['attribute source: expected "/web", found "/elsewhere"']
    assert told(elsewhere, source="web") == ['attribute source: expected "web", found "/elsewhere"']
    assert told(elsewhere, source="/a-pseudonym") == []
    assert told(Envelope(liked(), source="/web"), extensions={"trace": "t"}) == [
        'attribute trace: expected "t", found nothing'
    ]
    assert told(Envelope(liked(), source="/web", extensions={"trace": "u", "more": 1}), extensions={"trace": "t"}) == []
    event = json.loads(wire())
    del event["dataschema"]
    bare = Wire(json.dumps(event).encode(), wire().key, wire().headers)
    assert told(bare) == ['attribute dataschema: expected "urn:contract:message.liked:v2", found nothing']
    assert told(bare, dataschema=None) == []


class TestWhereAMessageIsSent:
    def test_an_address_or_the_name_of_one_of_its_channels_is_right(self):
        for channel in ("activity", None):
            assert judged(Sent(liked(), channel=channel)) == []

    @pytest.mark.parametrize("value", [liked(), wire(), bytes(wire()), DATA, Envelope(liked(), source="/web")])
    def test_any_other_address_is_a_mismatch(self, value):
        (found,) = judged(Sent(value, channel="activty"))
        assert str(found) == 'channel: expected "activity", found "activty"'
        assert found.check == "wrong-channel"

    def test_an_address_that_stands_for_several(self):
        channel = replace(LIKED.channel, address="orders.*")
        assert judged(Sent(liked(), channel="orders.eu"), subject=replace(LIKED, channels=(channel,))) == []

    def test_the_key_that_was_sent_beside_it(self):
        assert judged(Sent(liked(), key=DATA["message_id"])) == []
        assert judged(Sent(DATA, key=DATA["message_id"].encode())) == []
        (found,) = judged(Sent(liked(), key="m-0000"))
        assert (found.pointer, found.check) == ("key", "wrong-key")
        (found,) = judged(Sent(bytes(wire()), key=None))
        assert (found.pointer, found.check) == ("key", "wrong-key")

    def test_the_headers_that_were_sent_beside_it(self):
        expected = replace(EXPECTED, interaction=replace(EXPECTED.interaction, headers={"trace": "t"}))
        assert judged(Sent(liked(), headers={"trace": "other"}), expected=expected) == []
        assert judged(Sent(liked(), headers=[("trace", b"other")]), expected=expected) == []
        (found,) = judged(Sent(liked(), headers={}), expected=expected)
        assert (found.pointer, found.check) == ("header trace", "wrong-header")
        assert judged(liked(), expected=expected) == [], "nothing was told of its headers"

    def test_a_key_that_no_client_takes(self):
        (found,) = judged(Sent(liked(), key=[1]))
        assert found.check == "contract-broken"
