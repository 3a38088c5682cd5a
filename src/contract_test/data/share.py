"""Results of verifying, as files hold them: which part of a channel was read, and what was found there.

Results merge by being put together: in any order, grouped in any way, and a file given twice counts once. Only
`combine` says what they add up to.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contract_test.data.drift import Drift, total

Key = tuple[str, str, int, int, bool]


@dataclass(frozen=True)
class Share:
    """The messages of one part of a channel from `start` to before `end`, and what they were.

    `part` is a partition, or the name of a run where places have no numbers. `committed` is False where the process may
    have ended before its group knew that these were read: another one may have read them again.
    """

    channel: str
    part: str
    start: int
    end: int
    committed: bool
    drift: Drift

    @property
    def key(self) -> Key:
        """What two copies of one share have in common."""
        return self.channel, self.part, self.start, self.end, self.committed

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object, the same for equal shares."""
        names = ("channel", "part", "start", "end", "committed")
        return {name: getattr(self, name) for name in names} | {"drift": self.drift.as_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Share:
        """Read what `as_json` wrote. Raises ValueError, TypeError or LookupError for anything else."""
        return cls(
            str(value["channel"]),
            str(value["part"]),
            int(value["start"]),
            int(value["end"]),
            bool(value["committed"]),
            Drift.from_json(value["drift"]),
        )


def merged(*results: Iterable[Share]) -> tuple[Share, ...]:
    """Return everything that is in any of the results, each once, in order."""
    found = {share.key: share for result in results for share in result}
    return tuple(found[key] for key in sorted(found))


def combine(shares: Iterable[Share]) -> dict[str, Drift]:
    """Return what the shares add up to, by channel, each message counted once.

    Where shares overlap (one was read again after a crash, or is an older copy of another), those are counted that do
    not overlap and together hold the most messages: what was committed joins without gaps.
    """
    parts: dict[tuple[str, str], list[Share]] = {}
    for share in merged(shares):
        parts.setdefault((share.channel, share.part), []).append(share)
    found: dict[str, list[Drift]] = {}
    for (channel, _), each in parts.items():
        found.setdefault(channel, []).extend(share.drift for share in _most_without_overlap(each))
    return {channel: total(drifts) for channel, drifts in sorted(found.items())}


def _most_without_overlap(shares: list[Share]) -> list[Share]:
    """Weighted interval scheduling: the best choice among the first shares, by their ends, for every count of them."""
    shares = sorted(shares, key=lambda share: (share.end, share.committed, share.start))
    ends = [share.end for share in shares]
    sizes, taken = [0], [False]
    for share in shares:
        with_it = share.end - share.start + sizes[bisect_right(ends, share.start, hi=len(sizes) - 1)]
        taken.append(with_it > sizes[-1])
        sizes.append(max(with_it, sizes[-1]))
    chosen, count = [], len(shares)
    while count:
        if taken[count]:
            chosen.append(shares[count - 1])
            count = bisect_right(ends, shares[count - 1].start, hi=count - 1)
        else:
            count -= 1
    return chosen
