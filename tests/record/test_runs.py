"""Runs of `contract-test record` from their start to their end: by themselves, by Ctrl-C, by SIGKILL."""

import json
import os
import pty
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from record.runs import COMMAND, QUEUE, at_topic, copy_of_contracts, finish, job, like, lines, run, start
from redis import Redis

from contract_test.data.reading import Reading
from contract_test.files.catalog import load_catalog
from contract_test.files.quarantine import Quarantine
from contract_test.files.recordings import line_of, read_recording
from contract_test.files.state import State
from contract_test.record.recorder import Recorder
from contract_test.transports.taps import tap


@pytest.fixture
def contracts(tmp_path):
    return copy_of_contracts(tmp_path)


def shaped(number: int) -> str:
    """One of some dozen shapes of a job."""
    changes: dict[str, object] = {"kind": ("push", "sms")[number % 2]}
    if number % 3 == 0:
        changes["priority"] = ("high", "normal")[number // 3 % 2]
    if number % 5 == 0:
        changes["recipient"] = {"person_id": f"p-{number:06d}", "phone": "+34600000000"}
    return job(number, **changes)


def produce(address: str, topic: str, *messages: str) -> None:
    producer = Producer({"bootstrap.servers": address, "log_level": 0})
    for message in messages:
        producer.produce(topic, message, key="m-7f3a9c")
    assert producer.flush(30) == 0


def test_ctrl_c_ends_a_run_well(contracts, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, *[shaped(number) for number in range(50)])
        recorder = start("record", redis_url, "--channel", "transport", "--contracts", contracts, "--follow")
        state = contracts / "delivery.requested" / "recordings" / "v1.jsonl"
        while not state.exists():
            assert recorder.poll() is None, finish(recorder)
            time.sleep(0.02)
        recorder.send_signal(signal.SIGINT)
        code, said = finish(recorder)
    assert code == 0, said
    assert "50 read" in said
    assert "Traceback" not in said
    assert lines(contracts, "delivery.requested", 1)


def test_a_second_recorder_of_one_channel_is_kept_out(contracts, redis_url):
    with State(contracts, "transport").locked():
        code, said = run("record", redis_url, "--channel", "transport", "--contracts", contracts)
    assert code == 3
    assert "another recorder of this channel runs" in said


def test_a_recorder_that_is_killed_again_and_again_leaves_whole_files_without_doubles_and_loses_nothing(
    contracts, tmp_path, redis_url
):
    with Redis.from_url(redis_url) as redis:
        for number in range(200):
            redis.rpush(QUEUE, shaped(number) if number % 10 else f"broken {number % 70}")

    def record(root: Path) -> None:
        catalog = load_catalog(root)
        channel = catalog.channels["transport"]
        state = State(root, channel.name)
        with state.locked():
            recorder = Recorder(catalog, channel, b"key", 3, Quarantine(state.quarantine, channel.name))
            for number, message in enumerate(tap(redis_url, channel, Reading(rate=1_000_000))):
                if message is not None:
                    recorder.take(message)
                if number % 20 == 0:
                    recorder.write()
            recorder.write()

    def kept(root: Path) -> tuple[list[bytes], list[dict]]:
        contract = load_catalog(root).subjects["delivery.requested"].contracts[1]
        folder = root / ".recorder"
        apart = (folder / "transport.quarantine.jsonl").read_text().splitlines() if folder.exists() else []
        return (
            [line_of(each) for each in read_recording(contract)],
            [json.loads(line) for line in apart],
        )

    calm = copy_of_contracts(tmp_path / "calm")
    started = time.monotonic()
    record(calm)
    once = time.monotonic() - started
    chance = random.Random(5)
    killed = 0
    while killed < 25:
        child = os.fork()
        if child == 0:
            try:
                record(contracts)
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0, once))
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        recordings = contracts / "delivery.requested" / "recordings"
        if recordings.exists():
            found, _ = kept(contracts)
            assert len(set(found)) == len(found)
            assert [path.name for path in recordings.iterdir()] in ([], ["v1.jsonl"]), (
                "nothing half made in sight of git"
            )
    record(contracts)
    assert kept(contracts) == kept(calm)


@pytest.mark.needs_real_kafka
def test_a_recorder_of_a_topic_that_is_killed_goes_on_from_its_marks(contracts, kafka, topic):
    at_topic(contracts, topic)
    produce(
        kafka, topic, *[like(number, liker={"person_id": f"p-{number:06d}", "name": "x"}) for number in range(5000)]
    )
    url = f"kafka://{kafka}"
    marks = contracts / ".recorder" / "activity.marks.json"
    recorder = start("record", url, "--channel", "activity", "--contracts", contracts)
    while not marks.exists():
        assert recorder.poll() is None, finish(recorder)
        time.sleep(0.005)
    recorder.kill()
    finish(recorder)
    code, said = run("record", url, "--channel", "activity", "--contracts", contracts)
    assert code == 0, said
    assert len(lines(contracts, "message.liked", 1)) == 3
    assert topic not in marks.read_text()
    assert kafka not in marks.read_text()
    code, said = run("record", url, "--channel", "activity", "--contracts", contracts)
    assert (code, "0 read" in said) == (0, True), "nothing new since"
    produce(kafka, topic, like(9000), "not json")
    code, said = run("record", url, "--channel", "activity", "--contracts", contracts)
    assert (code, "2 read" in said) == (1, True), said


@pytest.mark.needs_real_kafka
def test_groups_offsets_and_generations_of_a_topic_stay_as_they_were(contracts, kafka, topic):
    at_topic(contracts, topic)
    produce(kafka, topic, *[like(number) for number in range(100)])
    settings = {"bootstrap.servers": kafka, "group.id": f"feed-{topic}", "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    consumer.subscribe([topic])
    taken = []
    while len(taken) < 10:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            taken.append(message)
    consumer.commit(asynchronous=False)
    admin = AdminClient({"bootstrap.servers": kafka})

    def picture() -> object:
        groups = admin.list_consumer_groups().result(20).valid
        mine = settings["group.id"]
        group = admin.describe_consumer_groups([mine])[mine].result(20)
        asked = ConsumerGroupTopicPartitions(mine, [TopicPartition(topic, number) for number in range(4)])
        offsets = admin.list_consumer_group_offsets([asked])[mine].result(20)
        return (
            sorted(each.group_id for each in groups),
            str(group.state),
            sorted((each.member_id, str(each.assignment.topic_partitions)) for each in group.members),
            [(each.partition, each.offset) for each in offsets.topic_partitions],
            sorted(admin.list_topics(timeout=20).topics),
        )

    before, generation = picture(), consumer.consumer_group_metadata()
    for command in ("record", "verify"):
        code, said = run(command, f"kafka://{kafka}", "--channel", "activity", "--contracts", contracts)
        assert code == 0, said
        assert "100 " in said
    consumer.poll(0)
    assert picture() == before
    assert consumer.consumer_group_metadata() == generation, "no rebalance"
    consumer.close()


def test_a_queue_stays_as_it_was_under_a_user_who_may_only_read_it(contracts, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, *[shaped(number) for number in range(1200)])
        redis.expire(QUEUE, 5000)
        redis.set("other", "x")
        redis.execute_command("ACL", "SETUSER", "recorder", "on", ">hunter2", f"~{QUEUE}", "+lrange")

        def picture() -> object:
            digest = redis.execute_command("DEBUG", "DIGEST") if debug else None
            return redis.dump(QUEUE), redis.ttl(QUEUE) > 4000, sorted(redis.keys()), digest

        try:
            redis.execute_command("DEBUG", "DIGEST")
            debug = True
        except Exception:  # noqa: BLE001 - not every server lets us
            debug = False
        try:
            before = picture()
            url = redis_url.replace("redis://", "redis://recorder:hunter2@")
            code, said = run("record", url, "--channel", "transport", "--contracts", contracts)
            assert (code, "1200 read" in said) == (0, True), said
            assert "hunter2" not in said
            assert picture() == before
        finally:
            redis.execute_command("ACL", "DELUSER", "recorder")


@pytest.mark.parametrize("command", ["record", "verify", "infer"])
@pytest.mark.parametrize(
    "url",
    [
        "redis://anna:hunter2@127.0.0.1:1/0",
        "redis://anna:hunt/er2@127.0.0.1:1/0",
        "rediss://:hunter2@127.0.0.1:1?ssl_ca_certs=/nowhere",
        "redis://127.0.0.1:1?password=hunter2&bogus=hunter2",
        "kafka://anna:hunter2@127.0.0.1:1",
        "kafka://127.0.0.1:1?sasl.username=anna&sasl.password=hunter2",
        "kafka://127.0.0.1:1?hunter2=hunter2",
        "amqp://anna:hunter2@127.0.0.1",
    ],
)
def test_no_credential_is_echoed(contracts, command, url):
    channel = "activity" if url.startswith("kafka") else "transport"
    more = ["--subject", "delivery.requested"] if command == "infer" else []
    code, said = run(command, url, "--channel", channel, "--contracts", contracts, *more)
    assert code in (2, 3), said
    assert "error:" in said
    for secret in ("hunter2", "er2@", "anna"):
        assert secret not in said


def test_an_option_that_kafkas_client_does_not_take_is_said_without_asking_a_server(contracts):
    url = "kafka://anna:hunter2@127.0.0.1:9?security.protocol=FOO"
    code, said = run("verify", url, "--channel", "activity", "--contracts", contracts)
    assert code == 2, said
    assert 'Invalid value "FOO" for configuration property "security.protocol"' in said
    assert "did not answer" not in said
    assert "hunter2" not in said


@pytest.mark.needs_real_kafka
@pytest.mark.parametrize("more", [[], ["--group", "audit"]])
def test_credentials_that_kafka_does_not_take_are_not_echoed(contracts, kafka, tmp_path, more):
    url = f"kafka://anna:hunter2@{kafka}?security.protocol=SASL_PLAINTEXT"
    more = [*more, "--results", tmp_path] if more else []
    code, said = run("verify", url, "--channel", "activity", "--contracts", contracts, *more)
    assert code == 3, said
    assert "hunter2" not in said
    assert "anna" not in said


def test_numbers_are_kept_as_they_were_written(contracts, tmp_path):
    number = {"type": "number", "x-sensitivity": "public"}
    schema = {"type": "object", "required": ["n"], "properties": {"n": number, "m": number}}
    (contracts / "reading.taken").mkdir()
    (contracts / "reading.taken" / "v1.json").write_text(json.dumps(schema))
    (contracts / "catalog.toml").write_text(
        (contracts / "catalog.toml").read_text()
        + '\n[channels.r]\nprotocol = "redis-list"\naddress = "r"\ncodec = "json"\n[subjects."reading.taken"]\nchannel = "r"\n'
    )
    path = tmp_path / "readings.jsonl"
    texts = ['{"n":1e5}', '{"m":1.50,"n":1}', '{"m":-0.0,"n":123456789012345678901234567890.5}']
    path.write_text("\n".join(texts))
    options = ["record", path, "--channel", "r", "--contracts", contracts]
    code, said = run(*options)
    assert code == 0, said
    recording = contracts / "reading.taken" / "recordings" / "v1.jsonl"
    first = recording.read_bytes()
    for text in texts:
        assert f'"payload":{text}'.encode() in first
    path.write_text("\n".join([*texts, '{"m":7,"n":1E400}']))
    assert run(*options)[0] == 0
    assert recording.read_bytes().startswith(first), "what stood there is as it was"


@pytest.mark.parametrize(
    ("bounds", "read"),
    [(["--limit", "7"], "7 read"), (["--max-bytes", "300"], "2 read"), (["--duration", "3s", "--follow"], "50 read")],
)
def test_a_run_ends_where_it_is_told(contracts, redis_url, bounds, read):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, *[shaped(number) for number in range(50)])
        code, said = run("record", redis_url, "--channel", "transport", "--contracts", contracts, *bounds)
    assert (code, read in said) == (0, True), said


@pytest.mark.parametrize("source", ["list", "file"])
@pytest.mark.parametrize("command", ["record", "verify"])
def test_a_list_and_a_file_are_read_from_a_time_on_by_what_messages_say(
    contracts, redis_url, tmp_path, source, command
):
    hours = ["2026-03-01T09:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01T14:30:00+02:00", "2026-03-01T15:00:00Z"]
    messages = [job(number, enqueued_at=hour) for number, hour in enumerate(hours)]

    def said_of(*messages: str) -> tuple[int, str]:
        path = tmp_path / "jobs.jsonl"
        path.write_text("\n".join(messages))
        with Redis.from_url(redis_url) as redis:
            redis.delete(QUEUE)
            redis.rpush(QUEUE, *messages)
        url = redis_url if source == "list" else path
        since = ["--since", "2026-03-01T12:30:00Z"]
        return run(command, url, "--channel", "transport", "--contracts", contracts, *since)

    code, said = said_of(*messages)
    assert code == 0, said
    assert ("2 read" in said) or ("2 messages verified" in said), said
    code, said = said_of(*messages, "not json")
    assert (code, "1 drifted" in said) == (1, True), "what cannot be read may be of any time"
    code, said = said_of(messages[0])
    assert (code, "no message since 2026-03-01 12:30:00+00:00" in said) == (2, True), said
    catalog = contracts / "catalog.toml"
    catalog.write_text("\n".join(line for line in catalog.read_text().splitlines() if not line.startswith("time ")))
    code, said = said_of(*messages)
    assert (code, "does the message say" in said or "says when it was sent" in said) == (2, True), said


def test_a_channel_that_no_contract_describes_is_kept_apart_scrubbed(tmp_path, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush("jobs", *[json.dumps({"who": "Bo Bergström", "n": number}) for number in range(4)])
        redis.xadd("events", {"data": '{"who": "Bo Bergström"}'})
        root = tmp_path / "contracts"
        root.mkdir()
        for key in ("jobs", "events"):
            code, said = run("record", redis_url, "--key", key, "--codec", "json", "--contracts", root)
            assert code == 1, said
            assert f"quarantined, scrubbed: {'4 messages' if key == 'jobs' else '1 message'} in" in said
            apart = (root / ".recorder" / f"{key}.quarantine.jsonl").read_text()
            assert "Bergstr" not in apart
            assert "no subject" in apart
            code, said = run("show", root / ".recorder" / f"{key}.quarantine.jsonl")
            assert (code, "quarantined" in said) == (2, True), said
    assert (root / ".recorder" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--since=999999d", "is not a time"),
        ("--since=0001-01-01", "is not a time"),
        ("--since=1969-12-31T00:00Z", "lies before 1970"),
        ("--duration=0s", "in no time nothing is read"),
        ("--max-bytes=0k", "is not a size"),
        ("--rate=-1", "x>=1"),
        ("--limit=0", "x>=1"),
        ("--per-shape=0", "x>=1"),
        ("--max-age=-3d", "is not a time such as"),
    ],
)
def test_a_bound_that_cannot_be_is_a_usage_error(contracts, tmp_path, option, said):
    (tmp_path / "lines").write_text("{}\n")
    code, told = run("record", tmp_path / "lines", "--channel", "transport", "--contracts", contracts, option)
    assert (code, said in told) == (2, True), told


def test_stdin_is_a_source(contracts):
    done = subprocess.run(
        [*COMMAND, "verify", "-", "--channel", "activity",
         "--contracts", str(contracts)],
        input="\n".join(like(number) for number in range(9)), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "channel activity: 9 read, 0 drifted")


def test_a_terminal_shows_a_bar_and_a_pipe_does_not(contracts, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, *[shaped(number) for number in range(2000)])
    options = ["record", redis_url, "--channel", "transport", "--contracts", contracts, "--rate", "1000"]
    code, said = run(*options)
    assert (code, "\x1b" in said, "2000 read" in said) == (0, False, True)
    leader, follower = pty.openpty()
    recorder = subprocess.Popen(
        [*COMMAND, *map(str, options)],
        stdout=subprocess.DEVNULL, stderr=follower, env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )  # fmt: skip
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 10_000)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(leader)
    assert recorder.wait(60) == 0
    assert b"\x1b[" in seen
    assert b"shapes" in seen
    assert b"/s" in seen
