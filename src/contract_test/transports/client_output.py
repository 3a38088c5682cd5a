"""Lines as other clients print messages: rpk, kafka-console-consumer and redis-cli."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from contract_test.data.errors import RecordingError
from contract_test.data.interaction import Tapped
from envelopes import Wire

_RPK = {"topic", "partition", "offset", "timestamp"}
_RPK_ALL = _RPK | {"key", "value", "headers", "key_size", "value_size", "headers_size", "size"}
_TIMESTAMP = re.compile(rb"(CreateTime:-?\d+|LogAppendTime:-?\d+|NO_TIMESTAMP)\t")
_PLACE = re.compile(rb"(Partition|Offset|Delivery|Epoch):([^\t]*)\t")
_KEY_AND_VALUE = re.compile(rb"([^\t{\[\"]{0,1000})\t(\{.*\}|null)", re.DOTALL)
_NUMBERED = re.compile(rb'\d+\) "(.*)"', re.DOTALL)
_MONITOR = re.compile(rb'\d+\.\d+ \[\d+ [^\]]+\] "')
_ESCAPED = re.compile(rb'\\(x[0-9a-f]{2}|["\\nrtab])')
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}
_HEADERS_AND_KEY = 2


def of_rpk(value: Mapping[str, Any]) -> Tapped | None:
    """Return the message that `rpk topic consume --pretty-print=false` printed as an object; None for anything else."""
    if not (value.keys() >= _RPK and value.keys() <= _RPK_ALL and isinstance(value.get("value"), str | None)):
        return None
    listed = value.get("headers") or []
    headers = [(str(each["key"]), each.get("value")) for each in listed if isinstance(each, dict) and "key" in each]
    seen = {name: value[name] for name in ("topic", "partition", "offset")}
    key = value.get("key")
    return Tapped(Wire(value.get("value"), key if isinstance(key, str) else None, headers), seen)


def of_line(line: bytes, name: str, number: int) -> Tapped | None:
    """Return the message in a line of kafka-console-consumer or of redis-cli; None for a line of neither.

    Raises RecordingError for a line that cannot be read for certain.
    """
    if _MONITOR.match(line):
        advice = "Read the key itself: redis://HOST:PORT with --key KEY, or redis-cli LRANGE KEY 0 -1 into a file."
        raise RecordingError("the output of MONITOR, which is commands", place=f"{name}:{number}", advice=advice)
    if numbered := _NUMBERED.fullmatch(line):
        return Tapped(Wire(_ESCAPED.sub(_unescaped, numbered[1])), {"line": number})
    if _TIMESTAMP.match(line) or _PLACE.match(line):
        return _of_console_consumer(line, name, number)
    if pair := _KEY_AND_VALUE.fullmatch(line):
        return Tapped(Wire(_value(pair[2]), _value(pair[1])), {"line": number})
    return None


def _of_console_consumer(line: bytes, name: str, number: int) -> Tapped:
    rest = line[_matched(_TIMESTAMP, line) :]
    seen: dict[str, str | int] = {"line": number}
    while place := _PLACE.match(rest):
        seen[place[1].decode().lower()] = place[2].decode(errors="replace")
        rest = rest[place.end() :]
    *before, value = rest.split(b"\t")
    if before == [b"NO_HEADERS"]:
        before.append(b"null")
    elif len(before) == 1 and b":" not in before[0]:
        before.insert(0, b"NO_HEADERS")
    if before and len(before) != _HEADERS_AND_KEY:
        advice = "Print both: --property print.headers=true --property print.key=true (--formatter-property since 4.2)."
        raise RecordingError(
            "a line of kafka-console-consumer in which headers and key cannot be told apart",
            place=f"{name}:{number}", advice=advice,
        )  # fmt: skip
    printed, key = before or (b"NO_HEADERS", b"null")
    pairs = [] if printed == b"NO_HEADERS" else [each.partition(b":") for each in printed.split(b",")]
    return Tapped(Wire(_value(value), _value(key), [(header.decode(), text) for header, _, text in pairs]), seen)


def _matched(pattern: re.Pattern[bytes], line: bytes) -> int:
    found = pattern.match(line)
    return found.end() if found else 0


def _value(text: bytes) -> bytes | None:
    """Return what was printed, None for `null`."""
    return None if text == b"null" else text


def _unescaped(escape: re.Match[bytes]) -> bytes:
    text = escape[1]
    return bytes([int(text[1:], 16)]) if text.startswith(b"x") else _ESCAPES.get(text, text)
