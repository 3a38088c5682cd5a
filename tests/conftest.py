"""The brokers that tests ask for by name; what they are is decided in tests/brokers."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokers import choice
from brokers.real_kafka import KafkaNode, RealKafkaMissingError
from brokers.real_kafka import kafka_node as run_kafka_node
from brokers.real_rabbitmq import RabbitMQ, RabbitMQMissingError, RabbitMQOfRun
from brokers.real_registry import DESCRIPTION, RealRegistryMissingError, RegistryOfRun
from brokers.registry_proxy import RegistryProxy, registry_proxy

from contract_test.files.proof_cache import FOLDER as PROOFS_FOLDER
from contract_test.transports.embedded import Server, kafka_broker

pytest_plugins = ["pytester"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "soak" not in config.getoption("markexpr"):
        items[:] = [item for item in items if item.get_closest_marker("soak") is None]


Record = Callable[[str, object], None]

REGISTRY = pytest.StashKey[RegistryOfRun]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the registry while other tests run: it takes half a minute."""
    if not session.config.option.collectonly and any(
        "registry" in getattr(each, "fixturenames", ()) for each in session.items
    ):
        _registry_of(session.config)


def _registry_of(config: pytest.Config) -> RegistryOfRun:
    if REGISTRY not in config.stash:
        config.stash[REGISTRY] = RegistryOfRun(_folder_of_run(config._tmp_path_factory) / "registry")  # type: ignore[attr-defined] # what tmp_path_factory is
    return config.stash[REGISTRY]


def _folder_of_run(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of a run have in common."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(autouse=True, scope="session")
def no_proofs_of_earlier_runs() -> Iterator[None]:
    """Compare anew in each test, and leave the cache of the user alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PROOFS_FOLDER, "")
        yield


@pytest.fixture(scope="session")
def redis_for_tests() -> Iterator[Server]:
    with choice.redis_for_tests() as server:
        yield server


@pytest.fixture(scope="session")
def embedded_kafka() -> Iterator[Server]:
    with kafka_broker() as server:
        yield server


@pytest.fixture(scope="session")
def real_kafka() -> Iterator[KafkaNode]:
    with run_kafka_node() as node:
        yield node


@pytest.fixture(scope="session")
def rabbitmq_of_run(tmp_path_factory: pytest.TempPathFactory) -> RabbitMQOfRun:
    return RabbitMQOfRun(_folder_of_run(tmp_path_factory) / "rabbitmq")


@pytest.fixture
def rabbitmq(request: pytest.FixtureRequest, record_property: Record) -> RabbitMQ:
    """A real RabbitMQ that runs for all tests; a test uses names that no other has."""
    try:
        node: RabbitMQ = request.getfixturevalue("rabbitmq_of_run").node()
    except RabbitMQMissingError as error:
        pytest.skip(choice.do_without("RabbitMQ", str(error), record_property))
    record_property(choice.RAN_ON, node.description)
    return node


@pytest.fixture(scope="session")
def given_kafka() -> Server:
    return choice.given_kafka()


@pytest.fixture
def redis_url(redis_for_tests: Server, record_property: Record) -> str:
    """An empty Redis database."""
    from redis import Redis

    record_property(choice.RAN_ON, redis_for_tests.description)
    with Redis.from_url(redis_for_tests.address) as client:
        client.flushdb()
    return redis_for_tests.address


@pytest.fixture
def kafka(request: pytest.FixtureRequest, record_property: Record) -> str:
    """A bootstrap server; the test runs once on each Kafka: `embedded` and `real`, or the `given` one."""
    try:
        server: Server | KafkaNode = request.getfixturevalue(f"{request.param}_kafka")
    except RealKafkaMissingError as error:
        advice = f"{error}, or set {choice.KAFKA}"
        pytest.skip(choice.do_without("a real Kafka", advice, record_property))
    record_property(choice.RAN_ON, server.description)
    return server.address


@pytest.fixture
def kafka_node(kafka: str, request: pytest.FixtureRequest) -> Iterator[KafkaNode]:
    """The real node itself, for a test marked `needs_real_kafka` that stops it; it runs again afterwards."""
    if request.node.callspec.params["kafka"] != "real":
        pytest.skip(f"a Kafka of ours is needed to stop it: unset {choice.KAFKA}")
    node: KafkaNode = request.getfixturevalue("real_kafka")
    yield node
    node.start()


@pytest.fixture
def registry(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, record_property: Record
) -> Iterator[RegistryProxy]:
    """A real registry without subjects, behind a proxy that counts.

    Apicurio looks for references only outside of groups: one test is marked `registry_without_group`.
    """
    try:
        target = _registry_of(pytestconfig).url()
    except RealRegistryMissingError as error:
        pytest.skip(choice.do_without("a real schema registry", str(error), record_property))
    record_property(choice.RAN_ON, DESCRIPTION)
    is_shared = request.node.get_closest_marker("registry_without_group") is not None
    with registry_proxy(target, "" if is_shared else f"test-{uuid.uuid4().hex[:10]}") as proxy:
        yield proxy


@pytest.fixture
def topic() -> str:
    """A topic that no other test uses."""
    return f"test-{uuid.uuid4().hex[:10]}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kafka" in metafunc.fixturenames:
        needs_real = metafunc.definition.get_closest_marker("needs_real_kafka") is not None
        metafunc.parametrize("kafka", choice.kafka_kinds(needs_real=needs_real), indirect=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for found in terminalreporter.stats.values() for report in found]
    if lines := choice.summary(report for report in reports if isinstance(report, pytest.TestReport)):
        terminalreporter.section("brokers")
        for line in lines:
            terminalreporter.line(line, red=line.startswith("!!"), bold=line.startswith("!!"))
