"""The search index: scripts that hand over names and pages, because a browser reads no other file from disk.

A page's script asks for the part of the index that its first letters name. Every text stays text: it is JSON in ASCII.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contract_test.data.texts import printable
from contract_test.pages.links import (
    channel_page,
    domain_page,
    field_anchor,
    owner_page,
    service_page,
    subject_page,
)
from contract_test.site.data import SiteData

MAX_BYTES = 450_000
"""How much a part of the index may have."""
MAX_TEXT = 100
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Entry:
    """What can be found: a name, what it is in, what kind it is, and its page."""

    name: str
    within: str
    kind: str
    page: str

    @property
    def words(self) -> frozenset[str]:
        """The words it is found by, in lower case."""
        split = _CAMEL.sub(" ", self.name)
        return frozenset(word.lower()[:40] for text in (split, self.name) for word in _WORD.findall(text))


def entries_of(data: SiteData) -> Iterator[Entry]:
    """Yield everything that has a page of its own."""
    for name in data.services:
        yield _entry(name, "", "service", service_page(name))
    for name in data.channels:
        yield _entry(name, data.channels[name].address, "channel", channel_page(name))
    for name in data.owners:
        yield _entry(name, "", "owner", owner_page(name))
    for name in sorted({each.about.domain for each in data.services.values()} - {""}):
        yield _entry(name, "", "domain", domain_page(name))
    for name, subject in data.subjects.items():
        yield _entry(name, ", ".join(subject.channels), "subject", subject_page(name))


def field_entry(subject: str, pointer: str, page: str) -> Entry:
    """Return a field, on the page of fields that it is on."""
    return _entry(pointer, subject, "field", f"{page}#{field_anchor(pointer)}")


def _entry(name: str, within: str, kind: str, page: str) -> Entry:
    return Entry(printable(name)[:MAX_TEXT], printable(within)[:MAX_TEXT], kind, page)


def index_files(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the scripts of the index by their paths: a table of the parts, and the parts."""
    rows = {entry: _row(entry) for entry in dict.fromkeys(entries)}
    if sum(map(len, rows.values())) <= MAX_BYTES:
        parts = {"": list(rows.values())}
    else:
        found = sorted(((word, row) for entry, row in rows.items() for word in entry.words), key=lambda each: each[0])
        parts = dict(_parts("", found))
    files = {prefix: f"search/part-{number}.js" for number, prefix in enumerate(parts)}
    table = _json({prefix: [path, _is_cut(parts[prefix])] for prefix, path in files.items()})
    return {
        "search/parts.js": f"contractSearch.parts({table});\n",
        **{
            path: f"contractSearch.add({_json(prefix)},[{_joined(parts[prefix])}]);\n" for prefix, path in files.items()
        },
    }


def _parts(prefix: str, found: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Split words with their rows by first letters, until a part is small enough, or all of its words are the same."""
    rows = [row for _, row in found]
    if sum(map(len, rows)) <= MAX_BYTES or all(word == prefix for word, _ in found):
        yield prefix, rows
        return
    longer: dict[str, list[tuple[str, str]]] = {}
    for word, row in found:
        longer.setdefault(word[: len(prefix) + 1], []).append((word, row))
    for start, some in longer.items():
        if start == prefix:
            yield f"{prefix} ", [row for _, row in some]
        else:
            yield from _parts(start, some)


def _joined(rows: list[str]) -> str:
    kept, size = [], 0
    for row in rows:
        size += len(row) + 2
        if size > MAX_BYTES:
            break
        kept.append(row)
    return ",\n".join(dict.fromkeys(kept))


def _is_cut(rows: list[str]) -> bool:
    return sum(len(row) + 2 for row in rows) > MAX_BYTES


def _row(entry: Entry) -> str:
    return _json([entry.name, entry.within, entry.kind, entry.page])


def _json(value: object) -> str:
    """Return JSON in ASCII that can end no script element either."""
    return (
        json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    )
