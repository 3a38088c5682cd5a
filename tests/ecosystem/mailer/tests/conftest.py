import pytest
from celery.contrib.testing.worker import start_worker
from mailer import tasks


@pytest.fixture(scope="session")
def worker():
    """Celery's worker, on the real queue."""
    with start_worker(tasks.app, pool="solo", perform_ping_check=False, loglevel="ERROR"):
        yield


@pytest.fixture
def arrives(worker):
    """A function that puts a message on the queue as it is, and waits until the worker has done the task."""
    tasks.redis.delete("mailer:sent", "mailer:outbox", "mailer:done")

    def put(wire):
        tasks.redis.rpush("celery", bytes(wire))
        assert tasks.redis.blpop("mailer:done", timeout=60) is not None, "the worker did not do the task"
        return tasks.redis.lrange("mailer:outbox", 0, -1)

    return put


@pytest.fixture
def contract_state():
    return lambda: sorted(tasks.redis.lrange("mailer:outbox", 0, -1))
