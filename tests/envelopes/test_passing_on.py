"""Whatever was read and is passed on, by any codec, is the message that was read."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packages import generated

from envelopes import Wire

CATALOG = """
[channels.structured]
protocol = "kafka"
address = "structured"
codec = "cloudevents"

[channels.binary]
protocol = "kafka"
address = "binary"
codec = "cloudevents"
mode = "binary"
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

[subjects."in.structured"]
channel = "structured"
key = "/id"

[subjects."in.binary"]
channel = "binary"
key = "partitionkey"

[subjects."in.plain"]
channel = "plain"
key = "/id"
time = "/at"

[subjects."in.jobs"]
channel = "jobs"

[subjects."in.registry"]
channel = "registry"
schema_ids = { 1 = 257 }
"""
SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "n": {"type": "number"},
        "price": {"type": "number", "x-python-type": "decimal"},
        "at": {"type": "string", "format": "date-time"},
        "specversion": {"type": "string"},
        "nested": {"type": "object", "additionalProperties": {"type": ["integer", "null", "boolean"]}},
    },
}
PREFIX = b"\0\0\0\1\1"
CHANNELS = ("structured", "binary", "plain", "jobs", "registry")

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
bounds = datetime(2, 1, 1), datetime(9998, 1, 1)  # noqa: DTZ001 - Hypothesis adds the time zone
times = st.datetimes(*bounds, timezones=offsets).map(datetime.isoformat)
numbers = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True),
)
extensions = st.dictionaries(
    st.from_regex("[a-z0-9]{1,8}", fullmatch=True).map("x{}".format),
    st.one_of(texts, st.integers(-(2**31), 2**31 - 1), st.booleans()),
    max_size=3,
)


@st.composite
def data(draw):
    """A JSON text with numbers as another language may write them."""
    fields = {"id": json.dumps(draw(texts))}
    for name, value in {
        "n": numbers,
        "price": numbers,
        "at": times.map(json.dumps),
        "specversion": texts.map(json.dumps),
        "nested": st.dictionaries(texts, st.one_of(st.none(), st.booleans(), st.integers())).map(json.dumps),
        "undeclared": st.one_of(numbers, texts.map(json.dumps), st.just("null")),
    }.items():
        if draw(st.booleans()):
            fields[name] = draw(value)
    gap = draw(st.sampled_from(["", " ", "\n"]))
    return "{" + ",".join(f"{gap}{json.dumps(name)}:{gap}{value}" for name, value in fields.items()) + gap + "}"


@st.composite
def wires(draw, channel):
    text = draw(data())
    key = draw(st.none() | st.binary(min_size=1, max_size=8))
    attributes = {"specversion": "1.0", "id": draw(texts), "source": draw(texts), "type": f"in.{channel}"}
    if draw(st.booleans()):
        attributes["time"] = draw(times)
    if channel == "structured":
        event = json.dumps(attributes | draw(extensions), ensure_ascii=draw(st.booleans()))
        return Wire(f'{event[:-1]},"data":{text}}}', key, [("content-type", "application/cloudevents+json")])
    if channel == "binary":
        if draw(st.booleans()):
            attributes |= {"hops": str(draw(st.integers(0, 9))), "sampled": draw(st.sampled_from(["true", "false"]))}
        headers = [(f"ce_{name}", value) for name, value in attributes.items()]
        return Wire(text, key, [*headers, ("content-type", draw(st.sampled_from(["application/json", "text/json"])))])
    if channel == "registry":
        if draw(st.booleans()):
            return Wire(text, key, [("__value_schema_id", PREFIX)])
        return Wire(PREFIX + text.encode(), key)
    if channel == "jobs":
        if draw(st.booleans()):
            text = f'{json.dumps(attributes | draw(extensions))[:-1]},"data":{text}}}'
        return Wire(f'{{"class":"in.jobs","args":[{text}]}}')
    return Wire(text, key)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    schemas = {(f"in.{channel}", 1): SCHEMA for channel in CHANNELS}
    with generated(tmp_path_factory.mktemp("passing_on"), "acme_passing_on", CATALOG, schemas) as package:
        yield package


@pytest.mark.parametrize("channel", CHANNELS)
@settings(max_examples=150, deadline=None)
@given(random=st.data())
def test_what_is_passed_on_is_what_was_read(package, channel, random):
    wire = random.draw(wires(channel))
    envelope = package.decode(wire, channel=channel)
    passed_on = package.encode(envelope)
    again = package.decode(passed_on, channel=channel)
    assert again == envelope
    assert passed_on.key == wire.key
    assert as_written(passed_on, channel) == as_written(wire, channel)
    assert bytes(package.encode(again)) == bytes(passed_on)


def as_written(wire, channel):
    """Return what a message says, with every number as its text and headers in any order."""
    raw = bytes(wire).removeprefix(PREFIX)
    parsed = json.loads(raw, parse_float=lambda text: ("number", text), parse_int=lambda text: ("number", text))
    headers = {name: value for name, value in wire.headers if channel != "structured"}
    for event in (parsed["args"][0] if channel == "jobs" else parsed, headers):
        for name in ("time", "ce_time"):
            if name in event:  # one instant has many texts
                text = event[name] if isinstance(event[name], str) else event[name].decode()
                event[name] = datetime.fromisoformat(text)
    return parsed, headers
