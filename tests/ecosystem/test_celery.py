"""A Celery worker as a service of its own: recorded from its real queue, inferred, replayed through Celery itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

HERE = Path(__file__).parent
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


def run(*words, cwd, environment):
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=200, check=False)


@pytest.mark.timeout(600)
def test_a_celery_worker_is_recorded_inferred_and_replayed(tmp_path, redis_url):
    contracts, repository, site = tmp_path / "contracts", tmp_path / "mailer", tmp_path / "site"
    shutil.copytree(HERE / "mailer", repository, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "CI"))}
    environment |= {"MAILER_REDIS": redis_url, "PYTHONPATH": f"{site}{os.pathsep}{repository / 'src'}"}
    command = (sys.executable, "-c", "from contract_test.cli import main; main()")

    def contract_test(*words):
        done = run(*command, *words, "--contracts", str(contracts), cwd=tmp_path, environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def replay(*options):
        words = (sys.executable, "-m", "pytest", "--contracts", "-p", "no:cacheprovider", "-p", "no:xdist", *options)
        done = run(*words, cwd=repository, environment=environment)
        return done.returncode, done.stdout + done.stderr

    # Given tasks that Celery's own client put on its queue
    done = run(sys.executable, "-c", ENQUEUE, cwd=repository, environment=environment)
    assert done.returncode == 0, done.stderr
    with Redis.from_url(redis_url) as client:
        before = client.lrange("celery", 0, -1)
        assert len(before) == 20

        # When a contract is inferred from them, and they are recorded
        contracts.mkdir()
        (contracts / "catalog.toml").write_text("")
        output = contract_test("infer", redis_url, "--key", "celery", "--subject", "email.requested", "--write")
        assert "in codec celery" in output
        schema = json.loads((contracts / "email.requested" / "v1.json").read_text())
        assert schema["properties"]["args"]["type"] == "array"
        assert schema["properties"]["kwargs"]["required"] == ["order_id"]
        schema["properties"]["args"] |= {"minItems": 2, "maxItems": 2}  # what no traffic can show
        (contracts / "email.requested" / "v1.json").write_text(json.dumps(schema))
        (contracts / "catalog.toml").write_text(CATALOG + SUBJECT)
        output = contract_test("record", redis_url, "--channel", "mails")
        assert "no longer valid" not in output

        # Then the queue is the same, byte for byte
        assert client.lrange("celery", 0, -1) == before
        client.delete("celery")
    recording = (contracts / "email.requested" / "recordings" / "v1.jsonl").read_text()
    assert len(recording.splitlines()) >= 2
    assert "@example.com" not in recording

    # And the worker accepts what was recorded, with variations, mutations and repeated deliveries
    generate(load_catalog(contracts), "acme_mails", site)
    shutil.copytree(contracts, site / "acme_mails" / "contracts")
    code, output = replay("--contracts-mutate")
    assert code == 0, output
    assert "email.requested  v1       consumes" in output
    fault = repository / "src" / "mailer" / "tasks.py"
    fault.write_text(fault.read_text().replace('redis.sadd("mailer:sent", f"{order_id} {template}")', "True"))
    code, output = replay("--contracts-only-recorded")
    assert code == 1, output
