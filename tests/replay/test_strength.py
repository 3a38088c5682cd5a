"""How much the tests of a service notice, and how much of a contract they were given."""

import json

import pytest

from .conftest import TEST_FILE

HANDLER = """
STORED = {}

def store(order):
    STORED[order.order_id] = (order.order_id, order.buyer.mail)

@pytest.fixture
def contract_state():
    return lambda: dict(STORED)

"""
CONSUMER = (
    TEST_FILE.partition("@pytest.mark.consumes")[0] + HANDLER + TEST_FILE[TEST_FILE.index("@pytest.mark.consumes") :]
)
STRONG = "store(message)\n    assert STORED.pop(message.order_id) == (message.order_id, message.buyer.mail)"
WEAK = "store(message)\n    assert STORED.pop(message.order_id)"


def asserting(repo, assertion):
    text = CONSUMER.replace("are_read(message)", "are_read(message, contract_state)")
    repo.tests(text.replace("assert handle(message)", assertion))


def report_of(repo, *options):
    path = repo.pytester.path / "run.json"
    result = repo.run_here("--contracts-only-recorded", f"--contracts-report={path}", *options)
    return result, json.loads(path.read_text())


def operation(report, kind):
    return next(each for each in report["operations"] if each["operation"] == kind)


def test_tests_that_assert_on_all_that_is_read_notice_every_fault(repo):
    asserting(repo, STRONG)
    result, report = report_of(repo, "--contracts-mutate", "--contracts-min-strength=100")
    assert result.ret == 0
    strength = operation(report, "consumes")["strength"]
    assert strength["noticed"] == strength["total"] > 0


def test_a_fault_that_no_test_notices_is_a_survivor(repo):
    asserting(repo, WEAK)
    result, report = report_of(repo, "--contracts-mutate")
    assert result.ret == 0
    strength = operation(report, "consumes")["strength"]
    assert strength["noticed"] < strength["total"]
    assert {each["pointer"] for each in strength["survivors"]} >= {"/buyer/mail"}
    result.stdout.fnmatch_lines([
        "order.placed * v1 * consumes * 3 * 0 *% * of * 3 * 0",
        "not noticed: order.placed v1 consumes: /buyer/mail missing, in 3 of 3",
    ])  # fmt: skip


def test_what_survives_is_red_when_that_is_asked_for(repo):
    asserting(repo, WEAK)
    result, report = report_of(repo, "--contracts-mutate", "--contracts-min-strength=100")
    assert result.ret == 1
    assert any("order.placed v1 consumes: the tests noticed" in problem for problem in report["problems"])


def test_a_producer_whose_recorded_message_shows_the_fault_notices_it(repo):
    _, report = report_of(repo, "--contracts-mutate")
    survivors = operation(report, "produces")["strength"]["survivors"]
    assert not survivors


def test_faults_are_for_the_service_alone_and_leave_no_trace(repo):
    asserting(repo, STRONG)
    result, report = report_of(repo, "--contracts-mutate", "-v")
    result.assert_outcomes(passed=6)
    assert {each["pointer"]: each["by_service"] for each in report["readers"][0]["fields"]}["/buyer/mail"] == 3


@pytest.fixture
def coverage(repo):
    def run(*options):
        path = repo.pytester.path / "run.json"
        result = repo.run_here(f"--contracts-report={path}", "--contracts-generated=0", *options)
        found = json.loads(path.read_text())
        return result, {each["subject"]: each for each in found["coverage"]}

    return run


def test_coverage_says_what_recordings_and_variations_showed_and_what_nothing_did(coverage):
    _, found = coverage()
    facts = {(each["pointer"], each["state"]): each["exercised"] for each in found["order.placed"]["facts"]}
    assert facts["/note", "absent"] == "recorded"
    assert facts["/note", "present"] == "variation"
    assert found["order.placed"]["share"] == 1
    assert found["order.placed"]["recorded_share"] < 1


def test_what_was_not_replayed_is_not_covered(coverage):
    result, found = coverage("--contracts-only-recorded", "--contracts-min-coverage=100")
    assert found["order.placed"]["share"] < 1
    assert result.ret == 1
    result.stdout.fnmatch_lines(["order.placed v1: *% covered, not 100%; never: /note present"])


def test_enough_coverage_is_green(coverage):
    result, _ = coverage("--contracts-min-coverage=100")
    assert result.ret == 0


COUNTING = """
SEEN = []

@pytest.fixture
def seen():
    SEEN.clear()
    return SEEN
"""


def counting(repo, test, fixture=""):
    """A consumer that keeps what it got, and a test of it; nothing else is read of a message."""
    producer = TEST_FILE[TEST_FILE.index("@pytest.mark.produces") :]
    repo.tests(TEST_FILE.partition("@pytest.mark.consumes")[0] + COUNTING + fixture + test + producer)


def doubled(report):
    survivors = operation(report, "consumes")["strength"]["survivors"]
    return [each["change"] for each in survivors if each["change"] == "delivered twice"]


KEEPS = """
@pytest.mark.consumes("order.placed")
def test_orders_are_kept(message, seen):
    seen.append(message.order_id)
    assert ASSERTED

"""
NAMED = """
@pytest.fixture
def contract_state(seen):
    return lambda: list(seen)
"""


@pytest.mark.parametrize(
    ("asserted", "survives"), [("seen == [message.order_id]", 0), ("message.order_id in seen", 3)], ids=["once", "in"]
)
def test_a_second_delivery_has_to_be_noticed(repo, asserted, survives):
    counting(repo, KEEPS.replace("ASSERTED", asserted))
    _, report = report_of(repo, "--contracts-mutate")
    assert len(doubled(report)) == survives


@pytest.mark.parametrize(("handle", "survives"), [("seen.append", 3), ("seen[:] = [message.order_id]; print", 0)])
def test_a_second_delivery_that_leaves_the_same_state_needs_no_notice(repo, handle, survives):
    test = KEEPS.replace("(message, seen)", "(message, seen, contract_state)").replace("seen.append", handle)
    counting(repo, test.replace("ASSERTED", "message.order_id in seen"), NAMED)
    _, report = report_of(repo, "--contracts-mutate")
    assert len(doubled(report)) == survives


def test_a_fault_is_noticed_where_any_test_of_the_operation_does(repo):
    asserting(repo, STRONG)
    text = (repo.pytester.path / "test_mailer.py").read_text()
    weak = '\n@pytest.mark.consumes("order.placed")\ndef test_orders_have_ids(message):\n    store(message)\n'
    repo.tests(text + weak)
    _, report = report_of(repo, "--contracts-mutate")
    strength = operation(report, "consumes")["strength"]
    assert strength["noticed"] == strength["total"] > 0


def test_a_producer_need_not_send_all_that_its_contract_allows(repo):
    path = repo.contracts / "mail.requested" / "v1.json"
    schema = json.loads(path.read_text())
    schema["properties"]["cc"] = {"type": "string"}
    path.write_text(json.dumps(schema))
    repo.generate()
    result = repo.run_here("--contracts-generated=0", "--contracts-min-coverage=100")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["mail.requested  v1 * produces * 83%*"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--contracts-mutate", "--contracts-bulk"], "*leave --contracts-bulk out*"),
        (["--contracts-min-strength=90"], "*give both*"),
    ],
)
def test_options_that_would_prove_nothing_are_refused(repo, options, said):
    result = repo.run(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])
