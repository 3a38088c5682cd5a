"""One RabbitMQ node of the tests' own: an unprivileged process on loopback ports, with its data in a temporary folder.

It is started once for a run, and shared by its workers. This module is also the program that runs it, see `shared`.
"""

import contextlib
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from brokers.certificates import certificates
from brokers.shared import ServerOfRun, is_unused, tell
from contract_test.data.errors import ContractTestError
from contract_test.transports.processes import Child, ChildFailedError, free_port, running

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
USERS = {"guest": "guest", "recorder": "s3cr3t/pa@ss", "stranger": "stranger"}

SETTINGS = """\
listeners.tcp.1 = 127.0.0.1:{port}
listeners.ssl.1 = 127.0.0.1:{tls}
ssl_options.certfile = {certificate}
ssl_options.keyfile = {certificate}
ssl_options.verify = verify_none
load_definitions = {definitions}
log.console = false
"""
DEFINITIONS = """\
{"vhosts": [{"name": "/"}, {"name": "orders"}],
 "users": [{"name": "guest", "password": "guest", "tags": "administrator"},
           {"name": "recorder", "password": "s3cr3t/pa@ss", "tags": ""},
           {"name": "stranger", "password": "stranger", "tags": ""}],
 "permissions": [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
                 {"user": "guest", "vhost": "orders", "configure": ".*", "write": ".*", "read": ".*"},
                 {"user": "recorder", "vhost": "/", "configure": "^amq\\\\.gen", "write": "^amq\\\\.gen",
                  "read": "^(amq\\\\.gen.*|shop.*)$"},
                 {"user": "stranger", "vhost": "/", "configure": "^amq\\\\.gen", "write": "^amq\\\\.gen",
                  "read": "^amq\\\\.gen"}]}
"""


class RabbitMQMissingError(ContractTestError):
    """The server is not installed here."""


@dataclass(frozen=True)
class RabbitMQ:
    """A running node. `guest` may do all, `recorder` only what recording from `shop…` needs, `stranger` less."""

    address: str
    tls_address: str
    authority: Path
    description: str

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{self.address}"


class RabbitMQOfRun:
    """The node that all workers of one run share, by a folder of theirs."""

    def __init__(self, folder: Path) -> None:
        self._server = ServerOfRun(__file__, folder)

    def node(self) -> RabbitMQ:
        """Wait until it answers, and return it. Raises RabbitMQMissingError."""
        state = self._server.state()
        if "missing" in state:
            raise RabbitMQMissingError(state["missing"])
        return RabbitMQ(**{**state, "authority": Path(state["authority"])})


def _run(folder: Path) -> None:
    """Start it, say where, and end it when no worker uses it any more."""
    try:
        with rabbitmq_node() as node:
            tell(folder, {name: str(value) for name, value in asdict(node).items()})
            while not is_unused(folder):
                time.sleep(0.2)
    except RabbitMQMissingError as error:
        tell(folder, {"missing": str(error)})
    except ChildFailedError as error:
        tell(folder, {"failed": str(error)})
        raise


@contextlib.contextmanager
def rabbitmq_node() -> Iterator[RabbitMQ]:
    """Run a fresh node; it ends, and its data goes, with the block. Raises RabbitMQMissingError."""
    epmd = shutil.which("epmd")
    if not SERVER.exists() or epmd is None:
        raise RabbitMQMissingError("no RabbitMQ: install one (Debian: apt-get install rabbitmq-server)")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contract-test-rabbitmq-")))
        port, tls, distribution, names = (free_port() for _ in range(4))
        made = certificates(folder)
        definitions = folder / "definitions.json"
        definitions.write_text(DEFINITIONS, encoding="utf-8")
        (folder / "plugins").write_text("[].\n", encoding="utf-8")
        settings = SETTINGS.format(port=port, tls=tls, certificate=made.both, definitions=definitions)
        (folder / "rabbitmq.conf").write_text(settings, encoding="utf-8")
        environment = {
            **os.environ,
            "HOME": str(folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(names),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_NODENAME": f"test{port}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
            "RUNNING_UNDER_SYSTEMD": "true",  # the script then becomes the server, which gets our signals
        }

        def answers(_child: Child, at: int = port) -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", at), 1):
                return True
            return False

        stack.enter_context(
            running([epmd], ready=lambda each: answers(each, names), seconds_to_start=60, environment=environment)
        )
        stack.enter_context(
            running([SERVER], ready=answers, seconds_to_start=120, seconds_to_stop=60, environment=environment)
        )
        yield RabbitMQ(f"127.0.0.1:{port}", f"127.0.0.1:{tls}", made.authority, f"RabbitMQ {_version()}")


def _version() -> str:
    return ", ".join(each.name.partition("-")[2] for each in SERVER.parents[1].glob("lib/rabbitmq_server-*"))


@contextlib.contextmanager
def admin(node: RabbitMQ) -> Iterator[Any]:
    """Give a channel of `guest` whose publications are confirmed."""
    import pika

    with pika.BlockingConnection(pika.URLParameters(node.url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel


Message = tuple[str, bytes, dict[str, Any]]


@contextlib.contextmanager
def published_once_bound(node: RabbitMQ, exchange: str, probe: str, messages: Sequence[Message]) -> Iterator[None]:
    """Publish messages (routing key, body, properties) from a thread once somebody gets what has the key `probe`.

    The first message that the reader gets is the probe, which is the first of the messages under another key.
    """

    from pika.exceptions import UnroutableError

    def publish() -> None:
        with admin(node) as channel:
            while not ended.is_set():
                try:
                    channel.basic_publish(exchange, probe, messages[0][1], _properties(messages[0]), mandatory=True)
                    break
                except UnroutableError:
                    ended.wait(0.05)
            for message in messages:
                channel.basic_publish(exchange, message[0], message[1], _properties(message))

    ended = threading.Event()
    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _properties(message: Message) -> Any:
    import pika

    return pika.BasicProperties(**message[2])


if __name__ == "__main__":
    _run(Path(sys.argv[1]))
