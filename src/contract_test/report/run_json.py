"""A run as JSON, for other programs. docs/replay.md describes it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, get_args

from contract_test.data.result import (
    Coverage,
    MessageResult,
    Operation,
    Origin,
    Outcome,
    Run,
    digest_of_contracts,
)

FORMAT = 2
_ORIGINS: tuple[Origin, ...] = get_args(Origin)
_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def run_as_json(run: Run) -> str:
    """Return everything of a run but the messages that passed, which are counted.

    Pure ASCII, so inert on a terminal.
    """
    document = {
        "format": FORMAT,
        "service": run.service,
        "service_version": run.revision.version,
        "dirty": run.revision.dirty,
        "contracts": {"digest": digest_of_contracts(run.contracts), "pinned": [asdict(each) for each in run.contracts]},
        "upcasts": [asdict(each) for each in run.upcasts],
        "operations": [_operation(each) for each in run.operations],
        "coverage": [_coverage(each) for each in run.coverage],
        "readers": [asdict(each) for each in run.readers],
        "problems": run.problems,
        "notes": run.notes,
        "partial": run.partial,
    }
    return json.dumps(document, indent=2) + "\n"


def _operation(each: Operation) -> dict[str, Any]:
    return {
        "subject": each.subject,
        "version": each.version,
        "operation": each.operation,
        "sent_by": each.sent_by,
        "received_by": each.received_by,
        "owners": dict(each.owners),
        "messages": {origin: {outcome: each.count(outcome, origin) for outcome in _OUTCOMES} for origin in _ORIGINS},
        "sent": each.sent,
        "unwatched": each.unwatched,
        "failed": [_failed(played) for played in each.failed],
        "strength": asdict(each.strength) if each.strength else None,
    }


def _failed(each: MessageResult) -> dict[str, Any]:
    """Without what was read: where a test failed, that is not known to the end."""
    return {name: value for name, value in asdict(each).items() if name not in ("reads", "test_reads")}


def _coverage(each: Coverage) -> dict[str, Any]:
    return asdict(each) | {"share": each.share, "recorded_share": each.recorded_share}
