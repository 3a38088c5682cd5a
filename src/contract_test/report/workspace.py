"""Paths as GitHub knows them: from the folder that a workflow checked out, also if a step runs in a folder below."""

from __future__ import annotations

import os
from pathlib import Path


def in_workspace(file: str) -> str:
    """Return the path of a file from GITHUB_WORKSPACE, if it is in there; else the path as it is."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    path = Path(file).absolute()
    if not workspace or "\0" in file or not path.exists():
        return file
    root = Path(workspace).absolute()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else file
