"""Which contract tests one run collected and ran. The parts of a run, in xdist's workers or sharded jobs, add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, str]
"""An operation and its subject."""


@dataclass(frozen=True)
class Tested:
    """What one item is about: a message or delivery of one version for one operation. Several tests may share it."""

    operation: str
    subject: str
    version: int = 0
    label: str = ""

    @property
    def key(self) -> Key:
        """The operation and its subject."""
        return self.operation, self.subject


@dataclass
class Selection:
    """The contract tests of one run, by their node ids.

    `skipped` are the items that were skipped or failed as expected (xfail). `uncollected` are sentences about files
    that could not be collected.
    """

    collected: dict[str, tuple[Tested, ...]] = field(default_factory=dict)
    selected: set[str] = field(default_factory=set)
    reported: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)
    uncollected: list[str] = field(default_factory=list)

    def add(self, other: Selection) -> None:
        """Add another part of the run, such as what a worker saw or another job ran."""
        self.collected |= other.collected
        self.selected |= other.selected
        ran = self.ran | other.ran
        self.reported |= other.reported
        self.skipped = (self.skipped | other.skipped) - ran
        self.uncollected += [each for each in other.uncollected if each not in self.uncollected]

    @property
    def ran(self) -> set[str]:
        """The items that passed or failed."""
        return self.reported - self.skipped

    def keys(self, items: Iterable[str]) -> set[Key]:
        """Return the operations that some items are about."""
        return {tested.key for item in items for tested in self.collected.get(item, ())}

    @property
    def is_whole(self) -> bool:
        """True if every collected test was selected and has run."""
        return self.collected.keys() == self.selected == self.reported

    def left_out(self) -> Iterator[tuple[Tested, str]]:
        """Yield each message that no item ran with although one was collected, and why: "deselected" or "not run"."""
        ran = {tested for item in self.reported for tested in self.collected.get(item, ())}
        reasons: dict[Tested, str] = {}
        for item in self.collected.keys() - self.reported:
            for tested in self.collected[item]:
                if tested not in ran:
                    reasons[tested] = "not run" if item in self.selected else reasons.get(tested, "deselected")
        yield from reasons.items()

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object that `from_json` reads."""
        return {
            "collected": {
                item: [[each.operation, each.subject, each.version, each.label] for each in tested]
                for item, tested in sorted(self.collected.items())
            },
            "selected": sorted(self.selected),
            "reported": sorted(self.reported),
            "skipped": sorted(self.skipped),
            "uncollected": self.uncollected,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Selection:
        """Read what `as_json` wrote. Raises ValueError, TypeError or LookupError for anything else."""
        return cls(
            {
                str(item): tuple(
                    Tested(str(kind), str(name), int(version), str(label)) for kind, name, version, label in tested
                )
                for item, tested in value["collected"].items()
            },
            set(map(str, value["selected"])),
            set(map(str, value["reported"])),
            set(map(str, value["skipped"])),
            [str(each) for each in value["uncollected"]],
        )
