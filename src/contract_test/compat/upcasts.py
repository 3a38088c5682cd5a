"""Upcasts: what becomes of the messages that a service receives when its package brings them to the newest version."""

from __future__ import annotations

from contract_test.compat.migration import migrate
from contract_test.compat.snapshot import snapshots_of
from contract_test.data.contract import Catalog
from contract_test.data.result import Upcast


def tried_upcasters(catalog: Catalog, service: str, package: str) -> tuple[Upcast, ...]:
    """Try the upcasters of a package on what a service receives: an entry for each version that one leads away from.

    Raises CatalogError where they cannot be imported.
    """
    versions_of, found = snapshots_of(catalog), []
    for subject in catalog.received_by(service):
        versions = versions_of[subject.name]
        for version, snapshot in versions.items():
            migration = migrate(subject.name, snapshot, versions[max(versions)], package)
            if migration is not None:
                found.append(Upcast(subject.name, version, str(migration), migration.problem))
    return tuple(found)
