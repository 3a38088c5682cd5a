"""The workflows that `init` writes: run as CI runs them, in what CI checks out of a bare remote."""

import json
import re

import pytest
from start.forge import NO_COMMIT, Forge, git, red

BEFORE = "${{ github.base_ref && format('origin/{0}', github.base_ref) || github.event.before }}"
VERSION = "contracts/order.placed/v1.json"
RECORDING = "contracts/order.placed/recordings/v1.jsonl"
FETCH_ADVICE = re.compile(r"git fetch --depth=1 origin \S+")


@pytest.fixture
def forge(tmp_path):
    return Forge(tmp_path)


def edit_schema(work, source=VERSION, target=VERSION, **changes):
    schema = json.loads((work / source).read_text())
    schema["properties"] |= changes.pop("properties", {})
    (work / target).write_text(json.dumps(schema | changes, indent=2))


def generate(forge):
    assert forge.shell(forge.work, "contract-test generate --output src").code == 0


def nothing(forge):
    """Change no contract."""
    (forge.work / "notes.txt").write_text("for later")


def add_an_optional_field(forge):
    edit_schema(
        forge.work, target="contracts/order.placed/v2.json", properties={"coupon": {"type": "string", "maxLength": 9}}
    )
    generate(forge)
    forge.register()


def edit_and_register_again(forge):
    edit_schema(forge.work, title="Order")
    (forge.work / "contracts" / "contracts.lock").unlink()
    generate(forge)
    forge.register()


def require_a_new_field(forge):
    required = ["order_id", "placed_at", "total", "note"]
    edit_schema(forge.work, target="contracts/order.placed/v2.json", required=required, examples=[])
    generate(forge)


def break_a_recording(forge):
    recording = forge.work / RECORDING
    recording.write_text(recording.read_text().replace('"total":950', '"total":"950"'))


def plant_a_secret(forge):
    recording = forge.work / RECORDING
    line = json.loads(recording.read_text())
    line["payload"]["note"] = "call +49 151 12345678, ana.diaz@mail-server.com"
    recording.write_text(json.dumps(line) + "\n")


def forget_to_generate(forge):
    edit_schema(forge.work, target="contracts/order.placed/v2.json")


@pytest.mark.parametrize(
    ("change", "commands", "text"),
    [
        (nothing, [], ""),
        (add_an_optional_field, [], ""),
        (edit_and_register_again, ["lint --against"], "registered-row-changed"),
        (require_a_new_field, ["compat --against", "compat --format"], "required-property-added"),
        (break_a_recording, ["lint --against"], "recording-invalid"),
        (plant_a_secret, ["lint --against", "scan --format"], "leak-"),
        (forget_to_generate, ["generate --check"], "stale"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_a_pull_request_is_checked_by_github(forge, change, commands, text):
    forge.begin()
    forge.pull_request(lambda _work: change(forge))
    steps = forge.github(forge.checkout("refs/pull/1/merge"), "contracts.yml", {BEFORE: "origin/main"})
    failed = red(steps)
    assert list(failed) == commands, failed
    assert text in "".join(failed.values())


@pytest.mark.parametrize(
    ("change", "failed", "text"),
    [
        (add_an_optional_field, "", ""),
        (edit_and_register_again, " lint", "registered-row-changed"),
        (require_a_new_field, " compat-against compat", "required-property-added"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_a_merge_request_is_checked_by_gitlab(forge, change, failed, text):
    """GitLab checks out the branch itself, and not what it would be when merged."""
    forge.begin()
    forge.pull_request(lambda _work: change(forge))
    checkout = forge.checkout("refs/heads/change", depth=50)
    variables = {"CI_COMMIT_BEFORE_SHA": NO_COMMIT, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    job = forge.gitlab(checkout, ".gitlab-ci.yml", **variables)
    assert (job.code != 0) == bool(failed), job.output
    assert text in job.output


def test_the_pull_request_that_brings_the_first_contracts_is_green(forge):
    (forge.work / "README.md").write_text("Ours.")
    forge.commit("Begin")
    git(forge.work, "push", "--quiet", "origin", "main")
    forge.pull_request(lambda _work: forge.init())
    steps = forge.github(forge.checkout("refs/pull/1/merge"), "contracts.yml", {BEFORE: "origin/main"})
    assert not red(steps)
    assert "there were no contracts at origin/main: all of them are new" in "".join(each.output for each in steps)


def test_the_first_push_and_the_next_are_green_and_a_broken_one_is_red(forge):
    forge.begin()
    checkout = forge.checkout("refs/heads/main")
    assert not red(forge.github(checkout, "contracts.yml", {BEFORE: NO_COMMIT}))
    assert forge.gitlab(checkout, ".gitlab-ci.yml", CI_COMMIT_BEFORE_SHA=NO_COMMIT).code == 0
    before = git(forge.work, "rev-parse", "HEAD")
    edit_and_register_again(forge)
    forge.commit("Edit in place")
    git(forge.work, "push", "--quiet", "origin", "main")
    git(checkout, "fetch", "--quiet", "origin", "main")
    git(checkout, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    assert "registered-row-changed" in red(forge.github(checkout, "contracts.yml", {BEFORE: before}))["lint --against"]
    assert "registered-row-changed" in forge.gitlab(checkout, ".gitlab-ci.yml", CI_COMMIT_BEFORE_SHA=before).output


@pytest.mark.parametrize("ref", ["refs/pull/1/merge", "refs/heads/change"])
def test_a_branch_that_main_left_behind_is_green(forge, ref):
    forge.begin()
    forge.pull_request(lambda _work: nothing(forge))
    git(forge.work, "switch", "--quiet", "main")
    add_an_optional_field(forge)
    forge.commit("Go on")
    git(forge.work, "push", "--quiet", "origin", "main")
    steps = forge.github(forge.checkout(ref), "contracts.yml", {BEFORE: "origin/main"})
    assert not red(steps)
    assert "order.placed: changed at origin/main since this branch left it" in "".join(each.output for each in steps)


@pytest.mark.parametrize("command", ["lint", "compat"])
def test_a_checkout_of_one_commit_says_what_to_fetch(forge, command):
    """As actions/checkout makes it by default: the merge commit of a pull request, without its parents."""
    forge.begin()
    forge.pull_request(lambda _work: (edit_and_register_again(forge), require_a_new_field(forge)))
    checkout = forge.checkout("refs/pull/1/merge", depth=1)
    for target in ("main", "origin/main"):
        step = forge.shell(checkout, f"contract-test {command} --against {target}")
        assert step.code == 2, step.output
        (advice,) = FETCH_ADVICE.findall(step.output)
    assert forge.shell(checkout, advice).code == 0
    assert forge.shell(checkout, "git fetch --quiet --depth=1 origin main").code == 0
    for target in ("main", "origin/main", "FETCH_HEAD"):
        step = forge.shell(checkout, f"contract-test {command} --against {target}")
        assert step.code == 1, step.output


def test_another_ci_system_runs_the_same_by_pytest(forge):
    forge.begin()
    forge.pull_request(lambda _work: edit_and_register_again(forge))
    checkout = forge.checkout("refs/pull/1/merge")
    assert forge.shell(checkout, "python -m pytest -q -p no:cacheprovider").code == 0
    step = forge.shell(checkout, "BEFORE=origin/main python -m pytest -q -p no:cacheprovider")
    assert step.code == 1
    assert "registered-row-changed" in step.output
    assert "1 failed, 5 passed" in step.output
