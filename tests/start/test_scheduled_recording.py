"""The scheduled recording that `init` writes: run against embedded brokers, and pushed to a bare remote."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from redis import Redis
from start.forge import Forge, git

PAGE = Path(__file__).parents[2] / "docs" / "recording-on-a-schedule.md"
RECORDING = "contracts/order.placed/recordings/v1.jsonl"


def order(number, **fields):
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return json.dumps({"order_id": f"o-{number}", "placed_at": now, "total": 950, **fields})


@pytest.fixture
def forge(tmp_path):
    forge = Forge(tmp_path)
    forge.begin("--scheduled-recording")
    forge.program("gh", 'printf "%s\\n" "$*" >> "$HOME/gh.log"')
    return forge


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as client:
        client.execute_command("ACL", "SETUSER", "recorder", "on", ">secret", "~orders", "+lrange")
        yield client
        client.execute_command("ACL", "DELUSER", "recorder")


@pytest.fixture
def secrets(redis, redis_url):
    url = redis_url.replace("redis://", "redis://recorder:secret@")
    return {
        "${{ secrets.CONTRACT_TEST_SCRUB_KEY }}": "5f0c2a91d47e4b3e8a6d1c9b7f2e3a40",
        "${{ secrets.STAGING_REDIS_URL }}": url,
        "${{ secrets.STAGING_KAFKA_URL }}": "",
        "${{ secrets.PULL_REQUEST_TOKEN || github.token }}": "token",
    }


def nightly(forge, secrets, folder):
    """Run the workflow in a checkout of one commit of main, as actions/checkout makes it."""
    forge.folder.joinpath(folder).mkdir(exist_ok=True)
    checkout = forge.checkout("refs/heads/main", depth=1, name=folder)
    return forge.github(checkout, "record.yml", secrets)


def calls_of_gh(forge):
    log = forge.folder / "gh.log"
    return log.read_text().splitlines() if log.exists() else []


def test_new_samples_become_a_pull_request_of_recordings_alone(forge, redis, secrets):
    redis.rpush("orders", order(2, note="please call Ana Díaz"), order(3))
    steps = nightly(forge, secrets, "first")
    assert [each.code for each in steps] == [0] * len(steps), steps
    assert git(forge.remote, "diff", "--name-only", "main", "new-recordings") == RECORDING
    added = git(forge.remote, "diff", "main", "new-recordings")
    assert '"order_id":"o-2"' in added
    assert "Ana" not in added
    assert "5f0c2a91d47e4b3e8a6d1c9b7f2e3a40" not in added
    assert redis.llen("orders") == 2
    (listed, created) = calls_of_gh(forge)
    assert listed.startswith("pr list --head new-recordings")
    assert created.startswith("pr create --head new-recordings --title Add samples from staging --body-file ci/")

    steps = nightly(forge, secrets, "second")
    assert [each.code for each in steps] == [0] * len(steps), steps
    assert "new-recordings still exists" in steps[-2].output

    git(forge.work, "fetch", "--quiet", "origin")
    git(forge.work, "merge", "--quiet", "origin/new-recordings")
    git(forge.work, "push", "--quiet", "origin", "main", ":new-recordings")
    steps = nightly(forge, secrets, "third")
    assert "There are no new samples." in steps[-2].output
    assert "new-recordings" not in git(forge.remote, "branch")
    assert forge.shell(forge.work, "contract-test lint && contract-test scan && contract-test compat").code == 0


def test_messages_that_break_their_contract_make_it_red_and_the_others_are_kept(forge, redis, secrets):
    redis.rpush("orders", order(2, note="hello"), order(3, total="many"))
    steps = nightly(forge, secrets, "first")
    assert [each.code for each in steps] == [*[0] * (len(steps) - 2), 1, 0]
    assert "drift-type" in steps[-2].output
    assert '"order_id":"o-2"' in git(forge.remote, "show", f"new-recordings:{RECORDING}")
    assert "o-3" not in git(forge.remote, "show", f"new-recordings:{RECORDING}")
    assert len(calls_of_gh(forge)) == 2


def test_what_is_missing_is_named_and_nothing_is_pushed(forge, redis, secrets):
    redis.rpush("orders", order(2))
    for name, value in (("CONTRACT_TEST_SCRUB_KEY", ""), ("STAGING_REDIS_URL", "redis://127.0.0.1:1/0")):
        folder = name.lower()
        steps = nightly(forge, secrets | {f"${{{{ secrets.{name} }}}}": value}, folder)
        assert steps[-2].code not in {0, 1} or name == "CONTRACT_TEST_SCRUB_KEY"
        assert steps[-2].code
        assert ("CONTRACT_TEST_SCRUB_KEY: is not set" if not value else "Redis did not answer") in steps[-2].output
    assert "new-recordings" not in git(forge.remote, "branch")
    assert not calls_of_gh(forge)


def test_a_sample_that_the_scanner_finds_is_not_pushed(forge, redis, secrets):
    schema = json.loads((forge.work / "contracts/order.placed/v1.json").read_text())
    schema["properties"]["note"]["x-sensitivity"] = "public"
    schema["title"] = "Order"
    (forge.work / "contracts/order.placed/v1.json").write_text(json.dumps(schema))
    (forge.work / "contracts/contracts.lock").unlink()
    forge.register()
    forge.commit("Mark a text as public that people write")
    git(forge.work, "push", "--quiet", "origin", "main")
    redis.rpush("orders", order(2, note="ana.diaz@mail-server.com"))
    steps = nightly(forge, secrets, "first")
    assert steps[-2].code
    assert "new-recordings" not in git(forge.remote, "branch")
    assert not calls_of_gh(forge)


def test_gitlab_opens_a_merge_request_by_push_options(forge, redis, redis_url):
    git(forge.remote, "config", "receive.advertisePushOptions", "true")
    hook = forge.remote / "hooks" / "post-receive"
    hook.write_text('#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_ > "$HOME/options.log"\n')
    hook.chmod(0o755)
    redis.rpush("orders", order(2, note="hello"))
    checkout = forge.checkout("refs/heads/main", depth=1)
    job = forge.gitlab(
        checkout, ".gitlab/record.yml",
        CONTRACT_TEST_SCRUB_KEY="5f0c2a91d47e4b3e8a6d1c9b7f2e3a40", STAGING_REDIS_URL=redis_url, PUSH_TOKEN="token",
        CI_SERVER_HOST="gitlab.example", CI_PROJECT_PATH="acme/contracts", CI_DEFAULT_BRANCH="main",
        GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0=f"url.file://{forge.remote}.insteadOf",
        GIT_CONFIG_VALUE_0="https://ci:token@gitlab.example/acme/contracts.git",
    )  # fmt: skip
    assert job.code == 0, job.output
    assert '"order_id":"o-2"' in git(forge.remote, "show", f"new-recordings:{RECORDING}")
    options = (forge.folder / "options.log").read_text()
    assert "merge_request.create" in options
    assert "merge_request.target=main" in options


@pytest.mark.needs_real_kafka
def test_kafka_is_read_with_the_one_right_that_the_page_names(kafka_node, topic, forge):
    assert "--add --allow-principal User:recorder --operation Read --topic activity" in PAGE.read_text()
    catalog = forge.work / "contracts" / "catalog.toml"
    text = catalog.read_text().replace('"redis-list" ', '"kafka"').replace('= "orders"  ', f'= "{topic}"')
    assert topic in text
    catalog.write_text(text)
    for name in ("ci/record-staging", "contracts/contracts.lock"):
        (forge.work / name).unlink()
    forge.init("--scheduled-recording")
    forge.register()
    forge.commit("Use Kafka")
    git(forge.work, "push", "--quiet", "origin", "main")
    producer = Producer({"bootstrap.servers": kafka_node.address})
    producer.produce(topic, order(2, note="hello").encode())
    assert producer.flush(30) == 0
    sasl = "security.protocol=SASL_PLAINTEXT&sasl.mechanism=PLAIN&sasl.username=recorder&sasl.password=secret"
    variables = {
        "CONTRACT_TEST_SCRUB_KEY": "5f0c2a91d47e4b3e8a6d1c9b7f2e3a40",
        "STAGING_KAFKA_URL": f"kafka://{kafka_node.sasl_address}?{sasl}",
    }
    checkout = forge.checkout("refs/heads/main", depth=1)
    refused = forge.shell(checkout, "bash ci/record-staging", **variables)
    assert refused.code == 2
    assert "that this user may read the topic" in refused.output

    admin = AdminClient({"bootstrap.servers": kafka_node.address})
    allowed = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:recorder", "*")
    rule = AclBinding(*allowed, AclOperation.READ, AclPermissionType.ALLOW)
    for made in admin.create_acls([rule]).values():
        made.result(30)
    done = forge.shell(checkout, "bash ci/record-staging", **variables)
    assert done.code == 0, done.output
    assert '"order_id":"o-2"' in git(forge.remote, "show", f"new-recordings:{RECORDING}")


def test_channels_of_the_catalog_are_written_into_the_script(tmp_path):
    forge = Forge(tmp_path)
    contracts = forge.work / "contracts"
    contracts.mkdir()
    (contracts / "catalog.toml").write_text(
        '[channels.activity]\nprotocol = "kafka"\naddress = "activity"\ncodec = "json"\n'
        '[channels.jobs]\nprotocol = "redis-stream"\naddress = "jobs"\ncodec = "json"\n'
        '[subjects."a.b"]\nchannel = "activity"\nsent_by = ["web"]\nreceived_by = ["feed"]\n'
    )
    (contracts / "a.b").mkdir()
    (contracts / "a.b" / "v1.json").write_text('{"type": "object"}')
    forge.init("--scheduled-recording")
    script = (forge.work / "ci" / "record-staging").read_text()
    assert "redis_channels=(jobs)\nkafka_channels=(activity)\n" in script
