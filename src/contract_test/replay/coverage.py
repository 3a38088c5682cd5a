"""Coverage: which parts of a contract were replayed, by recorded messages and by their variations."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from contract_test.data.result import Coverage, Fact, MessageResult, Run
from contract_test.data.texts import percent
from contract_test.replay.cases import Replay
from contract_test.schema.fields import Fields, State, fields_of


def coverage_of(replay: Replay, played: Iterable[MessageResult]) -> tuple[Coverage, ...]:
    """Return the coverage of each contract that was replayed. Only what passed counts."""
    by_contract: dict[tuple[str, int], list[MessageResult]] = defaultdict(list)
    for each in played:
        if each.outcome == "passed":
            by_contract[each.subject, each.version].append(each)
    found = []
    for (name, version), passed in sorted(by_contract.items()):
        contract = replay.catalog.subjects[name].contracts[version]
        fields = fields_of(contract.resources, contract.uri)
        recorded = _states_in(fields, _recorded(replay, name, version, passed))
        varied = _states_in(fields, (json.loads(each.message) for each in passed if each.origin == "variation"))
        facts = tuple(
            Fact(
                pointer,
                state,
                "recorded" if (pointer, state) in recorded else "variation" if (pointer, state) in varied else "never",
            )
            for pointer, state in fields.states
        )
        found.append(Coverage(name, version, facts))
    return tuple(found)


def _recorded(replay: Replay, name: str, version: int, played: Sequence[MessageResult]) -> Iterator[object]:
    lines = {each.place.rpartition(":")[2] for each in played if each.origin == "recorded"}
    for message in replay.messages(replay.catalog.subjects[name]):
        if message.interaction.version == version and str(message.interaction.line) in lines:
            yield message.data


def _states_in(fields: Fields, messages: Iterable[object]) -> set[State]:
    states = set[State]()
    for data in messages:
        states |= fields.shown(data)
        if len(states) == len(fields.states):
            break
    return states


def too_little(run: Run, coverage: float | None, strength: float | None) -> Iterator[str]:
    """Yield what is below the shares, in percent, that were asked for.

    Coverage is asked of what is consumed: a producer need not send all that its contract allows.
    """
    if coverage is not None:
        consumed = {(each.subject, each.version) for each in run.operations if each.operation == "consumes"}
        for each in run.coverage:
            if (each.subject, each.version) in consumed and each.share * 100 < coverage:
                never = ", ".join(f"{fact.pointer} {fact.state}" for fact in each.facts if fact.exercised == "never")
                name = f"{each.subject} v{each.version}"
                yield f"{name}: {percent(each.share)} covered, not {coverage:g}%; never: {never}"
    if strength is None:
        return
    if not any(operation.strength for operation in run.operations):
        yield "no fault could be made: the service read nothing of any recorded message"
    for operation in run.operations:
        found = operation.strength
        if found is not None and found.noticed * 100 < strength * found.total:
            yield (
                f"{operation.subject} v{operation.version} {operation.operation}: the tests noticed "
                f"{found.noticed} of {found.total} faults, not {strength:g} %; assert on what they left"
            )
