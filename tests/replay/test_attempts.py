"""Other plugins and other ways to write tests: reruns, subtests, task groups, coroutines, mocks, settings of a project."""

import json
from importlib.util import find_spec

import pytest

from .conftest import TEST_FILE
from .test_false_greens import red
from .test_hidden_errors import CONSUMER, PRODUCER, SERVICE

FLAKY = """
@pytest.mark.consumes("order.placed")
def test_orders(message, request):
    mail_of(message)
    SEEN[request.node.name] = SEEN.get(request.node.name, 0) + 1
    if SEEN[request.node.name] == 1: raise ConnectionError("flaky")
"""


class TestReruns:
    pytestmark = pytest.mark.skipif(
        find_spec("pytest_rerunfailures") is None, reason="pytest-rerunfailures is not installed"
    )

    @pytest.mark.parametrize("more", [("--contracts-only-recorded",), ("--contracts-generated=2",)])
    def test_count_once(self, repo, more):
        repo.tests(SERVICE + "SEEN = {}\n" + PRODUCER + FLAKY)
        result = repo.run_varied("--reruns=2", "--contracts-report=run.json", *more)
        assert result.ret == 0
        assert result.parseoutcomes()["rerun"] >= 3
        document = json.loads((repo.pytester.path / "run.json").read_text())
        assert all(not each["failed"] for each in document["operations"])

    def test_of_a_producer_count_once(self, repo):
        flaky = PRODUCER.replace(
            "    emits", "    SEEN.append(1)\n    if len(SEEN) == 1: raise ConnectionError\n    emits"
        )
        repo.tests(SERVICE + "SEEN = []\n" + CONSUMER + flaky)
        result = repo.run("--reruns=1")
        assert result.ret == 0
        result.stdout.re_match_lines([r"mail.requested +v1 +produces +3 .* 3 +0 +0$"])

    def test_that_fail_again_are_red(self, repo):
        repo.tests(SERVICE + "SEEN = {}\n" + PRODUCER + FLAKY.replace("== 1", "< 9"))
        result = repo.run("--reruns=2")
        assert result.parseoutcomes() == {"failed": 3, "passed": 3, "rerun": 6}

    @pytest.mark.parametrize(
        ("options", "marker", "reruns"),
        [
            (("--reruns=2", "--only-rerun=ConnectionError"), "", 3),
            (("--reruns=2", "--only-rerun=ValueError"), "", 0),
            (("--reruns=2", "--rerun-except=ConnectionError"), "", 0),
            (("--reruns=2", "--rerun-except=ValueError"), "", 3),
            ((), "@pytest.mark.flaky(reruns=1)\n", 3),
            ((), "@pytest.mark.flaky(reruns=1, condition=False)\n", 0),
            ((), "@pytest.mark.flaky(reruns=1, only_rerun=['ConnectionError'])\n", 3),
            ((), "@pytest.mark.flaky(reruns=1, rerun_except='ConnectionError')\n", 0),
            (("--reruns=2", "--max-suite-reruns=1"), "", 1),
        ],
    )
    def test_of_some_errors_only(self, repo, options, marker, reruns):
        repo.tests(SERVICE + "SEEN = {}\n" + PRODUCER + FLAKY.replace("@pytest", f"{marker}@pytest", 1))
        result = repo.run(*options)
        outcomes = result.parseoutcomes()
        assert outcomes.get("rerun", 0) == reruns
        assert outcomes.get("failed", 0) == 3 - reruns
        assert result.ret == (0 if reruns == 3 else 1)
        result.stdout.re_match_lines([rf"order.placed +v1 +consumes +3 .* {reruns} +{3 - reruns} +0$"])

    def test_that_are_not_wanted_are_red(self, repo):
        repo.tests(SERVICE + "SEEN = {}\n" + PRODUCER + FLAKY)
        assert repo.run("--reruns=2", "--fail-on-flaky").ret == 7

    def test_keep_the_fixtures_of_a_module(self, repo):
        fixture = "@pytest.fixture(scope='module')\ndef shop():\n    print('opened')\n    yield\n    print('closed')\n"
        repo.tests(SERVICE + "SEEN = {}\n" + fixture + PRODUCER + FLAKY.replace("request)", "request, shop)"))
        result = repo.run("--reruns=2", "-s")
        assert result.ret == 0
        assert (str(result.stdout).count("opened"), str(result.stdout).count("closed")) == (1, 1)


class TestSubtests:
    TEST = '@pytest.mark.consumes("order.placed")\ndef test_orders(message, subtests):\n    with subtests.test("mail"):\n        assert {0}\n'

    def test_notice_faults_without_being_reported_themselves(self, repo):
        repo.tests(SERVICE + PRODUCER + self.TEST.format("mail_of(message).to == message.buyer.mail"))
        result = repo.run("--contracts-mutate")
        assert result.ret == 0
        assert "failed" not in result.parseoutcomes()

    def test_that_fail_are_red(self, repo):
        repo.tests(SERVICE + PRODUCER + self.TEST.format("mail_of(message).to == 'x'"))
        red(repo.run(), "order.placed v1 consumes: 1 of 3 messages, handler-failed")


STATE = """
class Db:
    def __init__(self): self.rows = {}
    async def put(self, key, value): self.rows[key] = value
    async def all(self): return dict(self.rows)

@pytest.fixture
def db():
    return Db()

@pytest.fixture
def contract_state(db):
    return db.all

"""


class TestDeliveries:
    def exactly_once(self, repo, test, state=STATE):
        path = repo.contracts / "catalog.toml"
        path.write_text(path.read_text().replace('address = "orders"', 'address = "orders"\ndelivery = "exactly-once"'))
        repo.generate()
        repo.tests(SERVICE + state + PRODUCER + test)
        return repo.run("-p", "no:anyio")

    @pytest.mark.parametrize("way", ["async ", ""])
    def test_a_state_that_is_awaited(self, repo, way):
        call = (
            "await db.put(message.order_id, mail_of(message).to)" if way else "asyncio.run(db.put(message.order_id, 1))"
        )
        mark = "@pytest.mark.asyncio\n" if way else ""
        result = self.exactly_once(
            repo,
            f'{mark}@pytest.mark.consumes("order.placed")\n{way}def test_orders(message, db, contract_state):\n    {call}\n',
        )
        assert result.ret == 0, result.outlines
        assert result.parseoutcomes()["passed"] > 6

    def test_a_state_that_is_awaited_and_grows(self, repo):
        result = self.exactly_once(
            repo,
            '@pytest.mark.asyncio\n@pytest.mark.consumes("order.placed")\nasync def test_orders(message, db, contract_state):\n'
            "    await db.put(len(db.rows), mail_of(message).to)\n",
        )
        red(result, "effect-not-as-declared")

    def test_a_crash_in_a_task_group(self, repo):
        result = self.exactly_once(
            repo,
            '@pytest.mark.asyncio\n@pytest.mark.consumes("order.placed")\n'
            "async def test_orders(message, db, contract_state, acknowledge):\n"
            "    async def work():\n        await db.put(message.order_id, mail_of(message).to)\n        acknowledge()\n"
            "    async with asyncio.TaskGroup() as group: group.create_task(work())\n",
        )
        assert result.ret == 0, result.outlines

    def test_another_error_in_a_task_group_is_no_crash(self, repo):
        result = self.exactly_once(
            repo,
            '@pytest.mark.asyncio\n@pytest.mark.consumes("order.placed")\n'
            "async def test_orders(message, db, contract_state, acknowledge):\n"
            "    async def work():\n        await db.put(message.order_id, mail_of(message).to)\n        acknowledge()\n"
            "    async def fail(): raise ValueError\n"
            "    async with asyncio.TaskGroup() as group: group.create_task(work()), group.create_task(fail())\n",
        )
        red(result, "handler-failed")


def test_a_coroutine_of_a_mock_that_belongs_to_the_test(repo):
    repo.tests(
        SERVICE + PRODUCER + '@pytest.mark.consumes("order.placed")\ndef test_orders(message):\n'
        "    from unittest.mock import AsyncMock\n    notify = AsyncMock()\n    notify(mail_of(message).to)\n"
    )
    assert repo.run().ret == 0


class TestOnlyRecordedMessages:
    def test_for_one_test(self, repo):
        only = '@pytest.mark.consumes("order.placed", only="recorded")\ndef test_once(message):\n    mail_of(message)\n'
        repo.tests(SERVICE + PRODUCER + CONSUMER + only)
        result = repo.run_varied("-v", "--contracts-generated=2")
        assert result.ret == 0
        assert sum("test_once[" in each for each in result.outlines) == 3
        assert sum("test_orders[" in each for each in result.outlines) > 6

    def test_anything_else_is_not_understood(self, repo):
        repo.tests(SERVICE + PRODUCER + CONSUMER.replace('"order.placed"', '"order.placed", only="generated"'))
        red(repo.run(), 'only="recorded"')


class TestWithoutContractsOnTheCommandLine:
    @pytest.fixture
    def always(self, repo):
        path = repo.pytester.path / "pyproject.toml"
        path.write_text(f'{path.read_text()}\naddopts = "--contracts"\n')
        (repo.pytester.path / "test_other.py").write_text("def test_other():\n    pass\n")
        return repo

    def run(self, repo, *options):
        return repo._warm_pytest.run(repo.pytester.path, "-p", "no:cacheprovider", *options)

    def test_a_run_of_another_test_is_green(self, always, monkeypatch):
        assert self.run(always, "test_other.py").ret == 0
        assert self.run(always, "test_other.py::test_other").ret == 0
        assert self.run(always, "-k", "other").ret == 0
        monkeypatch.setenv("CI", "1")
        assert self.run(always, "test_other.py").ret == 0

    def test_a_run_of_all_is_checked(self, always):
        always.tests(TEST_FILE.partition('@pytest.mark.produces("mail')[0])
        red(self.run(always), "no test for an operation of this service")

    def test_they_can_be_switched_off(self, always):
        result = self.run(always, "--no-contracts")
        assert result.ret == 0
        result.assert_outcomes(passed=1)
        result.stdout.no_fnmatch_line("*contracts of mailer*")

    @pytest.mark.parametrize("named", ["test_mailer.py", "test_mailer.py::test_orders_are_read"])
    def test_a_file_of_contract_tests_says_what_to_type(self, repo, named):
        result = self.run(repo, named)
        result.stdout.fnmatch_lines(
            [f"* contract test* left out, because contract tests run with --contracts: pytest --contracts *{named}"]
        )

    def test_a_run_of_other_tests_says_nothing(self, repo):
        (repo.pytester.path / "test_other.py").write_text("def test_other():\n    pass\n")
        result = self.run(repo)
        result.assert_outcomes(passed=1)
        result.stdout.no_fnmatch_line("*left out*")
