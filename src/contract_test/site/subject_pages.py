"""The pages of one subject: its own, its fields, its versions and its pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from contract_test.pages import links
from contract_test.pages.marked_json import marked_lines
from contract_test.site.data import Break, Example, FieldRow, SubjectData, VersionData, VersionPair
from contract_test.site.layout import Layout, Page, as_markup, fitting, lines_of, packed
from contract_test.site.search import Entry, field_entry

MAX_FIELDS_LISTED = 300
MAX_PAIRS_LISTED = 400
MAX_PAIRS_OF_A_VERSION = 60
_ROOT = "../../"


@dataclass(frozen=True)
class _Since:
    version: int
    page: str


class SubjectPages:
    """Renders the pages of a subject. `entries` are its fields in the search index."""

    def __init__(self, layout: Layout, subject: SubjectData) -> None:
        self._layout, self._subject = layout, subject
        self._crumbs = [("Subjects", "subjects.html")]
        rows = ((each.pointer, layout.rows.field(_ROOT, subject, each)) for each in subject.fields)
        self._field_parts = packed(rows)
        self._page_of = {
            pointer: links.fields_page(subject.name, number)
            for number, part in enumerate(self._field_parts, start=1)
            for pointer, _ in part
        }
        self._field_rows: dict[FieldRow, Markup] = {}
        self.entries: list[Entry] = [
            field_entry(subject.name, pointer, page) for pointer, page in self._page_of.items()
        ]

    def __iter__(self) -> Iterator[Page]:
        """Yield every page."""
        subject = self._subject
        yield self._own()
        self._crumbs = [*self._crumbs, (subject.name, links.subject_page(subject.name))]
        name = links.fields_page(subject.name).removesuffix(".html")
        heading, empty = f"Fields of {subject.name}", "No field can be listed."
        yield from self._layout.listing(name, heading, self._field_parts, crumbs=self._crumbs, empty=empty)
        first = {each.pointer: _since(each.versions) for each in subject.fields}
        for version in subject.versions:
            yield self._version(version, first)
        for pair in subject.pairs:
            yield self._pair(pair)

    def _own(self) -> Page:
        subject = self._subject
        pairs = {(each.older, each.newer): each for each in subject.pairs}
        numbers = [each.version for each in subject.versions]
        before = {numbers[0]: None, **{new: pairs.get((old, new)) for old, new in pairwise(numbers)}}
        others = [each for each in subject.pairs if each is not before[each.newer]]
        fields = [(each, self._page_of[each.pointer]) for each in subject.fields[:MAX_FIELDS_LISTED]]
        return self._layout.page(
            links.subject_page(subject.name), "subject.html", subject.name, self._crumbs, subject=subject,
            before=before, marked=_marked, fields=fields, others=others[:MAX_PAIRS_LISTED],
        )  # fmt: skip

    def _version(self, version: VersionData, first: dict[str, int]) -> Page:
        subject = self._subject
        rows = [self._field_row(row, first[row.pointer]) for row in version.fields]
        shown = fitting(rows)
        schema = json.dumps(version.schema, indent=2, ensure_ascii=False)
        pairs = [each for each in subject.pairs if version.version in (each.older, each.newer)]
        return self._layout.page(
            links.version_page(subject.name, version.version), "version.html", f"{subject.name} v{version.version}",
            self._crumbs, subject=subject, version=version, field_rows=shown, left_out=len(rows) - len(shown),
            pairs=pairs[-MAX_PAIRS_OF_A_VERSION:], marked=_marked, schema=as_markup(lines_of(schema)),
            python=as_markup(lines_of(version.python)) if version.python else "",
        )  # fmt: skip

    def _field_row(self, row: FieldRow, since: int) -> Markup:
        """Return a row of the table of a version. Most rows are the same in the next version."""
        if row not in self._field_rows:
            where = _Since(since, self._page_of[row.pointer])
            self._field_rows[row] = self._layout.rows.field_row(_ROOT, self._subject, row, where)
        return self._field_rows[row]

    def _pair(self, pair: VersionPair) -> Page:
        name = self._subject.name
        rows = [self._layout.rows.field_change(_ROOT, each, self._page_of[each.pointer]) for each in pair.changes]
        shown = fitting(rows)
        return self._layout.page(
            links.pair_page(name, pair.older, pair.newer), "pair.html", f"{name}: v{pair.older} and v{pair.newer}",
            self._crumbs, pair=pair, changes=shown, left_out=len(rows) - len(shown), witness=_witness,
        )  # fmt: skip


def _since(versions: Sequence[int]) -> int:
    """Return the version from which on a field was always there."""
    since = versions[-1]
    for version in reversed(versions):
        if version < since - 1:
            break
        since = version
    return since


def _marked(example: Example) -> Markup:
    return as_markup(marked_lines(example.data, set(example.masked)), "masked")


def _witness(each: Break) -> Markup:
    return as_markup(marked_lines(each.witness, {each.rejected_at} - {""}))
