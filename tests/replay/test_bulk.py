"""`--contracts-bulk`: one item a contract, and still every message is judged by itself."""

import json

import pytest

from .conftest import TEST_FILE, line, mail, order

FAILING = '    assert message.order_id not in ("o1", "o2")'


def test_one_item_a_contract(repo):
    result = repo.run("--contracts-bulk", "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([
        "*test_orders_are_read?order.placed-v1?3 in bulk?? PASSED*",
        "*test_orders_are_answered?mail.requested-v1?3 in bulk?? PASSED*",
        "mail.requested * v1 * produces * 3 * 3 * 0",
        "order.placed * v1 * consumes * 3 * 3 * 0",
    ])  # fmt: skip


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_every_message_that_fails_is_listed(repo, options):
    repo.change("    assert handle(message)", FAILING)
    result = repo.run("--contracts-bulk", "--contracts-report=found.json", *options)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([
        "2 messages failed:",
        "*order.placed/recordings/v1.jsonl:2: handler-failed*AssertionError*",
        "*order.placed/recordings/v1.jsonl:3: handler-failed*AssertionError*",
        "order.placed * v1 * consumes * 3 * 1 * 2 * 0",
    ])  # fmt: skip
    operations = json.loads((repo.pytester.path / "found.json").read_text())["operations"]
    failed = {each["place"]: json.loads(each["message"]) for each in operations[1]["failed"]}
    assert failed == {f"contracts/order.placed/recordings/v1.jsonl:{n + 1}": order(n) for n in (1, 2)}


def test_what_is_emitted_is_judged_message_by_message(repo):
    repo.record(
        "mail.requested", [line("mail.requested", 1, mail(n, **({"to": "x@y"} if n == 1 else {}))) for n in range(3)]
    )
    result = repo.run("--contracts-bulk", "-k", "answered")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(['*/mail.requested/recordings/v1.jsonl:2: value-changed /to expected "x@y", found*'])
    repo.change("        emits(mail)", "        pass")
    result = repo.run("--contracts-bulk", "-k", "answered")
    result.stdout.fnmatch_lines(["3 messages failed:", "*nothing-emitted*", "*nothing-emitted*", "*nothing-emitted*"])


def test_fields_that_are_read_are_counted_message_by_message(repo):
    found = []
    for options in ((), ("--contracts-bulk",)):
        repo.run("--contracts-only-recorded", "--contracts-report=found.json", *options)
        found.append(json.loads((repo.pytester.path / "found.json").read_text())["readers"])
    assert found[0] == found[1] != []


def test_async_tests_are_awaited_in_bulk(repo):
    text = TEST_FILE.replace("    assert handle(message)", FAILING).replace(
        "def test_orders_are_r", "async def test_orders_are_r"
    )
    repo.tests(text)
    result = repo.run("--contracts-bulk", "-o", "asyncio_mode=auto")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["2 messages failed:"])


def test_a_fixture_of_one_message_is_refused_in_bulk(repo):
    fixture = "@pytest.fixture\ndef buyer(message):\n    return message.buyer\n\n"
    text = TEST_FILE.replace("@pytest.mark.consumes", f"{fixture}@pytest.mark.consumes").replace(
        "are_read(message)", "are_read(buyer)"
    )
    repo.tests(text.replace("assert handle(message)", "assert buyer"))
    repo.run("-k", "read", "--contracts-only-recorded").assert_outcomes(passed=3, deselected=3)
    result = repo.run("--contracts-bulk", "-k", "read")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(["*the fixture `buyer` asks for a message, and --contracts-bulk sets it up once*"])


def test_very_many_failures_are_named_by_their_lines(repo):
    repo.record("order.placed", [line("order.placed", 1, order(number)) for number in range(120)])
    repo.change("    assert handle(message)", "    assert not message.order_id")
    result = repo.run("--contracts-bulk", "-k", "read")
    result.stdout.fnmatch_lines(["120 messages failed:", "*v1.jsonl:100: *", "and lines 101, 102, *, 119, 120"])


def test_an_interrupt_ends_the_run(repo):
    repo.change("    assert handle(message)", "    raise KeyboardInterrupt")
    assert repo.run("--contracts-bulk", "-k", "read").ret == pytest.ExitCode.INTERRUPTED
