"""Which brokers the tests run on, and what a run says of those that it had to do without."""

import contextlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import pytest

from contract_test.data.errors import ContractTestError
from contract_test.transports import embedded

KAFKA = "CONTRACT_TEST_KAFKA"

RAN_ON = "ran on"
LACKING = "lacking"


def kafka_kinds(*, needs_real: bool) -> list[str]:
    """Name the brokers that a test runs on: the one that was given, else both of ours."""
    if os.environ.get(KAFKA):
        return ["given"]
    return ["real"] if needs_real else ["embedded", "real"]


def given_kafka() -> embedded.Server:
    return embedded.Server(os.environ[KAFKA], f"the Kafka that {KAFKA} names")


@contextlib.contextmanager
def redis_for_tests() -> Iterator[embedded.Server]:
    """Run a Redis, or take the one that was given: its database is emptied before each test."""
    if not (url := os.environ.get(embedded.REDIS_URL)):
        with embedded.redis_server() as server:
            yield server
        return
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.fail(f"{embedded.REDIS_URL} names one database, which workers would empty for each other: leave out -n.")
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(embedded.given_redis(url))
        except ContractTestError as error:
            pytest.fail(str(error))
        yield server


def do_without(what: str, advice: str, record: Callable[[str, object], None]) -> str:
    """Have the summary say what did not run and what to install; in CI, fail."""
    lacking = f"NOT RUN on {what}: {advice}"
    record(LACKING, lacking)
    if in_ci():
        pytest.fail(lacking, pytrace=False)
    return lacking


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def summary(reports: Iterable[pytest.TestReport]) -> list[str]:
    """Count the tests on each broker; what was lacking comes last, where it is seen."""
    tests: dict[tuple[str, str], set[str]] = defaultdict(set)
    for report in reports:
        for name, value in report.user_properties:
            if name in {RAN_ON, LACKING}:
                tests[name, str(value)].add(report.nodeid)
    order = sorted(tests, key=lambda line: (line[0] == LACKING, line))
    return [f"{'!! ' if name == LACKING else ''}{value}: {len(tests[name, value])} tests" for name, value in order]
