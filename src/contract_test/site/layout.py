"""What every page shares: the environment, the frame, and lists that are split when a page would be too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from markupsafe import Markup, escape

from contract_test.data.texts import printable
from contract_test.pages import links
from contract_test.pages.environment import page_environment
from contract_test.pages.marked_json import Line

Page = tuple[str, str]
"""A path within the site, and a text."""
Row = tuple[str, Markup]
"""What names a row, and the row."""
MAX_BYTES = 300_000
"""How much of a page its rows may fill, so that no page has more than 500 kB."""
_NUMBERS = ("sends", "receives", "subjects", "owns")


class Layout:
    """Renders pages. `rows` has the macros of single rows, by name."""

    def __init__(self, title: str) -> None:
        self._environment = page_environment("contract_test.site")
        self._environment.globals |= {"title": title}
        self.rows: Any = self._environment.get_template("rows.html").module
        examples = self._environment.get_template("examples.html").module
        frame: Any = self._environment.get_template("frame.html").module
        self._top = frame.top
        self._environment.globals |= {"rows": self.rows, "examples": examples, "foot": frame.foot()}
        self._tops: dict[Page, Markup] = {}

    def page(self, path: str, template: str, heading: str, crumbs: Sequence[Page] = (), **values: Any) -> Page:
        """Return a page by its template. `crumbs` are the names and paths of the pages above it."""
        root = "../" * path.count("/")
        key = (root, path if not root else "")
        if key not in self._tops:
            self._tops[key] = self._top(*key)
        text = self._environment.get_template(template).render(
            path=path, root=root, heading=heading, crumbs=crumbs, top=self._tops[key], **values
        )
        return path, text

    def listing(
        self,
        name: str,
        heading: str,
        parts: Sequence[Sequence[Row]],
        columns: Sequence[str] = (),
        crumbs: Sequence[Page] = (),
        *,
        empty: str = "Nothing.",
        **values: Any,
    ) -> Iterator[Page]:
        """Yield a list, a page for each part. `empty` is shown if there are no rows."""
        numbers = range(1, len(parts) + 1)
        pages = [(links.numbered(name, at), part[0][0]) for at, part in zip(numbers, parts, strict=True) if part]
        values = {"notes": (), "picture": None, "map_note": "", **values}
        for at, part in zip(numbers, parts, strict=True):
            yield self.page(
                links.numbered(name, at), "listing.html", heading, crumbs, body=[row for _, row in part],
                columns=columns, numbers=_NUMBERS, pages=pages, empty="" if part else empty, **values,
            )  # fmt: skip


def packed(rows: Iterable[Row]) -> list[list[Row]]:
    """Return rows in parts that each fit on a page; one part without a row if there are none."""
    parts: list[list[Row]] = [[]]
    size = 0
    for name, row in rows:
        size += _size(row)
        if size > MAX_BYTES and parts[-1]:
            parts.append([])
            size = _size(row)
        parts[-1].append((name, row))
    return parts


def fitting(rows: Iterable[Markup], room: int = MAX_BYTES // 2) -> list[Markup]:
    """Return as many rows as there is room for, in bytes."""
    kept = []
    for row in rows:
        room -= _size(row)
        if room < 0:
            break
        kept.append(row)
    return kept


def as_markup(lines: Iterable[Line | str], marked: str = "marked") -> Markup:
    """Return lines of a text as HTML, those that are marked with a class."""
    shown = (each if isinstance(each, Line) else Line(each) for each in lines)
    return Markup("".join(  # noqa: S704 - every text is escaped
        f'<span class="line{f" {marked}" if each.marked else ""}">{escape(printable(each.text)) or " "}</span>'
        for each in shown
    ))  # fmt: skip


def lines_of(text: str, most: int = 60_000) -> list[str]:
    """Return the lines of a text that is shown as it is, as many as a page can hold."""
    if len(text) <= most:
        return text.split("\n")
    return [*text[:most].split("\n")[:-1], f"… ({len(text) - most:,} more characters)"]


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
