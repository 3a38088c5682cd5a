"""Which commit of a repository the files of a folder are."""

from __future__ import annotations

import os
from pathlib import Path

from contract_test.data.errors import ContractTestError
from contract_test.data.result import Revision
from contract_test.files.git import run_git

CI_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA", "BUILDKITE_COMMIT", "CIRCLE_SHA1", "BITBUCKET_COMMIT", "GIT_COMMIT")
"""Where CI systems name the commit that they run: used where there is no repository around the service."""


def revision_of(folder: Path) -> Revision:
    """Return the commit that is checked out around a folder, else what the CI system names, else nothing.

    It is dirty if a tracked file differs from it, or if a Python file is in no commit and is not ignored.
    """
    try:
        commit = run_git(folder, "rev-parse", "--verify", "HEAD^{commit}").decode().strip()
        status = run_git(folder, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
    except ContractTestError:
        named = (os.environ.get(name, "") for name in CI_VARIABLES)
        return Revision(next(filter(None, named), ""))
    entries = [entry for entry in status.decode(errors="replace").split("\0") if entry]
    return Revision(commit, any(not entry.startswith("?? ") or entry.endswith(".py") for entry in entries))
