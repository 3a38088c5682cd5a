"""Owners: who answers for the services that break."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from contract_test.data.contract import Catalog
from contract_test.data.finding import Finding


def with_owners(findings: Iterable[Finding], catalog: Catalog) -> list[Finding]:
    """Return the findings, each with the owners of the services that break, as far as the catalog names them."""
    return [_with_owners(each, catalog) for each in findings]


def _with_owners(finding: Finding, catalog: Catalog) -> Finding:
    lines = tuple(f"{service} is owned by {owner}" for service, owner in catalog.owned(finding.breaks).items())
    return replace(finding, affected=(*finding.affected, *lines)) if lines else finding
