"""Messages from a file or from stdin, one a line: interactions, lines that other clients print, or bare messages."""

from __future__ import annotations

import codecs
import re
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from io import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO

from contract_test.data.errors import RecordingError, UnreachableError
from contract_test.data.interaction import Tapped
from contract_test.data.reading import Reading
from contract_test.files.exact_json import exact_loads, wire
from contract_test.transports.client_output import of_line, of_rpk
from envelopes import Wire, _json

MAX_LINE_BYTES = 64 * 1024 * 1024
MAX_SHOWN_BYTES = 1000
_LOOK_AGAIN = 0.2
_SERVER = re.compile(r"[\w.-]+:[0-9]+(/[0-9]*)?")
_KCAT = {"topic", "partition", "offset", "payload"}


def read_lines(name: str, reading: Reading) -> Iterator[Tapped | None]:
    """Yield the messages of a file; `-` is stdin. A line of no kind that is known is a message as it stands.

    A file does not know when its messages came: of a start in time nothing is left out.
    Raises UnreachableError where the file cannot be read, RecordingError for a line of more than 64 MiB.
    """
    try:
        with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
            if reading.since == "latest" and file.seekable():
                file.seek(0, SEEK_END)
            texts = 0
            for number, line in enumerate(_lines(file, name, reading), start=1):
                if line is None:
                    yield None
                elif line.strip():
                    texts += 1
                    if texts == 1:
                        first = line[:MAX_SHOWN_BYTES].strip()
                        _refuse_document(line.strip(), name)
                    tapped = _tapped(line.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").strip(), name, number)
                    if tapped is None:
                        reading.note(f"{name} holds deletions (messages without a value): they were left out")
                    else:
                        yield tapped
            if texts == 1 and first.startswith((b"[{", b"[ {")):
                every = f"jq -c '.[]' {name}" if name != "-" else "jq -c '.[]'"
                reading.note(f"{name} is one array, so it is one message. If its items are messages, use: {every}")
    except OSError as error:
        advice = "Name a file that can be read, or - for stdin."
        if isinstance(error, IsADirectoryError):
            advice = f"For all files in it: cat {name}/* | contract-test … -"
        elif _SERVER.fullmatch(name):
            advice = f"If that is a server: redis://{name} or kafka://{name}."
        raise UnreachableError(f"cannot be read: {error.strerror}", place=name, advice=advice) from None


def _lines(file: BinaryIO, name: str, reading: Reading) -> Iterator[bytes | None]:
    rest = b""
    while True:
        line = rest + file.readline(MAX_LINE_BYTES)
        if len(line) >= MAX_LINE_BYTES:
            raise RecordingError(
                f"a line of more than {MAX_LINE_BYTES} bytes", place=name, advice="Write a message a line."
            )
        if line.endswith(b"\n") or (line and not reading.follow):
            rest = b""
            yield line
        elif reading.follow and name != "-":
            rest = line
            yield None
            time.sleep(_LOOK_AGAIN)
        else:
            return


def _refuse_document(first: bytes, name: str) -> None:
    """Raise RecordingError if the first line of a file is only the beginning of a JSON text."""
    if not (first.startswith((b"{", b"[")) and first.endswith((b"{", b"[", b","))):
        return
    is_array = first.startswith(b"[")
    what = "one array over several lines" if is_array else "JSON over several lines"
    command = f"jq -c {chr(39)}.[]{chr(39)}" if is_array else "jq -c ."
    file = "" if name == "-" else f" {name}"
    raise RecordingError(
        f"{what}, where a message a line is expected",
        place=name,
        advice=f"Make lines of it: {command}{file} > lines.jsonl",
    )


def _tapped(line: bytes, name: str, number: int) -> Tapped | None:
    """Return the message in a line; None for a deletion, as it is left out of a topic."""
    place = {"line": number}
    try:
        value = exact_loads(line) if line.startswith(b"{") else None
    except _json.JsonError:
        value = None
    if isinstance(value, dict) and "payload" in value:
        if isinstance(value.get("format"), int) and isinstance(value.get("channel"), str):
            return Tapped(_from_interaction(value), place)
        if value.keys() >= _KCAT:
            if value["payload"] is None and not value.get("headers"):
                return None
            seen = {name: value[name] for name in ("topic", "partition", "offset")}
            return Tapped(_from_kcat(value), seen)
    tapped = of_rpk(value) if isinstance(value, dict) else of_line(line, name, number)
    if tapped is not None:
        return None if tapped.wire.is_null and not tapped.wire.headers else tapped
    return Tapped(Wire(line), place)


def _from_interaction(value: dict[str, Any]) -> Wire:
    headers = value.get("headers")
    key, prefix = value.get("key"), value.get("prefix")
    return wire(
        value["payload"],
        key if isinstance(key, str) else None,
        {name: str(each) for name, each in headers.items()} if isinstance(headers, dict) else {},
        prefix if isinstance(prefix, str) else "",
    )


def _from_kcat(value: dict[str, Any]) -> Wire:
    payload, key = value["payload"], value.get("key")
    flat = value.get("headers") if isinstance(value.get("headers"), list) else []
    assert isinstance(flat, list)
    headers = [
        (str(name), None if each is None else str(each)) for name, each in zip(flat[::2], flat[1::2], strict=False)
    ]
    raw = payload if isinstance(payload, str | None) else bytes(wire(payload))
    return Wire(raw, key if isinstance(key, str) else None, headers)
