"""Bytes ⇄ envelopes, through every codec."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contract_test.files.catalog import load_catalog
from contract_test.use_cases.generate import generate
from envelopes import DecodeError, EncodeError, Envelope, UnknownNameError, Wire, decode, encode
from envelopes.messages import DeliveryRequested, MessageLiked, MessageLikedV1

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
"""


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A team's own contracts, in every other codec, as a generated package."""
    contracts = tmp_path / "contracts"
    for subject, versions in (("ping", 2), ("pong", 1), ("sent", 1), ("kept", 2)):
        (contracts / subject).mkdir(parents=True)
        for version in range(1, versions + 1):
            properties = {"id": {"type": "string"}, "kind": {"const": subject}, "v": {"type": "integer"}}
            if version == 2:
                properties["note"] = {"type": "string"}
            schema = {"type": "object", "required": ["id"], "properties": properties}
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


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/id", None),
        ("/source", ""),
        ("/type", 7),
        ("/specversion", "0.3"),
        ("/time", "2026-02-30T12:00:00Z"),
        ("/time", "2026-W01-1T12:00:00Z"),
        ("/time", 1_700_000_000),
        ("/datacontenttype", "text/plain"),
        ("/datacontenttype", 7),
        ("/dataschema", 7),
    ],
)
def test_a_context_that_is_no_cloudevent_is_refused_with_its_place(like, pointer, value):
    event = json.loads(encode(like, source="/web")) | {pointer[1:]: value}
    with pytest.raises(DecodeError) as refused:
        decode(json.dumps(event).encode(), channel="activity")
    assert refused.value.violation.pointer == pointer


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
    assert "v7" in caplog.text
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


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b"", ""),
        (b"\xff", ""),
        (b"[]", ""),
        (b'{"args": [{}]}', "/class"),
        (b'{"class": "DeliveryRequested", "args": []}', "/args"),
        (b'{"class": "DeliveryRequested", "args": [{"specversion": "1.0", "id": ""}]}', "/args/0/id"),
        (b'{"class": "Other", "args": [{}]}', ""),
        (b'{"class": "DeliveryRequested", "args": [NaN]}', ""),
    ],
)
def test_what_is_no_job_is_refused_with_its_place_and_its_bytes(raw, pointer):
    with pytest.raises(DecodeError) as caught:
        decode(raw, channel="transport")
    assert (caught.value.pointer, caught.value.raw) == (pointer, raw)


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
    with pytest.raises(DecodeError, match="ping, pong"):
        decode(b'{"kind": "pang", "id": "7"}', channel="plain", catalog=acme.CATALOG)


def test_kafkas_binary_mode_carries_the_context_in_headers(acme):
    wire = encode(acme.Sent(id="7"), source="/s", catalog=acme.CATALOG)
    assert json.loads(wire) == {"id": "7"}
    assert dict(wire.headers)["ce_type"] == b"sent"
    assert wire.key == b"7"
    envelope = decode(wire, channel="binary", catalog=acme.CATALOG)
    assert (envelope.data.id, envelope.source, envelope.version) == ("7", "/s", 1)


def test_the_registrys_head_names_the_version(acme):
    wire = encode(acme.KeptV2(id="7", note="x"), catalog=acme.CATALOG)
    assert bytes(wire[:5]) == b"\x00\x00\x00\x00\x66"
    assert decode(wire, channel="registry", catalog=acme.CATALOG).version == 2
    assert decode(b"\x00\x00\x00\x00\x65" + wire[5:], channel="registry", catalog=acme.CATALOG).version == 1
    with pytest.raises(DecodeError, match="zero byte"):
        decode(bytes(wire[5:]), channel="registry", catalog=acme.CATALOG)


def test_an_extension_cannot_shadow_an_attribute(like):
    with pytest.raises(EncodeError, match="extension"):
        encode(Envelope(like, extensions={"source": "/other"}))


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
