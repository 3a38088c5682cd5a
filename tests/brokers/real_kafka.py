"""One real Apache Kafka node in KRaft mode, from jars that Maven fetches once."""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from brokers.certificates import certificates
from contract_test.data.errors import ContractTestError
from contract_test.transports.processes import Child, free_port, running

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).parents[2] / ".cache" / "kafka"
VERSION = ET.parse(POM).findtext("{*}properties/{*}kafka.version", "")
OLDEST_JAVA = 17

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},SSL://127.0.0.1:{tls},SASL_PLAINTEXT://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
sasl.enabled.mechanisms=PLAIN,OAUTHBEARER
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_recorder="secret";
listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
log.dirs={directory}/log
num.partitions=4
auto.create.topics.enable=true
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""
# The node lives for seconds: a small heap, no time spent on the second compiler, and only warnings to read.
JVM = ["-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
JVM += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]


class RealKafkaMissingError(ContractTestError):
    """What a real Kafka needs is not installed here."""


class KafkaNode:
    """A node on fixed ports and one data directory: it can stop, and start again with what it held."""

    def __init__(self, java: Path, jars: Path, directory: Path) -> None:
        self._cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        self.directory = directory
        self._settings = directory / "server.properties"
        self._command: list[str | Path] = [
            java,
            *JVM,
            f"-XX:ErrorFile={directory}/jvm.log",
            "-cp",
            f"{jars}/*",
        ]
        self._run = contextlib.ExitStack()
        self._process: Child | None = None
        port, tls, sasl = free_port(), free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        self.tls_address = f"127.0.0.1:{tls}"
        self.sasl_address = f"127.0.0.1:{sasl}"
        """Where the user `recorder` logs in with `secret`, or anybody with an unsigned token that is not yet old.

        Everybody else is a superuser.
        """
        self.certificates = certificates(directory)
        self.description = f"Apache Kafka {VERSION} (Java {java_version(java)})"
        keystore = self.certificates.both
        text = SETTINGS.format(
            port=port, tls=tls, sasl=sasl, controller=free_port(), directory=directory, keystore=keystore
        )
        self._settings.write_text(text, encoding="utf-8")
        self._tool("kafka.tools.StorageTool", "format", "-t", self._cluster, "-c", self._settings)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Return once the node answers clients; one that runs already is left alone."""
        if self.is_running:
            return
        command = [*self._command, "kafka.Kafka", self._settings]
        self._process = self._run.enter_context(
            running(command, ready=self._answers, seconds_to_start=60, seconds_to_stop=30)
        )

    def stop(self) -> None:
        """End the node in order, as for a deployment."""
        self._run.close()

    def kill(self) -> None:
        """End the node at once, as when its machine fails."""
        if self._process is not None and self.is_running:
            os.kill(self._process.pid, signal.SIGKILL)
        self._run.close()

    def _answers(self, _child: Child) -> bool:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        try:
            # Somebody else's node may have taken the port, and answer in place of ours.
            return admin.list_topics(timeout=0.5).cluster_id == self._cluster
        except KafkaException:
            return False

    def _tool(self, *arguments: str | Path) -> None:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def kafka_node() -> Iterator[KafkaNode]:
    """Run a fresh node; it ends, and its data goes, with the block.

    Raises RealKafkaMissingError where Java or Maven is missing.
    """
    java = newest_java()
    jars = fetched_jars(CACHE / VERSION)
    with tempfile.TemporaryDirectory(prefix="contract-test-kafka-") as directory:
        node = KafkaNode(java, jars, Path(directory))
        try:
            node.start()
            yield node
        finally:
            node.kill()


def newest_java() -> Path:
    """Find the newest Java that can run Kafka: in JAVA_HOME, on the PATH, under /usr/lib/jvm."""
    found = [Path(home, "bin", "java") for home in [os.environ.get("JAVA_HOME")] if home]
    found += [Path(program) for program in [shutil.which("java")] if program]
    found += sorted(Path("/usr/lib/jvm").glob("*/bin/java"))
    newest = max(found, key=java_version, default=None)
    if newest is None or java_version(newest) < OLDEST_JAVA:
        raise RealKafkaMissingError(
            f"no Java {OLDEST_JAVA} or newer: install one (Debian: apt-get install default-jre-headless)"
        )
    return newest


def java_version(java: Path) -> int:
    """Return 17 for a Java 17, and 0 for what does not run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.search(r'version "(\d+)', done.stderr)
    return int(version[1]) if version else 0


def fetched_jars(folder: Path) -> Path:
    """Return `folder` with Kafka's jars in it; the first process to ask fetches them, the others wait."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch_jars(folder)
    return folder


def _fetch_jars(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise RealKafkaMissingError("no Maven to fetch it: install one (Debian: apt-get install maven)")
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={partial}"]
    command: list[str | Path] = [maven, "--quiet", "--batch-mode", "--file", POM, *goal]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"Maven could not fetch Kafka {VERSION}:\n{done.stdout}{done.stderr}"
    partial.rename(folder)
