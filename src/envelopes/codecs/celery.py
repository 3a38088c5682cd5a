"""`celery`: a task in Celery's message protocol 2, as kombu writes it on a Redis list.

The body is base64 of JSON: `[args, kwargs, embed]`. The data is `{"args": […], "kwargs": {…}}`. In the document of a
message, which a recording keeps, the body is `{"arguments": the data, "embed": …}`.
"""

from __future__ import annotations

import uuid
from typing import Any

from envelopes._envelope import Headers, Wire
from envelopes.catalog import Channel
from envelopes.validation import excerpt

from ._context import CodecError, Context
from ._layers import arguments_of, as_base64, as_data, as_json, json_in_base64, json_in_text, member

CONTEXT_NAMES = frozenset({
    "body", "arguments", "embed", "callbacks", "errbacks", "chain", "chord", "content-encoding", "content-type",
    "headers", "properties", "lang", "task", "id", "shadow", "eta", "expires", "group", "group_index", "retries",
    "timelimit", "root_id", "parent_id", "argsrepr", "kwargsrepr", "origin", "ignore_result",
    "replaced_task_nesting", "stamped_headers", "stamps", "correlation_id", "reply_to", "delivery_mode",
    "delivery_info", "exchange", "routing_key", "priority", "body_encoding", "delivery_tag", "args", "kwargs",
})  # fmt: skip
CONTEXT_TEXTS = frozenset({"application/json", "utf-8", "base64", "py", "celery"})
_ARGUMENTS = ("body", "arguments")
DATA_NAMES: dict[str, type] = {"args": list, "kwargs": dict}
_EXPECTED = {
    ("content-type", "application/json"): "a body in JSON (task_serializer = json)",
    ("content-encoding", "utf-8"): "a body in UTF-8",
}


def read(
    raw: bytes | None,
    key: bytes | None,  # noqa: ARG001 - every codec has this signature
    headers: Headers,  # noqa: ARG001 - every codec has this signature
    channel: Channel,  # noqa: ARG001 - every codec has this signature
) -> tuple[Context, Any]:
    """Read a task's name, its id and its arguments."""
    document = unfold(raw or b"")
    task = document["headers"]
    context = Context(
        type=task["task"], id=task["id"], data_path=_ARGUMENTS, frame=document, unfold=unfold
    )  # fmt: skip
    return context, as_data(document["body"]["arguments"])


def write(context: Context, raw: bytes, channel: Channel) -> Wire:
    """Write a task: the message that was read, with these arguments, or a new one."""
    task = context.frame or _new(context, channel)
    if not context.type or not context.id:
        raise CodecError("/headers", "a task and an id", "none")
    args, kwargs = arguments_of(json_in_text(raw, ""), DATA_NAMES)
    properties = dict(task["properties"])
    if properties.get("correlation_id") == task["headers"]["id"]:
        properties["correlation_id"] = context.id
    document = {
        **task,
        "body": {**task["body"], "arguments": {"args": args, "kwargs": kwargs}},
        "headers": {**task["headers"], "task": context.type, "id": context.id},
        "properties": properties,
    }
    return Wire(fold(document))


def unfold(raw: bytes) -> Any:
    """Return the document of a message: its JSON, with the body decoded. Raises CodecError."""
    message = json_in_text(raw, "")
    task = member(message, "headers", dict, "", "a task's headers, as in Celery's protocol 2")
    member(task, "task", str, "/headers", "the task's name (protocol 1, which has it in the body, is not read)")
    member(task, "id", str, "/headers", "the task's id")
    for (name, wanted), words in _EXPECTED.items():
        if message.get(name) != wanted:
            raise CodecError(f"/{name}", words, excerpt(message.get(name)))
    if task.get("compression") is not None:
        raise CodecError("/headers/compression", "a body that is not compressed", excerpt(task["compression"]))
    properties = member(message, "properties", dict, "", "a message's properties")
    if properties.get("body_encoding") != "base64":
        raise CodecError("/properties/body_encoding", '"base64"', excerpt(properties.get("body_encoding")))
    body = json_in_base64(message.get("body"), "/body")
    if not (isinstance(body, list) and [type(each) for each in body[:2]] == [list, dict] and len(body) == 3):  # noqa: PLR2004 - args, kwargs, embed
        raise CodecError("/body", "an array of args, kwargs and embed", excerpt(body))
    arguments = {"args": body[0], "kwargs": body[1]}
    return {**message, "body": {"arguments": arguments, "embed": body[2]}}


def fold(document: Any) -> bytes:
    """Return the bytes of a document. Raises CodecError."""
    body = member(document, "body", dict, "", "a body with arguments")
    arguments = arguments_of(body.get("arguments"), DATA_NAMES)
    return as_json({**document, "body": as_base64([*arguments, body.get("embed")])})


def _new(context: Context, channel: Channel) -> dict[str, Any]:
    nothing = ("shadow", "eta", "expires", "group", "group_index", "parent_id", "stamped_headers")
    return {
        "body": {"embed": dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))},
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py", "task": context.type, "id": context.id, **dict.fromkeys(nothing), "retries": 0,
            "timelimit": [None, None], "root_id": context.id, "argsrepr": "(...)", "kwargsrepr": "{...}",
            "origin": context.source, "ignore_result": False, "replaced_task_nesting": 0, "stamps": {},
        },
        "properties": {
            "correlation_id": context.id, "reply_to": "", "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": channel.address}, "priority": 0,
            "body_encoding": "base64", "delivery_tag": str(uuid.uuid4()),
        },
    }  # fmt: skip
