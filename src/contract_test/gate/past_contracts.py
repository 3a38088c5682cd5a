"""Past contracts: the schema of a version by its digest, from the files or from their history in git."""

from __future__ import annotations

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import ContractTestError
from contract_test.files.catalog import load_catalog
from contract_test.files.git_history import commits_that_may_hold, contracts_at, is_no_recording
from contract_test.files.lock import digest

MAX_COMMITS = 200
"""How many of the newest commits that changed a subject, or any schema, are looked through."""


class PastContracts:
    """Finds contracts by subject, version and digest."""

    def __init__(self, catalog: Catalog) -> None:
        self._root = catalog.root
        self._found: dict[tuple[str, int, str], Contract | None] = {
            (each.subject, each.version, digest(each)): each for each in catalog.contracts
        }
        self._commits: set[str] = set()

    def add(self, contract: Contract) -> None:
        """Let a contract be found."""
        self._found[contract.subject, contract.version, digest(contract)] = contract

    def find(self, subject: str, version: int, wanted: str) -> Contract | None:
        """Return the contract of that content, or None if it is neither in the files nor in git's history."""
        key = subject, version, wanted
        if key not in self._found:
            self._found[key] = None
            self._search(subject, key)
        return self._found[key]

    def _search(self, subject: str, key: tuple[str, int, str]) -> None:
        try:
            commits = commits_that_may_hold(self._root, key[2], subject, MAX_COMMITS)
        except ContractTestError:
            return
        for commit in commits:
            if commit not in self._commits:
                self._commits.add(commit)
                self._take(commit)
            if self._found[key] is not None:
                return

    def _take(self, commit: str) -> None:
        """Remember every contract of a commit. What cannot be read there is left out."""
        try:
            with contracts_at(commit, self._root, is_no_recording) as folder:
                for each in load_catalog(folder, []).contracts:
                    key = each.subject, each.version, digest(each)
                    if self._found.get(key) is None:
                        self._found[key] = each
        except ContractTestError:
            return
