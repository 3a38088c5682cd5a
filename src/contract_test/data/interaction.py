"""Recorded messages, and what is found when they are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envelopes import Wire


@dataclass(frozen=True)
class Tapped:
    """One message as a transport holds it; `seen` says where, in the transport's own words.

    `mark` is the name of the place that a later run may go on from, and its value; None where there is none to go by.
    """

    wire: Wire
    seen: Mapping[str, str | int]
    mark: tuple[str, str | int] | None = None


@dataclass(frozen=True)
class Interaction:
    """One recorded message.

    `payload` is the message's JSON. If the message has other encodings inside, it is the document in which they are
    decoded, and `codec` names who encodes it again. `prefix` has the bytes before the JSON (Schema Registry's header),
    `masked` the JSON pointers into the data whose values were replaced when it was recorded. `line` counts from 1.
    """

    channel: str
    subject: str
    version: int
    payload: Any
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    codec: str = ""
    masked: tuple[str, ...] = ()
    seen: Mapping[str, str | int] = field(default_factory=dict)
    path: Path | None = None
    line: int = 0

    @property
    def place(self) -> str:
        """The file and line, for people."""
        return f"{self.path}:{self.line}"

    @property
    def label(self) -> str:
        """A short readable id: `message.liked-v2[v2.jsonl:14]`."""
        return f"{self.subject}-v{self.version}[{self.path.name if self.path else '-'}:{self.line}]"


@dataclass(frozen=True)
class Mismatch:
    """One place where an actual message is not what was expected.

    `pointer` leads into the data, or is `key`, `header NAME` or `attribute NAME`; `check` is one of
    `data.result.CHECKS`.
    """

    pointer: str
    expected: str
    found: str
    check: str = "value-changed"

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: expected {self.expected}, found {self.found}"
