"""A registered version never changes: not beside its lock, and not beside the target branch's lock."""

import json
import subprocess

import pytest
from click.testing import CliRunner

from contract_test.cli import lint, register

TEXT, NUMBER = ({"type": "object", "properties": {"a": {"type": kind}}} for kind in ("string", "number"))


@pytest.fixture
def repo(tmp_path):
    """A repository with one registered version on `main`, and the branch `change` checked out."""
    folder = tmp_path / "contracts"
    write(folder / "thing.done" / "v1.json", TEXT)
    run(register.command, folder)
    git(tmp_path, "init", "--initial-branch=main")
    commit(tmp_path)
    git(tmp_path, "switch", "-c", "change")
    return tmp_path


def write(path, schema):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema))


def git(root, *arguments):
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def commit(root):
    git(root, "add", "-A")
    git(root, "commit", "-m", "as it is")


def run(command, folder, *options):
    result = CliRunner().invoke(command, ["--contracts", str(folder), *options], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def found(root, *options):
    result = run(lint.command, root / "contracts", "--format", "json", *options)
    return {each["rule"]: each for each in json.loads(result.stdout)["findings"] if each["severity"] == "error"}


def test_a_version_that_was_edited_and_registered_again_is_found_beside_the_target_branch(repo):
    write(repo / "contracts" / "thing.done" / "v1.json", NUMBER)
    (repo / "contracts" / "contracts.lock").unlink()
    run(register.command, repo / "contracts")

    assert found(repo) == {}, "the lock alone cannot know"
    assert "another content" in found(repo, "--against", "main")["registered-row-changed"]["sentence"]


def test_a_row_that_is_gone_is_found_beside_the_target_branch(repo):
    (repo / "contracts" / "contracts.lock").write_text("")
    assert found(repo, "--against", "main")["registered-row-gone"]["file"].endswith("v1.json")


def test_what_the_target_branch_registered_since_is_no_finding(repo):
    git(repo, "switch", "main")
    write(repo / "contracts" / "thing.done" / "v2.json", TEXT)
    run(register.command, repo / "contracts")
    commit(repo)
    git(repo, "switch", "change")
    assert found(repo, "--against", "main") == {}


def test_a_target_branch_without_contracts_is_no_finding(repo):
    git(repo, "switch", "--orphan", "empty")
    git(repo, "commit", "--allow-empty", "-m", "empty")
    git(repo, "checkout", "change")
    assert found(repo, "--against", "empty") == {}


def test_the_change_is_shown_also_after_it_was_committed(repo):
    write(repo / "contracts" / "thing.done" / "v1.json", NUMBER)
    commit(repo)
    sentence = found(repo)["registered-version-changed"]["sentence"]
    assert sentence == "a registered version changed: /properties/a/type: 'string' → 'number'"


def test_the_shared_file_that_changed_is_named(repo):
    folder = repo / "contracts"
    write(folder / "shared" / "person.json", TEXT)
    write(
        folder / "user.made" / "v1.json", {"type": "object", "properties": {"who": {"$ref": "../shared/person.json"}}}
    )
    run(register.command, folder)
    commit(repo)
    write(folder / "shared" / "person.json", NUMBER)

    finding = found(repo)["registered-version-changed"]

    assert finding["file"].endswith("user.made/v1.json")
    assert "because shared/person.json changed" in finding["sentence"]
    assert "/properties/a/type: 'string' → 'number'" in finding["sentence"]
    assert (
        "write it as a new file, and refer to that file from a new version, such as user.made/v2.json"
        in finding["advice"]
    )


def test_a_recorded_message_that_breaks_its_contract_is_found(repo):
    folder = repo / "contracts"
    (folder / "catalog.toml").write_text(
        '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."thing.done"]\nchannel = "c"\n'
    )
    (folder / "thing.done" / "recordings").mkdir()
    lines = [json.dumps({"format": 1, "channel": "c", "payload": {"a": value}}) for value in ("x", 1)]
    (folder / "thing.done" / "recordings" / "v1.jsonl").write_text("\n".join(lines) + "\n")

    finding = found(repo)["recording-invalid"]

    assert (finding["line"], finding["pointer"]) == (2, "/a")
    assert finding["id"] == "recording-invalid:thing.done:v1 recording:/a"
