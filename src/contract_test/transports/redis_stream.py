"""A read-only tap on a Redis stream: XRANGE from an id, no group, nothing acknowledged."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from contract_test.data.interaction import Tapped
from contract_test.data.reading import Reading
from contract_test.transports.redis_client import redis_client
from envelopes import Wire, _json

PAGE = 500
_FIRST_PAGE = 50
_PAGE_BYTES = 1_000_000
_LOOK_AGAIN = 0.2
_DATA = b"data"


def read_stream(url: str, key: str, reading: Reading) -> Iterator[Tapped | None]:
    """Yield the entries of a stream, by their ids.

    An entry's message is its field `data` (its other fields are headers, as in binary CloudEvents), or its only field,
    or else the object of its fields. None stands for "nothing new just now". Raises UnreachableError.
    """
    with redis_client(url, key) as client:
        last, size = _start(client, key, reading), _FIRST_PAGE
        known = last if reading.since in (None, "latest") and last != "-" else None
        while True:
            started = time.monotonic()
            page: list[tuple[bytes, Mapping[bytes, bytes]]] = client.xrange(key, last, "+", count=size + 1)
            entries = [(each.decode(), fields) for each, fields in page]
            if known is not None:
                if entries and entries[0][0] == known:
                    del entries[0]
                else:  # the entry that was read last is gone, and maybe some behind it
                    reading.note(f"the stream {key} was trimmed behind what was read; some may have been missed")
            for name, fields in entries:
                yield Tapped(_wire(fields), {"stream": key, "id": name}, ("", name))
            if entries:
                known = last = entries[-1][0]
            if len(page) <= size:
                if not reading.follow:
                    return
                if not entries:
                    yield None
                time.sleep(_LOOK_AGAIN)
            total = sum(len(value) for _, fields in page for value in fields.values())
            size = max(1, min(PAGE - 1, int(_PAGE_BYTES * len(page) / max(1, total))))
            time.sleep(max(0.0, len(page) / reading.rate - (time.monotonic() - started)))


def _start(client: Any, key: str, reading: Reading) -> str:
    if isinstance(reading.since, datetime):
        return f"{int(reading.since.timestamp() * 1000)}-0"
    if reading.since == "latest":
        newest = client.xrevrange(key, count=1)
        return newest[0][0].decode() if newest else "-"
    return str(reading.marks.get("", "-")) if reading.since is None else "-"


def _wire(fields: Mapping[bytes, bytes]) -> Wire:
    if len(fields) == 1:
        return Wire(next(iter(fields.values())))
    if _DATA in fields:
        headers = [(name.decode(errors="backslashreplace"), value) for name, value in fields.items() if name != _DATA]
        return Wire(fields[_DATA], None, headers)
    texts = [[each.decode(errors="backslashreplace") for each in pair] for pair in fields.items()]
    return Wire(_json.dumps(dict(texts)))
