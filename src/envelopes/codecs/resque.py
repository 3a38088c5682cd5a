"""`resque`: a job `{"class", "args"}` on a Redis list.

Written: one argument, the message as a structured CloudEvent. Read: that, and the job of a plain Resque client, whose
one argument is the data itself.
"""

from __future__ import annotations

from typing import Any

from envelopes import _json
from envelopes._envelope import Headers, Wire
from envelopes.types import plain
from envelopes.validation import excerpt

from . import cloudevents
from ._parts import Malformed, Parts
from .json import parse

HEAD = 0
NAMES = cloudevents.NAMES | {"class", "args"}


def read(raw: bytes, key: bytes | None, headers: Headers) -> tuple[Parts, Any]:  # noqa: ARG001 - every codec has this signature
    """Read a job, with or without an envelope."""
    job = parse(raw)
    if not isinstance(job, dict):
        raise Malformed("", "a Resque job", excerpt(job))
    name, args = job.get("class"), job.get("args")
    if not isinstance(name, str):
        raise Malformed("/class", "the job's class name", excerpt(name))
    if not isinstance(args, list) or len(args) != 1:
        raise Malformed("/args", "an array of exactly one argument", excerpt(args))
    if not cloudevents.is_event(args[0]):
        return Parts(type=name), args[0]
    try:
        return cloudevents.read_event(args[0])
    except Malformed as error:
        raise Malformed(f"/args/0{error.pointer}", error.expected, error.found) from None


def place(payload: Any) -> tuple[str | int, ...]:
    """The job's argument, or the data of the event that it is."""
    return ("args", 0, *cloudevents.place(payload["args"][0]))


def write(parts: Parts, raw: bytes, mode: str) -> Wire:  # noqa: ARG001 - every codec has this signature
    """Write a job whose argument is the event."""
    return Wire(_json.dumps({"class": parts.type, "args": [cloudevents.event_of(parts, raw)]}, plain))
