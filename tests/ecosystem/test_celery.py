"""A Celery worker as a service of its own: recorded from its real queue, inferred, replayed through Celery itself."""

import json

import pytest
from ecosystem.service_repository import ServiceRepository
from redis import Redis

CATALOG = """
[channels.mails]
protocol = "redis-list"
address = "celery"
codec = "celery"
delivery = "exactly-once"
"""
SUBJECT = """
[subjects."email.requested"]
channel = "mails"
type = "mailer.send_email"
sent_by = ["shop"]
received_by = ["mailer"]
"""
ENQUEUE = """
from mailer.tasks import send_email
for number in range(20):
    total = {"total": number + 0.25} if number % 2 else {}
    send_email.delay(f"c{number}@example.com", "receipt" if number % 3 else "welcome", order_id=f"o-{number}", **total)
"""


@pytest.mark.timeout(600)
def test_a_celery_worker_is_recorded_inferred_and_replayed(tmp_path, redis_url):
    mailer = ServiceRepository(tmp_path, "mailer", "acme_mails", MAILER_REDIS=redis_url)
    catalog, contract = mailer.contracts / "catalog.toml", mailer.contracts / "email.requested" / "v1.json"

    # Given tasks that Celery's own client put on its queue
    code, output = mailer.python("-c", ENQUEUE)
    assert code == 0, output
    with Redis.from_url(redis_url) as client:
        before = client.lrange("celery", 0, -1)
        assert len(before) == 20

        # When a contract is inferred from them, and they are recorded
        catalog.write_text("")
        output = mailer.contract_test("infer", redis_url, "--key", "celery", "--subject", "email.requested", "--write")
        assert "in codec celery" in output
        schema = json.loads(contract.read_text())
        assert schema["properties"]["args"]["type"] == "array"
        assert schema["properties"]["kwargs"]["required"] == ["order_id"]
        schema["properties"]["args"] |= {"minItems": 2, "maxItems": 2}  # what no traffic can show
        contract.write_text(json.dumps(schema))
        catalog.write_text(CATALOG + SUBJECT)
        output = mailer.contract_test("record", redis_url, "--channel", "mails")
        assert "no longer valid" not in output

        # Then the queue is the same, byte for byte
        assert client.lrange("celery", 0, -1) == before
        client.delete("celery")
    recording = (mailer.contracts / "email.requested" / "recordings" / "v1.jsonl").read_text()
    assert len(recording.splitlines()) >= 2
    assert "@example.com" not in recording

    # And the worker accepts what was recorded, with variations, mutations and repeated deliveries
    mailer.publish()
    code, output = mailer.replay("--contracts-mutate")
    assert code == 0, output
    assert "email.requested  v1       consumes" in output
    mailer.break_code("src/mailer/tasks.py", 'redis.sadd("mailer:sent", f"{order_id} {template}")', "True")
    code, output = mailer.replay("--contracts-only-recorded")
    assert code == 1, output
