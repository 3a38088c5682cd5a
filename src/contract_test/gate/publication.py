"""Publication: a verification out of the JSON report of `pytest --contracts`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from contract_test.data.deployment import FailedMessage, Verification, VerifiedOperation
from contract_test.data.errors import CatalogError, HistoryError, RecordingError
from contract_test.data.result import PinnedContract, Upcast

FORMAT = 2
MAX_FAILURES = 5
"""How many failed messages of one operation are kept."""


def verification_of(path: Path, version: str, time: datetime, branch: str = "") -> Verification:
    """Return what a report proves of a service version.

    Raises RecordingError where the file is no such report, and CatalogError where it is about another version.
    """
    try:
        document: Any = json.loads(path.read_bytes())
        assert document["format"] == FORMAT
        found = _read(document, time)
    except OSError as error:
        raise RecordingError(f"cannot be read: {error.strerror}", place=str(path), advice="Check the path.") from None
    except (ValueError, TypeError, LookupError, AttributeError, AssertionError):
        advice = (
            "Write it with `pytest --contracts --contracts-report result.json`, with this version of contract-test."
        )
        raise RecordingError(f"not a report in format {FORMAT}", place=str(path), advice=advice) from None
    if found.version and not found.version.startswith(version) and version not in _tags(found.version, path):
        raise CatalogError(
            f"the report is about {found.version[:12]}, and not about {version}",
            place=str(path),
            advice="Verify and publish the same commit that you deploy.",
        )
    return replace(found, version=version, branch=branch)


def _tags(commit: str, path: Path) -> list[str]:
    """Return the tags of the commit that was verified, if its repository is around the report."""
    from contract_test.files.git import run_git

    try:
        found = run_git(path.resolve().parent, "tag", "--points-at", commit)
    except HistoryError:
        return []
    return found.decode(errors="replace").split()


def _read(document: dict[str, Any], time: datetime) -> Verification:
    pinned = document["contracts"]["pinned"]
    return Verification(
        str(document["service"]),
        str(document["service_version"]),
        time,
        tuple(
            PinnedContract(
                str(each["subject"]),
                int(each["version"]),
                str(each["digest"]),
                sends=bool(each["sends"]),
                receives=bool(each["receives"]),
            )
            for each in pinned
        ),
        tuple(_operation(each) for each in document["operations"]),
        str(document["partial"]),
        bool(document["dirty"]),
        tuple(map(str, document["problems"])),
        upcasts=tuple(
            Upcast(str(each["subject"]), int(each["version"]), str(each["tried"]), str(each["problem"]))
            for each in document.get("upcasts", ())
        ),
    )


def _operation(row: dict[str, Any]) -> VerifiedOperation:
    messages = row["messages"]
    recorded = int(messages["recorded"]["passed"])
    failed = [FailedMessage(
        str(each["place"]), str(each["failure"]["check"]), str(each["failure"]["sentence"]), str(each["accepted"])
    ) for each in row["failed"] if each["failure"]]  # fmt: skip
    failed.sort(key=lambda each: bool(each.accepted))  # those that nobody accepted are kept first
    return VerifiedOperation(
        str(row["subject"]),
        int(row["version"]),
        row["operation"],
        recorded,
        sum(int(counts["passed"]) for counts in messages.values()) - recorded,
        len(failed),
        tuple(failed[:MAX_FAILURES]),
        tuple(map(int, row["sent"])),
        bool(row["unwatched"]),
        tuple(_unnoticed(row, recorded)),
    )


def _unnoticed(row: dict[str, Any], recorded: int) -> list[str]:
    """Return the fields that were broken in every recorded message without a test that failed."""
    survivors = (row["strength"] or {}).get("survivors", ())
    broken = {(str(each["pointer"]), str(each["item"])) for each in survivors}
    counts = Counter(pointer for pointer, _ in broken)
    return sorted(pointer for pointer, count in counts.items() if count >= recorded > 0)
