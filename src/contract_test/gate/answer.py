"""Answer: yes, no, yes after other deployments, or unknown; and which version can be rolled back to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Literal

from contract_test.data.deployment import ServiceVersion
from contract_test.gate.decision import Check, Surroundings, checks_of
from contract_test.gate.timeline import Timeline

Status = Literal["yes", "no", "after", "unknown"]
MAX_SERVICES = 6
"""Among how many services an order of deployments is searched."""
MAX_ROLLBACKS = 50
"""How many of the newest earlier versions of a service are tried."""
MAX_REFUSALS = 3
"""How many checks that refuse a version to roll back to are looked for."""


@dataclass(frozen=True)
class Answer:
    """Whether a version may be deployed. `steps` are the deployments that have to come first, in their order."""

    candidate: ServiceVersion
    environment: str
    status: Status
    checks: tuple[Check, ...] = ()
    steps: tuple[ServiceVersion, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str = ""

    @property
    def blocking(self) -> tuple[Check, ...]:
        """The checks that keep it from being deployed now."""
        return tuple(each for each in self.checks if each.status in ("no", "unknown"))


@dataclass(frozen=True)
class Rollback:
    """The version that a service can be rolled back to, or None; and what would break in each newer one."""

    service: str
    environment: str
    target: ServiceVersion | None
    answers: tuple[Answer, ...] = ()
    untried: int = 0
    """How many older versions were not tried."""


class Gate:
    """Answers for one environment. `newest_of` returns the newest verified version of a service, or None."""

    def __init__(
        self, timeline: Timeline, around: Surroundings, newest_of: Callable[[str], ServiceVersion | None]
    ) -> None:
        self.timeline, self._around, self._newest_of = timeline, around, newest_of

    def answer(self, candidate: ServiceVersion) -> Answer:
        """Return whether a version may be deployed now, or after which other deployments."""
        environment = self.timeline.environment
        if not self.timeline.intervals:
            reason = (
                f"nothing is recorded of {environment}. Record what runs there with `contract-test record-deployment`, "
                "or name it with --assume SERVICE=VERSION"
            )
            return Answer(candidate, environment, "unknown", reason=reason)
        checks = tuple(checks_of(candidate, self.timeline, self._around))
        statuses = {each.status for each in checks}
        notes = tuple(self._notes(candidate))
        if "no" not in statuses and "unknown" in statuses:
            return Answer(candidate, environment, "unknown", checks, notes=notes)
        if "no" not in statuses:
            return Answer(candidate, environment, "yes", checks, notes=notes, warnings=tuple(self._warnings(candidate)))
        steps = self._order(candidate, checks)
        return Answer(candidate, environment, "after" if steps else "no", checks, tuple(steps or ()), notes)

    def rollback(self, service: str) -> Rollback:
        """Return the newest earlier version that may be deployed now."""
        return self._rollback(service, self.timeline, self.timeline.earlier(service))

    def _rollback(self, service: str, timeline: Timeline, versions: Sequence[str]) -> Rollback:
        answers = []
        for version in versions[:MAX_ROLLBACKS]:
            candidate = ServiceVersion(service, version)
            refused = tuple(islice(self._refusals(candidate, timeline), MAX_REFUSALS))
            statuses = {each.status for each in refused}
            status: Status = "no" if "no" in statuses else "unknown" if refused else "yes"
            answers.append(Answer(candidate, timeline.environment, status, refused))
            if not refused:
                return Rollback(service, timeline.environment, candidate, tuple(answers))
        untried = max(0, len(versions) - MAX_ROLLBACKS)
        return Rollback(service, timeline.environment, None, tuple(answers), untried)

    def _refusals(self, candidate: ServiceVersion, timeline: Timeline) -> Iterator[Check]:
        """Yield the checks that keep a version from being deployed."""
        checks = checks_of(candidate, timeline, self._around)
        return (each for each in checks if each.status in ("no", "unknown"))

    def _is_safe(self, candidate: ServiceVersion, timeline: Timeline) -> bool:
        return next(self._refusals(candidate, timeline), None) is None

    def _warnings(self, candidate: ServiceVersion) -> Iterator[str]:
        """Yield a line if every version of the service that ran before could not be rolled back to."""
        after = self.timeline.after(candidate, self._around.now)
        found = self._rollback(candidate.service, after, after.earlier(candidate.service))
        if found.target is None and found.answers:
            why = found.answers[0].blocking[0].sentence
            yield f"after this deployment there is no version to roll back to: {why}"

    def _notes(self, candidate: ServiceVersion) -> Iterator[str]:
        catalog = self._around.evidences.catalog
        own = [*catalog.sent_by(candidate.service), *catalog.received_by(candidate.service)]
        named = {service for each in own for service in (*each.sent_by, *each.received_by)} - {candidate.service}
        gone = sorted(each for each in named if not self.timeline.deployed(each))
        if gone:
            yield f"not deployed in {self.timeline.environment}, by the ledger: {', '.join(gone)}"
        if not own:
            near = get_close_matches(candidate.service, catalog.services)
            advice = f". Did you mean {' or '.join(near)}?" if near else ""
            yield f"the catalog names no subject that {candidate.service} sends or receives{advice}"

    def _order(self, candidate: ServiceVersion, checks: Sequence[Check]) -> list[ServiceVersion] | None:
        """Return the fewest deployments of other services, each safe in its turn, after which the candidate is safe."""
        chosen = self._candidates(candidate, checks)
        start: tuple[Timeline, tuple[ServiceVersion, ...]] = (self.timeline, ())
        queue, seen = deque([start]), {frozenset[ServiceVersion]()}
        while queue:
            timeline, steps = queue.popleft()
            if steps and self._is_safe(candidate, timeline):
                return list(steps)
            for each in chosen:
                reached = frozenset((*steps, each))
                if each in steps or reached in seen or not self._is_safe(each, timeline):
                    continue
                seen.add(reached)
                queue.append((timeline.after(each, self._around.now), (*steps, each)))
        return None

    def _candidates(self, candidate: ServiceVersion, checks: Iterable[Check]) -> list[ServiceVersion]:
        """Return newer versions of the services that are in the way, and of those in their way in turn.

        None if more services are in the way than an order is searched among.
        """
        found: list[ServiceVersion] = []
        pending, seen = deque(_services(checks, candidate.service)), {candidate.service}
        if len(pending) >= MAX_SERVICES:
            return []
        while pending and len(found) < MAX_SERVICES - 1:
            service = pending.popleft()
            newest = self._newest_of(service) if service not in seen else None
            seen.add(service)
            if newest is not None and newest.version not in self.timeline.deployed(service):
                found.append(newest)
                pending += _services(self._refusals(newest, self.timeline), service)
        return found


def _services(checks: Iterable[Check], own: str) -> list[str]:
    """Return the other services of the checks that say no, each once."""
    blocking = [each for each in checks if each.status == "no"]
    sides = [side.service for each in blocking for side in (each.reader, each.writer) if side is not None]
    return [each for each in dict.fromkeys(sides) if each != own]
