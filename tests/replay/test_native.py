"""A contract test is a pytest test like any other: fixtures, classes, async, selection, parallel runs, reports."""

from itertools import takewhile
from xml.etree import ElementTree as ET

import pytest

from .conftest import TEST_FILE

SETTINGS = 'service = "mailer"\npackage = "acme"\ncontracts = "contracts"'
STYLES = """
import pytest
from acme.messages import MailRequested

@pytest.fixture(params=["html", "plain"])
def style(request):
    return request.param

@pytest.fixture
def mails(message, style):  # a fixture of the service's own may ask for the message too
    return [(style, message.buyer.mail)]

class TestOrders:
    @pytest.mark.consumes("order.placed")
    @pytest.mark.parametrize("size", [1, 2])
    def test_in_a_class(self, mails, envelope, size):
        assert mails and size and envelope.type == "order.placed"

@pytest.mark.consumes("order.placed")
def test_asked_for_late(request):
    assert request.getfixturevalue("message").order_id

class TestSetUp:
    @pytest.fixture(autouse=True)
    def order(self, message):
        self.message = message

    @pytest.mark.consumes("order.placed")
    def test_given_by_a_fixture(self):
        assert self.message.order_id

@pytest.mark.consumes("order.placed")
class TestAll:
    def test_the_class_is_marked(self, message):
        assert message.order_id

@pytest.mark.produces("mail.requested")
def test_at_the_edge(recorded, emits):
    emits({name: getattr(recorded, name) for name in ("mail_id", "order_id", "to")} | {"asked_at": "2031-01-01T00:00:00Z"})
"""
ASYNC = """
import asyncio
import pytest

@pytest.fixture
{fixture}
async def shop():
    await asyncio.sleep(0)
    return []

{marks}
@pytest.mark.consumes("order.placed")
async def test_order(message, shop):
    await asyncio.sleep(0)
    shop.append(message.order_id)
    assert message.order_id != "o2"
"""


def test_fixtures_classes_and_parameters(repo):
    repo.tests(STYLES)
    result = repo.run("-v")
    result.assert_outcomes(passed=12 + 3 + 3 + 3 + 3)
    result.stdout.fnmatch_lines(["*TestOrders::test_in_a_class*order.placed-v1?v1.jsonl:2?* PASSED*"])


@pytest.mark.parametrize(
    ("fixture", "marks", "options"),
    [
        ("", "", ["-o", "asyncio_mode=auto"]),
        ("", "@pytest.mark.asyncio", ["-o", "asyncio_mode=auto", "-n", "2"]),
        ("", "@pytest.mark.anyio", ["-p", "no:asyncio"]),
    ],
    ids=["auto", "auto-parallel", "anyio"],
)
def test_async_tests_are_awaited(repo, fixture, marks, options):
    repo.tests(ASYNC.format(fixture=fixture, marks=marks))
    if "no:asyncio" in options:
        backend = "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"
        (repo.pytester.path / "conftest.py").write_text(f"import pytest\n\n{backend}")
    result = repo.run("-k", "order", *options)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["order.placed * v1 * consumes * 3 * 2 * 1 * 0"])


def test_async_tests_are_awaited_in_strict_mode(repo):
    text = ASYNC.format(fixture="", marks="@pytest.mark.asyncio").replace("@pytest.fixture", "@pytest_asyncio.fixture")
    repo.tests(f"import pytest_asyncio\n{text}")
    repo.run("-k", "order", "-o", "asyncio_mode=strict").assert_outcomes(passed=2, failed=1)
    repo.tests(text.replace("@pytest.mark.asyncio", "").replace("@pytest_asyncio", "@pytest"))
    result = repo.run("-k", "order", "-o", "asyncio_mode=strict", "-p", "no:anyio")
    assert result.ret == 1
    assert "passed" not in result.parseoutcomes()


def test_one_message_can_be_named(repo):
    result = repo.run("test_mailer.py::test_orders_are_read[order.placed-v1[v1.jsonl:2]]", "-v")
    result.assert_outcomes(passed=1)
    repo.run("-k", "v1.jsonl and 2 and read").assert_outcomes(passed=1, deselected=5)


def test_the_last_failed_runs_again_alone(repo):
    repo.change("    assert handle(message)", '    assert message.order_id != "o1"')
    options = ("--contracts", "--contracts-only-recorded", "-p", "no:randomly")
    repo.pytester.runpytest_subprocess(*options).assert_outcomes(passed=5, failed=1)
    repo.pytester.runpytest_subprocess(*options, "--lf").assert_outcomes(failed=1)
    repo.tests(TEST_FILE)
    assert repo.pytester.runpytest_subprocess(*options, "--lf").ret == 0


def test_the_first_failure_may_end_the_run(repo):
    repo.change("    assert handle(message)", '    assert message.order_id != "o1"')
    repo.run("-x").assert_outcomes(passed=1, failed=1)


def told(result: pytest.RunResult) -> list[str]:
    """What the plugin says at the end."""
    start = next(number for number, each in enumerate(result.outlines) if "contracts of mailer" in each)
    return list(takewhile(lambda each: not each.startswith("="), result.outlines[start + 1 :]))


def test_a_parallel_run_gives_the_same_verdicts(repo):
    repo.change("to=order.buyer.mail", 'to="all@example.org"')
    one, two = repo.run(), repo.run("-n", "2")
    assert one.parseoutcomes()["failed"] == two.parseoutcomes()["failed"] == 3
    assert one.ret == two.ret == 1
    assert told(one) == told(two)
    assert "  message  contracts/mail.requested/recordings/v1.jsonl:1 and 2 more" in told(one)


def test_junit_names_the_recorded_message(repo):
    repo.change("    assert handle(message)", '    assert message.order_id != "o1"')
    repo.run("--junit-xml=found.xml")
    cases = ET.parse(repo.pytester.path / "found.xml").getroot().findall(".//testcase")
    failed = [each.get("name") for each in cases if each.find("failure") is not None]
    assert (len(cases), failed) == (6, ["test_orders_are_read[order.placed-v1[v1.jsonl:2]]"])


def test_contracts_may_stand_elsewhere(repo):
    repo.contracts.rename(repo.pytester.path / "elsewhere")
    repo.run("--contracts-dir", "elsewhere").assert_outcomes(passed=6)
    repo.settings(SETTINGS.replace('"contracts"', '"elsewhere"'))
    repo.run().assert_outcomes(passed=6)


def test_an_ordinary_run_does_not_even_read_the_settings(repo):
    repo.settings("service = 7")
    (repo.pytester.path / "test_other.py").write_text("def test_other(): pass")
    repo.pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert repo.run().ret == pytest.ExitCode.USAGE_ERROR


def test_an_ordinary_run_imports_nothing_of_the_engine(repo):
    loaded = "sorted(name for name in sys.modules if name.startswith(('contract_test.', 'envelopes')))"
    repo.tests(
        f"import sys\ndef test_loaded():\n    assert {loaded} == ['contract_test.pytest_plugin', 'contract_test.pytest_plugin.plugin']"
    )
    repo.pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
