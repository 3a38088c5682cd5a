"""Ruby reads and writes what this worker keeps in Redis, with the calls that Resque makes."""

import json
import os
import shutil
import subprocess
from typing import Any

import pytest
from redis import Redis
from transport_processes import RedisServer, Stub, process, wait_ready, wait_until
from transport_support import QUEUE, key, resque

OUR_CALLS = """
require 'json'
require 'redis'
REDIS = Redis.new(url: ARGV[0])
module Resque
  def self.queues = REDIS.smembers('resque:queues')
  def self.size(queue) = REDIS.llen("resque:queue:#{queue}")
  def self.info = { pending: queues.sum { |queue| size(queue) }, workers: REDIS.scard('resque:workers') }
  def self.workers = REDIS.smembers('resque:workers')
  def self.peek(queue) = JSON.parse(REDIS.lindex("resque:queue:#{queue}", 0))
  module Failure
    def self.count = REDIS.llen('resque:failed')
    def self.all(first, number) = REDIS.lrange('resque:failed', first, first + number - 1).map { |each| JSON.parse(each) }
    def self.requeue(index)
      item = all(index, 1).first
      item['retried_at'] = Time.now.strftime('%Y/%m/%d %H:%M:%S')
      REDIS.lset('resque:failed', index, JSON.generate(item))
      REDIS.sadd('resque:queues', [item['queue']])
      job = { class: item['payload']['class'], args: item['payload']['args'] }
      REDIS.rpush("resque:queue:#{item['queue']}", JSON.generate(job))
    end
  end
end
"""
REAL_RESQUE = "require 'json'; require 'resque'; Resque.redis = ARGV[0]\n"


def ruby_with(library: str) -> bool:
    if (ruby := shutil.which("ruby")) is None:
        return False
    return subprocess.run([ruby, f"-r{library}", "-e", ""], capture_output=True, check=False).returncode == 0


@pytest.fixture(params=["redis", "resque"])
def calls(request: pytest.FixtureRequest) -> str:
    """The program's beginning: the calls of Resque as we write them, or Resque itself."""
    if not ruby_with(request.param):
        needed = request.param == "redis" and os.environ.get("CI")  # no package of Debian has the gem resque
        (pytest.fail if needed else pytest.skip)(f"NOT RUN: Ruby or its library {request.param} is not installed")
    return OUR_CALLS if request.param == "redis" else REAL_RESQUE


def run_ruby(calls: str, program: str, server: RedisServer) -> Any:
    command = ["ruby", "-W0", "-e", f"{calls}\nputs JSON.generate({program})", server.url]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_ruby_lists_failures_and_requeues_one(redis: Redis, redis_server: RedisServer, stub: Stub, calls: str) -> None:
    """One job cannot be read, one has no text, and one names a kind that does not exist, which is then mended."""
    unreadable = b'{"class":"DeliveryRequested","args":[{"text":NaN}]}'
    redis.rpush(QUEUE, unreadable, resque(1, text=""), resque(2, kind="fax"))
    options = ("--redis", redis_server.url, "--gateway", stub.url)
    with process("transport", *options) as worker:
        wait_ready(worker)
        wait_until(lambda: redis.llen("resque:failed") == 3, "three failures")
        failures = run_ruby(calls, "Resque::Failure.all(0, 10)", redis_server)
        assert run_ruby(calls, "[Resque::Failure.count, Resque.size('transport')]", redis_server) == [3, 0]
        fax = next(number for number, each in enumerate(failures) if "fax" in str(each["payload"]))
        mended = json.loads(redis.lindex("resque:failed", fax))
        mended["payload"]["args"][0]["kind"] = "push"
        redis.lset("resque:failed", fax, json.dumps(mended))
        run_ruby(calls, f"[Resque::Failure.requeue({fax})]", redis_server)
        wait_until(lambda: [row["delivery_id"] for row in stub.ledger()] == ["d-000002"], "the delivery")
    assert all({"failed_at", "exception", "error", "worker", "queue"} <= each.keys() for each in failures)
    assert "retried_at" in json.loads(redis.lindex("resque:failed", fax))


def test_ruby_counts_the_jobs_that_wait_for_their_gateway(
    redis: Redis, redis_server: RedisServer, stub: Stub, calls: str
) -> None:
    redis.rpush(QUEUE, *(resque(number) for number in range(2000)))
    options = ("--redis", redis_server.url, "--gateway", stub.url, "--push-rate", "1")
    with process("transport", *options) as worker:
        wait_ready(worker)
        wait_until(stub.ledger, "the first delivery")
        asked = "[Resque.info[:pending], Resque.info[:workers], Resque.size('transport'), Resque.queues]"
        pending, workers, waiting, queues = run_ruby(calls, asked, redis_server)
        assert workers == 1
        assert 1500 < waiting == pending < 2000, "all but those that the worker holds"
        assert queues == ["transport"]
        worker.terminate()
        assert worker.wait(120) == 0
    pending = run_ruby(calls, "Resque.info[:pending]", redis_server)
    assert pending + redis.zcard(key("scheduled")) + len(stub.ledger()) == 2000
