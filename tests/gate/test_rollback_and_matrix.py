"""Which version to go back to, which versions get along, since which commit they do not, and what may be forgotten."""

import subprocess
from datetime import timedelta

import pytest

from contract_test.data.deployment import ServiceVersion
from contract_test.files.catalog import load_catalog
from contract_test.gate.compaction import old_entries
from contract_test.gate.matrix import first_bad, matrix_of
from contract_test.gate.opening import evidences_of
from contract_test.report.gate import matrix_as_text, rollback_as_text

from .world import NOW, ORDER, World, catalog


def test_the_rollback_target_is_the_newest_earlier_version_that_reads_everything_written_since(world):
    for number, (knows, emits) in enumerate([((1,), ()), ((1, 2), ()), ((1, 2, 3), ())], start=1):
        world.verify("mailer", f"m{number}", knows, emits=emits)
        world.deploy("mailer", f"m{number}", 20 - number)
    world.verify("shop", "s1", [1], emits=[1])
    world.verify("shop", "s2", [1, 2], emits=[2])
    world.deploy("shop", "s1", 18)
    found = world.gate().rollback("mailer")
    assert str(found.target) == "mailer m2"
    world.deploy("shop", "s2", 0.5)
    assert str(world.gate().rollback("mailer").target) == "mailer m2"
    assert world.gate().rollback("shop").target is None or str(world.gate().rollback("shop").target) == "shop s1"


def test_without_a_target_what_would_break_is_told(world):
    world.verify("mailer", "m1", [1])
    world.verify("mailer", "m2", [2])
    world.verify("shop", "s2", [2], emits=[2])
    world.deploy("mailer", "m1", 9)
    world.deploy("mailer", "m2", 8)
    world.deploy("shop", "s2", 7)
    found = world.gate().rollback("mailer")
    assert found.target is None
    assert rollback_as_text(found).startswith("none\n  mailer m1: mailer m1 rejects order.placed v2 of shop s2: /total")


def test_a_deployment_after_which_no_rollback_is_possible_is_warned_of(world):
    world.verify("shop", "s1", [1], emits=[1])
    world.verify("shop", "s2", [1, 2], emits=[2])
    world.verify("mailer", "m3", [1, 2])
    world.deploy("shop", "s1")
    world.deploy("mailer", "m3")
    assert world.ask("shop", "s2").warnings == ()
    world.verify("mailer", "m4", [1, 2, 3])
    assert world.ask("mailer", "m4").warnings == ()
    world.undeploy("mailer", days_ago=9)
    world.verify("mailer", "m1", [1])
    world.deploy("mailer", "m1", 8)
    world.deploy("shop", "s2", 7)  # whatever the gate said
    world.verify("mailer", "m5", [2, 3])
    answer = world.ask("mailer", "m5", now=NOW + timedelta(days=2))
    assert answer.status == "yes"
    assert answer.warnings == (), "m3 reads v2"
    world.ledger.remove(world.ledger.paths("deployments/prod/mailer")[:2], "m3 was never here")
    (warning,) = world.ask("mailer", "m5", now=NOW + timedelta(days=2)).warnings
    assert "no version to roll back to: mailer m1 rejects order.placed v2 of shop s2" in warning


def test_the_matrix_shows_every_pair_of_the_newest_versions(world):
    for number, emits in ((1, 1), (2, 2)):
        world.verify("shop", f"s{number}", [1, 2][:number], emits=[emits], time=NOW + timedelta(number))
        world.verify("mailer", f"m{number}", [1, 2][:number], time=NOW + timedelta(number))
    found = load_catalog(world.contracts)
    cells = matrix_of(found.subjects["order.placed"], world.ledger, evidences_of(found, world.ledger), 2)
    assert {(str(each.writer), str(each.reader)): each.words for each in cells} == {
        ("shop s1", "mailer m1"): "proved",
        ("shop s1", "mailer m2"): "proved",
        ("shop s2", "mailer m1"): "breaks",
        ("shop s2", "mailer m2"): "proved",
    }
    text = matrix_as_text(cells, [])
    assert text.splitlines()[0].split() == ["writer", "\\", "reader", "mailer", "m1", "mailer", "m2"]
    assert "mailer m1 ← shop s2 (order.placed v2): breaks: /total" in text
    assert len(matrix_of(found.subjects["order.placed"], world.ledger, evidences_of(found, world.ledger), 1)) == 1


def test_the_first_bad_commit_is_found_by_bisection(tmp_path):
    world = World(tmp_path, schemas={1: ORDER[1]})
    world.verify("mailer", "m1", [1])

    def commit(subject: str) -> str:
        for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-qm", subject)):
            subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
                           cwd=world.contracts, check=True)  # fmt: skip
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=world.contracts, check=True, capture_output=True)
        return head.stdout.decode().strip()

    commit("first")
    for number in range(3):
        world.write(catalog() + f"# {number}\n", {})
        commit("a comment")
    world.write(catalog(), {2: ORDER[2]})
    bad = commit("v2 breaks")
    for number in range(2):
        world.write(catalog() + f"# {number}\n", {})
        commit("a comment")
    found = load_catalog(world.contracts)
    turn = first_bad(found.subjects["order.placed"], ServiceVersion("mailer", "m1"), evidences_of(found, world.ledger))
    assert (turn.commit, turn.written.version) == (bad, 2)
    reader = ServiceVersion("mailer", "m2")
    world.verify("mailer", "m2", [1, 2])
    assert first_bad(found.subjects["order.placed"], reader, evidences_of(found, world.ledger)) is None


@pytest.mark.parametrize(("retention", "left"), [('retention = "P1D"', ["s3"]), ("", ["s1", "s2", "s3"])])
def test_old_entries_are_those_of_versions_that_are_neither_deployed_nor_in_flight(tmp_path, retention, left):
    world = World(tmp_path, catalog(retention=retention))
    for number, days in ((1, 400), (2, 300), (3, 200)):
        world.verify("shop", f"s{number}", [1], emits=[1], time=NOW - timedelta(days))
        world.deploy("shop", f"s{number}", days)
    before = world.ask("shop", "s3")
    gone = old_entries(world.ledger, load_catalog(world.contracts), NOW, timedelta(days=90))
    world.ledger.remove(gone, "Compact")
    assert [each.version for each in world.ledger.deployments("prod")] == left
    assert world.ledger.verified_versions("shop") == left
    assert world.ask("shop", "s3") == before
    world.deploy("shop", "s4", 100)
    gone = old_entries(world.ledger, load_catalog(world.contracts), NOW, timedelta(days=120))
    assert not any("s3" in path for path in gone), "it was deployed within the last 120 days"
