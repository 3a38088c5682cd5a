"""What is known beside the contracts: deployments and verifications of the ledger, reports of runs, counted traffic."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract_test.data.deployment import ServiceVersion, Verification, combined
from contract_test.data.drift import Drift
from contract_test.data.errors import RecordingError
from contract_test.data.share import combine
from contract_test.data.texts import percent
from contract_test.files.ledger import Ledger
from contract_test.files.verification_files import SUFFIX, read_results
from contract_test.gate.publication import verification_of
from contract_test.gate.timeline import timeline_of
from contract_test.site.data import DeployedVersion, LastVerification, OperationResult, Seen

MAX_BREACHES = 20


@dataclass(frozen=True)
class Evidence:
    """What runs where by service, what each service proved last, and what was counted on each channel."""

    deployed: Mapping[str, tuple[DeployedVersion, ...]] = field(default_factory=dict)
    verified: Mapping[str, LastVerification] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)


def read_evidence(ledger: Ledger | None, results: Iterable[Path]) -> Evidence:
    """Read a ledger, and files of `--contracts-report` and `verify --results`. Raises RecordingError."""
    deployed: dict[str, list[DeployedVersion]] = {}
    verified: dict[str, LastVerification] = {}
    if ledger is not None:
        deployments = ledger.deployments()
        for environment in sorted({each.environment for each in deployments}):
            for interval in timeline_of(environment, deployments).intervals:
                if interval.until is None:
                    running = DeployedVersion(environment, interval.of.short, _time(interval.since))
                    deployed.setdefault(interval.of.service, []).append(running)
        verified = dict(_verified(ledger))
    files = [*_files(results)]
    for path in files:
        if not path.name.endswith(SUFFIX):
            service, last = _of_report(path)
            verified[service] = _with_strength(verified[service], last) if service in verified else last
    counted = [path for path in files if path.name.endswith(SUFFIX)]
    drifts = combine(read_results(counted)) if counted else {}
    return Evidence(
        {service: tuple(found) for service, found in deployed.items()},
        verified,
        {channel: _seen(drift) for channel, drift in drifts.items()},
    )


def _files(results: Iterable[Path]) -> list[Path]:
    return [
        file for path in results for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])
    ]  # fmt: skip


def _verified(ledger: Ledger) -> dict[str, LastVerification]:
    newest: dict[str, Verification] = {}
    for of in sorted({of for _, of in ledger.verification_paths()}):
        found = combined(ledger.verifications(ServiceVersion(of.service, of.version)))
        if found and (of.service not in newest or newest[of.service].time < found.time):
            newest[of.service] = found
    return {service: _last(each, _time(each.time)) for service, each in newest.items()}


def _last(found: Verification, time: str) -> LastVerification:
    operations = tuple(
        OperationResult(each.subject, each.version, each.operation, each.recorded, each.failed, each.unnoticed)
        for each in found.operations
    )
    version = ServiceVersion(found.service, found.version).short
    return LastVerification(version, time, found.branch, found.partial, found.problems, operations)


def _of_report(path: Path) -> tuple[str, LastVerification]:
    """Return what a report proves, with the strength and the coverage that only a report has."""
    found = verification_of(path, "", datetime.fromtimestamp(0, UTC))
    document = json.loads(path.read_bytes())
    version = str(document["service_version"])
    last = _last(replace(found, version=version), "")
    shares = {(row["subject"], row["version"]): percent(row["share"]) for row in document["coverage"]}
    strengths = [_strength(row["strength"]) for row in document["operations"]]
    operations = tuple(
        replace(each, strength=strength, coverage=shares.get((each.subject, each.version), ""))
        for each, strength in zip(last.operations, strengths, strict=True)
    )
    if not found.service:
        raise RecordingError("names no service", place=str(path), advice="Write it with --contracts-report.")
    return found.service, replace(last, operations=operations)


def _with_strength(known: LastVerification, report: LastVerification) -> LastVerification:
    """Return what the ledger knows, with the strength and coverage of a report where it is about the same."""
    found = {(each.subject, each.version, each.operation): each for each in report.operations}
    operations = []
    for each in known.operations:
        other = found.get((each.subject, each.version, each.operation))
        operations.append(replace(each, strength=other.strength, coverage=other.coverage) if other else each)
    return replace(known, operations=tuple(operations))


def _strength(row: dict[str, Any] | None) -> str:
    return f"{row['noticed']} of {row['total']}" if row else ""


def _seen(drift: Drift) -> Seen:
    breaches = [
        f"{each.subject} {each.pointer or '/'}: {each.rule}, in {count}"
        for each, count in sorted(drift.breaches.items())
    ]
    undeclared = [
        f"{contract} {pointer}, in {count}" for (contract, pointer), count in sorted(drift.undeclared.items())
    ]
    return Seen(
        drift.read,
        drift.drifted,
        dict(sorted(drift.versions.items())),
        tuple(breaches[:MAX_BREACHES]),
        tuple(undeclared[:MAX_BREACHES]),
    )


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
