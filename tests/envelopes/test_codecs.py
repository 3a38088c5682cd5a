"""Bytes ⇄ envelopes, through every codec."""

import base64
import json
import logging
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate
from envelopes import DecodeError, EncodeError, Envelope, UnknownNameError, Violation, Wire, decode, encode
from envelopes.messages import DeliveryRequested, MessageLiked, MessageLikedV1
from envelopes.types import read_timestamp

from .test_values import LIKE, request_with

CATALOG = """
[channels.plain]
protocol = "redis-stream"
address = "plain"
codec = "json"
type = "/kind"

[channels.binary]
protocol = "kafka"
address = "binary"
codec = "cloudevents"
mode = "binary"

[channels.registry]
protocol = "kafka"
address = "registry"
codec = "confluent"

[channels.unnumbered]
protocol = "kafka"
address = "unnumbered"
codec = "confluent"

[channels.empty]
protocol = "redis-list"
address = "empty"
codec = "json"

[subjects.ping]
channel = "plain"
id = "/id"
version = "/v"

[subjects.pong]
channel = "plain"

[subjects.sent]
channel = "binary"
key = "/id"

[subjects.kept]
channel = "registry"
key = "/id"
schema_ids = { 1 = 101, 2 = 102 }

[subjects.loose]
channel = "unnumbered"

[subjects.still]

[subjects.split]
channel = "binary"
"""


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A team's own contracts, in every other codec, as a generated package."""
    contracts = tmp_path / "contracts"
    for subject, versions in (
        ("ping", 2),
        ("pong", 1),
        ("sent", 1),
        ("kept", 2),
        ("loose", 1),
        ("still", 1),
        ("split", 2),
    ):
        (contracts / subject).mkdir(parents=True)
        for version in range(1, versions + 1):
            properties = {"id": {"type": "string"}, "kind": {"const": subject}, "v": True}
            if version == 2:
                properties["note"] = {"type": "string"}
            schema = {"type": "object", "required": ["id"], "properties": properties}
            if subject == "split":
                schema["$id"] = f"urn:acme:split:{'first' if version == 1 else 'second'}"
            (contracts / subject / f"v{version}.json").write_text(json.dumps(schema))
    (contracts / "catalog.toml").write_text(CATALOG)
    package = f"acme_{tmp_path.name.replace('-', '_')}"
    generate(load_catalog(contracts), package, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return __import__(f"{package}.messages", fromlist=["CATALOG"])


@pytest.fixture
def like():
    return MessageLiked.from_json(json.dumps(LIKE))


def test_a_structured_event_comes_back_whole(like):
    envelope = Envelope(
        like, id="e-1", source="/web", time=datetime(2026, 3, 1, tzinfo=UTC), extensions={"trace": "t1"}
    )
    wire = encode(envelope)
    back = decode(wire, channel="activity")
    assert back.data == like
    assert (back.id, back.source, back.time, back.type, back.version) == (
        "e-1",
        "/web",
        envelope.time,
        "message.liked",
        2,
    )
    assert dict(back.extensions) == {"trace": "t1"}
    assert back.key == like.message_id == wire.key.decode()
    assert wire.headers == (("content-type", b"application/cloudevents+json; charset=UTF-8"),)


@pytest.mark.parametrize(
    ("name", "value", "expected", "found"),
    [
        ("id", None, "a non-empty string (CloudEvents 1.0 requires it)", "nothing"),
        ("source", "", "a non-empty string (CloudEvents 1.0 requires it)", '""'),
        ("type", 7, "a non-empty string (CloudEvents 1.0 requires it)", "7"),
        ("specversion", "0.3", '"1.0"', '"0.3"'),
        ("time", "2026-02-30T12:00:00Z", "an RFC 3339 date-time", '"2026-02-30T12:00:00Z"'),
        (
            "time",
            "2026-W01-1T12:00:00Z",
            "an RFC 3339 date-time (it does not begin with a date such as 2026-03-01)",
            '"2026-W01-1T12:00:00Z"',
        ),
        (
            "time",
            1_700_000_000,
            "an RFC 3339 date-time (it is a number, perhaps of seconds since 1970: write 2026-03-01T12:00:00Z)",
            "1700000000",
        ),
        ("datacontenttype", "text/plain", "a JSON media type", '"text/plain"'),
        ("datacontenttype", 7, "a JSON media type", "7"),
        ("dataschema", 7, "a URI", "7"),
    ],
)
def test_a_context_that_is_no_cloudevent_is_refused_with_its_place(like, name, value, expected, found):
    event = json.loads(encode(like, source="/web")) | {name: value}
    with pytest.raises(DecodeError) as refused:
        decode(json.dumps(event).encode(), channel="activity")
    assert refused.value.violation == Violation(f"/{name}", "cloudevents", expected, found)
    job = json.dumps({"class": "DeliveryRequested", "args": [event]}).encode()
    with pytest.raises(DecodeError) as refused:
        decode(job, channel="transport")
    if name != "specversion":
        assert refused.value.violation == Violation(f"/args/0/{name}", "resque", expected, found)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.acme+JSON", "text/json"])
def test_every_json_media_type_is_read(like, content_type):
    event = json.loads(encode(like, source="/web")) | {"datacontenttype": content_type}
    assert decode(json.dumps(event).encode(), channel="activity").data == like


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, "/data: expected the event's data, found nothing"),
        ({"data_base64": "e30=!"}, '/data_base64: expected base64, found "e30=!"'),
        ({"data_base64": ["e30="]}, "/data_base64: expected base64, found an array of 1"),
        ({"data_base64": "ezE="}, "/data_base64: expected one JSON text, found "),
    ],
)
def test_an_event_without_data_that_can_be_read_is_refused(like, change, shown):
    event = json.loads(encode(like, source="/web")) | change
    del event["data"]
    with pytest.raises(DecodeError) as refused:
        decode(json.dumps(event).encode(), channel="activity")
    assert str(refused.value.violation).startswith(shown)


def test_data_in_base64_is_read(like):
    event = json.loads(encode(like, source="/web"))
    event["data_base64"] = base64.b64encode(json.dumps(event.pop("data")).encode()).decode()
    back = decode(json.dumps(event).encode(), channel="activity")
    assert (back.data, dict(back.extensions)) == (like, {})


def test_attributes_that_are_null_are_absent(like):
    absent = dict.fromkeys(("time", "dataschema", "datacontenttype", "trace"))
    event = json.loads(encode(like, source="/web")) | absent
    back = decode(json.dumps(event).encode(), channel="activity")
    assert (back.data, back.dataschema, dict(back.extensions)) == (like, None, {})


def test_times_with_any_offset_are_instants_and_keep_their_text(like):
    for text in ("2026-03-01T12:00:00.240793+00:00", "2026-03-01T14:00:00+02:00", "2026-03-01T12:00:00.000Z"):
        value = MessageLiked.from_json(json.dumps(LIKE | {"liked_at": text}))
        assert value.liked_at == datetime.fromisoformat(text)
        assert json.loads(encode(value))["data"]["liked_at"] == text
        assert value == MessageLiked.from_json(value.to_json())


def test_what_the_envelope_leaves_open_comes_from_the_data(like):
    back = decode(encode(like, source="/web"), channel="activity")
    assert (back.id, back.time, back.source) == (like.like_id, like.liked_at, "/web")


def test_the_version_follows_the_dataschema():
    plain = {name: value for name, value in LIKE.items() if name != "reaction"}
    for cls in (MessageLikedV1, MessageLiked):
        assert type(decode(encode(cls.from_json(json.dumps(plain))), channel="activity").data) is cls


def test_an_unknown_newer_version_is_read_as_the_newest_known_one_and_says_so(like, caplog):
    wire = Wire(bytes(encode(like)).replace(b":v2", b":v7"))
    with caplog.at_level(logging.WARNING):
        envelope = decode(wire, channel="activity")
    assert (envelope.version, type(envelope.data), envelope.newer) == (7, MessageLiked, True)
    assert caplog.messages == ["message.liked v7 is newer than this package knows: read as v2"]
    with pytest.raises(DecodeError):
        decode(Wire(bytes(wire).replace(b'"love"', b'"hate"')), channel="activity")


def test_a_job_with_and_without_an_envelope_is_read():
    request = request_with({"a": "1"})
    wrapped = decode(encode(request, source="/feed"), channel="transport")
    bare = json.dumps({"class": "DeliveryRequested", "args": [json.loads(request.to_json())]}).encode()
    plain = decode(bare, channel="transport")
    assert wrapped.data == plain.data == request
    assert (wrapped.source, plain.source) == ("/feed", None)
    assert wrapped.id == plain.id == request.delivery_id
    assert json.loads(encode(request))["class"] == "DeliveryRequested"
    finer = read_timestamp("2026-03-01T12:00:00.123456789Z")
    assert b'"time":"2026-03-01T12:00:00.123456789Z"' in encode(Envelope(request, time=finer))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"", "/: expected one JSON text, found "),
        (b"\xff", "/: expected one JSON text, found "),
        (b"[]", "/: expected a Resque job, found an array of 0"),
        (b'{"args": [{}]}', "/class: expected the job's class name, found null"),
        (
            b'{"class": "X", "args": {}}',
            "/args: expected an array of exactly one argument, found an object with 0 fields",
        ),
        (b'{"class": "X", "args": []}', "/args: expected an array of exactly one argument, found an array of 0"),
        (
            b'{"class": "DeliveryRequested", "args": [{"specversion": "1.0", "id": "", "type": "t", "data": 1}]}',
            '/args/0/id: expected a non-empty string (CloudEvents 1.0 requires it), found ""',
        ),
        (
            b'{"class": "Other", "args": [{}]}',
            '/: expected a type of channel transport (DeliveryRequested), found "Other"',
        ),
        (b'{"class": "DeliveryRequested", "args": [NaN]}', "/: expected one JSON text, found "),
    ],
)
def test_what_is_no_job_is_refused_with_its_place_and_its_bytes(raw, shown):
    with pytest.raises(DecodeError) as caught:
        decode(raw, channel="transport")
    assert str(caught.value.violation).startswith(shown)
    assert caught.value.pointer == shown.partition(":")[0].rstrip("/")
    assert caught.value.raw == raw


def test_an_unknown_channel_names_the_known_ones(like):
    with pytest.raises(UnknownNameError, match="activity, transport"):
        decode(encode(like), channel="activty")


def test_json_finds_type_version_and_id_in_the_data(acme):
    envelope = decode(b'{"kind": "ping", "id": "7", "v": 1}', channel="plain", catalog=acme.CATALOG)
    assert (type(envelope.data), envelope.version, envelope.id) == (acme.PingV1, 1, "7")
    newest = decode(b'{"kind": "ping", "id": "7", "note": "x"}', channel="plain", catalog=acme.CATALOG)
    assert newest.version == 2
    older = decode(b'{"kind": "ping", "id": "7", "note": 5}', channel="plain", catalog=acme.CATALOG)
    assert older.version == 1, "the newest version that matches"
    assert decode(b'{"kind": "ping", "id": "7", "v": "ping/v1"}', channel="plain", catalog=acme.CATALOG).version == 1
    for none in (b"true", b'"first"', b"[1]", b"null"):
        unsaid = decode(
            b'{"kind": "ping", "id": "7", "note": 5, "v": %s}' % none, channel="plain", catalog=acme.CATALOG
        )
        assert unsaid.version == 1


@pytest.mark.parametrize(
    ("raw", "channel", "shown"),
    [
        (b'{"kind": "pang"}', "plain", '/kind: expected a type of channel plain (ping, pong), found "pang"'),
        (b'{"id": "7"}', "plain", "/kind: expected a type of channel plain (ping, pong), found no type"),
        (
            b"{}",
            "empty",
            "/: expected a type of channel empty (none: the catalog names no subject for it), found no type",
        ),
        (b"[1", "plain", "/: expected one JSON text, found "),
    ],
)
def test_a_message_of_no_known_type_is_refused_with_the_types_that_are_known(acme, raw, channel, shown):
    with pytest.raises(DecodeError) as refused:
        decode(raw, channel=channel, catalog=acme.CATALOG)
    assert str(refused.value.violation).startswith(shown)
    assert "char" not in str(refused.value.violation)


def test_a_message_that_matches_no_version_is_judged_by_the_newest(acme):
    with pytest.raises(DecodeError) as refused:
        decode(b'{"kind": "ping", "id": 7}', channel="plain", catalog=acme.CATALOG)
    assert str(refused.value) == "ping v2 at /id: expected string, found a number of 1 digit"


def test_an_older_version_than_the_package_knows_is_refused_with_the_known_ones(acme):
    raw = b'{"kind": "ping", "id": "7", "v": 0}'
    with pytest.raises(DecodeError) as refused:
        decode(raw, channel="plain", catalog=acme.CATALOG)
    assert refused.value.violation == Violation("", "version", "one of v1, v2", "v0")
    assert (refused.value.subject, refused.value.version, refused.value.raw) == ("ping", 0, raw)


def test_a_streams_key_comes_with_every_codec(acme):
    for message, channel in ((acme.Pong(id="7", kind="pong"), "plain"), (acme.KeptV1(id="7"), "registry")):
        wire = encode(Envelope(message, key="k"), catalog=acme.CATALOG)
        assert wire.key == b"k"
        assert decode(wire, channel=channel, catalog=acme.CATALOG).key == "k"
        odd = Wire(bytes(wire), b"\xff")
        assert decode(odd, channel=channel, catalog=acme.CATALOG).key == b"\xff"
        assert decode(Wire(bytes(wire)), channel=channel, catalog=acme.CATALOG).key is None


def test_kafkas_binary_mode_carries_the_context_in_headers(acme):
    wire = encode(acme.Sent(id="7"), source="/s", catalog=acme.CATALOG)
    assert json.loads(wire) == {"id": "7"}
    assert wire.headers[0] == ("content-type", b"application/json")
    assert dict(wire.headers)["ce_type"] == b"sent"
    assert wire.key == b"7"
    envelope = decode(wire, channel="binary", catalog=acme.CATALOG)
    assert (envelope.data.id, envelope.source, envelope.version, envelope.key) == ("7", "/s", 1, "7")


def test_a_schemas_own_id_names_the_version(acme):
    for cls, version in ((acme.SplitV1, 1), (acme.SplitV2, 2)):
        wire = encode(cls(id="7"), catalog=acme.CATALOG)
        assert decode(wire, channel="binary", catalog=acme.CATALOG).version == version


def test_what_stands_in_a_header_comes_back_as_text(acme):
    times = datetime(2026, 3, 1, 12, tzinfo=UTC), read_timestamp("2026-03-01T12:00:00.123456789Z")
    for time, text in zip(times, (b"2026-03-01T12:00:00Z", b"2026-03-01T12:00:00.123456789Z"), strict=True):
        envelope = Envelope(
            acme.Sent(id="7"), id="e-1", time=time, extensions={"trace": 'say "x"', "hops": 3, "no": None}
        )
        wire = encode(envelope, catalog=acme.CATALOG)
        headers = dict(wire.headers)
        assert (headers["ce_time"], headers["ce_trace"], headers["ce_hops"]) == (text, b'say "x"', b"3")
        back = decode(wire, channel="binary", catalog=acme.CATALOG)
        assert (back.time, dict(back.extensions)) == (time, {"trace": 'say "x"', "hops": "3"})


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("content-type", b"text/plain", '/datacontenttype: expected a JSON media type, found "text/plain"'),
        ("content-type", b"\xff", "header content-type: expected a text in UTF-8, found the bytes ff"),
        ("ce_time", b"\xff", "header ce_time: expected a text in UTF-8, found the bytes ff"),
        ("ce_id", b"", '/id: expected a non-empty string (CloudEvents 1.0 requires it), found ""'),
    ],
)
def test_a_header_that_is_no_attribute_is_refused(acme, name, value, shown):
    wire = encode(acme.Sent(id="7"), source="/s", catalog=acme.CATALOG)
    headers = [*((each, held) for each, held in wire.headers if each != name), (name, value)]
    with pytest.raises(DecodeError) as refused:
        decode(Wire(bytes(wire), wire.key, headers), channel="binary", catalog=acme.CATALOG)
    assert str(refused.value.violation) == shown


def test_what_neither_envelope_nor_data_says_is_filled_in(acme):
    one, other = (
        decode(encode(acme.Sent(id="7"), catalog=acme.CATALOG), channel="binary", catalog=acme.CATALOG) for _ in "ab"
    )
    assert one.id != other.id
    assert uuid.UUID(one.id).version == 4
    assert one.source == f"/{acme.CATALOG.package.split('.')[0]}"
    assert abs(datetime.now(UTC) - one.time) < timedelta(hours=1)
    assert one.extensions == {}


def test_what_the_envelope_says_goes_before_what_the_data_says(like):
    envelope = Envelope(like, id="e-1", source="/web", time=datetime(2026, 3, 2, tzinfo=UTC), key="k")
    back = decode(encode(envelope, source="/other"), channel="activity")
    assert (back.id, back.source, back.time, back.key) == ("e-1", "/web", envelope.time, "k")


def test_what_has_no_channel_is_not_encoded(acme):
    with pytest.raises(
        UnknownNameError, match="the catalog has no channel for subject 'still' \\(known: plain, binary,"
    ):
        encode(acme.Still(id="7"), catalog=acme.CATALOG)


def test_the_registrys_head_names_the_version(acme):
    wire = encode(acme.KeptV2(id="7", note="x"), catalog=acme.CATALOG)
    assert bytes(wire[:5]) == b"\x00\x00\x00\x00\x66"
    assert decode(wire, channel="registry", catalog=acme.CATALOG).version == 2
    assert decode(b"\x00\x00\x00\x00\x65" + wire[5:], channel="registry", catalog=acme.CATALOG).version == 1
    assert decode(b"\x00\x00\x00\x03\xe7" + wire[5:], channel="registry", catalog=acme.CATALOG).version == 2


HEAD = "/: expected a zero byte and a schema id of four bytes, or the byte 1 and a schema GUID of 16 bytes, "


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"", HEAD + "found nothing"),
        (b"\x00\x00\x00\x00", HEAD + "found 00 00 00 00"),
        (b'{"id": "7"}', HEAD + "found JSON without a prefix"),
        (b"\x01\x00\x00\x00\x65{}", HEAD + "found 01 00 00 00 65"),
        (b"\x00\x00\x00\x00\x65", "/: expected one JSON text, found "),
        (b"\x00\x00\x00\x00\x65[1", "/: expected one JSON text, found "),
    ],
)
def test_what_has_not_the_registrys_head_is_refused(acme, raw, shown):
    with pytest.raises(DecodeError) as refused:
        decode(raw, channel="registry", catalog=acme.CATALOG)
    assert str(refused.value).startswith(f"channel registry at {shown}")
    assert refused.value.pointer == ""


def test_without_a_schema_id_nothing_is_written_for_the_registry(acme):
    with pytest.raises(EncodeError) as refused:
        encode(acme.Loose(id="7"), catalog=acme.CATALOG)
    shown = "loose v1 at /: expected a schema id for this version in the catalog (schema_ids), found none"
    assert str(refused.value) == shown


def test_an_extension_cannot_shadow_an_attribute(like):
    expected = "an extension's name of lower-case letters and digits, not an attribute's"
    for name in ("source", "data", "a-b", "Trace"):
        with pytest.raises(EncodeError) as refused:
            encode(Envelope(like, extensions={name: "/other"}))
        assert (refused.value.subject, refused.value.version) == ("message.liked", 2)
        assert refused.value.violation == Violation(f"/{name}", "cloudevents", expected, repr(name))


def test_envelopes_are_immutable_and_equal_by_value(like):
    one = decode(encode(like), channel="activity")
    assert one == decode(encode(like), channel="activity")
    assert hash(one) == hash(decode(encode(like), channel="activity"))
    assert replace(one, id="other") != one
    with pytest.raises(AttributeError):
        one.id = "other"


def test_our_events_are_the_sdks_events(like):
    from cloudevents.core.bindings.kafka import KafkaMessage, from_structured, to_structured
    from cloudevents.core.formats.json import JSONFormat

    wire = encode(like, source="/web")
    theirs = from_structured(KafkaMessage(dict(wire.headers), wire.key, bytes(wire)), JSONFormat())
    assert theirs.get_id() == like.like_id
    assert theirs.get_type() == "message.liked"
    assert theirs.get_data() == LIKE
    back = to_structured(theirs, JSONFormat())
    value = back.value if isinstance(back.value, bytes) else back.value.encode()
    assert decode(Wire(value), channel="activity").data == like


def test_our_binary_events_are_the_sdks_events(acme):
    from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
    from cloudevents.core.formats.json import JSONFormat

    wire = encode(acme.Sent(id="7"), source="/s", catalog=acme.CATALOG)
    theirs = from_binary(KafkaMessage(dict(wire.headers), wire.key, bytes(wire)), JSONFormat())
    assert (theirs.get_type(), theirs.get_source(), theirs.get_data()) == ("sent", "/s", {"id": "7"})
    back = to_binary(theirs, JSONFormat())
    envelope = decode(Wire(back.value, back.key, back.headers.items()), channel="binary", catalog=acme.CATALOG)
    assert (envelope.data, envelope.source, envelope.version) == (acme.Sent(id="7"), "/s", 1)


def test_requests_are_typed():
    assert DeliveryRequested.__annotations__["enqueued_at"] == "Timestamp"
