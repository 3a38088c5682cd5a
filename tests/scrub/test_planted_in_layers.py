"""Secrets go through the recorder in messages with encodings inside, in every layer: none reaches a disk or a log."""

import base64
import json

import msgpack
import pytest
from redis import Redis
from scrub.planted import KINDS, secrets
from scrub.planted_runs import KEEP_EVERYTHING, nothing_of, run_command, write_contracts

CATALOG = """
[channels.jobs]
protocol = "redis-list"
address = "jobs"
codec = "{codec}"

[subjects."person.changed"]
channel = "jobs"
type = "PersonChanged"
sent_by = ["web"]
received_by = ["feed"]
"""
ANY = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}


def celery(args, kwargs, secret, embed=None, **headers):
    body = base64.b64encode(json.dumps([args, kwargs, embed]).encode()).decode()
    task = {"task": "PersonChanged", "id": "t-1", "argsrepr": repr(args), "kwargsrepr": repr(kwargs), "retries": 0}
    properties = {"body_encoding": "base64", "reply_to": secret, "delivery_info": {"exchange": secret, secret: 1}}
    message = {"content-type": "application/json", "content-encoding": "utf-8", "properties": properties}
    return json.dumps(message | {"body": body, "headers": task | headers})


def celery_messages(secret):
    yield celery([secret], {"k": secret, secret: [secret]}, secret)
    yield celery(
        [{secret: 1}], {}, secret, embed={"chain": [{"task": secret, "args": [secret], "kwargs": {"id": secret}}]}
    )
    yield celery([], {}, secret, embed={"callbacks": {"kwargs": {"priority": secret, secret: 2}}}, id=secret)
    yield celery(
        [], {}, secret, stamps={"id": secret, secret: secret}, origin=secret, eta=secret, root_id={"id": [secret]}
    )
    yield celery([], {}, secret, task=secret)
    yield celery([], {secret: 1}, secret).replace("utf-8", secret.replace('"', "").replace("\\", ""))
    yield json.dumps({"body": secret, "headers": {"task": "PersonChanged", "id": "1"}, "properties": {secret: secret}})


def sidekiq_messages(secret):
    job = {"class": "PersonChanged", "jid": "j-1", "queue": "default", "retry": True, "created_at": 1764500000.5}
    yield json.dumps(job | {"args": [secret, 7, {secret: [secret]}]})
    yield json.dumps(
        job | {"args": [], "jid": secret, "queue": secret, "tags": [secret], "cattr": {"id": {secret: secret}}}
    )
    yield json.dumps(
        job | {"args": [], "error_message": secret, "error_class": secret, secret: secret, "retry": {"at": secret}}
    )
    yield json.dumps(job | {"args": {"args": [secret]}})
    inner = {
        "job_class": "PersonChanged",
        "job_id": secret,
        "queue_name": secret,
        "arguments": [secret, {secret: secret}],
    }
    wrapper = {"class": "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper", "wrapped": "PersonChanged", "jid": "j"}
    yield json.dumps(wrapper | {"args": [inner | {"locale": secret, "exception_executions": {secret: 1}, secret: 1}]})
    yield json.dumps(wrapper | {"args": [inner | {"job_class": secret}], "wrapped": secret})


def resque_messages(secret):
    inner = {
        "job_class": "PersonChanged",
        "job_id": secret,
        "queue_name": secret,
        "arguments": [{"k": secret, secret: [secret]}],
    }
    wrapper = {"class": "ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper"}
    yield json.dumps(wrapper | {"args": [inner | {"locale": secret, "exception_executions": {secret: 1}, secret: 1}]})
    yield json.dumps(
        wrapper | {"args": [inner | {"timezone": secret, "enqueued_at": secret, "priority": secret}], secret: 1}
    )
    yield json.dumps(wrapper | {"args": [inner | {"job_class": secret}]})
    yield json.dumps(wrapper | {"args": [inner | {"arguments": [secret, secret]}]})
    yield json.dumps({"class": "PersonChanged", "args": [{"k": secret, secret: secret}], secret: secret})
    yield json.dumps({"class": secret, "args": [secret]})


def msgpack_messages(secret):
    yield msgpack.packb({"type": "PersonChanged", "note": secret, secret: [secret, {secret: 1}]})
    yield msgpack.packb({"note": secret.encode()})
    yield msgpack.packb(secret)
    yield msgpack.packb({"note": secret})[:-1]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("codec", "messages"),
    [
        ("celery", celery_messages),
        ("sidekiq", sidekiq_messages),
        ("resque", resque_messages),
        ("msgpack", msgpack_messages),
    ],
)
def test_no_secret_in_any_layer_reaches_a_disk_or_a_log(codec, messages, tmp_path, redis_url):
    contracts = write_contracts(tmp_path)
    (contracts / "catalog.toml").write_text(CATALOG.format(codec=codec))
    (contracts / "person.changed" / "v1.json").write_text(json.dumps(ANY))
    planted = secrets(len(KINDS), seed=12)
    wires = [wire for each in planted for wire in messages(each.text)]
    with Redis.from_url(redis_url) as client:
        client.rpush("jobs", *wires)
        before = client.lrange("jobs", 0, -1)

        run = run_command(
            contracts, "record", redis_url, "--channel", "jobs", "--per-shape", "70", before=KEEP_EVERYTHING
        )

        assert client.lrange("jobs", 0, -1) == before
    assert run.returncode == 1, run.stderr.decode()
    assert b"Traceback" not in run.stderr
    nothing_of(planted, contracts, run.stdout, run.stderr)
    kept = (contracts / "person.changed" / "recordings" / "v1.jsonl").read_bytes().splitlines()
    assert len(kept) > 20, run.stdout.decode()
    assert b"no longer valid" not in run.stdout
    assert (contracts / ".recorder" / "jobs.quarantine.jsonl").stat().st_size > 1000
