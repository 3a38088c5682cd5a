"""`resque`: a job `{"class", "args"}` on a Redis list.

Written: one argument, the message as a structured CloudEvent. Read: that, and the job of a plain Resque client, whose
one argument is the data itself, also in ActiveJob's wrapper. Such a job is passed on as it is.
"""

from __future__ import annotations

from typing import Any

import orjson

from envelopes import _json
from envelopes._envelope import Headers, Wire
from envelopes.catalog import Channel
from envelopes.types import plain
from envelopes.validation import excerpt

from . import cloudevents
from ._active_job import ARGUMENTS, NAMES, TEXTS, job_inside
from ._context import CodecError, Context
from .json import parse

CONTEXT_NAMES = cloudevents.CONTEXT_NAMES | NAMES | {"class", "args"}
CONTEXT_TEXTS = TEXTS
_ARGUMENT, _WRAPPED_ARGUMENT = ("args", 0), (*ARGUMENTS, 0)


def read(
    raw: bytes | None,
    key: bytes | None,  # noqa: ARG001 - every codec has this signature
    headers: Headers,  # noqa: ARG001 - every codec has this signature
    channel: Channel,  # noqa: ARG001 - every codec has this signature
) -> tuple[Context, Any]:
    """Read a job, with or without an envelope."""
    job = parse(raw or b"")
    if not isinstance(job, dict):
        raise CodecError("", "a Resque job", excerpt(job))
    name, args = job.get("class"), job.get("args")
    if not isinstance(name, str):
        raise CodecError("/class", "the job's class name", excerpt(name))
    if not isinstance(args, list) or len(args) != 1:
        raise CodecError("/args", "an array of exactly one argument", excerpt(args))
    inside = job_inside(job)
    if inside is not None:
        return _read_inside(job, inside)
    if not cloudevents.is_event(args[0]):
        return Context(type=name, data_path=_ARGUMENT), args[0]
    try:
        context, data = cloudevents.read_event(args[0], None)
    except CodecError as error:
        path = (*_ARGUMENT, *error.data_path)
        raise CodecError(f"/args/0{error.pointer}", error.expected, error.found, path) from None
    return context._replace(data_path=(*_ARGUMENT, *context.data_path)), data


def _read_inside(job: dict[str, Any], inside: dict[str, Any]) -> tuple[Context, Any]:
    name, id_, args = inside["job_class"], inside.get("job_id"), inside.get("arguments")
    if not isinstance(name, str):
        raise CodecError("/args/0/job_class", "the class name of ActiveJob's job", excerpt(name))
    if id_ is not None and not isinstance(id_, str):
        raise CodecError("/args/0/job_id", "the job's id", excerpt(id_))
    if not isinstance(args, list) or len(args) != 1:
        expected = "an array of exactly one argument (the codec sidekiq reads several)"
        raise CodecError("/args/0/arguments", expected, excerpt(args))
    return Context(type=name, id=id_, data_path=_WRAPPED_ARGUMENT, frame=job), args[0]


def write(context: Context, raw: bytes, channel: Channel) -> Wire:
    """Write a job whose argument is the event, or the data alone if the job was read so."""
    inside = job_inside(context.frame)
    if inside is not None:
        written = {**inside, "job_class": context.type, "arguments": [orjson.Fragment(raw)]}
        if context.id is not None:
            written["job_id"] = context.id
        return Wire(_json.dumps({**context.frame, "args": [written]}, plain))
    as_read = context.data_path == _ARGUMENT and context.is_bare
    argument = orjson.Fragment(raw) if as_read else cloudevents.event_of(context, raw, channel)
    return Wire(_json.dumps({"class": context.type, "args": [argument]}, plain))
