"""Compaction: which entries of a ledger no answer can depend on any more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from contract_test.data.contract import Catalog
from contract_test.data.deployment import ServiceVersion
from contract_test.files.ledger import Ledger
from contract_test.gate.timeline import horizon_of, timeline_of


def old_entries(
    ledger: Ledger,
    catalog: Catalog,
    now: datetime,
    older_than: timedelta,
    channels: Mapping[str, timedelta | None] | None = None,
) -> list[str]:
    """Return the paths of what is older than that, and neither deployed anywhere nor within any retention.

    Of a service that sends on a channel without retention, every deployment counts for ever, and so does the
    verification of what was deployed. `channels` is what a broker says of them.
    """
    entries = list(ledger.deployment_entries())
    needed: set[ServiceVersion] = set()
    gone: list[str] = []
    for environment in sorted({each.environment for _, each in entries}):
        here = [(path, each) for path, each in entries if each.environment == environment]
        timeline = timeline_of(environment, [each for _, each in here])
        for service in timeline.services:
            horizons = [horizon_of(catalog, subject, channels or {}) for subject in catalog.sent_by(service)]
            longest = None if None in horizons else max(filter(None, horizons), default=timedelta())
            kept = timeline.in_flight(service, None if longest is None else max(longest, older_than), now)
            needed |= {ServiceVersion(service, version) for version in kept}
            own = [(path, each) for path, each in here if each.service == service]
            gone += [
                path
                for position, (path, each) in enumerate(own)
                if each.version not in kept and each.version and position + 1 < len(own)
            ]
    for path, of in ledger.verification_paths():
        if of not in needed and all(each.time < now - older_than for each in ledger.verifications(of)):
            gone.append(path)
    return gone
