"""The step of docs/continuous-integration.md that writes a comment into a pull request, run with a `gh` that records."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from compat.conftest import INTEGER, STRING, compat, message, repo  # noqa: F401 - fixtures

PAGE = Path(__file__).parents[2] / "docs" / "continuous-integration.md"
GH = """#!/bin/sh
echo "$@" >> calls
case "$*" in *--paginate*) printf '%s' "$KNOWN";; esac
"""


@pytest.mark.parametrize(
    ("known", "call"),
    [
        ("", "api --silent repos/acme/contracts/issues/7/comments --field body=@comment.md"),
        ("12\n34\n", "api --silent --method PATCH repos/acme/contracts/issues/comments/12 --field body=@comment.md"),
    ],
)
def test_the_comment_is_written_once_and_then_updated(repo, known, call):  # noqa: F811
    (step,) = [
        yaml.safe_load(block.partition("```")[0])[0]
        for block in PAGE.read_text().split("```yaml\n")[1:]
        if "GH_TOKEN" in block
    ]
    repo.subject(versions=[message(a=STRING)])
    repo.commit()
    repo.version(2, message(a=INTEGER))
    folder = repo.root / "bin"
    folder.mkdir()
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}", "BEFORE": "main", "REPO": "repos/acme/contracts", "NUMBER": "7", "KNOWN": known,
    }  # fmt: skip

    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=repo.root, env=environment, check=True)

    assert (repo.root / "calls").read_text().splitlines()[-1] == call
    assert (repo.root / "comment.md").read_text().startswith("<!-- contract-test:compat -->\n")
