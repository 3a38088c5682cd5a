"""The commands of the gate as people type them, in clones of bare repositories."""

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gate.team import Team
from gate.world import NOW, World, catalog

from contract_test.data.deployment import ServiceVersion
from contract_test.files.ledger_branch import open_ledger

TOOL = Path(sys.executable).parent / "contract-test"
IDENTITY = {f"GIT_{who}_{what}": "kim@acme.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class Clones:
    """A bare contracts repository. `run` types a command in one of its clones."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git(root, "init", "-q", "--bare", "--initial-branch=main", "acme.git")
        self.git(root, "clone", "-q", "acme.git", "one")
        World(root / "one")
        self.git(root / "one", "add", "-A")
        self.git(root / "one", "commit", "-qm", "contracts")
        self.git(root / "one", "push", "-q", "origin", "HEAD:main")
        self.git(root, "clone", "-q", "--depth=1", f"file://{root}/acme.git", "other")

    @staticmethod
    def git(folder: Path, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=folder, check=True, env=os.environ | IDENTITY, capture_output=True)

    def run(self, clone: str, command: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [TOOL, *shlex.split(command)], cwd=self.root / clone, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def running(self, clone: str, *options: str) -> list[tuple[str, str]]:
        done = self.run(clone, shlex.join(["deployments", "--format", "json", *options]))
        rows = json.loads(done.stdout)["deployments"]
        return [(each["service"], each["service_version"]) for each in rows]


@pytest.fixture
def clones(tmp_path):
    return Clones(tmp_path)


def test_what_others_recorded_counts_once_it_is_fetched(clones):
    clones.run("one", "record-deployment shop --service-version s1 --environment prod --push")
    assert clones.running("other") == []
    assert clones.running("other", "--fetch") == [("shop", "s1")]
    assert clones.running("other") == [("shop", "s1")], "it stays"
    clones.run("one", "record-deployment shop --service-version s2 --environment prod --push")
    ask = "can-i-deploy mailer --service-version m1 --to-environment prod --format json"
    clones.run("other", "rollback-target shop --environment prod", 1)
    done = clones.run("other", f"{ask} --fetch", 1)
    assert json.loads(done.stdout)["answer"] == "unknown"
    assert clones.running("other") == [("shop", "s2")], "the answer fetched, too"


def test_a_fetch_that_fails_is_told_and_gives_no_answer(clones):
    (clones.root / "acme.git").rename(clones.root / "gone.git")
    ask = "can-i-deploy mailer --service-version m1 --to-environment prod --fetch"
    done = clones.run("other", ask, 3)
    assert (done.stdout, "Check the remote and the token" in done.stderr) == ("", True)


def test_one_version_or_all_of_a_service_end_by_command(clones):
    for version in ("s1", "s2"):
        clones.run("one", f"record-deployment shop --service-version {version} --environment prod --beside --push")
    assert clones.running("one") == [("shop", "s1"), ("shop", "s2")]
    done = clones.run("other", "record-undeployment shop --service-version s1 --environment prod --push")
    assert "shop s1 undeployed in prod, recorded in" in done.stderr
    assert clones.running("one", "--fetch") == [("shop", "s2")]
    done = clones.run("other", "record-undeployment shop --environment prod --push")
    assert "shop undeployed in prod" in done.stderr
    assert clones.running("one", "--fetch") == []
    done = clones.run("one", "deployments prod")
    assert "nothing is recorded of prod" in done.stderr


def test_an_entry_never_goes_to_a_repository_without_contracts(clones):
    """Typed in a service's repository without --contracts: its own repository is not the ledger's."""
    clones.git(clones.root, "init", "-q", "shop")
    done = clones.run("shop", "record-deployment shop --service-version s1 --environment prod", 2)
    assert "Name one with --contracts DIR" in done.stderr


@pytest.mark.parametrize(("version", "code"), [("abc1", 0), ("abc123", 0), ("def456", 2), ("v1.0", 2)])
def test_a_report_is_published_for_the_commit_that_it_is_about_and_for_no_other(tmp_path, version, code):
    World(tmp_path)
    report = {"format": 2, "service": "shop", "service_version": "abc123", "dirty": False, "partial": "", "problems": [],
              "contracts": {"pinned": []}, "operations": []}  # fmt: skip
    (tmp_path / "result.json").write_text(json.dumps(report))
    command = [TOOL, "publish-verification", "result.json", "--service-version", version, "--ledger", "ledger"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert ("the report is about abc123, and not about" in done.stderr) == (code == 2)
    assert any((tmp_path / "ledger").rglob("*.json")) == (code == 0)


def test_a_report_that_is_published_twice_is_one_entry(clones):
    report = {"format": 2, "service": "shop", "service_version": "abc123", "dirty": False, "partial": "", "problems": [],
              "contracts": {"pinned": []}, "operations": []}  # fmt: skip
    for clone, push in (("one", ""), ("one", " --push"), ("other", " --push")):
        (clones.root / clone / "result.json").write_text(json.dumps(report))
        clones.run(clone, f"publish-verification result.json --service-version abc123{push}")
    bare = clones.root / "acme.git"
    listed = subprocess.check_output(
        ["git", "ls-tree", "-r", "--name-only", "contract-test-ledger", "verifications"], cwd=bare, text=True
    )
    assert len(listed.split()) == 1


def test_the_same_result_after_another_one_is_the_newest(clones):
    report = {"format": 2, "service": "shop", "service_version": "abc123", "dirty": False, "partial": "", "problems": [],
              "contracts": {"pinned": []}, "operations": []}  # fmt: skip
    for problems in ([], ["a flaky server"], []):
        (clones.root / "one" / "result.json").write_text(json.dumps(report | {"problems": problems}))
        clones.run("one", "publish-verification result.json --service-version abc123")
    ledger = open_ledger(None, clones.root / "one" / "contracts")
    assert len(ledger.verifications(ServiceVersion("shop", "abc123"))) == 3


def test_the_newest_fifty_versions_are_tried_to_roll_back_to(tmp_path):
    world = World(tmp_path)
    for number in range(53):
        world.verify("mailer", f"m{number}", [1])
        world.deploy("mailer", f"m{number}", 60 - number)
    world.verify("shop", "s2", [2], emits=[2])
    world.deploy("shop", "s2", 1)
    done = subprocess.run(
        [TOOL, "rollback-target", "mailer", "--environment", "prod", "--ledger", "ledger"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0], len(lines)) == (1, "none", 52), done.stderr
    assert lines[1].startswith("  mailer m51: mailer m51 rejects order.placed v2 of shop s2: /total")
    assert lines[-1] == "  and 2 older versions, not tried"


def test_the_command_that_an_unknown_shows_settles_it_when_it_is_typed(tmp_path):
    team = Team(tmp_path)
    team.deploy("mailer", "m1")
    ask = (
        f"contract-test can-i-deploy shop --service-version s1 --to-environment production {team.ledger} --format json"
    )
    settled = []
    for _ in range(2):
        output = team.run(tmp_path / "shop", f"{ask} 2>/dev/null", code=1)
        checks = [each for each in json.loads(output)["checks"] if each["status"] == "unknown"]
        assert {each["evidence"] for each in checks} == {"not-verified"}
        command, service = checks[0]["command"], checks[0]["where"]
        settled.append(service)
        team.run(tmp_path / service, command)
    assert settled == ["shop", "mailer"]
    assert json.loads(team.run(tmp_path / "shop", f"{ask} 2>/dev/null"))["answer"] == "yes"


UPCASTERS = """
from envelopes import upcast
from acme_envelopes.messages import OrderPlacedV1, OrderPlacedV2

@upcast(OrderPlacedV1, OrderPlacedV2)
def totals_are_texts(old):
    return OrderPlacedV2(order_id=old.order_id, total={total})
"""


@pytest.mark.parametrize(
    ("total", "code", "kind"),
    [('str(old.total) if old.total is not None else "0"', 0, "upcast"), ("old.total", 1, "upcaster-fails")],
    ids=["every-message", "no-message"],
)
def test_the_upcasters_of_the_readers_package_are_run_when_it_is_verified(tmp_path, total, code, kind):
    team = Team(tmp_path)
    (tmp_path / "pinned2" / "acme_envelopes" / "upcasters.py").write_text(UPCASTERS.format(total=total))
    team.commit("mailer", 2, "m2")
    team.verify("shop", "s1")
    team.verify("mailer", "m2")
    team.deploy("shop", "s1")
    ask = f"contract-test can-i-deploy mailer --service-version m2 --to-environment production {team.ledger} --format json"
    (check,) = json.loads(team.run(tmp_path / "mailer", f"{ask} 2>/dev/null", code=code))["checks"]
    assert (check["version"], check["evidence"]) == (1, kind), check


@pytest.mark.needs_real_kafka
def test_a_broker_knows_how_long_its_topics_keep_messages(tmp_path, kafka, topic):
    from confluent_kafka.admin import AdminClient, NewTopic

    hour = 3_600_000
    settings = {
        "deleted": {"retention.ms": str(48 * hour), "segment.ms": str(2 * hour)},
        "ever": {"retention.ms": "-1"},
        "compacted": {"cleanup.policy": "compact", "retention.ms": str(hour)},
        "both": {"cleanup.policy": "compact,delete", "retention.ms": str(hour), "segment.ms": str(hour)},
    }
    text = "".join(
        f'[channels.{name}]\nprotocol = "kafka"\naddress = "{topic}-{name}"\ncodec = "cloudevents"\nretention = "PT1H"\n'
        for name in (*settings, "absent")
    )
    admin = AdminClient({"bootstrap.servers": kafka})
    created = admin.create_topics([NewTopic(f"{topic}-{name}", 1, 1, config=each) for name, each in settings.items()])
    for each in created.values():
        each.result(timeout=120)
    world = World(tmp_path, catalog(more=text).replace('channel = "orders"', 'channel = "deleted"'))
    for version, emits in ((1, 1), (2, 2)):
        world.verify("shop", f"s{version}", [emits], emits=[emits])
    world.verify("mailer", "m2", [2])
    days = (datetime.now(UTC) - NOW).total_seconds() / 86400
    world.deploy("shop", "s1", 10 - days)
    world.deploy("shop", "s2", 1 - days)

    def asked(*options: str) -> tuple[int, str, str]:
        command = [TOOL, "can-i-deploy", "mailer", "--service-version", "m2", "--to-environment", "prod"]
        done = subprocess.run([*command, "--ledger", "ledger", *options],
                              cwd=tmp_path, capture_output=True, text=True, check=False)  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def channel(old: str, new: str) -> None:
        path = tmp_path / "contracts" / "catalog.toml"
        path.write_text(path.read_text().replace(f'channel = "{old}"', f'channel = "{new}"'))

    url = f"kafka://{kafka}"
    code, output, notes = asked("--kafka", url)
    assert (code, "its messages may be in flight until" in output) == (1, True), output + notes
    assert f"the broker has no topic {topic}-absent" in notes
    assert "mailer m2 rejects order.placed v1 of shop s1" in output
    channel("deleted", "both")
    assert asked("--kafka", url)[0] == 0, "gone after two hours"
    assert asked()[0] == 1, "by the catalog, a segment takes a week"
    for name, old in (("ever", "both"), ("compacted", "ever")):
        channel(old, name)
        code, output, _ = asked("--kafka", url)
        assert (code, "no retention says how long its messages stay" in output) == (1, True)
    channel("compacted", "absent")
    assert asked("--kafka", url)[0] == 1, "the catalog and a segment count"
