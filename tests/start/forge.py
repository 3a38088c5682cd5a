"""A bare remote with pull requests, and a CI system that checks them out and runs the commands of its configuration."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml
from click.testing import CliRunner

from contract_test.cli.init import command as init_command
from contract_test.cli.register import command as register_command

NO_COMMIT = "0" * 40
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Kim"), ("EMAIL", "kim@acme.example"))
}
CONDITIONS = {"${{ !cancelled() }}"}


@dataclass(frozen=True)
class Step:
    """A command that CI ran."""

    command: str
    code: int
    output: str


def git(folder: Path, *arguments: object) -> str:
    done = subprocess.run(
        ["git", *map(str, arguments)],
        cwd=folder,
        env=os.environ | IDENTITY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout.strip()


class Forge:
    """The contracts repository `acme`: a bare remote with `main`, and a clone to work in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remote = folder / "acme.git"
        self.work = folder / "acme"
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", self.remote)
        git(folder, "clone", "--quiet", self.remote, self.work)
        git(self.work, "switch", "--quiet", "--create", "main")
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.program("pip", 'echo pip "$@"')

    def program(self, name: str, script: str) -> None:
        """Put a program on CI's PATH."""
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def begin(self, *options: str) -> None:
        """Put a new contracts repository on `main`, with its first version registered."""
        self.init(*options)
        self.register()
        self.commit("Begin")
        git(self.work, "push", "--quiet", "origin", "main")

    def init(self, *options: str) -> None:
        arguments = [str(self.work), "--package", "acme_envelopes", *options]
        result = CliRunner().invoke(init_command, arguments, standalone_mode=False)
        assert result.return_value == 0, (result.output, result.exception)

    def register(self) -> None:
        arguments = ["--contracts", str(self.work / "contracts")]
        result = CliRunner().invoke(register_command, arguments, standalone_mode=False)
        assert result.return_value == 0, (result.output, result.exception)

    def commit(self, message: str) -> None:
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--allow-empty", "--message", message)

    def pull_request(self, edit: Callable[[Path], None] = lambda _work: None, *, number: int = 1) -> None:
        """Push a branch `change` from `main` as it is here, and the merge commit that a forge makes of both."""
        git(self.work, "switch", "--quiet", "--create", "change", "main")
        edit(self.work)
        self.commit("Change")
        git(self.work, "push", "--quiet", "--force", "origin", "change")
        self.make_merge_commit(number)

    def make_merge_commit(self, number: int = 1) -> None:
        git(self.work, "fetch", "--quiet", "origin")
        git(self.work, "switch", "--quiet", "--detach", "origin/main")
        git(self.work, "merge", "--quiet", "--no-ff", "--message", "Merge", "change")
        git(self.work, "push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/merge")
        git(self.work, "switch", "--quiet", "change")

    def checkout(self, ref: str, *, depth: int = 0, name: str = "checkout") -> Path:
        """Check out as actions/checkout does: detached; with depth 0 every branch is fetched, else one commit."""
        target = self.folder / name
        target.mkdir(exist_ok=True)
        git(target, "init", "--quiet")
        git(target, "remote", "add", "origin", f"file://{self.remote}")
        local = ref.replace("refs/", "refs/remotes/", 1).replace("/heads/", "/origin/")
        wanted = [f"+{ref}:{local}"]
        if depth == 0:
            wanted += ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
        git(target, "fetch", "--quiet", "--no-tags", *([f"--depth={depth}"] if depth else []), "origin", *wanted)
        git(target, "checkout", "--quiet", "--force", "--detach", local)
        return target

    def environment(self, folder: Path) -> dict[str, str]:
        path = f"{self.bin}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "PYTHONPATH": str(folder / "src"), "NO_COLOR": "1"} | IDENTITY

    def shell(self, folder: Path, script: str, **variables: str) -> Step:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script], cwd=folder, env=self.environment(folder) | variables,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
        )  # fmt: skip
        return Step(script, done.returncode, done.stdout)

    def github(self, folder: Path, workflow: str, expressions: dict[str, str], **variables: str) -> list[Step]:
        """Run every `run` of a workflow, and return those that were not green; expressions are replaced by values."""
        (job,) = yaml.safe_load((folder / ".github" / "workflows" / workflow).read_text())["jobs"].values()
        steps = []
        for step in job["steps"]:
            assert step.get("if", "${{ !cancelled() }}") in CONDITIONS
            if "run" not in step:
                continue
            given = {**job.get("env", {}), **step.get("env", {})}
            given = {name: expressions.get(value, value) for name, value in given.items()}
            assert not [value for value in given.values() if "${{" in value], given
            steps.append(self.shell(folder, step["run"], **variables, **given))
        return steps

    def gitlab(self, folder: Path, file: str, **variables: str) -> Step:
        """Run the scripts of a job as GitLab does: in one shell that ends at the first error."""
        (job,) = yaml.safe_load((folder / file).read_text()).values()
        return self.shell(folder, "\n".join([*job.get("before_script", []), *job["script"]]), **variables)


def red(steps: list[Step]) -> dict[str, str]:
    """Return the output of each command that was not green, by its name."""
    return {" ".join(each.command.split()[1:3]): each.output for each in steps if each.code}
