"""Opening: a gate over the contracts, a ledger and what was counted on channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from contract_test.data.contract import Catalog
from contract_test.data.deployment import ServiceVersion
from contract_test.data.share import combine
from contract_test.files.accepted import accepted_by, read_accepted
from contract_test.files.catalog import load_catalog
from contract_test.files.ledger import Ledger
from contract_test.files.lock import digest
from contract_test.files.proof_cache import user_cache
from contract_test.files.verification_files import read_results
from contract_test.gate.answer import Gate
from contract_test.gate.decision import Standing, Surroundings
from contract_test.gate.evidence import Commands, Evidences
from contract_test.gate.proofs import Written
from contract_test.gate.timeline import horizon_of, timeline_of

BUDGET = 2.0
"""Seconds of processor time for one comparison."""


def open_gate(
    contracts: Path,
    ledger: Ledger,
    environment: str,
    now: datetime,
    *,
    assumed: Sequence[ServiceVersion] = (),
    standing: Iterable[Path] = (),
    kept: Mapping[str, timedelta | None] | None = None,
    budget: float = BUDGET,
    again: str = "",
) -> Gate:
    """Read everything that an answer depends on. Nothing uses the network.

    `kept` is what a broker says of channels, by name. `again` is the command that asks the same with a larger budget.
    """
    catalog = load_catalog(contracts, schemas_when_asked=True)
    evidences = evidences_of(catalog, ledger, budget, again)
    timeline = timeline_of(environment, ledger.deployments(environment), assumed)
    horizons = {name: horizon_of(catalog, subject, kept or {}) for name, subject in catalog.subjects.items()}
    around = Surroundings(evidences, now, horizons, _standing(catalog, standing), _accepted(contracts, now))

    def newest_of(service: str) -> ServiceVersion | None:
        versions = [ServiceVersion(service, each) for each in ledger.verified_versions(service)]
        known = [(verification.time, each) for each in versions if (verification := evidences.of(each)) is not None]
        return max(known)[1] if known else None

    return Gate(timeline, around, newest_of)


def evidences_of(catalog: Catalog, ledger: Ledger, budget: float = BUDGET, again: str = "") -> Evidences:
    """Return what is known of service versions."""
    return Evidences(catalog, ledger.verifications, user_cache(), budget, Commands(ledger.options, again))


def _standing(catalog: Catalog, paths: Iterable[Path]) -> list[Standing]:
    """Return what `verify --results` counted, by contract."""
    found = []
    for path in paths:
        for channel, drift in combine(read_results([path])).items():
            for label, count in drift.versions.items():
                name, _, version = label.rpartition(" v")
                subject = catalog.subjects.get(name)
                contract = subject.contracts.get(int(version)) if subject and version.isdecimal() else None
                if version.isdecimal():
                    written = Written(name, int(version), digest(contract) if contract else "")
                    found.append(Standing(written, count, f"{path} ({channel})"))
    return found


def _accepted(contracts: Path, now: datetime) -> Mapping[str, str]:
    """Return why findings of the gate are accepted, by their ids; those whose date has passed are not."""
    entries = accepted_by(read_accepted(contracts), "gate")
    return {
        each.finding: f"until {each.until}: {each.reason}"
        for each in entries
        if each.until is not None and each.holds_on(now.date())
    }
