"""A read-only tap on a Redis list: small pages of LRANGE with a pause between them.

A list has no ids: a page is matched with what was read before by their overlap. Workers pop at the head while we
read, so each page begins some messages back, and reading goes on behind the place where those stand now.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from contract_test.data.interaction import Tapped
from contract_test.data.reading import Reading
from contract_test.transports.redis_client import redis_client
from envelopes import Wire

PAGE = 500
OVERLAP = 32
_FIRST_PAGE = 50
_PAGE_BYTES = 1_000_000
_LOOK_AGAIN = 0.2


def read_list(url: str, key: str, reading: Reading) -> Iterator[Tapped | None]:
    """Yield the messages that stand in a list, from its head (RPUSH appends). Nothing is popped, no TTL is touched.

    None stands for "nothing new just now", while following. A list does not know when its messages came: of a start in
    time nothing is left out. Raises UnreachableError.
    """
    with redis_client(url, key) as client:
        view = _View(key, reading)
        if reading.since == "latest":
            view.begin_at(client.llen(key), client.lrange(key, -OVERLAP, -1))
        while True:
            started = time.monotonic()
            page: list[bytes] = client.lrange(key, *view.window())
            fresh = view.behind_the_overlap(page)
            for index, value in fresh or ():
                yield Tapped(Wire(value), {"list": key, "index": index})
            if fresh is None:
                yield None
            elif len(page) < view.asked:
                if not reading.follow:
                    return
                yield None
                time.sleep(_LOOK_AGAIN)
            view.resize(page)
            time.sleep(max(0.0, len(page) / reading.rate - (time.monotonic() - started)))


class _View:
    """Where we are in a list that others change: `_next` is the index to read next, `_overlap` what is before it."""

    def __init__(self, key: str, reading: Reading) -> None:
        self._key, self._reading = key, reading
        self._next, self._size = 0, _FIRST_PAGE
        self._overlap: list[bytes] = []
        self._lead = 0
        self._search: int | None = None
        self._first = self.asked = 0

    def begin_at(self, index: int, overlap: list[bytes]) -> None:
        """Take what stands before an index as read."""
        self._next, self._overlap = index, overlap

    def window(self) -> tuple[int, int]:
        """The first and last index of the next page: some back, by the overlap and as far as the list moves."""
        back = len(self._overlap) + self._lead
        self._first = max(0, self._next - back) if self._search is None else self._search
        self.asked = self._size + back
        return self._first, self._first + self.asked - 1

    def behind_the_overlap(self, page: list[bytes]) -> list[tuple[int, bytes]] | None:
        """The messages of a page that were not read before, with their indexes.

        None where the overlap is not in it: it moved by more than a page, and the next pages look for it from the head.
        """
        place = self._place(page)
        if place is None:
            if self._search is None:
                self._search = 0
            elif len(page) == self.asked:
                self._search += self._size
            else:  # nowhere from head to tail: what was read has left the list, and what came behind it maybe too
                self._note("it moved on between two pages")
                self._search, self._next, self._overlap = None, 0, []
            return None
        moved = self._first + place - self._next
        if moved > 0:
            self._note("messages came in before those that were read")
        self._lead = min(PAGE // 4, max(self._lead // 2, -2 * moved))
        fresh = [(self._first + index, value) for index, value in enumerate(page[place:], place)]
        self._search, self._next = None, self._first + len(page)
        self._overlap = [*self._overlap, *page[place:]][-OVERLAP:]
        return fresh

    def resize(self, page: list[bytes]) -> None:
        """Ask next time for as many as make a page of a bounded size, in messages and in bytes."""
        most = PAGE - OVERLAP - self._lead
        self._size = max(1, min(most, _PAGE_BYTES * len(page) // max(1, sum(map(len, page))))) if page else most

    def _note(self, what: str) -> None:
        self._reading.note(f"the list {self._key} changed while it was read: {what}; some may have been missed")

    def _place(self, page: list[bytes]) -> int | None:
        """Where in a page the first unread message stands."""
        overlap = self._overlap
        if not overlap:
            return 0
        expected = self._next - self._first
        if len(overlap) <= expected <= len(page) and page[expected - len(overlap) : expected] == overlap:
            return expected
        # The last such place: of equal messages, rather one unread than one read twice.
        for end in range(len(page), 0, -1):
            start = end - len(overlap)
            if start >= 0 and page[start:end] == overlap:
                return end
            if start < 0 and self._first == 0 and page[:end] == overlap[-end:]:
                return end  # the head of the overlap was popped
        return None
