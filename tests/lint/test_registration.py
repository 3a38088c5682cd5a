"""A registered version never changes: not beside its lock, and not beside the target branch's lock."""

import json
import subprocess

import pytest
from click.testing import CliRunner

from contract_test.cli import lint, register
from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

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
    return {each["rule"]: each for each in lint_errors(root, *options)}


def lint_errors(root, *options):
    result = run(lint.command, root / "contracts", "--format", "json", *options)
    return [each for each in json.loads(result.stdout)["findings"] if each["severity"] == "error"]


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


@pytest.fixture
def shared(repo):
    """Two registered versions that refer to one shared file, committed; a function changes that file."""
    folder = repo / "contracts"
    write(folder / "shared" / "person.json", TEXT)
    refers = {"type": "object", "properties": {"who": {"$ref": "../shared/person.json"}}}
    write(folder / "user.made" / "v1.json", refers)
    write(folder / "user.left" / "v1.json", refers)
    run(register.command, folder)
    commit(repo)
    return lambda schema, name="person.json": write(folder / "shared" / name, schema)


def test_a_shared_file_that_changed_is_one_finding_that_names_the_versions_and_the_difference(repo, shared):
    shared(NUMBER)

    findings = lint_errors(repo)

    (finding,) = findings
    assert finding["rule"] == "registered-version-changed"
    assert finding["file"].endswith("shared/person.json")
    assert finding["pointer"] == "/properties/a/type"
    assert finding["sentence"] == (
        "shared/person.json changed, and with it 2 registered versions, user.left v1, user.made v1: "
        "/properties/a/type: 'string' → 'number'"
    )
    assert "such as shared/person.v2.json" in finding["advice"]
    assert "from new versions: user.left/v2.json, user.made/v2.json" in finding["advice"]


def test_a_large_difference_is_shown_as_a_diff(repo, shared):
    shared({"type": "object", "properties": {f"field_{number}": {"type": "string"} for number in range(7)}})
    (finding,) = lint_errors(repo)
    assert '-    "a": {' in finding["details"]
    assert '+    "field_6": {' in finding["details"]


def test_a_shared_file_that_changed_is_named_also_where_versions_were_registered_again(repo, shared):
    git(repo, "branch", "--force", "main")
    shared(NUMBER)
    (repo / "contracts" / "contracts.lock").unlink()
    run(register.command, repo / "contracts")

    finding = found(repo, "--against", "main")["registered-row-changed"]

    assert (
        "because shared/person.json changed, to which it refers: /properties/a/type: 'string' → 'number'"
        in (finding["sentence"])
    )
    assert "Restore shared/person.json and the row in contracts.lock from main" in finding["advice"]


def test_a_new_file_and_new_versions_leave_the_registered_ones_as_they_are(repo, shared):
    shared(NUMBER, "person.v2.json")
    refers = {"type": "object", "properties": {"who": {"$ref": "../shared/person.v2.json"}}}
    write(repo / "contracts" / "user.made" / "v2.json", refers)
    run(register.command, repo / "contracts")
    assert lint_errors(repo, "--against", "main") == []
    commit(repo)
    shared(TEXT, "person.v2.json")
    (finding,) = lint_errors(repo)
    assert "such as shared/person.v3.json" in finding["advice"]
    assert "user.made/v3.json" in finding["advice"]
    assert "user.left" not in finding["sentence"]


def test_what_nobody_knows_any_more_is_at_least_named(repo):
    folder = repo / "contracts"
    write(folder / "shared" / "person.json", TEXT)
    write(folder / "user.made" / "v1.json", {"type": "object", "allOf": [{"$ref": "../shared/person.json"}]})
    run(register.command, folder)
    write(folder / "shared" / "person.json", NUMBER)
    sentence = found(repo)["registered-version-changed"]["sentence"]
    assert sentence.startswith("a registered version changed, or a file that it refers to (shared/person.json)")


def test_what_was_registered_is_known_from_the_generated_code_where_git_has_it_not(tmp_path):
    folder = tmp_path / "contracts"
    write(folder / "shared" / "person.json", TEXT)
    write(
        folder / "user.made" / "v1.json", {"type": "object", "properties": {"who": {"$ref": "../shared/person.json"}}}
    )
    (tmp_path / "pyproject.toml").write_text('[tool.contract-test]\npackage = "acme"\n')
    run(register.command, folder)
    generate(load_catalog(folder), "acme", tmp_path / "src")
    write(folder / "shared" / "person.json", NUMBER)
    assert "shared/person.json changed" in found(tmp_path)["registered-version-changed"]["sentence"]


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
