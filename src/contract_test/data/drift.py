"""How a channel's messages conform to its contracts. Results add up: in any order, grouped in any way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, order=True)
class Breach:
    """One way in which messages break a contract: `subject` is `message.liked v2`, or the channel where none is known.

    `pointer` leads into the data, with `*` for any item or key; `rule` is the schema's keyword, or the codec.
    """

    subject: str
    pointer: str
    rule: str


@dataclass
class Drift:
    """Counts of one channel. `examples` holds what a contract wanted, what was there, scrubbed, and where."""

    read: int = 0
    drifted: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    breaches: Counter[Breach] = field(default_factory=Counter)
    examples: dict[Breach, str] = field(default_factory=dict)
    undeclared: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Messages by contract and the pointer of a field that it does not name."""
    seen: set[tuple[str, str]] = field(default_factory=set)
    """Contracts and the pointers of their fields that some message had."""
    without_data: int = 0
    """Tombstones and events without data that the channel may have."""

    @property
    def is_red(self) -> bool:
        """Whether some message is not what the contracts say."""
        return bool(self.drifted or self.undeclared)

    def __add__(self, other: Drift) -> Drift:
        examples = dict(self.examples)
        for breach, example in other.examples.items():
            examples[breach] = min(example, examples.get(breach, example))
        return Drift(
            self.read + other.read,
            self.drifted + other.drifted,
            self.versions + other.versions,
            self.breaches + other.breaches,
            examples,
            self.undeclared + other.undeclared,
            self.seen | other.seen,
            self.without_data + other.without_data,
        )

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object, the same for equal results."""
        return {
            "read": self.read,
            "drifted": self.drifted,
            "without_data": self.without_data,
            "versions": dict(sorted(self.versions.items())),
            "breaches": [
                [each.subject, each.pointer, each.rule, count, self.examples.get(each, "")]
                for each, count in sorted(self.breaches.items())
            ],
            "undeclared": [[*each, count] for each, count in sorted(self.undeclared.items())],
            "seen": [list(each) for each in sorted(self.seen)],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Drift:
        """Read what `as_json` wrote. Raises ValueError, TypeError or LookupError for anything else."""
        rows = [(Breach(str(row[0]), str(row[1]), str(row[2])), int(row[3]), str(row[4])) for row in value["breaches"]]
        return cls(
            int(value["read"]),
            int(value["drifted"]),
            Counter({str(name): int(count) for name, count in value["versions"].items()}),
            Counter({breach: count for breach, count, _ in rows}),
            {breach: example for breach, _, example in rows},
            Counter({(str(row[0]), str(row[1])): int(row[2]) for row in value["undeclared"]}),
            {(str(row[0]), str(row[1])) for row in value["seen"]},
            int(value["without_data"]),
        )


def total(results: Iterable[Drift]) -> Drift:
    """Return all results as one."""
    found = Drift()
    for each in results:
        found += each
    return found
