"""`sidekiq`: a job with any number of arguments on a Redis list, of Sidekiq, or of Resque; also in ActiveJob's wrapper.

The data is `{"args": […]}`: the job's arguments, or in ActiveJob's wrapper those of the job inside. The document of a
message, which a recording keeps, has the data where the array of arguments is in the message.
"""

from __future__ import annotations

import time
from typing import Any

from envelopes._envelope import Headers, Wire
from envelopes.catalog import Channel
from envelopes.validation import excerpt

from ._active_job import ARGUMENTS, NAMES, TEXTS, job_inside
from ._context import CodecError, Context
from ._layers import arguments_of, as_data, as_json, json_in_text, member

CONTEXT_NAMES = NAMES | {
    "class", "args", "jid", "queue", "retry", "created_at", "at", "wrapped", "bid", "tags", "dead", "backtrace",
    "cattr", "retry_count", "failed_at", "retried_at", "error_class", "error_message", "retry_for",
}  # fmt: skip
CONTEXT_TEXTS = TEXTS
_PLAIN = ("args",)
DATA_NAMES: dict[str, type] = {"args": list}


def read(
    raw: bytes | None,
    key: bytes | None,  # noqa: ARG001 - every codec has this signature
    headers: Headers,  # noqa: ARG001 - every codec has this signature
    channel: Channel,  # noqa: ARG001 - every codec has this signature
) -> tuple[Context, Any]:
    """Read a job's class, its id and its arguments."""
    document = unfold(raw or b"")
    wrapped = job_inside(document)
    path = _PLAIN if wrapped is None else ARGUMENTS
    name = document["class"] if wrapped is None else wrapped["job_class"]
    id_ = document.get("jid") or (wrapped or {}).get("job_id")
    if id_ is not None and not isinstance(id_, str):
        raise CodecError("/jid", "the job's id", excerpt(id_))
    context = Context(type=name, id=id_, data_path=path, frame=document, unfold=unfold)
    return context, as_data(document["args"] if wrapped is None else wrapped["arguments"])


def write(context: Context, raw: bytes, channel: Channel) -> Wire:
    """Write a job: the one that was read, with these arguments, or a new one of Sidekiq."""
    (args,) = arguments_of(json_in_text(raw, ""), DATA_NAMES)
    document = dict(context.frame or _new(context, channel))
    if not context.type:
        raise CodecError("/class", "the job's class name", "none")
    wrapped = job_inside(document)
    if wrapped is None:
        document |= {"class": context.type, "args": {"args": args}}
    else:
        document["args"] = [{**wrapped, "job_class": context.type, "arguments": {"args": args}}]
        if "wrapped" in document:
            document["wrapped"] = context.type
    if document.get("jid"):
        document["jid"] = context.id
    return Wire(fold(document))


def unfold(raw: bytes) -> Any:
    """Return the document of a message. Raises CodecError."""
    job = json_in_text(raw, "")
    member(job, "class", str, "", "the job's class name")
    args = member(job, "args", list, "", "an array of arguments")
    wrapped = job_inside(job)
    if wrapped is None:
        return {**job, "args": {"args": args}}
    member(wrapped, "job_class", str, "/args/0", "the class name of ActiveJob's job")
    inner = member(wrapped, "arguments", list, "/args/0", "an array of arguments")
    return {**job, "args": [{**wrapped, "arguments": {"args": inner}}]}


def fold(document: Any) -> bytes:
    """Return the bytes of a document. Raises CodecError."""
    wrapped = job_inside(document)
    if wrapped is None:
        (args,) = arguments_of(member(document, "args", dict, "", "the job's arguments"), DATA_NAMES)
        return as_json({**document, "args": args})
    (args,) = arguments_of(wrapped.get("arguments"), DATA_NAMES)
    return as_json({**document, "args": [{**wrapped, "arguments": args}]})


def _new(context: Context, channel: Channel) -> dict[str, Any]:
    now = time.time() if context.time is None else context.time.timestamp()
    queue = channel.address.rpartition("queue:")[2]
    times = {"created_at": now, "enqueued_at": now}
    return {"retry": True, "queue": queue, "class": context.type, "args": {}, "jid": context.id, **times}
