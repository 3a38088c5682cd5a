"""`pytest --contracts`, as a service's repo runs it."""

import json

import pytest

from .conftest import TEST_FILE, line, mail, order


def test_every_recorded_message_is_an_item_of_its_own(repo):
    result = repo.run("-v")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines([
        "*test_orders_are_read?order.placed-v1?v1.jsonl:1?? PASSED*",
        "*test_orders_are_answered?mail.requested-v1?v1.jsonl:3?? PASSED*",
        "subject * version * operation * recorded * passed * failed",
        "mail.requested * v1 * produces * 3 * 3 * 0",
        "order.placed * v1 * consumes * 3 * 3 * 0",
    ])  # fmt: skip


def test_without_the_option_contract_tests_do_not_clutter_a_run(repo):
    (repo.pytester.path / "test_other.py").write_text("def test_other(): pass")
    result = repo.pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    assert "deselected" not in result.stdout.str()


def test_contract_tests_run_beside_others_and_can_be_selected(repo):
    (repo.pytester.path / "test_other.py").write_text("def test_other(): pass")
    repo.run().assert_outcomes(passed=7)
    repo.run("-m", "contract").assert_outcomes(passed=6, deselected=1)
    repo.run("-k", "order.placed").assert_outcomes(passed=3, deselected=4)


def test_parallel_runs_give_the_same_table(repo):
    result = repo.run("-n", "2")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["mail.requested * v1 * produces * 3 * 3 * 0"])


def test_a_consumer_that_reads_a_field_that_is_not_there_is_red_with_place_pointer_and_advice(repo):
    repo.change("order.buyer.mail", "order.buyer.email")
    result = repo.run()
    result.assert_outcomes(failed=6)
    result.stdout.fnmatch_lines([
        "E * Buyer has no field 'email'*",
        "contract   order.placed v1: sent by shop, received by mailer",
        "message    *order.placed/recordings/v1.jsonl:1",
        "pointer    /buyer/email: the contract has no such field (it has: mail)",
        "what to do  read `mail` instead, or *",
        "order.placed * v1 * consumes * 3 * 0 * 3",
    ])  # fmt: skip


def test_a_producer_that_emits_something_else_is_red_with_the_pointer(repo):
    repo.change("to=order.buyer.mail", 'to="all@example.org"')
    result = repo.run("-k", "answered")
    result.assert_outcomes(failed=3, deselected=3)
    result.stdout.fnmatch_lines(['*/to: expected "b0@example.org", found "all@example.org"'])


def test_volatile_and_masked_fields_are_held_to_the_contract_only(repo):
    lines = [line("mail.requested", 1, mail(number, to="x@y"), masked=["/to"]) for number in range(3)]
    repo.record("mail.requested", lines)
    repo.run().assert_outcomes(passed=6)


def test_a_producer_that_breaks_its_contract_is_red(repo):
    repo.change('asked_at="2030-01-01T00:00:00Z"', 'asked_at="soon"')
    result = repo.run("-k", "answered")
    result.assert_outcomes(failed=3, deselected=3)
    result.stdout.fnmatch_lines(["*pointer    /asked_at*"])


def test_a_producer_that_emits_nothing_is_red(repo):
    repo.change("        emits(mail)", "        pass")
    result = repo.run("-k", "answered")
    result.assert_outcomes(failed=3, deselected=3)
    result.stdout.fnmatch_lines(["*nothing was emitted*"])


def test_a_producer_that_emits_one_more_is_red(repo):
    repo.change("        emits(mail)", "        emits(mail); emits(mail)")
    repo.run("-k", "answered").assert_outcomes(failed=3, deselected=3)


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("order.placed", "no recorded message of order.placed"),
        ("mail.requested", "no recorded message of mail.requested"),
    ],
)
def test_no_recordings_is_red_and_says_how_to_record(repo, subject, said):
    repo.record(subject, []).unlink()
    result = repo.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"*{said}*", "*contract-test record URL --channel *"])


def test_a_cause_that_was_not_recorded_is_red(repo):
    repo.record("order.placed", [line("order.placed", 1, order(7))])
    result = repo.run("-k", "answered")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*no recorded order.placed has the id*", "*Record both channels*"])


def test_one_cause_that_was_not_recorded_is_one_red_item(repo):
    repo.record("order.placed", [line("order.placed", 1, order(number)) for number in range(2)])
    result = repo.run("-k", "answered")
    result.assert_outcomes(passed=2, errors=1, deselected=2)
    result.stdout.fnmatch_lines(["*v1.jsonl:3: no recorded message has the id*"])


def test_an_operation_without_a_test_is_red(repo):
    repo.tests(TEST_FILE.partition('@pytest.mark.produces("mail')[0])
    result = repo.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["no test for an operation of this service: produces mail.requested*"])


def test_an_unknown_subject_is_red(repo):
    repo.change('consumes("order.placed")', 'consumes("order.paid")')
    result = repo.run("-k", "read")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*no subject 'order.paid'*", "*Known: order.placed, mail.requested*"])


def test_a_recording_that_breaks_its_contract_is_red_with_its_line(repo):
    repo.record("order.placed", [line("order.placed", 1, order(1)), line("order.placed", 1, {"order_id": 7})])
    result = repo.run("-k", "read")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*v1.jsonl:2: the recorded message breaks its contract*"])


def test_no_contracts_is_a_usage_error(repo):
    result = repo.run("--contracts-dir=nowhere")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*nowhere: there is no such directory*"])


def test_a_service_that_the_catalog_does_not_know_is_a_usage_error(repo):
    repo.settings('service = "maler"\npackage = "acme"\ncontracts = "contracts"')
    result = repo.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no subject is sent or received by service 'maler' (known: mailer, postman, shop)*"])


def test_no_settings_is_a_usage_error_that_shows_them(repo):
    (repo.pytester.path / "pyproject.toml").unlink()
    result = repo.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*[[]tool.contract-test]*", "*service = *"])


def test_an_async_handler_that_nobody_awaits_is_red(repo):
    repo.tests(TEST_FILE.replace("def test_orders_are_read", "async def test_orders_are_read"))
    repo.settings('service = "mailer"\npackage = "acme"\ncontracts = "contracts"')
    assert repo.run("-p", "no:asyncio", "-p", "no:anyio", "-k", "read").ret == 1


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "parallel"])
def test_old_recordings_are_named_and_the_run_stays_green(repo, options):
    event = json.loads(line("order.placed", 1, order(0)))
    event["payload"]["time"] = "2020-01-01T00:00:00Z"
    repo.record("order.placed", [json.dumps(event) + "\n"])
    repo.record("mail.requested", [line("mail.requested", 1, mail(0))])
    result = repo.run(*options)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["order.placed v1: the newest of 1 recorded message is * days old. Record it again*"])
    assert "days old" not in repo.run("--contracts-max-age", "99999d", *options).stdout.str()


def test_a_package_that_is_not_installed_is_a_usage_error(repo):
    repo.settings('service = "mailer"\npackage = "acme_of_another"\ncontracts = "contracts"')
    result = repo.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: the package 'acme_of_another' is not installed", "  pip install what it comes*"]
    )
