"""Hooks and markers of a repository may change what pytest sees of a contract test: a failure stays one."""

import pytest

from .conftest import TEST_FILE
from .test_false_greens import red

FAILING = TEST_FILE.replace("    assert handle(message)", "    raise LookupError(message.order_id)")
CHANGED_REPORT = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome, report.longrepr = "passed", None
    return report
"""
CHANGED_EXIT_CODE = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    session.exitstatus = 0
"""


@pytest.mark.parametrize("hook", [CHANGED_REPORT, CHANGED_EXIT_CODE])
def test_a_failure_that_a_hook_hides(repo, hook):
    repo.tests(FAILING)
    (repo.pytester.path / "conftest.py").write_text(hook)
    red(repo.run(), "order.placed v1 consumes: 1 of 3 messages, handler-failed")


@pytest.mark.parametrize(
    "marker", ["@pytest.mark.skip(reason='not yet')", "@pytest.mark.skipif(True, reason='not yet')"]
)
@pytest.mark.parametrize("options", [(), ("--contracts-mutate",)])
def test_a_consumer_that_a_marker_skips(repo, marker, options):
    repo.change("@pytest.mark.consumes", f"{marker}\n@pytest.mark.consumes")
    result = repo.run(*options)
    red(result, "consumes order.placed: every test was skipped")
    result.assert_outcomes(passed=3, skipped=3)
