"""The version of the package: derived from git, and higher after every change."""

import random
import shutil
import subprocess
from itertools import pairwise

import pytest
from package.conftest import INTEGER, STRING, schema
from packaging.version import Version


def version(contracts):
    result = contracts.run("package", "--show-version")
    assert result.code == 0, result.err
    return result.out.strip()


def refusal(contracts, *options):
    result = contracts.run("package", *options)
    assert (result.code, result.out) == (2, ""), result
    return result.err


@pytest.fixture
def released(contracts):
    contracts.git("tag", "v1.4.0")
    return contracts


def test_before_the_first_release_each_change_counts(contracts):
    assert version(contracts) == "0.0.1"
    contracts.record("o-1", "o-2")
    contracts.commit()
    assert version(contracts) == "0.0.2"


def test_a_release_is_what_its_tag_says_until_something_changes(released):
    assert version(released) == "1.4.0"
    released.write("notes.txt", "Not a part of the package.")
    released.commit()
    assert version(released) == "1.4.0"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda repo: repo.record("o-1", "o-2"), "1.4.1"),
        (lambda repo: repo.catalog(more='key = "/id"\n'), "1.4.1"),
        (lambda repo: repo.write("README.md", "# Contracts\n"), "1.4.1"),
        (lambda repo: repo.version(2, schema(total=INTEGER)), "1.5.0"),
        (lambda repo: repo.version(1, schema(), "order.paid"), "1.5.0"),
        (lambda repo: repo.version(2, schema(required=("id", "total"), total=INTEGER)), "2.0.0"),
    ],
    ids=["recording", "catalog", "readme", "compatible version", "subject", "breaking version"],
)
def test_the_first_change_after_a_release_raises_the_number_that_it_should(released, change, expected):
    change(released)
    released.commit()
    assert version(released) == expected


def test_below_one_a_breaking_change_raises_the_second_number(contracts):
    contracts.git("tag", "v0.4.2")
    contracts.version(2, schema(total=INTEGER))
    contracts.commit()
    assert version(contracts) == "0.4.3"
    contracts.version(3, schema(required=("id", "total"), total=INTEGER))
    contracts.commit()
    assert version(contracts) == "0.5.1"


def test_a_patch_after_a_breaking_change_stays_above_it(released):
    released.version(2, schema(required=("id", "total"), total=INTEGER))
    released.commit()
    released.record("o-1", "o-2")
    released.commit()
    assert version(released) == "2.0.1"


def test_a_breaking_change_that_is_taken_back_does_not_lower_the_version(released):
    released.version(2, schema(required=("id", "total"), total=INTEGER))
    released.commit()
    released.git("revert", "--no-edit", "HEAD")
    assert version(released) == "2.0.1"


def test_a_subject_of_mode_none_that_changes_counts_as_breaking(contracts):
    contracts.catalog(mode="NONE")
    contracts.commit()
    contracts.git("tag", "v1.4.0")
    contracts.record("o-7")
    contracts.commit()
    assert version(contracts) == "1.4.1"
    contracts.version(2, schema(total=INTEGER))
    contracts.commit()
    result = contracts.run("package", "--show-version")
    assert result.out == "2.0.1\n"
    assert "order.placed changed and counts as breaking, because its mode is NONE" in result.err


def test_another_channel_counts_as_breaking(released):
    text = (released.root / "contracts/catalog.toml").read_text()
    released.write("contracts/catalog.toml", text.replace('address = "orders"', 'address = "orders-2"'))
    released.commit()
    result = released.run("package", "--show-version")
    assert result.out == "2.0.0\n"
    assert result.err.startswith("2.0.0: catalog.toml:[")


def test_a_version_that_was_registered_again_counts_as_breaking(released):
    (released.root / "contracts/contracts.lock").unlink()
    released.version(1, schema() | {"description": "Another content."})
    released.commit()
    result = released.run("package", "--show-version")
    assert result.out == "2.0.0\n"
    assert "order.placed v1 was registered again" in result.err


def test_what_the_comparison_leaves_open_counts_as_breaking_and_is_said(contracts):
    contracts.version(2, schema(word={"pattern": r"^(.)\1$"}))
    contracts.commit()
    contracts.git("tag", "v1.0.0")
    contracts.version(3, schema(word={"pattern": r"^(.+)\1$"}))
    contracts.commit()
    result = contracts.run("package", "--show-version")
    assert result.out == "2.0.0\n"
    assert "order.placed v2 at v1.0.0 → v3: unknown, which counts as breaking" in result.err


KINDS = ("recording", "compatible", "breaking", "revert", "merge", "ours", "release")


def test_references_to_files_are_compared_as_they_were(contracts):
    contracts.write("contracts/shared/money.json", {"type": "integer", "maximum": 9})
    money = f"{(contracts.root / 'contracts').as_uri()}/shared/money.json"
    contracts.version(2, schema(total={"$ref": money}))
    contracts.commit()
    contracts.git("tag", "v1.0.0")
    contracts.write("contracts/shared/amount.json", {"type": "integer", "maximum": 10})
    contracts.version(3, schema(total={"$ref": money.replace("money", "amount")}))
    contracts.commit()
    assert version(contracts) == "1.1.0"


@pytest.mark.parametrize("seed", [1, 2])
def test_every_change_of_a_random_history_gets_a_higher_version(contracts, seed):
    kinds = random.Random(seed).sample(KINDS, len(KINDS)) + random.Random(-seed).choices(KINDS, k=12)
    contracts.write("README.md", "# The second commit\n")
    contracts.commit()
    seen, newest = [version(contracts)], 1
    for step, kind in enumerate(kinds):
        if kind == "recording":
            contracts.record("o-1", f"o-{step + 10}")
            contracts.commit()
        elif kind in ("compatible", "breaking"):
            newest += 1
            new = schema(**{f"field_{newest}": STRING})
            if kind == "breaking":
                new["required"] = ["id", f"field_{newest}"]
            contracts.version(newest, new)
            contracts.commit()
        elif kind == "revert":
            contracts.git("rm", "-rq", "contracts")
            contracts.git("checkout", "HEAD~1", "--", "contracts")
            contracts.write("README.md", f"# {step}\n")
            contracts.commit()
        elif kind == "merge":
            contracts.git("checkout", "-b", f"branch-{step}")
            contracts.record(f"o-{step + 50}")
            contracts.commit()
            contracts.git("checkout", "main")
            contracts.write("README.md", f"# {step}\n")
            contracts.commit()
            seen.append(version(contracts))
            contracts.git("merge", "--no-ff", "--no-edit", f"branch-{step}")
        elif kind == "ours":  # what was changed on main is lost in a merge, without a commit that says so
            contracts.record(f"o-{step + 90}")
            contracts.commit()
            seen.append(version(contracts))
            contracts.git("checkout", "-b", f"branch-{step}", "HEAD~1")
            contracts.git("merge", "--no-edit", "--strategy=ours", "main")
            contracts.git("checkout", "main")
            contracts.git("merge", "--ff-only", f"branch-{step}")
        elif kind == "release":
            contracts.git("tag", f"v{seen[-1]}" if step % 2 else f"v{int(seen[-1].partition('.')[0]) + 1}.0.0")
            contracts.record(f"o-{step + 200}")
            contracts.commit()
        seen.append(version(contracts))
    assert all(Version(before) < Version(after) for before, after in pairwise(seen)), seen


def test_a_release_tag_below_its_own_commit_is_refused(released):
    for name in ("o-2", "o-3"):
        released.record(name)
        released.commit()
    released.git("tag", "v1.4.1")
    message = refusal(released)
    assert "v1.4.1 is lower than 1.4.2" in message
    assert "git tag v1.4.2 v1.4.1" in message
    released.git("tag", "v1.4.2", "v1.4.1")
    assert version(released) == "1.4.2"


def test_other_tags_are_no_releases(contracts):
    for tag in ("v1", "v1.0.0-rc1", "release-1.0.0", "v01.0.0"):
        contracts.git("tag", tag)
    assert version(contracts) == "0.0.1"
    contracts.git("tag", "envelopes-2.0.0")
    assert contracts.run("package", "--show-version", "--tag-prefix", "envelopes-").out == "2.0.0\n"


def test_a_licence_that_is_deleted_is_a_change(contracts):
    contracts.write("LICENSE", "Ours.")
    contracts.commit()
    before = version(contracts)
    (contracts.root / "LICENSE").unlink()
    contracts.commit()
    assert Version(version(contracts)) > Version(before)


def test_a_folder_of_a_larger_repository_has_a_version_of_its_own(contracts):
    folder = contracts.root / "mono [repo]*"
    folder.mkdir()
    for name in ("contracts", "pyproject.toml", "README.md"):
        contracts.git("mv", name, folder / name)
    contracts.commit()
    contracts.git("tag", "v1.0.0")
    contracts.write("LICENSE", "Of the others.")
    contracts.write("contracts/other.txt", "Of the others.")
    contracts.commit()
    here = ("package", "--show-version", "--contracts", folder / "contracts")
    assert contracts.run(*here).out == "1.0.0\n"
    contracts.write(f"{folder.name}/LICENSE", "Ours.")
    contracts.commit()
    assert contracts.run(*here).out == "1.0.1\n"


def test_a_part_of_the_package_outside_of_the_repository_is_refused(contracts):
    shutil.rmtree(contracts.root / ".git")
    here = contracts.root / "contracts"
    contracts.git("-C", here, "init", "-q")
    contracts.git("-C", here, "add", "-A")
    contracts.git("-C", here, "commit", "-qm", "as it is")
    assert "pyproject.toml: lies outside the git repository" in refusal(contracts)
    (contracts.root / "pyproject.toml").unlink()
    (contracts.root / "README.md").unlink()
    assert contracts.run("package", "--show-version", "--package", "acme_envelopes").out == "0.0.1\n"


def test_a_file_that_git_ignores_is_not_packaged_unseen(contracts):
    contracts.write(".gitignore", "order.placed/recordings/v2.jsonl\n*.log\n")
    contracts.commit()
    contracts.write("contracts/order.placed/v1.notes.log", "")
    contracts.write("contracts/.gitignore", "/order.placed/recordings/v2.jsonl\n")
    contracts.commit()
    contracts.record("o-7", version=2)
    message = refusal(contracts)
    assert "not committed: contracts/order.placed/recordings/v2.jsonl\n" in message


@pytest.mark.parametrize(
    "change",
    [
        lambda repo: repo.record("o-9"),
        lambda repo: repo.write("contracts/order.placed/recordings/v1.jsonl", ""),
        lambda repo: repo.write("contracts/common.json", {}),
        lambda repo: repo.write("src/acme_envelopes/upcasters.py", "1 / 1\n"),
        lambda repo: (repo.root / "contracts/order.placed/recordings/v1.jsonl").unlink(),
        lambda repo: repo.write("README.md", "# Changed\n"),
    ],
    ids=["recording", "emptied", "new file", "new module", "deleted", "readme"],
)
def test_what_is_not_committed_is_refused(contracts, change):
    change(contracts)
    message = refusal(contracts)
    assert "not committed: " in message
    assert "Commit it first" in message


def test_what_is_not_registered_is_refused(contracts):
    contracts.write("contracts/order.placed/v2.json", schema(total=INTEGER))
    contracts.commit()
    assert "not registered: order.placed v2" in refusal(contracts)
    assert "contract-test register" in refusal(contracts, "--version", "3.0.0")


def test_a_registered_version_that_changed_is_refused(contracts):
    contracts.write("contracts/order.placed/v1.json", schema(total=INTEGER))
    contracts.commit()
    assert "changed since they were registered: order.placed v1" in refusal(contracts)


def test_value_objects_that_are_out_of_date_are_refused(contracts):
    assert contracts.run("generate").code == 0
    contracts.commit()
    contracts.version(2, schema(total=INTEGER))
    contracts.commit()
    message = refusal(contracts)
    assert "out of date: " in message
    assert "contract-test generate --all" in message


def test_code_of_another_version_of_the_toolkit_is_generated_anew(contracts):
    contracts.run("generate")
    module = contracts.root / "src/acme_envelopes/messages/order_placed_v1.py"
    text = module.read_text()
    module.write_text(text + "\n# as another version wrote it\n")
    contracts.commit()
    assert "order_placed_v1.py" in refusal(contracts)
    assert contracts.run("generate").code == 0
    assert module.read_text() != text, "unchanged contracts are skipped"
    assert contracts.run("generate", "--all").code == 0
    assert module.read_text() == text


def test_a_shallow_clone_says_what_to_fetch(released, tmp_path, monkeypatch):
    released.record("o-2")
    released.commit()
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{released.root}", clone], check=True)
    monkeypatch.chdir(clone)
    message = refusal(released)
    assert "the clone is shallow" in message
    assert "git fetch --unshallow --tags" in message
    subprocess.run(["git", "fetch", "-q", "--unshallow", "--tags"], check=True, cwd=clone)
    assert version(released) == "1.4.1"


def test_a_clone_without_tags_says_what_to_fetch(released, tmp_path, monkeypatch):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--no-tags", f"file://{released.root}", clone], check=True)
    monkeypatch.chdir(clone)
    assert "git fetch --tags" in refusal(released)


def test_without_git_a_version_has_to_be_named(contracts):
    shutil.rmtree(contracts.root / ".git")
    assert "--version" in refusal(contracts)
    result = contracts.run("package", "--version", "2.1")
    assert result.code == 0, result.err
    assert "dist/acme_envelopes-2.1-py3-none-any.whl" in result.out.splitlines()


@pytest.mark.parametrize("text", ["1.0.0+abc", "new", "../1"])
def test_a_version_that_no_index_takes_is_refused(contracts, text):
    assert "--version" in refusal(contracts, "--version", text)
