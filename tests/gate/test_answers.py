"""Yes, no, yes after other deployments, unknown: for every kind of situation that a team meets."""

import json
import subprocess
from datetime import timedelta

import pytest

from contract_test.data.deployment import FailedMessage, VerifiedOperation
from contract_test.data.result import Upcast
from contract_test.report.gate import answer_as_text

from .world import NOW, NUMBER, ORDER, TEXT, World, catalog, message


def running(world: World, shop: int = 1, mailer: int = 1) -> World:
    """A shop and a mailer that run and understand each other."""
    world.verify("shop", "s1", [shop], emits=[shop])
    world.verify("mailer", "m1", [mailer])
    world.deploy("shop", "s1")
    world.deploy("mailer", "m1")
    return world


def changed(tmp_path, days: float = 0.5, **more: object) -> World:
    """The shop changed to v2 so many days ago, the mailer stopped then, and m2 of the mailer knows v2 only."""
    world = running(World(tmp_path, catalog(**more)))
    world.verify("shop", "s2", [1, 2], emits=[2])
    world.verify("mailer", "m2", [2])
    world.deploy("shop", "s2", days)
    world.undeploy("mailer", days_ago=days - 0.1)
    return world


@pytest.fixture
def team(world) -> World:
    """A shop and a mailer that run and understand each other, and a shop s2 that sends what the mailer rejects."""
    running(world).verify("shop", "s2", [1, 2], emits=[2])
    return world


def reasons(answer) -> set[tuple[str, str, str]]:
    return {(each.direction(answer.candidate), str(each.writer), str(each.reader)) for each in answer.blocking}


def test_a_producer_whose_messages_every_deployed_reader_accepts_may_be_deployed(world):
    running(world).verify("shop", "s2", [1], emits=[1])
    assert world.ask("shop", "s2").status == "yes"


def test_a_producer_whose_messages_a_deployed_reader_rejects_may_not_be_deployed(team):
    answer = team.ask("shop", "s2")
    assert (answer.status, reasons(answer)) == ("no", {("writes", "shop s2", "mailer m1")})
    (check,) = answer.blocking
    assert check.evidence.rejected == '/total: expected integer, found "0"' or "/total" in check.evidence.rejected
    assert check.finding.id == "reader-rejects:order.placed:shop v2>mailer:type-changed:/total"


def test_it_may_after_the_reader_that_reads_both(team):
    team.verify("mailer", "m2", [1, 2])
    answer = team.ask("shop", "s2")
    assert (answer.status, [str(each) for each in answer.steps]) == ("after", ["mailer m2"])
    team.deploy("mailer", "m2", 0.1)
    assert team.ask("shop", "s2").status == "yes"


def test_a_reader_is_asked_for_what_is_still_in_flight(tmp_path):
    """The old shop is gone, and its messages are not: they stay for a day."""
    world = changed(tmp_path)
    answer = world.ask("mailer", "m2")
    assert reasons(answer) == {("reads", "shop s1", "mailer m2")}
    (check,) = answer.blocking
    assert check.until == NOW + timedelta(days=0.5)
    assert world.ask("mailer", "m2", now=NOW + timedelta(days=0.6)).status == "yes"


def test_a_channel_without_retention_keeps_messages_for_ever(tmp_path):
    world = changed(tmp_path, retention="")
    answer = world.ask("mailer", "m2", now=NOW + timedelta(days=3650))
    assert answer.status == "no"
    assert answer.blocking[0].until is None


def test_a_queue_without_retention_keeps_its_jobs_until_they_expire(tmp_path):
    world = changed(tmp_path, retention='expires_after = "PT2H"')
    assert world.ask("mailer", "m2").status == "yes"
    assert world.ask("mailer", "m2", now=NOW - timedelta(hours=11)).status == "no"


def test_kafka_keeps_a_message_for_a_segment_more(tmp_path):
    world = changed(tmp_path, 2, protocol="kafka")
    assert world.ask("mailer", "m2").status == "no", "a day of retention, and a week of a segment"
    assert world.ask("mailer", "m2", now=NOW + timedelta(days=7)).status == "yes"


def test_dead_letters_may_be_replayed_for_as_long_as_they_are_kept(tmp_path):
    dead = '[channels.dead]\nprotocol = "redis-list"\naddress = "dead"\ncodec = "cloudevents"\nretention = "P30D"\n'
    world = changed(tmp_path, 5, more=dead, dead_letter='"dead"')
    assert world.ask("mailer", "m2").status == "no"
    assert world.ask("mailer", "m2", now=NOW + timedelta(days=27)).status == "yes"


def test_what_stands_on_the_channel_counts_whoever_sent_it(world, tmp_path):
    running(world, 2, 2)
    drift = {"read": 3, "drifted": 0, "without_data": 0, "versions": {"order.placed v1": 3}, "breaches": [],
             "undeclared": [], "seen": []}  # fmt: skip
    share = {"channel": "orders", "part": "0", "start": 0, "end": 3, "committed": True, "drift": drift}
    result = tmp_path / "orders.verify.json"
    result.write_text(json.dumps({"format": 1, "shares": [share]}))
    world.verify("mailer", "m2", [2])
    assert world.ask("mailer", "m2").status == "yes"
    answer = world.ask("mailer", "m2", standing=[result])
    assert answer.status == "no"
    assert "3 of them stand on the channel" in answer.blocking[0].why


def test_two_versions_of_the_reader_run_during_a_rollout_and_both_have_to_accept(world):
    running(world, 3, 3).verify("mailer", "m2", [3])
    world.verify("mailer", "old", [1])
    world.deploy("mailer", "old", 3, beside=True)
    world.verify("shop", "s2", [3], emits=[3])
    answer = world.ask("shop", "s2")
    assert reasons(answer) == {("writes", "shop s2", "mailer old")}
    world.deploy("mailer", "m1", 1)
    assert world.ask("shop", "s2").status == "yes", "the rollout is over"


def test_old_and_new_instances_of_one_service_read_each_other(tmp_path):
    world = World(tmp_path, catalog(sent_by='["mailer"]').replace('sent_by = ["shop"]\n', ""))
    world.verify("mailer", "m1", [1], emits=[1])
    world.deploy("mailer", "m1")
    world.verify("mailer", "m2", [2], emits=[2])
    answer = world.ask("mailer", "m2")
    assert reasons(answer) == {("itself", "mailer m1", "mailer m2"), ("itself", "mailer m2", "mailer m1")}


def test_an_environment_that_nobody_knows_is_unknown(world):
    running(world)
    answer = world.ask("shop", "s1", environment="nowhere")
    assert (answer.status, answer.reason.startswith("nothing is recorded of nowhere")) == ("unknown", True)
    assert world.ask("shop", "s1", environment="nowhere", assume=["mailer=m1"]).status == "yes"


def test_a_version_that_was_never_verified_is_unknown_and_not_yes(world):
    running(world)
    answer = world.ask("shop", "s9")
    assert answer.status == "unknown"
    command = answer.blocking[0].evidence.command
    ledger = world.contracts.parent / "ledger"
    assert command.endswith(f"publish-verification result.json --service-version s9 --ledger {ledger}")


def test_a_deployed_version_that_was_never_verified_is_unknown(world):
    """The deployed commit is not the one that was verified, or it was deployed before anybody verified."""
    running(world).deploy("mailer", "hotfix", 1)
    world.verify("shop", "s2", [1], emits=[1])
    answer = world.ask("shop", "s2")
    assert (answer.status, str(answer.blocking[0].reader)) == ("unknown", "mailer hotfix")


def test_a_deployed_version_whose_run_knew_no_contract_is_unknown(world):
    running(world).verify("mailer", "empty", [])
    world.deploy("mailer", "empty", 1)
    world.verify("shop", "s2", [1], emits=[1])
    answer = world.ask("shop", "s2")
    assert (answer.status, str(answer.blocking[0].reader)) == ("unknown", "mailer empty")


def test_a_run_of_changed_files_proves_nothing_of_the_commit(world):
    running(world).verify("shop", "s2", [1], emits=[1], dirty=True)
    answer = world.ask("shop", "s2")
    assert answer.status == "unknown"
    assert "with changed files only" in answer.blocking[0].evidence.sentence


def test_a_partial_run_proves_only_what_it_ran_and_parts_add_up(world):
    running(world)
    world.verify("stats", "t1", [1], operations=[], partial="partial: 0 of 1 operations")
    answer = world.ask("stats", "t1")
    assert (answer.status, {each.evidence.kind for each in answer.blocking}) == ("unknown", {"partial"})
    ran = VerifiedOperation("order.placed", 1, "consumes", 4)
    world.verify("stats", "t1", [1], operations=[ran], partial="partial: 1 of 1 operations", time=NOW + timedelta(1))
    assert world.ask("stats", "t1").status == "yes"


def test_a_red_run_is_not_enough(world):
    running(world).verify("shop", "s2", [1], emits=[1], problems=("no test for an operation of this service",))
    answer = world.ask("shop", "s2")
    assert (answer.status, answer.blocking[0].evidence.kind) == ("unknown", "run-failed")


def test_a_recorded_message_that_fails_comes_before_every_proof(world):
    running(world)
    failed = FailedMessage("contracts/order.placed/recordings/v1.jsonl:7", "handler-failed", "KeyError: 'total'")
    operation = VerifiedOperation("order.placed", 1, "consumes", 3, failed=1, failures=(failed,))
    world.verify("mailer", "m2", [1], operations=[operation])
    answer = world.ask("mailer", "m2")
    assert (answer.status, answer.blocking[0].evidence.place) == ("no", failed.place)
    accepted = FailedMessage(failed.place, failed.check, failed.sentence, "until 2027-01-01: known")
    operation = VerifiedOperation("order.placed", 1, "consumes", 3, failed=1, failures=(accepted,))
    world.verify("mailer", "m3", [1], operations=[operation])
    answer = world.ask("mailer", "m3")
    assert answer.status == "yes"
    assert answer.checks[0].evidence.accepted == "until 2027-01-01: known", "it counts, visibly"


def test_an_accepted_break_counts_until_its_date(team):
    finding = "reader-rejects:order.placed:shop v2>mailer:type-changed:/total"
    path = team.contracts / "accepted.toml"
    path.write_text(f'[[gate]]\nfinding = "{finding}"\nreason = "nobody reads it"\nuntil = 2026-12-01\n')
    answer = team.ask("shop", "s2")
    assert answer.status == "yes"
    assert [each.accepted for each in answer.checks if each.status == "accepted"] == [
        "until 2026-12-01: nobody reads it"
    ]
    assert team.ask("shop", "s2", now=NOW + timedelta(days=2)).status == "no"


def test_a_service_that_the_catalog_does_not_know_is_unknown_and_the_nearest_name_is_told(team):
    answer = team.ask("maler", "m1")
    assert answer.status == "unknown"
    assert answer.notes[-1] == "the catalog names no subject that maler sends or receives. Did you mean mailer?"


def test_the_first_consumer_may_be_deployed_before_any_producer_runs(world):
    world.verify("mailer", "m1", [1])
    world.verify("stats", "t1", [1])
    world.deploy("stats", "t1")
    answer = world.ask("mailer", "m1")
    assert answer.status == "yes"
    assert answer.notes == ("not deployed in prod, by the ledger: shop",)


def test_a_version_that_no_deployed_writer_sends_blocks_nobody(world):
    running(world).verify("mailer", "m2", [1, 3])
    assert world.ask("mailer", "m2").status == "yes"


def test_a_retired_service_blocks_nobody_once_its_messages_are_gone(world):
    running(world).verify("mailer", "m2", [2])
    world.undeploy("shop", days_ago=0.5)
    world.undeploy("mailer", days_ago=0.5)
    assert world.ask("mailer", "m2").status == "no"
    assert world.ask("mailer", "m2", now=NOW + timedelta(days=1)).status == "yes"


def test_a_reader_whose_package_is_older_reads_a_newer_version_as_its_newest(tmp_path):
    schemas = {1: ORDER[1], 2: message("id", "more", id={"type": "string"}, total={"type": "integer"}, more={})}
    world = running(World(tmp_path, schemas=schemas))
    world.verify("shop", "s2", [1, 2], emits=[2])
    assert world.ask("shop", "s2").status == "yes"


def test_a_reader_that_no_longer_holds_an_old_version_rejects_its_messages(world):
    running(world, 1, 1).verify("mailer", "m2", [3])
    answer = world.ask("mailer", "m2")
    assert (answer.status, answer.blocking[0].evidence.kind) == ("no", "version-unknown")


def test_what_is_read_as_several_versions_is_unknown_until_a_test_has_seen_it(tmp_path):
    """m2 reads a total of 1 as v5, and all others as v1: no test of it has seen a message of v4."""
    world = running(World(tmp_path, catalog(codec="json")))
    narrow = {4: message("id", "total", id=TEXT, total=NUMBER), 5: message("id", "total", id=TEXT, total={"const": 1})}
    world.write(catalog(codec="json"), narrow)
    world.verify("shop", "s4", [4], emits=[4])
    world.verify("mailer", "m2", [1, 5])
    world.deploy("mailer", "m2", 1)
    (check,) = world.ask("shop", "s4").blocking
    assert (check.status, check.evidence.kind) == ("unknown", "read-differently")


def test_without_a_version_in_the_message_any_known_version_that_accepts_it_will_do(tmp_path):
    world = running(World(tmp_path, catalog(codec="json")))
    world.verify("mailer", "m2", [3])
    assert world.ask("mailer", "m2").status == "yes"


def test_the_contracts_may_have_changed_since_the_verification(world):
    """The schema that the shop was verified against is found by its digest, in git."""
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run([*git, *arguments], cwd=world.contracts, check=True)
    running(world).verify("mailer", "m2", [2])
    (world.contracts / "order.placed" / "v1.json").unlink()
    subprocess.run([*git, "commit", "-qam", "v1 is gone"], cwd=world.contracts, check=True)
    assert world.ask("mailer", "m2").blocking[0].evidence.kind == "version-unknown"
    world.verify("mailer", "m3", [3])
    world.write(catalog(codec="json"), {})
    answer = world.ask("mailer", "m3")
    assert (answer.status, answer.checks[0].evidence.kind) == ("yes", "proved")


def test_a_field_that_is_never_read_counts_only_for_a_service_that_decodes_with_other_code(team):
    for version, unwatched in (("own", True), ("objects", False)):
        operation = VerifiedOperation("order.placed", 1, "consumes", 3, unwatched=unwatched, unnoticed=("/total",))
        team.verify("stats", version, [1], operations=[operation])
    team.undeploy("mailer")
    team.deploy("stats", "own", 1)
    answer = team.ask("shop", "s2")
    assert (answer.status, answer.checks[0].evidence.kind) == ("yes", "never-read")
    team.deploy("stats", "objects", 0.5)
    assert reasons(team.ask("shop", "s2")) == {("writes", "shop s2", "stats objects")}


@pytest.mark.parametrize("days", [5, -5])
def test_a_clock_that_runs_backwards_keeps_the_order_in_which_deployments_were_recorded(world, days):
    running(world).verify("shop", "s2", [1], emits=[1])
    world.deploy("shop", "s2", 20)
    assert world.gate().timeline.deployed("shop") == ("s2",)
    world.deploy("shop", "s1", days)
    assert world.gate().timeline.deployed("shop") == ("s1",)


def test_a_service_that_only_writes_is_asked_for_its_readers_alone(world):
    running(world).verify("shop", "s2", [1], emits=[1])
    answer = world.ask("shop", "s2")
    assert {each.direction(answer.candidate) for each in answer.checks} == {"writes"}
    world.undeploy("mailer")
    answer = world.ask("shop", "s2")
    assert (answer.status, answer.checks) == ("yes", ())
    assert answer.notes == ("not deployed in prod, by the ledger: mailer, stats",)


def test_a_commit_that_was_rebased_is_another_version(world):
    """The same content under another commit's name: what was verified is the old one."""
    running(world).deploy("shop", "rebased", 0.5)
    world.verify("mailer", "m2", [1])
    answer = world.ask("mailer", "m2")
    assert (answer.status, reasons(answer)) == ("unknown", {("reads", "shop rebased", "mailer m2")})
    assert "--service-version rebased" in answer.blocking[0].finding.advice


def test_more_time_settles_what_is_undecided(team):
    answer = team.ask("shop", "s2", budget=0.0, again="contract-test can-i-deploy … --budget 60")
    (check,) = answer.blocking
    assert (answer.status, check.evidence.kind) == ("unknown", "undecided")
    assert check.evidence.command == "contract-test can-i-deploy … --budget 60"
    assert team.ask("shop", "s2", budget=60).status == "no"
    assert team.ask("shop", "s2", budget=0.0).status == "no", "what was decided is kept"


def test_every_no_has_a_message_an_owner_and_an_id(world):
    running(world, 1, 1).verify("mailer", "m2", [3])
    (check,) = world.ask("mailer", "m2").blocking
    assert check.evidence.kind == "version-unknown"
    assert set(check.finding.witness) >= {"id"}
    assert check.finding.affected == ("order.placed is sent by shop and received by mailer, stats",)
    assert check.finding.id == "reader-rejects:order.placed:shop v1>mailer:version-unknown"


def test_an_answer_names_the_owners_of_who_is_affected(tmp_path):
    owner = '[services.mailer]\nowner = "post"\n[owners.post]\ncontacts = { slack = "#post" }\n'
    world = running(World(tmp_path, catalog(more=owner)))
    world.verify("mailer", "m2", [3])
    assert "mailer is owned by post (slack #post)" in answer_as_text(world.ask("mailer", "m2"))


def test_a_service_that_decodes_with_other_code_is_known_by_its_replays_only(world):
    running(world)
    operation = VerifiedOperation("order.placed", 1, "consumes", 3, unwatched=True)
    world.verify("stats", "own", [1], operations=[operation])
    (check,) = world.ask("stats", "own").checks
    assert (check.status, check.evidence.kind) == ("yes", "replayed")


@pytest.mark.parametrize(
    ("problem", "answer", "kind"),
    [("", "yes", "upcast"), ("UpcastError: order.placed v1 to v2 failed", "no", "upcaster-fails")],
)
def test_a_message_is_brought_to_the_newest_version_as_at_run_time(world, problem, answer, kind):
    running(world)
    upcast = Upcast("order.placed", 1, "its upcaster holds on 1 recorded and 300 generated messages", problem)
    world.verify("mailer", "m2", [1, 2], upcasts=(upcast,))
    found = world.ask("mailer", "m2")
    assert (found.status, found.checks[0].evidence.kind) == (answer, kind)
    assert (problem or upcast.tried) in found.checks[0].evidence.sentence


def test_many_pairs_with_one_finding_are_told_once(world):
    running(world)
    for number in range(1, 4):
        world.verify("stats", f"t{number}", [1])
        world.deploy("stats", f"t{number}", 5 - number, beside=True)
    world.verify("shop", "s2", [1, 2], emits=[2])
    text = answer_as_text(world.ask("shop", "s2"))
    assert text.count("\nno: stats") == 1
    assert "  also      stats t2 of shop s2, stats t3 of shop s2\n" in text


def test_a_schema_on_a_branch_that_was_never_merged_is_found(world):
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")

    def run(*arguments: str) -> None:
        subprocess.run([*git, *arguments], cwd=world.contracts, check=True)

    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
        run(*arguments)
    running(world)
    run("checkout", "-q", "-b", "feature")
    world.write(catalog(), {4: message("id", id=TEXT)})
    run("add", "-A")
    run("commit", "-qm", "v4")
    world.verify("shop", "s4", [4], emits=[4])
    run("checkout", "-q", "main")
    assert world.ask("shop", "s4").status == "yes", "v1 reads v4"
    run("branch", "-qD", "feature")
    run("reflog", "expire", "--expire=now", "--all")
    run("gc", "-q", "--prune=now")
    before = world.ask("shop", "s4")
    assert before.checks[0].evidence.kind == "proved", "what was proved is kept, without the schema"
    world.verify("mailer", "m5", [3])
    world.deploy("mailer", "m5", 0.5)
    (check,) = world.ask("shop", "s4").blocking
    assert check.evidence.kind == "contract-missing"
    assert check.evidence.command.startswith(f"git -C {world.contracts} fetch ")
