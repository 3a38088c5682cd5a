"""Values in, a schema out: every one of them is valid under it, and each rule says on how many messages it rests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contract_test.infer.description import Description, Evidence
from contract_test.infer.evidence import DeclaredFields
from contract_test.infer.profile import Place
from contract_test.infer.tags import Plan, plan_for
from contract_test.infer.views import Views

MAX_SAMPLE = 3_000
MAX_SAMPLE_BYTES = 16_000_000


@dataclass(frozen=True)
class Proposal:
    """A schema, with remarks that users should read before they publish it: `(JSON pointer, sentence)`."""

    schema: dict[str, Any]
    remarks: tuple[tuple[str, str], ...] = ()
    evidence: tuple[Evidence, ...] = ()
    messages: int = 0
    left_out: int = 0
    """Messages that are not valid under it, because the user did not name an enum for their texts."""
    redescribes: bool = False
    """Whether it says something about what was left open, or takes a map for an object or the other way round."""


class Values(Protocol):
    """Values that can be read several times, and sampled."""

    def __iter__(self) -> Iterator[Any]:
        """Yield each value."""

    def sample(self, most: int, most_bytes: int) -> Sequence[Any]:
        """Return some, chosen from all of them at random."""


def infer(
    values: Sequence[Any] | Values, declared: DeclaredFields | None = None, place: str = "", *, definitions: bool = True
) -> Proposal:
    """Describe parsed JSON values, one of each message. They are read twice.

    `place` is where they are in their message, as a JSON pointer with `*` for items and keys of maps.
    """
    declared = declared or DeclaredFields()
    sample = values if isinstance(values, Sequence) else values.sample(MAX_SAMPLE, MAX_SAMPLE_BYTES)
    plan = plan_for(sample[:MAX_SAMPLE], declared, place)
    del sample
    profile = profile_of(values, plan)
    description = Description(Views(profile, definitions=definitions), declared)
    schema = description.of_root(profile, place)
    return Proposal(schema, tuple(dict.fromkeys(description.remarks)), tuple(description.evidence), profile.messages)


def profile_of(values: Iterable[Any], plan: Plan) -> Place:
    """Count what is at each place of some values."""
    profile = Place()
    for number, value in enumerate(values):
        profile.add(value, number, plan)
    return profile
