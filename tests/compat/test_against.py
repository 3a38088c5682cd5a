"""`contract-test compat --against GIT-REF`: what this branch would break."""

import shutil
import subprocess
from functools import partial

import pytest
from compat.conftest import INTEGER, STRING, message


def test_a_change_since_a_ref_is_compared_with_what_was_there(repo, compat):
    repo.subject(versions=[message(a=STRING)])
    repo.commit()
    assert compat().code == 0
    repo.version(1, message(a=INTEGER))

    result = compat("--against", "main")

    assert result.code == 1
    assert result.out.startswith(
        "contracts/thing.done/v1.json:/properties/a  BACKWARD  type-changed  string → integer  (breaks feed and trending: reading v1 at main as v1)\n"
    )
    assert "Reader: v1. Writer: v1 at main." in result.out


def test_a_new_version_is_compared_and_old_breaks_are_not_told_again(repo, compat):
    repo.subject(mode="BACKWARD_TRANSITIVE", versions=[message(a=STRING), message(a=INTEGER)])
    repo.commit()

    unchanged = compat("--against", "HEAD")
    assert unchanged.code == 0
    assert "unchanged since HEAD: thing.done" in unchanged.err

    repo.version(3, message(a=INTEGER, b=STRING))
    result = compat("--against", "HEAD", "--format", "json")
    assert [(each["writer"], each["reader"]) for each in result.findings] == [("v1 at HEAD", "v3")]


def test_new_versions_are_compared_with_each_other(repo, compat):
    repo.subject(versions=[message(a=STRING)])
    repo.commit()
    repo.version(2, message(a=STRING, b=STRING))
    repo.version(3, message(a=STRING, b=INTEGER))

    result = compat("--against", "HEAD", "--format", "json")

    assert [(each["writer"], each["reader"]) for each in result.findings] == [("v2", "v3")]


def test_a_shared_file_that_changed_changes_the_contract(repo, compat):
    repo.subject(versions=[message(a={"$ref": "../common.json#/$defs/leaf"})])
    repo.file("common.json", {"$defs": {"leaf": STRING}})
    repo.commit()
    repo.file("common.json", {"$defs": {"leaf": INTEGER}})

    result = compat("--against", "main")

    assert result.code == 1
    assert result.out.startswith(
        "contracts/common.json:/$defs/leaf  BACKWARD  type-changed  string → integer  (breaks feed and trending: reading v1 at main as v1)\n"
    )


def test_a_version_that_is_gone_is_told(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=STRING)])
    repo.version(1, message(), "other")
    repo.commit()
    (repo.root / "contracts/thing.done/v1.json").unlink()
    shutil.rmtree(repo.root / "contracts/other")

    findings = compat("--against", "main", "--format", "json").findings

    assert {(each["file"], each["rule"]) for each in findings} == {
        ("contracts/thing.done/v1.json", "version-removed"),
        ("contracts/other/v1.json", "version-removed"),
    }


@pytest.mark.parametrize(
    ("old", "new", "rule", "place", "told"),
    [
        (
            'address = "things"',
            'address = "things2"',
            "channel-changed",
            '[channels."things"].address',
            "the address was things at main, and is things2",
        ),
        (
            'protocol = "kafka"',
            'protocol = "redis-list"',
            "channel-changed",
            '[channels."things"].protocol',
            "the protocol was kafka at main, and is",
        ),
        (
            'codec = "cloudevents"',
            'codec = "json"',
            "codec-changed",
            '[channels."things"].codec',
            "the codec was cloudevents at main, and is json",
        ),
        (
            'type = "acme.done"',
            'type = "acme.DONE"',
            "wire-type-changed",
            '[subjects."thing.done"].type',
            "the type was acme.done at main, and is acme.DONE",
        ),
        (
            'key = "/a"',
            "",
            "key-changed",
            '[subjects."thing.done"].key',
            "the key was /a at main, and is not set any more",
        ),
        (
            "schema_ids = {1 = 7}",
            "schema_ids = {1 = 8}",
            "codec-changed",
            '[subjects."thing.done"].schema_ids.1',
            "the schema id of v1 was 7 at main, and is 8",
        ),
    ],
)
def test_a_change_of_how_a_subject_travels_is_told(repo, compat, old, new, rule, place, told):
    catalog = (
        '[channels.things]\nprotocol = "kafka"\naddress = "things"\ncodec = "cloudevents"\n[subjects."thing.done"]\n'
        'channel = "things"\ntype = "acme.done"\nkey = "/a"\nschema_ids = {1 = 7}\nreceived_by = ["feed", "trending"]\n'
    )
    repo.subject(versions=[message(a=STRING)])
    repo.catalog(catalog)
    repo.commit()
    assert compat("--against", "main").code == 0
    repo.catalog(catalog.replace(old, new))

    result = compat("--against", "main")

    assert result.code == (0 if rule == "key-changed" else 1)
    assert f"contracts/catalog.toml:{place}  {rule}  " in result.out
    assert told in result.out
    assert "Read by feed, trending." in result.out


CHANNELS = (
    "".join(
        f'[channels.{name}]\nprotocol = "kafka"\naddress = "things.{name}"\ncodec = "cloudevents"\n'
        for name in ("eu", "us", "later", "dead")
    )
    + '[subjects."thing.done"]\nreceived_by = ["feed"]\n'
)
TRAVELS = 'channels = ["eu", "us"]\nretry = "later"\ndead_letter = "dead"\n'


@pytest.mark.parametrize(
    ("old", "new", "code", "place", "told"),
    [
        (
            'channels = ["eu", "us"]',
            'channels = ["eu"]',
            1,
            '[subjects."thing.done"].channels  channel-changed',
            "the channel us (kafka things.us) at main is not there any more",
        ),
        (
            '"things.us"',
            '"things.usa"',
            1,
            '[channels."us"].address  channel-changed',
            "the address of us was things.us at main, and is things.usa",
        ),
        (
            'address = "things.eu"\ncodec = "cloudevents"',
            'address = "things.eu"\ncodec = "json"',
            1,
            '[channels."eu"].codec  codec-changed',
            "the codec of eu was cloudevents at main, and is json",
        ),
        (
            'address = "things.later"\ncodec = "cloudevents"',
            'address = "things.later"\ncodec = "json"',
            1,
            '[channels."later"].codec  codec-changed',
            "the codec of later was cloudevents",
        ),
        (
            'retry = "later"\n',
            "",
            0,
            '[subjects."thing.done"].retry  channel-changed',
            "the retry channel later (kafka things.later) at main is not there any more",
        ),
        (
            '"things.dead"',
            '"things.dlq"',
            0,
            '[channels."dead"].address  channel-changed',
            "the address of dead was things.dead at main, and is things.dlq",
        ),
        ('channels = ["eu", "us"]', 'channels = ["us", "eu"]', 0, "", ""),
        ("[channels.us]", "[channels.usa]", 0, "", ""),  # another name for the same address
    ],
)
def test_a_channel_that_is_changed_or_removed_is_told(repo, compat, old, new, code, place, told):
    catalog = CHANNELS + TRAVELS
    repo.subject(versions=[message(a=STRING)])
    repo.catalog(catalog)
    repo.commit()
    assert compat("--against", "main").code == 0
    changed = catalog.replace(old, new)
    repo.catalog(changed.replace('"us"]', '"usa"]') if "usa]" in new else changed)

    result = compat("--against", "main")

    assert result.code == code
    assert place in result.out
    assert told in result.out
    assert ("  channel-" in result.out or "  codec-" in result.out) == bool(told)


def test_an_added_channel_is_a_warning_and_a_retry_channel_is_none(repo, compat):
    repo.subject(versions=[message(a=STRING)])
    repo.catalog(CHANNELS + 'channel = "eu"\n')
    repo.commit()
    repo.catalog(CHANNELS + TRAVELS)

    result = compat("--against", "main")

    assert result.code == 0
    assert '[subjects."thing.done"].channels  channel-added' in result.out
    assert "the channel us (kafka things.us) was not there at main" in result.out
    assert "later" not in result.out


def test_a_new_subject_breaks_nobody(repo, compat):
    repo.subject(versions=[message(a=STRING)])
    repo.commit()
    repo.version(1, message(a=STRING), "fresh")

    result = compat("--against", "main")

    assert result.code == 0
    assert "one version only: fresh" in result.err


@pytest.mark.parametrize(
    ("before", "now", "relaxed"),
    [
        ("FULL", "NONE", True),
        ("FULL", "BACKWARD", True),
        ("BACKWARD", "FORWARD", True),
        ("BACKWARD_TRANSITIVE", "BACKWARD", True),
        ("BACKWARD", "FULL", False),
        ("NONE", "BACKWARD", False),
        ("FORWARD", "FORWARD_TRANSITIVE", False),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif", "github"])
def test_a_relaxed_mode_is_a_finding(repo, compat, before, now, relaxed, form):
    repo.subject(mode=before, versions=[message(a=STRING)])
    repo.commit()
    repo.subject(mode=now, versions=[message(a=STRING)])

    result = compat("--against", "main", "--format", form)

    assert ("mode-relaxed" in result.out) is relaxed
    assert (f"the mode was {before} at main, and is {now} here" in result.out) is relaxed
    assert result.code == int(relaxed)


@pytest.mark.parametrize(("before", "now"), [("FULL", "NONE"), ("BACKWARD", "FORWARD"), ("NONE", "BACKWARD")])
def test_a_change_is_judged_by_the_stricter_of_both_modes(repo, compat, before, now):
    repo.subject(mode=before, versions=[message(a=STRING)])
    repo.commit()
    repo.subject(mode=now, versions=[message(a=INTEGER)])

    findings = compat("--against", "main", "--format", "json").findings

    assert ("type-changed", "BACKWARD") in {(each["rule"], each.get("direction")) for each in findings}


def test_a_message_recorded_then_is_the_witness(repo, compat):
    repo.subject(mode="BACKWARD_TRANSITIVE", versions=[message(a=STRING)])
    repo.recording(1, {"a": "seen"})
    repo.commit()
    repo.version(1, message(a=INTEGER))
    shutil.rmtree(repo.root / "contracts/thing.done/recordings")

    (finding,) = compat("--against", "main", "--format", "json").findings

    assert finding["verdict"]["witness"] == {"a": "seen"}
    assert finding["recorded"] == "main:contracts/thing.done/recordings/v1.jsonl:1"


def test_the_working_tree_is_not_touched(repo, compat):
    repo.subject(versions=[message(a=STRING)])
    repo.commit()
    repo.version(1, message(a=STRING, b=STRING))
    before = {path: path.read_bytes() for path in (repo.root / "contracts").rglob("*.*") if path.is_file()}
    index = (repo.root / ".git/index").read_bytes()

    compat("--against", "main")

    assert before == {path: path.read_bytes() for path in (repo.root / "contracts").rglob("*.*") if path.is_file()}
    assert (repo.root / ".git/index").read_bytes() == index


def test_it_works_inside_a_hook_and_below_the_top(repo, compat, monkeypatch):
    repo.subject(versions=[message(a=STRING)])
    shutil.move(repo.root / "contracts", repo.root / "shared" / "contracts")
    repo.commit()
    (repo.root / "shared/contracts/thing.done/v1.json").write_text('{"type": "array"}')
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.chdir(repo.root / "shared")

    assert compat("--against", "main").code == 1


@pytest.mark.parametrize("ref", ["no-such-ref", "--upload-pack=x", "main:contracts", ""])
def test_an_unknown_ref_is_said(repo, compat, ref):
    repo.subject(versions=[message(a=STRING)])
    repo.commit()

    result = compat("--against", ref)

    assert (result.code, result.out) == (2, "")
    assert f"git knows no ref {ref!r} here" in result.err
    assert "git fetch" in result.err


def test_a_branch_that_brings_the_first_contracts_has_nothing_to_compare(repo, compat):
    (repo.root / "other.txt").write_text("x")
    repo.commit()
    repo.subject(versions=[message(a=STRING)])

    result = compat("--against", "main")

    assert result.code == 0
    assert "there were no contracts at main: all of them are new, and there is nothing to compare" in result.err


def test_what_the_target_branch_added_since_is_a_note_and_no_finding(repo, compat):
    repo.subject(versions=[message(a=STRING)])
    repo.commit()
    repo.git("branch", "change")
    repo.version(2, message(a=STRING, b=STRING))
    repo.commit()
    repo.git("switch", "change")
    repo.file("thing.done/notes.json", {})

    result = compat("--against", "main")

    assert result.code == 0, result.out
    assert "thing.done: changed at main since this branch left it" in result.err

    repo.version(1, message(a=INTEGER))
    assert compat("--against", "main").code == 1, "what this branch changed stays a finding"
    (repo.root / "contracts" / "thing.done" / "v1.json").unlink()
    repo.version(2, message(a=STRING))
    result = compat("--against", "main")
    assert "v1 was there at main and is gone" in result.out


def test_before_the_first_push_there_was_nothing(repo, compat):
    repo.subject(versions=[message(a=STRING)])
    repo.commit()

    result = compat("--against", "0" * 40)

    assert result.code == 0
    assert "all of them are new" in result.err


def test_contracts_that_were_moved_are_not_taken_for_new_ones(repo, compat):
    repo.subject(versions=[message(a=STRING)])
    repo.commit()
    (repo.root / "old").mkdir()
    repo.git("mv", "contracts", "old/")
    repo.commit()
    repo.git("mv", "old/contracts", ".")

    result = compat("--against", "main")

    assert result.code == 2
    assert "at 'main' the contracts are in 'old/contracts', which is gone here" in result.err


def checkout_of(repo, target, *fetched):
    """What a CI system checks out of the repository: one commit, detached, without local branches."""
    run = partial(subprocess.run, check=True, capture_output=True)
    run(["git", "init", "-q", target])
    run(["git", "remote", "add", "origin", f"file://{repo.root}"], cwd=target)
    run(["git", "fetch", "-q", "--depth=1", "origin", "HEAD"], cwd=target)
    run(["git", "checkout", "-q", "--detach", "FETCH_HEAD"], cwd=target)
    for name in fetched:
        run(["git", "fetch", "-q", "--depth=1", "origin", name], cwd=target)
    return target


@pytest.fixture
def branched(repo):
    """`main` with a text, and `change` checked out, where it is a number."""
    repo.subject(versions=[message(a=STRING)])
    repo.commit()
    repo.git("switch", "-c", "change")
    repo.subject(versions=[message(a=INTEGER)])
    repo.commit()
    return repo


@pytest.mark.parametrize(
    ("fetched", "ref"),
    [
        ("+main:refs/remotes/origin/main", "main"),
        ("+main:refs/remotes/origin/main", "origin/main"),
        ("main", "FETCH_HEAD"),
    ],
)
def test_the_target_branch_is_found_in_what_ci_checks_out(
    branched, compat, tmp_path_factory, monkeypatch, fetched, ref
):
    monkeypatch.chdir(checkout_of(branched, tmp_path_factory.mktemp("checkout"), fetched))

    result = compat("--against", ref)

    assert result.code == 1
    assert "type-changed" in result.out


def test_what_to_fetch_is_said(branched, compat, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(checkout_of(branched, tmp_path_factory.mktemp("checkout")))

    result = compat("--against", "main")

    assert result.code == 2
    advice = "git fetch --depth=1 origin +main:refs/remotes/origin/main"
    assert advice in result.err
    subprocess.run(advice.split(), check=True, capture_output=True)
    assert compat("--against", "main").code == 1


def test_a_directory_outside_git_is_said(repo, compat, monkeypatch):
    repo.subject(versions=[message(a=STRING)])
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repo.root.parent))

    result = compat("--against", "main")

    assert result.code == 2
    assert "not a git repository" in result.err


def test_a_machine_without_git_could_not_run(repo, compat, monkeypatch):
    repo.subject(versions=[message(a=STRING)])
    monkeypatch.setenv("PATH", str(repo.root))

    result = compat("--against", "main")

    assert result.code == 3
    assert "git is not installed" in result.err


def test_an_older_version_that_cannot_be_used_is_not_passed_over(repo, compat):
    repo.subject(versions=[message(a=STRING)])
    (repo.root / "contracts" / "thing.done" / "v1.json").write_text('{"$ref": "nowhere.json"}')
    repo.version(1, message(a=STRING), "other")
    repo.commit()
    repo.version(1, message(a=INTEGER))

    result = compat("--against", "main", "--format", "json")

    assert result.code == 1
    (finding,) = result.findings
    assert (finding["rule"], finding["severity"]) == ("older-version-invalid", "error")
    assert finding["file"] == "contracts/thing.done/v1.json"
