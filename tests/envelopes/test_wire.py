"""Messages as other clients write them, and as they are passed on."""

import base64
import json
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module

import pytest
from packages import generated

from envelopes import DecodeError, EncodeError, Envelope, Wire, as_newest
from envelopes.types import read_timestamp

CATALOG = """
[channels.events]
protocol = "kafka"
address = "events"
codec = "cloudevents"

[channels.binary]
protocol = "kafka"
address = "binary"
codec = "cloudevents"
mode = "binary"
without_data = "allow"
extensions = { hops = "integer", sampled = "boolean" }

[channels.plain]
protocol = "kafka"
address = "plain"
codec = "json"

[channels.jobs]
protocol = "redis-list"
address = "jobs"
codec = "resque"

[channels.registry]
protocol = "kafka"
address = "registry"
codec = "confluent"

[subjects.made]
channel = "events"
key = "/id"

[subjects.seen]
channel = "binary"
key = "partitionkey"

[subjects.bare]
channel = "plain"
key = "/id"
time = "/at"

[subjects.job]
channel = "jobs"

[subjects.kept]
channel = "registry"
schema_ids = { 1 = 257 }

[subjects.semantic]
channel = "events"

[subjects.dated]
channel = "events"
"""
SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "n": {"type": "number"},
        "at": {"type": "string", "format": "date-time"},
        "specversion": {"type": "string"},
    },
}
SUBJECTS = ("made", "seen", "bare", "job", "kept", "semantic", "dated")
IDS = {"semantic": "https://example.com/semantic/{}.0.0", "dated": "https://example.com/dated/2024-03-0{}"}
EVENT = {"specversion": "1.0", "id": "EVENT", "source": "/s", "type": "made", "data": {"id": "DATA"}}
HEADERS = [(f"ce_{name}", value.encode()) for name, value in EVENT.items() if name != "data"]
STRUCTURED = ("content-type", b"application/cloudevents+json; charset=UTF-8")
SEEN = [("ce_specversion", b"1.0"), ("ce_id", b"e1"), ("ce_source", b"/s"), ("ce_type", b"seen")]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    versions = {subject: (1, 2) if subject in ("made", "semantic") else (1,) for subject in SUBJECTS}
    schemas = {
        (subject, version): SCHEMA | ({"$id": IDS[subject].format(version)} if subject in IDS else {})
        for subject in SUBJECTS
        for version in versions[subject]
    }
    with generated(tmp_path_factory.mktemp("wire"), "acme_wire", CATALOG, schemas) as package:
        yield package


@pytest.fixture
def messages(package):
    return import_module("acme_wire.messages")


def raw_of(event):
    return json.dumps(event).encode()


# Structured or binary


@pytest.mark.parametrize("content_type", [STRUCTURED, ("content-type", b"Application/CloudEvents")])
def test_a_structured_event_with_context_headers_beside_it_is_read_as_structured(package, content_type):
    wire = Wire(raw_of(EVENT), None, [content_type, *HEADERS])
    envelope = package.decode(wire, channel="events")
    assert (envelope.id, envelope.data.id) == ("EVENT", "DATA")


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        (b"application/cloudevents-batch+json", "a batch of events (application/cloudevents-batch+json)"),
        (b"application/cloudevents+avro", "an event in the format application/cloudevents+avro"),
    ],
)
def test_a_batch_or_another_format_is_refused_by_its_name(package, content_type, found):
    with pytest.raises(DecodeError) as refused:
        package.decode(Wire(b"[]", None, [("content-type", content_type)]), channel="events")
    assert (refused.value.pointer, refused.value.found) == ("header content-type", found)


def test_data_with_a_field_specversion_is_data(package):
    data = {"id": "x1", "specversion": "1.0"}
    envelope = package.decode(Wire(raw_of(data), None, SEEN), channel="binary")
    assert (envelope.data.specversion, envelope.data_path) == ("1.0", ())
    envelope = package.decode(raw_of({"class": "job", "args": [data]}), channel="jobs")
    assert (envelope.data.specversion, envelope.data_path) == ("1.0", ("args", 0))


# What clients hand over


@pytest.mark.parametrize(
    "headers",
    [
        dict(SEEN),
        dict(SEEN) | {"ce_subject": None, "retries": 3},
        {name.encode(): value for name, value in SEEN},
        {name: value.decode() for name, value in SEEN},
        [(name.encode(), memoryview(value)) for name, value in SEEN],
    ],
)
def test_headers_are_taken_as_clients_have_them(package, headers):
    envelope = package.decode(Wire(b'{"id": "x"}', bytearray(b"k"), headers), channel="binary")
    assert (envelope.id, envelope.key, dict(envelope.extensions)) == ("e1", "k", {})


def test_a_message_without_headers_or_key_or_as_text_is_read(package):
    assert package.decode(Wire(raw_of(EVENT), None, None), channel="events").id == "EVENT"
    assert package.decode(json.dumps(EVENT), channel="events").key is None
    assert package.decode(Wire(json.dumps(EVENT), 7), channel="events").key == "7"
    assert package.decode(memoryview(raw_of(EVENT)), channel="events").id == "EVENT"


@pytest.mark.parametrize("message", [None, Wire(None, b"k"), Wire(None, b"k", None)])
def test_a_tombstone_is_a_decode_error_unless_the_catalog_allows_it(package, message):
    with pytest.raises(DecodeError, match="found no value"):
        package.decode(message, channel="events")
    envelope = package.decode(message, channel="binary")
    assert (envelope.data, envelope.type) == (None, None)
    assert package.decode(pickle.loads(pickle.dumps(Wire(None, b"k"))), channel="binary").key == "k"


@pytest.mark.parametrize("value", [None, b""])
def test_an_event_without_data_is_a_decode_error_unless_the_catalog_allows_it(package, value):
    envelope = package.decode(Wire(value, b"k", SEEN), channel="binary")
    assert (envelope.data, envelope.type, envelope.id, envelope.key) == (None, "seen", "e1", "k")
    with pytest.raises(DecodeError, match="/data: expected the event's data, found nothing"):
        package.decode(Wire(value, b"k", HEADERS), channel="events")


def test_another_object_is_a_type_error_with_words(package):
    with pytest.raises(TypeError, match="a message is bytes or text, and this is a dict"):
        package.decode({"id": "x"}, channel="plain")
    with pytest.raises(TypeError, match="a header is bytes or text, and this is a list"):
        Wire(b"", None, [("a", [])])


# Which version a dataschema names


@pytest.mark.parametrize(
    ("dataschema", "version", "newer"),
    [
        ("urn:contract:made:v1", 1, False),
        ("urn:contract:made:v7", 7, True),
        *(
            (uri, 2, False)
            for uri in (
                "https://x/made/1.0.0",
                "https://x/made/2024-03-01",
                "https://x:8080",
                "http://reg/apis/registry/v2/ids/contentIds/3",
                "http://reg:8081/schemas/ids/1",
                "https://x/made/v1.json",
                "urn:contract:other:v1",
            )
        ),
    ],
)
def test_a_dataschema_names_a_version_only_if_it_is_built_as_the_catalogs_own(package, dataschema, version, newer):
    envelope = package.decode(raw_of(EVENT | {"dataschema": dataschema}), channel="events")
    assert (envelope.version, envelope.newer) == (version, newer)


@pytest.mark.parametrize(
    ("subject", "dataschema", "version", "newer"),
    [
        ("semantic", "https://example.com/semantic/1.0.0", 1, False),
        ("semantic", "https://example.com/semantic/2.0.1", 3, True),
        ("semantic", "https://example.com/semantic/1.5.0", 2, False),
        ("dated", "https://example.com/dated/2024-03-01", 1, False),
        ("dated", "https://example.com/dated/2025-03-02", 1, False),
    ],
)
def test_ids_in_semantic_versions_and_dates_are_understood_as_such(package, subject, dataschema, version, newer):
    envelope = package.decode(raw_of(EVENT | {"type": subject, "dataschema": dataschema}), channel="events")
    assert (envelope.version, envelope.newer) == (version, newer)


# What is written


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"id": ""}, "/id"),
        ({"source": ""}, "/source"),
        ({"id": "a\x00b"}, "/id"),
        ({"time": datetime(2026, 3, 1)}, "/time"),  # noqa: DTZ001 - that is the mistake
        ({"time": datetime(1890, 1, 1, tzinfo=timezone(timedelta(seconds=1172)))}, "/time"),
        ({"extensions": {"ratio": 0.5}}, "/ratio"),
        ({"extensions": {"n": 2**31}}, "/n"),
        ({"extensions": {"o": {"a": 1}}}, "/o"),
        ({"extensions": {"traceId": "t"}}, "/traceId"),
        ({"extensions": {"hops": "many"}}, "/hops"),
    ],
)
def test_what_cloudevents_does_not_allow_is_not_written(package, messages, change, pointer):
    with pytest.raises(EncodeError) as refused:
        package.encode(Envelope(messages.Seen(id="x"), **change))
    assert refused.value.pointer == pointer


def test_a_new_message_keeps_the_dataschema_that_it_is_given(package, messages):
    uri = "https://example.com/schemas/7"
    wire = package.encode(Envelope(messages.Made(id="x"), dataschema=uri))
    assert package.decode(wire, channel="events").dataschema == uri


@pytest.mark.parametrize(
    ("change", "pointer"),
    [({"dataschema": "urn:contract:made:v1"}, "/dataschema"), ({"type": "seen"}, "/type")],
)
def test_a_new_message_is_not_labelled_as_another(package, messages, change, pointer):
    with pytest.raises(EncodeError) as refused:
        package.encode(Envelope(messages.Made(id="x"), **change))
    assert refused.value.pointer == pointer


def test_extensions_of_every_type_come_back(package, messages):
    extensions = {"hops": 3, "sampled": False, "text": "ü", "blob": b"\xff", "when": datetime(2026, 3, 1, tzinfo=UTC)}
    read = {**extensions, "blob": base64.b64encode(b"\xff").decode(), "when": "2026-03-01T00:00:00Z"}
    for message, channel in ((messages.Seen(id="x"), "binary"), (messages.Made(id="x"), "events")):
        back = package.decode(package.encode(Envelope(message, extensions=extensions)), channel=channel)
        assert dict(back.extensions) == read
        assert {back}  # hashable


def test_a_decoded_envelope_is_hashable_whatever_its_extensions_are(package):
    assert {package.decode(raw_of(EVENT | {"odd": {"a": [1]}}), channel="events")}


def test_the_partition_key_can_come_from_the_extension(package, messages):
    wire = package.encode(Envelope(messages.Seen(id="x"), extensions={"partitionkey": "p-7"}))
    assert wire.key == b"p-7"
    assert dict(wire.headers)["ce_partitionkey"] == b"p-7"


# Passing on


@pytest.mark.parametrize(
    ("channel", "wire"),
    [
        ("events", Wire(raw_of(EVENT), b"\xff\x00key", [STRUCTURED])),
        ("events", Wire(raw_of(EVENT | {"datacontenttype": "application/vnd.acme+json"}), None, [STRUCTURED])),
        ("events", Wire(raw_of(EVENT | {"dataschema": "urn:contract:made:v9", "data": {"id": "x", "fresh": [1]}}))),
        ("binary", Wire(b'{"n": 1E+3, "id": "x", "other": 12.50}', b"k", [("content-type", b"text/json"), *SEEN])),
        ("plain", Wire(b'{"id": "x", "n": 12.50, "at": "2026-03-01T12:00:00.000Z"}')),
        ("registry", Wire(b'\x00\x00\x00\x01\x01{"id": "x", "n": -0.0}')),
        ("registry", Wire(b'\x00\x00\x00\x03\xe7{"id": "x"}')),
    ],
)
def test_passing_on_changes_nothing(package, channel, wire):
    passed = package.encode(package.decode(wire, channel=channel))
    assert passed.key == wire.key
    assert sorted(passed.headers) == sorted(wire.headers) or not wire.headers
    if channel == "events":
        assert json.loads(passed, parse_float=str) == json.loads(wire, parse_float=str)
    else:
        assert bytes(passed) == bytes(wire)


@pytest.mark.parametrize("number", ["12.50", "1E+3", "1e-7", "1.0e+20", "-0", "123456789012345678901234567890.10"])
def test_passing_on_keeps_the_text_of_a_number(package, number):
    raw = raw_of(EVENT).replace(b'"DATA"', f'"DATA", "n": {number}'.encode())
    assert f'"n":{number}'.encode() in package.encode(package.decode(raw, channel="events"))
    event = EVENT | {"data_base64": base64.b64encode(f'{{"id":"x","n":{number}}}'.encode()).decode()}
    del event["data"]
    assert f'"n":{number}'.encode() in package.encode(package.decode(raw_of(event), channel="events"))


def test_what_is_changed_is_written_and_the_rest_stays(package, messages):
    envelope = package.decode(Wire(raw_of(EVENT), b"\xff", [STRUCTURED]), channel="events")
    changed = replace(
        envelope, data=messages.Made(id="other"), source="/me", time=read_timestamp("2026-03-01T12:00:00Z")
    )
    back = package.decode(package.encode(changed), channel="events")
    assert (back.data.id, back.source, back.id, back.key) == ("other", "/me", "EVENT", b"\xff")
    assert back.time == changed.time


def test_a_newer_version_is_passed_on_whole_or_not_at_all(package, messages):
    event = EVENT | {"dataschema": "urn:contract:made:v9", "data": {"id": "x", "fresh": 1}}
    envelope = package.decode(raw_of(event), channel="events")
    assert json.loads(package.encode(as_newest(envelope)))["data"] == event["data"]
    with pytest.raises(EncodeError, match="found data that was changed in a message of v9"):
        package.encode(replace(envelope, data=messages.Made(id="y")))


def test_an_upgraded_message_is_labelled_as_its_new_version(package):
    envelope = package.decode(raw_of(EVENT | {"dataschema": "urn:contract:made:v1"}), channel="events")
    assert json.loads(package.encode(as_newest(envelope)))["dataschema"] == "urn:contract:made:v2"


# One rule each


def test_data_beside_data_base64_is_refused(package):
    with pytest.raises(DecodeError, match="either data or data_base64, found both"):
        package.decode(raw_of(EVENT | {"data_base64": "e30="}), channel="events")


def test_of_two_headers_or_fields_with_one_name_the_last_counts(package):
    wire = Wire(b'{"id": "first", "id": "last"}', None, [*SEEN, ("ce_id", b"e2")])
    envelope = package.decode(wire, channel="binary")
    assert (envelope.id, envelope.data.id) == ("e2", "last")
    wire = Wire(raw_of(EVENT), None, [("content-type", b"application/json"), STRUCTURED, *HEADERS])
    assert package.decode(wire, channel="events").data.id == "DATA"


def test_a_byte_order_mark_and_bad_utf8_are_refused(package):
    with pytest.raises(DecodeError, match="found a byte order mark before it"):
        package.decode(b"\xef\xbb\xbf" + raw_of(EVENT), channel="events")
    with pytest.raises(DecodeError, match="header ce_subject: expected a text in UTF-8, found 1 byte"):
        package.decode(Wire(b'{"id": "x"}', None, [*SEEN, ("ce_subject", b"\xff")]), channel="binary")
    wire = Wire(b'{"id": "x"}', None, [*SEEN, ("content-type", b"application/json; charset=latin1")])
    with pytest.raises(DecodeError, match="expected JSON in UTF-8"):
        package.decode(wire, channel="binary")


# Others' framings


def test_a_schema_id_in_a_header_is_read(package):
    wire = Wire(b'{"id": "x"}', None, [("__value_schema_id", b"\x00\x00\x00\x01\x01")])
    envelope = package.decode(wire, channel="registry")
    assert (envelope.data.id, envelope.version) == ("x", 1)
    passed_on = package.encode(envelope)
    assert (bytes(passed_on), passed_on.headers) == (bytes(wire), wire.headers)


@pytest.mark.parametrize("in_header", [True, False])
def test_a_schema_guid_is_read_and_passed_on(package, in_header):
    guid = b"\x01" + bytes(range(16))
    wire = Wire(b'{"id": "x"}', None, [("__value_schema_id", guid)]) if in_header else Wire(guid + b'{"id": "x"}')
    envelope = package.decode(wire, channel="registry")
    assert (envelope.data.id, envelope.version) == ("x", 1)
    passed_on = package.encode(envelope)
    assert (bytes(passed_on), passed_on.headers) == (bytes(wire), wire.headers)


@pytest.mark.parametrize(
    ("wire", "found"),
    [
        (Wire(b"{}", None, [("__value_schema_id", b"\x01" + bytes(15))]), "01 00 00"),
        (Wire(b"{}", None, [("__value_schema_id", b"\x00" + bytes(16))]), "00 00 00"),
        (Wire(b"{}", None, [("__value_schema_id", b"\x02\x00\x00\x00\x01")]), "02 00 00"),
        (Wire(b"\x01" + bytes(16)), "01 00 00"),
        (Wire(bytes(8) + b'\x07{"id": "x"}'), "an id of eight bytes, which is Apicurio's framing"),
        (Wire(b"{}", None, [("apicurio.value.globalId", bytes(8))]), "Apicurio's framing by headers: read the channel"),
        (Wire(b'{"id": "x"}'), "JSON without a prefix"),
    ],
)
def test_another_framing_is_refused_by_its_name(package, wire, found):
    with pytest.raises(DecodeError) as refused:
        package.decode(wire, channel="registry")
    assert refused.value.found.startswith(found)


# Times


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2026-01-02T03:04Z", "the seconds are missing: write 12:00:00, not 12:00"),
        ("2026-01-02T03:04:05", "the offset is missing"),
        ("2026-01-02 03:04:05Z", "there is a blank in place of the T"),
        ("2026-01-02 03:04:05 UTC", "there is a blank before the offset"),
        ("1970-01-01T00:00:00.000+0000", "the offset has no colon"),
        ("2026-01-02T03:04:05+01:00[Europe/Paris]", "there is the name of a time zone in brackets"),
        ("2026-02-30T03:04:05Z", "there is no such day or time"),
        ("+275760-09-13T00:00:00.000Z", "it does not begin with a date"),
        (1796011134600, "it is a number, perhaps of milliseconds since 1970"),
        ([2026, 1, 2], "it is not a text"),
    ],
)
def test_a_decode_error_says_which_part_of_a_time_is_wrong(messages, value, reason):
    with pytest.raises(DecodeError) as refused:
        messages.Bare.from_value({"id": "x", "at": value})
    assert refused.value.pointer == "/at"
    assert refused.value.expected.startswith(f"an RFC 3339 date-time ({reason}")


def test_the_reader_of_a_channel_reads_what_decode_reads():
    from envelopes import decode, encode
    from envelopes.messages import MessageLiked, decode_activity

    like = MessageLiked.from_value({
        "like_id": "l-5d21e0",
        "message_id": "m-7f3a9c",
        "group_id": "g-blue01",
        "liker": {"person_id": "p-bo0002", "name": "Bo"},
        "author": {"person_id": "p-ana001", "name": "Ana"},
        "liked_at": "2026-03-01T12:00:05Z",
    })  # fmt: skip
    wire = encode(like, source="/web")
    assert decode_activity(wire) == decode(wire, channel="activity")
    assert decode_activity(bytes(wire)).data == like
    with pytest.raises(DecodeError):
        decode_activity(None)
