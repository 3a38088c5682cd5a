"""`contract-test verify`: the drift of a channel, by one process or by many."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record.runs import QUEUE, copy_of_contracts, job, like
from redis import Redis

from contract_test.cli.verify import command
from contract_test.data.drift import Breach, Drift
from contract_test.data.errors import ContractTestError
from contract_test.data.share import Share, combine, merged
from contract_test.files.verification_files import read_results, write_results


@pytest.fixture
def contracts(tmp_path):
    return copy_of_contracts(tmp_path)


def verify(*options: object):
    return CliRunner().invoke(command, [str(option) for option in options], standalone_mode=False)


def test_drift_is_told_by_place_with_an_example_and_never_with_a_person(contracts, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, job(), job(), job(kind="Fax: Ana"), job(text=None, nickname="Bosse"), "Bergström, not JSON")
        before = redis.lrange(QUEUE, 0, -1)
        done = verify(redis_url, "--channel", "transport", "--contracts", contracts)
        assert redis.lrange(QUEUE, 0, -1) == before
    assert done.return_value == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "channel transport: 5 read, 3 drifted"
    assert "drift-" in lines[1], "what deviates is told first"
    assert "  seen: delivery.requested v1: 2 messages" in lines
    file = contracts / "delivery.requested" / "v1.json"
    assert any(
        f'{file}:/kind  drift-enum  1 message of delivery.requested v1: expected one of ["push","sms"], found text of the form "Xxx: Xxx"'
        in line
        for line in lines
    )
    assert any("drift-required" in line and 'expected the field "text"' in line for line in lines)
    assert any("drift-resque" in line and "expected one JSON text" in line for line in lines)
    (unseen,) = [line for line in lines if "never-seen" in line]
    assert unseen.startswith(f"{file}  never-seen  warning: ")
    assert "in none of 2 messages of delivery.requested v1: /recipient/" in unseen
    assert lines[-1] == unseen
    for secret in ("Berg", "Ana", "Bosse"):
        assert secret not in done.output


def test_fields_that_no_message_had_are_one_line_and_all_of_them_in_json(contracts, tmp_path):
    schema = contracts / "delivery.requested" / "v1.json"
    wide = json.loads(schema.read_text())
    wide["properties"] |= {f"field{number:02}": {"type": "string"} for number in range(29)}
    schema.write_text(json.dumps(wide))
    (tmp_path / "jobs.jsonl").write_text("\n".join([job()] * 3))

    done = verify(tmp_path / "jobs.jsonl", "--channel", "transport", "--contracts", contracts)
    found = verify(tmp_path / "jobs.jsonl", "--channel", "transport", "--contracts", contracts, "--format", "json")

    assert done.return_value == 0
    (line,) = [line for line in done.stdout.splitlines() if "never" in line]
    assert "more, which --format json lists" in line
    pointers = {each["pointer"] for each in json.loads(found.stdout)["findings"] if each["rule"] == "never-seen"}
    assert {f"/field{number:02}" for number in range(29)} <= pointers


def test_a_field_that_no_contract_names_is_drift(contracts, tmp_path):
    path = tmp_path / "jobs.jsonl"
    path.write_text(
        "\n".join([job(), job(nickname="x"), job(nickname="y"), job(recipient={"person_id": "p-bo01", "x1234567": 1})])
    )
    done = verify(path, "--channel", "transport", "--contracts", contracts)
    assert done.return_value == 1
    assert "/nickname  drift-undeclared  a field that delivery.requested v1 does not name, in 2 messages" in done.stdout
    assert "/recipient/x9999999  drift-undeclared" in done.stdout, "a name that could be a person's is told by its form"


@pytest.mark.parametrize("rule", [True, {}, {"title": "Others"}])
def test_a_field_is_drift_also_where_additional_properties_is_true(contracts, tmp_path, rule):
    schema = contracts / "delivery.requested" / "v1.json"
    schema.write_text(json.dumps(json.loads(schema.read_text()) | {"additionalProperties": rule}))
    path = tmp_path / "jobs.jsonl"
    path.write_text(job(nickname="x"))

    done = verify(path, "--channel", "transport", "--contracts", contracts)

    assert done.return_value == 1
    assert "/nickname  drift-undeclared" in done.stdout
    catalog = contracts / "catalog.toml"
    table = '[subjects."delivery.requested"]\n'
    catalog.write_text(catalog.read_text().replace(table, table + 'sends_undeclared = ["feed"]\n'))
    assert verify(path, "--channel", "transport", "--contracts", contracts).return_value == 0


def test_a_field_is_drift_if_no_pattern_of_the_contract_matches_its_name(contracts, tmp_path):
    schema = contracts / "delivery.requested" / "v1.json"
    schema.write_text(json.dumps(json.loads(schema.read_text()) | {"patternProperties": {"^x-": {"type": "string"}}}))
    path = tmp_path / "jobs.jsonl"
    path.write_text(job(**{"nickname": "x", "x-trace": "t"}))

    done = verify(path, "--channel", "transport", "--contracts", contracts)

    assert done.return_value == 1
    assert "/nickname  drift-undeclared" in done.stdout
    assert "x-trace" not in done.stdout


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("shippingAddressLine1PostalCodeV2", "shippingAddressLine1PostalCodeV2"),
        ("customer_loyalty_programme_tier_2_discount", "customer_loyalty_programme_tier_2_discount"),
        ("iban12345678901234", "xxxx99999999999999"),
        ("tok3nA1b2C3d4E5f6", "xxx9xX9x9X9x9X9x9"),
    ],
)
def test_an_undeclared_field_is_named_if_its_name_is_made_of_words(contracts, tmp_path, name, shown):
    (tmp_path / "jobs.jsonl").write_text(job(**{name: "x"}))
    done = verify(tmp_path / "jobs.jsonl", "--channel", "transport", "--contracts", contracts)
    assert f":/{shown}  drift-undeclared" in done.stdout


def test_a_type_that_the_catalog_lacks_is_named_and_no_other_text_is(contracts, tmp_path):
    path = tmp_path / "jobs.jsonl"
    event = {"specversion": "1.0", "id": "1", "source": "/s", "data": {}}
    path.write_text(
        "\n".join(json.dumps(event | {"type": name}) for name in ("com.acme.unknown", "Ana Berg 070123")[:1])
    )
    printed = verify(path, "--channel", "activity", "--contracts", contracts).stdout
    assert 'found "com.acme.unknown"' in printed
    assert "contract-test infer proposes a contract" in printed
    path.write_text(json.dumps(event | {"type": "Ana Berg 070123"}))
    printed = verify(path, "--channel", "activity", "--contracts", contracts).stdout
    assert ("Berg" in printed, 'text of the form "Xxx Xxxx 999999"' in printed) == (False, True)


def test_of_an_empty_message_it_is_said_that_nothing_was_there(contracts, redis_url):
    with Redis.from_url(redis_url) as redis:
        redis.rpush(QUEUE, "")
        printed = verify(redis_url, "--channel", "transport", "--contracts", contracts).stdout
    assert "expected one JSON text, found nothing" in printed


def test_where_nothing_came_the_advice_fits_the_source(contracts, tmp_path):
    path = tmp_path / "jobs.jsonl"
    path.write_text(job() + "\n")
    latest = verify(path, "--channel", "transport", "--contracts", contracts, "--since", "latest")
    assert "nothing came while it was read" in str(latest.exception)
    assert "--follow" in str(latest.exception)
    stdin = CliRunner().invoke(command, ["-", "--channel", "transport", "--contracts", str(contracts)], input="")
    assert "no line came in on stdin" in str(stdin.exception)


def test_a_token_that_stands_as_a_name_is_told_by_its_form(contracts, tmp_path):
    path = tmp_path / "jobs.jsonl"
    path.write_text(job(recipient={"person_id": "p-bo01", "AKIAIOSFODNNEXAMPLE": 1}))
    done = verify(path, "--channel", "transport", "--contracts", contracts)
    assert "AKIA" not in done.output
    assert "/recipient/XXXXXXXXXXXXXXXXXXX  drift-undeclared" in done.stdout


def test_traffic_as_the_contracts_say_is_clean(contracts, tmp_path):
    path = tmp_path / "likes.jsonl"
    path.write_text("\n".join(like(number) for number in range(20)))
    done = verify(path, "--channel", "activity", "--contracts", contracts)
    assert (done.return_value, done.stdout.splitlines()[0]) == (0, "channel activity: 20 read, 0 drifted")


def test_a_version_that_is_not_in_the_catalog_is_drift(contracts, tmp_path):
    path = tmp_path / "likes.jsonl"
    path.write_text(like(1).replace(":v1", ":v9"))
    done = verify(path, "--channel", "activity", "--contracts", contracts)
    assert done.return_value == 1
    assert "drift-version  1 message of message.liked: expected one of v1, v2, found v9" in done.stdout


@pytest.mark.parametrize("form", ["json", "junit", "sarif", "github"])
def test_every_report_has_the_findings(contracts, tmp_path, form):
    path = tmp_path / "jobs.jsonl"
    path.write_text(job(kind="fax"))
    done = verify(path, "--channel", "transport", "--contracts", contracts, "--format", form)
    assert done.return_value == 1
    assert "drift-enum" in done.stdout
    assert "channel transport:" not in done.stdout


def test_nothing_verified_is_never_green(contracts, redis_url):
    done = verify(redis_url, "--channel", "transport", "--contracts", contracts)
    assert "nothing was verified" in str(done.exception)


def test_results_add_up(contracts, tmp_path):
    results = tmp_path / "results"
    for number in range(3):
        path = tmp_path / f"{number}.jsonl"
        path.write_text("\n".join([*[like(each) for each in range(10)], like(10, liker=number)]))
        verify(path, "--channel", "activity", "--contracts", contracts, "--results", results)
    done = verify("--merge", results, "--contracts", contracts)
    assert done.return_value == 1
    assert done.stdout.splitlines()[0] == "channel activity: 33 read, 3 drifted"
    again = verify("--merge", results, *sorted(results.iterdir()), "--contracts", contracts)
    assert again.stdout == done.stdout, "a file that is given twice counts once"


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format":1}', '{"format":2,"shares":[]}', '{"format":1,"shares":[{}]}', "\x00"]
)
def test_what_is_no_result_is_said(contracts, tmp_path, content):
    path = tmp_path / "x.verify.json"
    path.write_text(content)
    assert "not a result in format 1" in str(verify("--merge", path, "--contracts", contracts).exception)


breaches = st.builds(
    Breach, st.sampled_from(["a v1", "a v2"]), st.sampled_from(["", "/x"]), st.sampled_from(["type", "enum"])
)
counts = st.integers(1, 9)


@st.composite
def drifts(draw: st.DrawFn) -> Drift:
    found = draw(st.dictionaries(breaches, st.tuples(counts, st.text(max_size=3))))
    pairs = st.tuples(st.sampled_from(["a v1", "a v2"]), st.sampled_from(["/x", "/y"]))
    return Drift(
        draw(counts),
        draw(counts),
        Counter(draw(st.dictionaries(st.sampled_from(["a v1", "a v2"]), counts))),
        Counter({breach: count for breach, (count, _) in found.items()}),
        {breach: example for breach, (_, example) in found.items()},
        Counter(draw(st.dictionaries(pairs, counts))),
        draw(st.sets(pairs)),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(drifts(), drifts(), drifts())
def test_results_of_channels_add_up_in_any_order_and_grouping(one, two, three):
    assert (one + two) + three == one + (two + three)
    assert one + two == two + one
    assert one + Drift() == one
    assert Drift.from_json(json.loads(json.dumps(one.as_json()))) == one


shares = st.lists(
    st.builds(
        lambda part, start, size, committed: Share("c", part, start, start + size, committed, Drift(size)),
        st.sampled_from(["t/0", "t/1"]), st.integers(0, 5), st.integers(1, 5), st.booleans(),
    )
)  # fmt: skip


@given(shares, shares, shares)
def test_results_of_processes_merge_in_any_order_and_grouping(one, two, three):
    assert merged(merged(one, two), three) == merged(one, merged(two, three)) == merged(three, two, one, one)


steps = st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["lived", "died after", "died before"])), max_size=12)


@given(steps, st.integers(0, 99))
def test_a_message_counts_once_however_processes_crash(steps, older):
    """A group's life: each process reads on from what is committed, writes, commits, and may die in between."""
    files: list[list[tuple[Share, ...]]] = [[]]
    start = committed = furthest = 0
    for size, fate in [*steps, (5, "lived")]:
        upto = committed + size
        furthest = max(furthest, upto)
        done = (
            [Share("c", "t/0", start, committed, committed=True, drift=Drift(committed - start))]
            if start < committed
            else []
        )
        files[-1].append((*done, Share("c", "t/0", committed, upto, committed=False, drift=Drift(size))))
        if fate != "died before":
            committed = upto
        if fate == "lived":
            files[-1].append((Share("c", "t/0", start, upto, committed=True, drift=Drift(upto - start)),))
        else:
            start = committed
            files.append([])
    copies = [file[-1] for file in files if file] + [file[older % len(file)] for file in files if file]
    assert combine(merged(*copies))["c"].read == furthest


def produce(address: str, topic: str, messages: list[str], partitions: int = 4) -> None:
    producer = Producer({"bootstrap.servers": address, "log_level": 0})
    for number, message in enumerate(messages):
        producer.produce(topic, message, partition=number % partitions)
    assert producer.flush(30) == 0


def at_topic(contracts: Path, topic: str) -> None:
    path = contracts / "catalog.toml"
    path.write_text(path.read_text().replace('address  = "activity"', f'address  = "{topic}"'))


def group_process(contracts: Path, kafka: str, topic: str, results: Path) -> subprocess.Popen[str]:
    url = f"kafka://{kafka}?session.timeout.ms=3000"
    options = ["--channel", "activity", "--contracts", contracts, "--group", f"audit-{topic}", "--results", results]
    code = "from contract_test.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "verify", url, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def audit(contracts: Path, kafka: str, topic: str, results: Path, processes: int = 1) -> str:
    started = [group_process(contracts, kafka, topic, results) for _ in range(processes)]
    ended = [process.communicate(timeout=120) for process in started]
    assert all(process.returncode in (0, 1) for process in started), ended
    return ended[-1][0]


def test_a_group_goes_on_where_it_stopped(contracts, kafka, topic, tmp_path):
    at_topic(contracts, topic)
    produce(kafka, topic, [like(number) for number in range(400)])
    assert "channel activity: 400 read, 0 drifted" in audit(contracts, kafka, topic, tmp_path / "results")
    produce(kafka, topic, [like(number, liker=1) for number in range(40)])
    assert "channel activity: 40 read, 40 drifted" in audit(contracts, kafka, topic, tmp_path / "results")
    done = verify("--merge", tmp_path / "results", "--contracts", contracts)
    assert done.stdout.splitlines()[0] == "channel activity: 440 read, 40 drifted"


def test_processes_of_a_group_share_the_topic(contracts, kafka, topic, tmp_path):
    at_topic(contracts, topic)
    produce(kafka, topic, [like(number) for number in range(4000)])
    audit(contracts, kafka, topic, tmp_path / "results", processes=2)
    done = verify("--merge", tmp_path / "results", "--contracts", contracts)
    assert done.stdout.splitlines()[0] == "channel activity: 4000 read, 0 drifted"


@pytest.mark.needs_real_kafka
def test_processes_that_are_killed_lose_no_message_and_count_none_twice(contracts, kafka, topic, tmp_path):
    at_topic(contracts, topic)
    produce(kafka, topic, [like(number) for number in range(40_000)])
    results = tmp_path / "results"
    killed = 0
    for _ in range(3):
        process = group_process(contracts, kafka, topic, results)
        known = len(list(results.glob("*.verify.json")))
        while process.poll() is None and len(list(results.glob("*.verify.json"))) == known:
            time.sleep(0.01)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
    assert killed
    for _ in range(20):  # until the group has noticed that a member is dead, others get nothing of its share
        process = group_process(contracts, kafka, topic, results)
        output, errors = process.communicate(timeout=200)
        assert process.returncode == 0, output + errors
        if combine(read_results([results])).get("activity", Drift()).read >= 40_000:
            break
        time.sleep(1)
    assert combine(read_results([results]))["activity"].read == 40_000


def test_a_result_is_written_whole(tmp_path):
    path = tmp_path / "r" / "x.verify.json"
    share = Share("c", "t/0", 0, 3, committed=True, drift=Drift(3, 1, Counter({"a v1": 2})))
    write_results(path, [share])
    assert read_results([path.parent]) == (share,)
    with pytest.raises(ContractTestError):
        read_results([tmp_path / "nothing.json"])
