"""The pytest plugin: `pytest --contracts` replays recorded messages against this service's consumers and producers.

Hooks, options and fixtures only; the engine is imported where it is first needed.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Generator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contract_test.pytest_plugin.session import ContractSession
    from contract_test.replay.cases import Case

_SESSION = pytest.StashKey["ContractSession"]()
_EMITTED = pytest.StashKey[list[Any]]()
_LEFT_OUT = pytest.StashKey[tuple[int, bool]]()
"""How many contract tests an ordinary run left out, and whether it has other tests."""
_NEEDED = ("hypothesis", "jinja2", "jsonschema", "referencing")  # the extra `replay`
MAX_GENERATED_MESSAGES = 100_000  # messages to generate


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("contracts", "contract tests")
    group.addoption(
        "--contracts", action="store_true", help="replay recorded messages against this service's operations"
    )
    group.addoption(
        "--no-contracts", action="store_true", help="run no contract tests, although the settings of pytest say so"
    )
    group.addoption("--contracts-dir", metavar="DIR", help="the contracts directory (default: the installed package's)")
    group.addoption(
        "--contracts-service",
        metavar="NAME",
        help="the service to test, in a repository that has several (default: the one in the settings)",
    )
    group.addoption(
        "--contracts-only-recorded",
        action="store_true",
        help="replay what was recorded: no variations, nothing generated",
    )
    group.addoption(
        "--contracts-generated",
        type=_count,
        default=20,
        metavar="N",
        help="how many messages to generate for each contract that is consumed (default: 20)",
    )
    group.addoption(
        "--contracts-bulk",
        action="store_true",
        help="one item for all recorded messages of a contract, with fixtures set up once: for very many messages",
    )
    group.addoption(
        "--contracts-mutate",
        action="store_true",
        help="break what the service reads of each recorded message, and see whether its tests notice",
    )
    group.addoption(
        "--contracts-min-strength",
        type=_percent,
        metavar="PERCENT",
        help="with --contracts-mutate: fail where the tests of an operation notice less",
    )
    group.addoption(
        "--contracts-min-coverage",
        type=_percent,
        metavar="PERCENT",
        help="fail where less of what a consumed contract allows was replayed, recorded or varied",
    )
    group.addoption(
        "--contracts-readers",
        metavar="DIR",
        help="where to write which fields this service reads (default: .contract-test/readers beside pyproject.toml)",
    )
    group.addoption(
        "--contracts-max-age",
        metavar="AGE",
        default="180d",
        help="say which recordings' newest message was sent longer ago (default: 180d)",
    )
    group.addoption(
        "--contracts-strict",
        action="store_true",
        help="fail if only a part of the contract tests ran, or an error of the service did not reach its test",
    )
    group.addoption(
        "--contracts-partial",
        action="store_true",
        help="this run is one share of a whole; `contract-test merge-results` joins the results of all shares",
    )
    group.addoption(
        "--contracts-results",
        metavar="FILE",
        help="where to write the results of this share (default: .contract-test/results.json beside pyproject.toml)",
    )
    group.addoption(
        "--contracts-report",
        metavar="FILE",
        action="append",
        default=[],
        help="write a report of the contract tests, to NAME.html or NAME.json; may be given for both",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the markers and, with `--contracts`, start the session."""
    config.addinivalue_line("markers", "contract: every test that replays recorded messages")
    config.addinivalue_line("markers", "consumes(subject): gets each recorded message of a subject as `message`")
    config.addinivalue_line(
        "markers", "produces(subject, caused_by=None): has to emit each recorded message again, through `emits`"
    )
    config.addinivalue_line(
        "markers", "contract_pending(reason, until): accepts the failures of a contract test up to a day: 2027-03-31"
    )
    config.addinivalue_line(
        "markers", "contract_errors_expected: the service logs errors, or raises them in threads, in this contract test"
    )
    if config.getoption("--no-contracts"):
        return
    if config.getoption("--contracts"):
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            raise pytest.UsageError(
                f"--contracts needs {' and '.join(missing)}: install the extra contract-test[replay]"
            )
        from contract_test.pytest_plugin.session import ContractSession

        config.stash[_SESSION] = session = ContractSession(config)
        config.pluginmanager.register(_Counter(session), "contract-test-counter")
        return
    for given in config.invocation_params.args:  # what a project sets for all its runs may stand there unused
        if given.startswith("--contracts-"):
            raise pytest.UsageError(f"{given.partition('=')[0]} is about contract tests; give --contracts too")


class _Counter:
    """Counts outcomes where all reports come together; with xdist that is the controlling process."""

    def __init__(self, session: ContractSession) -> None:
        self._session = session
        self.pytest_runtest_logreport = session.count
        self.pytest_collectreport = session.collecting

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, request: pytest.FixtureRequest) -> Generator[None, object, object]:
        """Look whether a fixture calls the service with what was recorded."""
        with self._session.looking(request.node):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Look last at the exit code, which other hooks may have changed."""
        result = yield
        self._session.keep_red(session)
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist which service's settings were found."""
        self._session.own_tests.send(node)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of xdist saw."""
        self._session.received(getattr(node, "workeroutput", {}))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item for each recorded message."""
    session = metafunc.config.stash.get(_SESSION, None)
    if session is not None:
        session.parametrize(metafunc)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave contract tests out of an ordinary run; mark them in this one."""
    session = config.stash.get(_SESSION, None)
    if session is None:  # an ordinary run: contract tests are neither failures nor skips
        others = [item for item in items if not _is_contract_test(item)]
        config.stash[_LEFT_OUT] = len(items) - len(others), bool(others)
        items[:] = others
    else:
        session.collected(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """See what will run."""
    contracts = session.config.stash.get(_SESSION, None)
    if contracts is not None:
        contracts.selected(session)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run an item whose message may still be chosen more than once."""
    session = item.config.stash.get(_SESSION, None)
    return None if session is None else session.protocol(item, nextitem)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Give a test its messages; check what a producer's test emitted."""
    session = pyfuncitem.config.stash.get(_SESSION, None)
    if session is None:
        return (yield)
    with session.calling(pyfuncitem, pyfuncitem.stash.get(_EMITTED, [])):
        result = yield
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Yield lines that say what a failure means."""
    report = yield
    session = item.config.stash.get(_SESSION, None)
    if session is not None:
        session.explain(item, call, report)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that proved nothing."""
    contracts = session.config.stash.get(_SESSION, None)
    if contracts is not None:
        contracts.finish(session)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the summary."""
    session = terminalreporter.config.stash.get(_SESSION, None)
    if session is not None:
        session.summarize(terminalreporter)
    elif terminalreporter.config.stash.get(_LEFT_OUT, (0, False))[0]:
        from contract_test.pytest_plugin.narrowing import advice_without_contracts

        advice = advice_without_contracts(terminalreporter.config, *terminalreporter.config.stash[_LEFT_OUT])
        if advice:
            terminalreporter.write_line(advice, yellow=True)


@pytest.fixture
def contract_case(request: pytest.FixtureRequest) -> Case:
    """The recorded message behind this item, with all that is known of it."""
    case = getattr(request, "param", None)
    _session(request).begin(request.node)
    if case is None:
        pytest.fail(
            "only a test marked `consumes(subject)` or `produces(subject)` gets recorded messages", pytrace=False
        )
    if isinstance(case, Exception):
        pytest.fail(str(case), pytrace=False)
    return case  # type: ignore[no-any-return] # a Case: `parametrize` put it there


@pytest.fixture
def message(request: pytest.FixtureRequest, contract_case: Case) -> Any:
    """The value object of the recorded message."""
    return _session(request).consumed(request, contract_case).data


@pytest.fixture
def messages(request: pytest.FixtureRequest, contract_case: Case) -> list[Any]:
    """The value object of the recorded message, and as many more as the marker's `batch` asks for."""
    first = _session(request).consumed(request, contract_case).data
    return [first, *(each.envelope.data for each in contract_case.batch)]


@pytest.fixture
def envelope(request: pytest.FixtureRequest, contract_case: Case) -> Any:
    """The envelope of the recorded message."""
    return _session(request).consumed(request, contract_case)


@pytest.fixture
def recorded(request: pytest.FixtureRequest, contract_case: Case) -> Any:
    """The value object that a producer at the edge has to emit again."""
    _session(request).producing("recorded", contract_case)
    return _session(request).recorded(request.node, contract_case)


@pytest.fixture
def cause(request: pytest.FixtureRequest, contract_case: Case) -> Any:
    """The value object of the message that caused the recorded one."""
    return _session(request).cause(request.node, contract_case)


@pytest.fixture
def causes(request: pytest.FixtureRequest, contract_case: Case) -> list[Any]:
    """The value objects of all messages that caused the recorded one."""
    return _session(request).causes(request.node, contract_case)


@pytest.fixture
def emits(request: pytest.FixtureRequest, contract_case: Case) -> Callable[..., None]:
    """Takes every message that the producer emits: a value object, an envelope, or the channel's bytes or text.

    `channel` is where it is sent, by name or address; `key` and `headers` are what a client takes.
    """
    _session(request).producing("emits", contract_case)
    emitted: list[Any] = []
    request.node.stash[_EMITTED] = emitted

    def emit(message: Any, **sent: Any) -> None:
        from contract_test.replay.emitted import sent_with

        emitted.append(sent_with(message, **sent))

    return emit


@pytest.fixture
def acknowledge(request: pytest.FixtureRequest, contract_case: Case) -> Callable[[], None]:
    """Where the service acknowledges: a crash is tried there, if the channel declares its delivery."""
    del contract_case  # it has to be a contract test
    from contract_test.pytest_plugin.redelivery import acknowledges

    return acknowledges(request.node)


def _session(request: pytest.FixtureRequest) -> ContractSession:
    return request.config.stash[_SESSION]


def _is_contract_test(item: pytest.Item) -> bool:
    return item.get_closest_marker("consumes") is not None or item.get_closest_marker("produces") is not None


def _percent(text: str) -> float:
    return _number(text, float, 100, "a percentage from 0 to 100")


def _count(text: str) -> int:
    return int(_number(text, int, MAX_GENERATED_MESSAGES, f"a whole number from 0 to {MAX_GENERATED_MESSAGES:,}"))


def _number(text: str, read: Callable[[str], float], most: int, wanted: str) -> float:
    """Read an option's value. Raises ArgumentTypeError, which pytest tells as a usage error."""
    try:
        number = read(text)
    except ValueError:
        number = -1
    if not 0 <= number <= most:  # nan is neither
        raise ArgumentTypeError(f"{text!r} is not {wanted}")
    return number
