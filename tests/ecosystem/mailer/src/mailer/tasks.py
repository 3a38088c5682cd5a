"""A Celery application that sends e-mails. A mail that was sent is an entry of the Redis list `outbox`."""

import json
import os

from celery import Celery
from redis import Redis

REDIS = os.environ["MAILER_REDIS"]
app = Celery("mailer", broker=REDIS)
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, worker_hijack_root_logger=False)
redis = Redis.from_url(REDIS, decode_responses=True, socket_timeout=120)


@app.task(name="mailer.send_email", acks_late=True)
def send_email(to, template, *, order_id, total=None):
    """Send an e-mail, once for each order and template."""
    try:
        _send(to, template, order_id, total)
    finally:
        redis.rpush("mailer:done", "1")


def _send(to, template, order_id, total):
    if redis.sadd("mailer:sent", f"{order_id} {template}"):
        text = f"{template} {order_id}" if total is None else f"{template} {order_id}: {total:.2f}"
        redis.rpush("mailer:outbox", json.dumps({"to": to, "text": text}))
