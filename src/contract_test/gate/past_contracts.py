"""Past contracts: the schema of a version by its digest, from the files or from their history in git."""

from __future__ import annotations

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import ContractTestError
from contract_test.files.catalog import load_catalog
from contract_test.files.git_history import commits_that_may_hold, contracts_at, is_no_recording, is_shallow
from contract_test.files.lock import digest

MAX_COMMITS = 200
"""How many of the newest commits that changed a subject, or any schema, are looked through."""
_BRANCHES = 'origin "+refs/heads/*:refs/remotes/origin/*"'


class PastContracts:
    """Finds contracts by subject, version and digest."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._found: dict[tuple[str, int, str], Contract | None] = {}
        self._commits: set[str] = set()

    def add(self, contract: Contract) -> None:
        """Let a contract be found."""
        self._found[contract.subject, contract.version, digest(contract)] = contract

    def find(self, subject: str, version: int, wanted: str) -> Contract | None:
        """Return the contract of that content, or None if it is neither in the files nor in git's history.

        Raises SchemaError where the file of that version is broken.
        """
        key = subject, version, wanted
        if key not in self._found:
            here = self._catalog.subjects.get(subject)
            if here is not None and version in here.contracts:
                self.add(here.contracts[version])
            self._found.setdefault(key, None)
            if self._found[key] is None:
                self._search(key)
        return self._found[key]

    @property
    def fetch_command(self) -> str:
        """The command that brings the rest of git's history."""
        root = self._catalog.root.resolve()
        try:
            unshallow = "--unshallow " if is_shallow(root) else ""
        except ContractTestError:
            unshallow = ""
        return f"git -C {root} fetch {unshallow}{_BRANCHES}"

    def _search(self, key: tuple[str, int, str]) -> None:
        try:
            commits = commits_that_may_hold(self._catalog.root, key[2], key[0], MAX_COMMITS)
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
            with contracts_at(commit, self._catalog.root, is_no_recording) as folder:
                for each in load_catalog(folder, []).contracts:
                    if self._found.get((each.subject, each.version, digest(each))) is None:
                        self.add(each)
        except ContractTestError:
            return
