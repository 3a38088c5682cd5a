"""The workflows of docs/deploying.md, action.yml and the pre-commit hooks: parsed, and their commands run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from docs.page import read_page
from gate.team import Team, order

from contract_test.cli import COMMANDS

ROOT = Path(__file__).parents[2]
WORKFLOWS = [
    yaml.safe_load(each.text)
    for each in read_page(ROOT / "docs" / "deploying.md")
    if each.language == "yaml" and each.shown_by
]


def github_steps(job: str, workflow: dict) -> list[str]:
    """The commands of a job after a push, without the installation."""
    return [
        step["run"] for step in workflow["jobs"][job]["steps"] if "pip install" not in step.get("run", "pip install")
    ]


def gitlab_steps(job: str, workflow: dict) -> list[str]:
    return list(workflow[job]["script"])


@pytest.mark.parametrize(("number", "steps"), [(0, github_steps), (1, gitlab_steps)], ids=["github", "gitlab"])
def test_a_producer_waits_for_its_reader_in_ci(tmp_path, number, steps):
    team, workflow = Team(tmp_path), WORKFLOWS[number]
    (tmp_path / "shop" / "deploy").write_text("#!/bin/sh\ndate >> ../deployed\n")
    (tmp_path / "shop" / "deploy").chmod(0o755)
    team.verify("mailer", "m1")
    team.deploy("mailer", "m1")

    def pipeline(commit: str, source: str = "push") -> tuple[str, ...]:
        here = tmp_path / "shop"
        team.git(tmp_path / "shop", "clone", "-q", "--depth", "1", f"file://{tmp_path}/acme.git", ".contracts")
        names = {"GITHUB_SHA": commit, "GITHUB_REF_NAME": "main", "CI_COMMIT_SHA": commit, "CI_COMMIT_REF_NAME": "main"}
        try:
            for command in steps("verify", workflow):
                if source == "push" or number == 1 or "publish" not in command:
                    team.run(here, command, CI_PIPELINE_SOURCE=source, **names)
            if source == "push":
                for command in steps("deploy", workflow):
                    team.run(here, command, **names)
        finally:
            subprocess.run(["rm", "-rf", here / ".contracts"], check=True)
        return tuple(team.entries())

    before = len(team.entries())
    first = team.git(tmp_path / "shop", "rev-parse", "HEAD").strip()
    assert len(pipeline(first, "merge_request_event")) == before, "a pull request publishes nothing"
    assert len(pipeline(first)) == before + 2, "a verification and a deployment"
    second = team.commit("shop", 2, "s2")
    with pytest.raises(AssertionError, match=r"no: mailer m1 rejects order\.placed v2"):
        pipeline(second)
    assert (tmp_path / "deployed").read_text().count("\n") == 1
    if number == 1:
        return  # the rest depends on the ledger alone
    team.commit("mailer", 2, "m2")
    team.verify("mailer", "m2")
    team.deploy("mailer", "m2")
    pipeline(second)
    assert (tmp_path / "deployed").read_text().count("\n") == 2


def test_the_workflows_give_each_job_no_more_than_it_needs():
    github, gitlab = WORKFLOWS
    assert github["permissions"] == {"contents": "read"}
    publish = [step for step in github["jobs"]["verify"]["steps"] if "publish-verification" in step.get("run", "")]
    assert [step["if"] for step in publish] == ["github.event_name == 'push'"]
    assert github["jobs"]["deploy"]["if"] == "github.event_name == 'push'"
    assert github["jobs"]["deploy"]["concurrency"]
    assert gitlab["deploy"]["resource_group"]


def test_the_action_runs_the_command_that_it_is_given(tmp_path):
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    install, run = action["runs"]["steps"]
    assert "contract-test[site,tools]" in install["run"]
    (tmp_path / "contract-test").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "contract-test").chmod(0o755)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", run["run"]], text=True, capture_output=True, check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "COMMAND": "compat --against $(touch x) --format github"}, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.split() == ["compat", "--against", "$(touch", "x)", "--format", "github"]
    assert not (tmp_path / "x").exists(), "an input is no script"
    assert all("${{" not in step["run"] for step in action["runs"]["steps"])


def test_the_hooks_run_commands_that_exist(tmp_path):
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {each["id"].removeprefix("contract-test-") for each in hooks} == {"lint", "generate", "scan", "compat"}
    for hook in hooks:
        program, command, *_ = shlex.split(hook["entry"])
        assert (program, command in COMMANDS) == ("contract-test", True)
        assert re.compile(hook["files"]).search("contracts/order.placed/recordings/v1.jsonl")
    page = (ROOT / "docs" / "deploying.md").read_text()
    assert all(f"id: {each['id']}\n" in page for each in hooks)


HOOKS = {each["id"]: each["entry"] for each in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


def changed_contract(root: Path) -> None:
    path = root / "contracts" / "order.placed" / "v1.json"
    path.write_text(json.dumps(order(1) | {"required": []}))


def stale_value_object(root: Path) -> None:
    (module,) = root.rglob("order_placed_v1.py")
    module.write_text(module.read_text() + "# by hand\n")


def recorded_secret(root: Path) -> None:
    path = root / "contracts" / "order.placed" / "recordings" / "v1.jsonl"
    path.write_text(path.read_text().replace('"o-1"', '"kim.larsen@posteo.dk"'))


def breaking_version(root: Path) -> None:
    (root / "contracts" / "order.placed" / "v2.json").write_text(json.dumps(order(2)))


def run(command: str, folder: Path, code: int = 0) -> None:
    done = subprocess.run(
        shlex.split(command), cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """A contracts repository in which every hook passes."""
    root = tmp_path_factory.mktemp("registered")
    Team.write_contracts(root / "contracts", 1, 1)
    (root / "pyproject.toml").write_text('[tool.contract-test]\npackage = "acme_envelopes"\n')
    for command in ("git init -q", "contract-test register", "contract-test generate", *HOOKS.values()):
        run(command, root)
    return root


@pytest.mark.parametrize(
    ("hook", "mistake"),
    [
        ("contract-test-lint", changed_contract),
        ("contract-test-generate", stale_value_object),
        ("contract-test-scan", recorded_secret),
        ("contract-test-compat", breaking_version),
    ],
    ids=["lint", "generate", "scan", "compat"],
)
def test_each_hook_passes_in_a_contracts_repository_and_stops_a_mistake(registered, tmp_path, hook, mistake):
    root = shutil.copytree(registered, tmp_path / "repository")
    mistake(root)
    run(HOOKS[hook], root, code=1)


def test_json_is_what_a_program_gets(tmp_path):
    team = Team(tmp_path)
    team.verify("mailer", "m1")
    team.deploy("mailer", "m1")
    command = "contract-test can-i-deploy shop --service-version s9 --to-environment production --format json"
    output = team.run(tmp_path / "shop", f"{command} {team.ledger} 2>/dev/null", code=1)
    document = json.loads(output)
    assert (document["format"], document["answer"], document["checks"][0]["evidence"]) == (1, "unknown", "not-verified")
