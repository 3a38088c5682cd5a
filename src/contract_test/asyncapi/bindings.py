"""What AsyncAPI says of channels and messages in its bindings, headers and content types."""

from __future__ import annotations

from typing import Any

from contract_test.data.contract import Channel, Contract, Subject
from envelopes.codecs.cloudevents import header_prefix

Object = dict[str, Any]

CLOUDEVENTS_JSON = "application/cloudevents+json"
_KAFKA, _AMQP = {"bindingVersion": "0.5.0"}, {"bindingVersion": "0.3.0"}
_REQUIRED = ("specversion", "id", "source", "type")
_EXTENSION_TYPES = {"string": {"type": "string"}, "integer": {"type": "integer"}, "boolean": {"type": "boolean"}}


def channel_bindings(channel: Channel) -> Object:
    """Return the bindings of a channel by its protocol."""
    if channel.protocol == "kafka":
        return {"kafka": _KAFKA if channel.is_pattern else {"topic": channel.address, **_KAFKA}}
    if channel.protocol == "amqp":
        return {"amqp": {"is": "routingKey", "exchange": {"name": channel.address[:255]}, **_AMQP}}
    return {"redis": {}} if channel.protocol.startswith("redis") else {}


def message_bindings(channel: Channel | None, subject: Subject) -> Object:
    """Return what a message is bound to: its key, and where its schema's id is."""
    if channel is None or channel.protocol != "kafka":
        return {}
    key = {"key": {"type": "string", "description": f"The value at {subject.key}"}} if subject.key else {}
    confluent = {"schemaIdLocation": "payload", "schemaIdPayloadEncoding": "confluent"}
    return {"kafka": {**key, **(confluent if channel.codec == "confluent" else {}), **_KAFKA}}


def context_of(channel: Channel | None, subject: Subject, contract: Contract) -> Object:
    """Return the content type and, for CloudEvents in binary mode, the headers."""
    if channel is None or channel.codec != "cloudevents":
        is_msgpack = channel is not None and channel.codec == "msgpack"
        return {"contentType": "application/msgpack" if is_msgpack else "application/json"}
    if channel.mode != "binary":
        return {"contentType": CLOUDEVENTS_JSON}
    attributes = _attributes(channel, subject, contract)
    prefix = header_prefix(channel)
    headers = {prefix + name: schema if "const" in schema else {**schema, "type": "string"}
               for name, schema in attributes.items()}  # fmt: skip
    schema = {"type": "object", "required": [prefix + name for name in _REQUIRED], "properties": headers}
    return {"contentType": "application/json", "headers": schema}


def wrapped(data: Object, channel: Channel | None, subject: Subject, contract: Contract) -> tuple[Object, str]:
    """Return the schema of what is on the wire, and the JSON pointer of the data's schema in it."""
    codec = (channel.codec, channel.mode) if channel else ("json", "")
    if channel is None or codec not in (("cloudevents", "structured"), ("resque", channel.mode)):
        return data, ""
    properties = {**_attributes(channel, subject, contract), "data": data}
    event = {"type": "object", "required": [*_REQUIRED, "data"], "properties": properties}
    if channel.codec == "cloudevents":
        return event, "/properties/data"
    job = {
        "class": {"const": subject.type or subject.name},
        "args": {"type": "array", "minItems": 1, "maxItems": 1, "items": event},
    }
    schema = {"type": "object", "required": list(job), "properties": job}
    return schema, "/properties/args/items/properties/data"


def _attributes(channel: Channel, subject: Subject, contract: Contract) -> dict[str, Object]:
    return {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "type": {"const": subject.type or subject.name},
        "time": {"type": "string", "format": "date-time"},
        "dataschema": {"const": contract.dataschema},
        **{name: _EXTENSION_TYPES[kind] for name, kind in channel.extensions.items()},
    }
