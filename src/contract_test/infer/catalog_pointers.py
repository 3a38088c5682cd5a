"""Which fields hold the partition key, the id and the time of a message, as far as all messages agree on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from contract_test.infer.evidence import possible_formats
from contract_test.infer.traffic import Sample
from contract_test.schema.walk import escape

MIN_UNIQUE_IDS = 10
MAX_UNIQUE_IDS = 200_000


@dataclass
class Pointers:
    """Watches messages go by. A field is dropped with the first message that contradicts."""

    _seen: int = 0
    _names: list[str] = field(default_factory=list)
    _keys: set[str] = field(default_factory=set)
    _times: set[str] = field(default_factory=set)
    _ids: dict[str, set[int]] = field(default_factory=dict)

    def watching(self, messages: Iterable[Sample]) -> Iterator[Sample]:
        """Yield messages, and look at each."""
        for each in messages:
            self._look(each.data, each.key)
            self._seen += 1
            yield each

    def _look(self, data: Any, key: str | None) -> None:
        fields = data if isinstance(data, dict) else {}
        if not self._seen:
            self._names = [name for name, value in fields.items() if isinstance(value, str)]
            self._keys, self._times = set(self._names), set(self._names)
            self._ids = {name: set() for name in self._names if name == "id" or name.endswith(("_id", "Id"))}
        for name in list(self._names):
            text = fields.get(name)
            if not isinstance(text, str):
                self._drop(name)
                continue
            if text != key:
                self._keys.discard(name)
            if name in self._times and "date-time" not in possible_formats(text, ("date-time",)):
                self._times.discard(name)
            ids = self._ids.get(name)
            if ids is not None:
                ids.add(hash(text))
                if len(ids) <= self._seen or len(ids) > MAX_UNIQUE_IDS:
                    del self._ids[name]

    def _drop(self, name: str) -> None:
        self._names.remove(name)
        self._keys.discard(name)
        self._times.discard(name)
        self._ids.pop(name, None)

    def found(self) -> dict[str, str]:
        """Return the pointers to the partition key, the id and the time in the data."""
        found: dict[str, str] = {}
        keys = [name for name in self._names if name in self._keys]
        if keys:
            found["key"] = f"/{escape(keys[0])}"
        if self._ids and self._seen >= MIN_UNIQUE_IDS:
            found["id"] = f"/{escape(next(iter(self._ids)))}"
        if len(self._times) == 1:
            found["time"] = f"/{escape(next(iter(self._times)))}"
        return found
