"""Messages with encodings inside: base64 of JSON, several arguments, ActiveJob's wrapper, and MessagePack."""

import base64
import json
import subprocess
import sys

import msgpack
import pytest
from brokers import choice
from redis import Redis

from envelopes import Wire
from envelopes.catalog import Channel
from envelopes.codecs import CODECS, CodecError

CHANNEL = Channel("jobs", "redis-list", "queue:default", "-")


def celery(body, **changes):
    text = body if isinstance(body, str) else base64.b64encode(json.dumps(body).encode()).decode()
    headers = {"task": "mailer.send", "id": "t-1", "retries": 2, "unknown": [1.50]}
    properties = {"body_encoding": "base64", "correlation_id": "t-1"}
    message = {"body": text, "content-encoding": "utf-8", "content-type": "application/json"}
    return json.dumps(message | {"headers": headers, "properties": properties} | changes).encode()


def sidekiq(*args, **fields):
    return json.dumps({"class": "Mail", "jid": "j-1", "args": args, "retry": True} | fields).encode()


def activejob(*args, wrapper="ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper", **fields):
    job = {"job_class": "MailJob", "job_id": "a-1", "queue_name": "default", "arguments": args, "locale": "en"}
    return json.dumps({"class": wrapper, "args": [job]} | fields).encode()


READABLE = [
    ("celery", celery([[1, "a"], {"k": {}}, None]), "mailer.send", "t-1", {"args": [1, "a"], "kwargs": {"k": {}}}),
    ("sidekiq", sidekiq(1, "a", {"k": []}), "Mail", "j-1", {"args": [1, "a", {"k": []}]}),
    ("sidekiq", sidekiq(), "Mail", "j-1", {"args": []}),
    ("sidekiq", b'{"class": "Mail", "args": [1, 2]}', "Mail", None, {"args": [1, 2]}),
    ("sidekiq", activejob(7, {"k": 1}, jid="j-2", wrapped="MailJob"), "MailJob", "j-2", {"args": [7, {"k": 1}]}),
    ("sidekiq", activejob(7, wrapper="Sidekiq::ActiveJob::Wrapper", jid="j-3"), "MailJob", "j-3", {"args": [7]}),
    ("sidekiq", activejob(7, wrapper="ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper"), "MailJob", "a-1", {"args": [7]}),
    ("resque", activejob({"to": 1.50}, wrapper="ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper"), "MailJob", "a-1", {"to": 1.50}),
    ("msgpack", msgpack.packb({"a": [1, -2, 1.5, None, True, "x"], "": {}}), None, None, {"a": [1, -2, 1.5, None, True, "x"], "": {}}),
]  # fmt: skip


def test_a_task_that_gets_another_id_is_correlated_by_it():
    raw = celery([[1], {}, None])
    context, _ = CODECS["celery"].read(raw, None, (), CHANNEL)
    written = json.loads(CODECS["celery"].write(context._replace(id="t-9"), b'{"args": [1]}', CHANNEL))
    assert (written["headers"]["id"], written["properties"]["correlation_id"]) == ("t-9", "t-9")
    assert written["headers"]["retries"] == 2, "what was read is passed on"


@pytest.mark.parametrize(("codec", "raw", "name", "id_", "data"), READABLE)
def test_a_message_is_read_and_passed_on_as_it_was(codec, raw, name, id_, data):
    context, found = CODECS[codec].read(raw, None, (), CHANNEL)

    assert (context.type, context.id, found) == (name, id_, data)
    if codec != "resque":  # whose messages have no encodings inside
        document = CODECS[codec].unfold(raw)
        assert plain(codec, CODECS[codec].fold(document)) == plain(codec, raw)
    else:
        document = json.loads(raw)
    for step in context.data_path:
        document = document[step]
    assert document == data, "the path leads to the data in the document that recordings keep"
    assert plain(codec, CODECS[codec].write(context, json.dumps(data).encode(), CHANNEL)) == plain(codec, raw)


def plain(codec, raw):
    """The message without the blanks in its JSON."""
    if codec == "msgpack":
        return bytes(raw)
    message = json.loads(raw)
    if codec == "celery":
        message["body"] = json.loads(base64.b64decode(message["body"]))
    return message


def test_numbers_stay_as_they_were_written_in_every_layer():
    for codec, raw in (("celery", celery(base64.b64encode(b"[[1.50, 1e3], {}, null]").decode())), ("sidekiq", b'{"class": "M", "args": [1.50, 1e3]}')):  # fmt: skip
        written = bytes(CODECS[codec].fold(CODECS[codec].unfold(raw)))
        if codec == "celery":
            written = base64.b64decode(json.loads(written)["body"])
        assert b"[1.50,1e3]" in written


BODY = [[], {}, None]
UNREADABLE = [
    ("celery", b"[]", "/headers", "protocol 2"),
    ("celery", b'{"task": "t", "id": "1", "args": [], "kwargs": {}}', "/headers", "protocol 2"),
    ("celery", celery(BODY, headers={}), "/headers/task", "protocol 1"),
    ("celery", celery(BODY, **{"content-type": "application/x-python-serialize"}), "/content-type", "JSON"),
    ("celery", celery(BODY, headers={"task": "t", "id": "1", "compression": "gzip"}), "/headers/compression", "not compressed"),
    ("celery", celery(BODY, properties={}), "/properties/body_encoding", "base64"),
    ("celery", celery("no base64!"), "/body", "base64"),
    ("celery", celery(base64.b64encode(b"[1,").decode()), "/body", "one JSON text"),
    ("celery", celery(base64.b64encode(b"[" * 100_000 + b"]" * 100_000).decode()), "/body", "one JSON text"),
    ("celery", celery([[], {}]), "/body", "args, kwargs and embed"),
    ("celery", celery([{}, [], None]), "/body", "args, kwargs and embed"),
    ("sidekiq", b"[]", "/class", "class name"),
    ("sidekiq", b'{"class": "", "args": []}', "/class", "class name"),
    ("sidekiq", sidekiq(args={}), "/args", "array"),
    ("sidekiq", sidekiq(jid=7), "/jid", "id"),
    ("sidekiq", b'{"class": "JobWrapper", "args": [{"job_class": 1}]}', "/args/0/job_class", "class name"),
    ("sidekiq", b'{"class": "JobWrapper", "args": [{"job_class": "M"}]}', "/args/0/arguments", "array"),
    ("resque", activejob({}, {}), "/args/0/arguments", "exactly one argument"),
    ("resque", activejob(), "/args/0/arguments", "exactly one argument"),
    ("resque", b'{"class": "JobWrapper", "args": [{"job_class": 1}]}', "/args/0/job_class", "class name"),
    ("resque", b'{"class": "JobWrapper", "args": [{"job_class": "M", "job_id": 1}]}', "/args/0/job_id", "id"),
    ("msgpack", b"", "", "one value"),
    ("msgpack", b"\x01\x02", "", "one value"),
    ("msgpack", b"\x91" * 100_000, "", ""),
    ("msgpack", b"\x91" * 300 + b"\x01", "", "levels"),
    ("msgpack", msgpack.packb({"a": [b"x"]}), "/a/0", "JSON's types"),
    ("msgpack", msgpack.packb({"a": msgpack.ExtType(5, b"x")}), "", "JSON's types"),
    ("msgpack", msgpack.packb({"a": msgpack.Timestamp(1)}), "/a", "JSON's types"),
    ("msgpack", msgpack.packb({1: "x"}), "", "keys that are texts"),
    ("msgpack", msgpack.packb({b"k": "x"}), "", "keys that are texts"),
    ("msgpack", b"\x82\xa1a\x01\xa1a\x02", "", "each key once"),
    ("msgpack", msgpack.packb(float("nan")), "", "finite"),
    ("msgpack", b"\xa1\xff", "", "one value"),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "raw", "pointer", "expected"), UNREADABLE)
def test_what_cannot_be_read_is_refused_with_its_place(codec, raw, pointer, expected):
    with pytest.raises(CodecError) as refused:
        CODECS[codec].read(raw, None, (), CHANNEL)
    assert refused.value.pointer == pointer
    assert expected in refused.value.expected


@pytest.mark.parametrize("codec", ["celery", "sidekiq"])
@pytest.mark.parametrize("data", [b"[]", b'{"args": {}}', b'{"args": [], "other": 1}'])
def test_data_that_is_no_arguments_is_not_written(codec, data):
    context, _ = CODECS[codec].read(next(raw for name, raw, *_ in READABLE if name == codec), None, (), CHANNEL)
    with pytest.raises(CodecError):
        CODECS[codec].write(context, data, CHANNEL)


RUBY = """
require 'sidekiq'; require 'active_job'; require 'json'
$LOADED_FEATURES << 'resque.rb' # ActiveJob's adapter asks for the gem; this is what it calls in it
module Resque
  def self.enqueue_to(queue, job, *args)
    Redis.new(url: ARGV[0]).rpush("resque:queue:#{queue}", JSON.dump({ class: job.to_s, args: args }))
  end
end
require 'active_job/queue_adapters/sidekiq_adapter'; require 'active_job/queue_adapters/resque_adapter'
Sidekiq.configure_client { |config| config.redis = { url: ARGV[0] } }
ActiveJob::Base.logger = nil
def done(args) = File.write(ARGV[1], JSON.dump(args) + "\\n", mode: 'a')
class Mail; include Sidekiq::Worker; def perform(*args) = done(args); end
class MailJob < ActiveJob::Base; self.queue_adapter = :sidekiq; def perform(*args) = done(args); end
class NoteJob < ActiveJob::Base; self.queue_adapter = :resque; def perform(*args) = done(args); end
if ARGV[2]
  ARGV.drop(2).map { |text| JSON.parse(text) }.each do |job|
    worker = Object.const_get(job['class'])
    (worker.respond_to?(:perform) ? worker : worker.new).perform(*job['args'])
  end
else
  Mail.perform_async('a@example.com', 7, { 'k' => [1.5] })
  MailJob.perform_later('b@example.com', 8)
  NoteJob.perform_later({ 'to' => 'd@example.com', 'n' => 9 })
end
"""


def test_what_ruby_clients_write_is_read_and_ruby_runs_what_is_written(redis_url, tmp_path, record_property):
    if subprocess.run(["ruby", "-rsidekiq", "-ractive_job", "-e", ""], capture_output=True, check=False).returncode:
        pytest.skip(choice.do_without("Ruby's Sidekiq", "install ruby-sidekiq and ruby-activejob", record_property))
    (tmp_path / "jobs.rb").write_text(RUBY)
    done = tmp_path / "done"

    def ruby(*words):
        script = ["ruby", str(tmp_path / "jobs.rb"), redis_url, str(done)]
        subprocess.run([*script, *words], capture_output=True, text=True, check=True)

    ruby()
    with Redis.from_url(redis_url) as client:
        jobs = [("sidekiq", job) for job in client.lrange("queue:default", 0, -1)[::-1]]
        jobs += [("resque", job) for job in client.lrange("resque:queue:default", 0, -1)]
    found = [(codec, *CODECS[codec].read(job, None, (), CHANNEL)) for codec, job in jobs]
    assert [(codec, context.type, data) for codec, context, data in found] == [
        ("sidekiq", "Mail", {"args": ["a@example.com", 7, {"k": [1.5]}]}),
        ("sidekiq", "MailJob", {"args": ["b@example.com", 8]}),
        ("resque", "NoteJob", {"to": "d@example.com", "n": 9, "_aj_symbol_keys": []}),
    ]
    written = []
    for codec, context, data in found:
        changed = (
            {**data, "to": "c@example.com"} if codec == "resque" else {"args": ["c@example.com", *data["args"][1:]]}
        )
        written.append(CODECS[codec].write(context, json.dumps(changed).encode(), CHANNEL).decode())
    ruby(*written)
    assert [json.loads(line) for line in done.read_text().splitlines()] == [
        ["c@example.com", 7, {"k": [1.5]}], ["c@example.com", 8], [{"to": "c@example.com", "n": 9}],
    ]  # fmt: skip


def test_msgpack_itself_is_imported_only_by_its_codec():
    script = "import sys, envelopes.codecs; sys.exit('msgpack' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_new_message_is_one_that_is_read_again():
    for codec, data in (
        ("celery", {"args": [1], "kwargs": {"a": 2}}),
        ("sidekiq", {"args": [1]}),
        ("msgpack", {"a": 1}),
    ):
        context = CODECS["json"].read(b"{}", None, (), CHANNEL)[0]._replace(type="mail.sent", id="m-1", source="/shop")
        wire = CODECS[codec].write(context, json.dumps(data).encode(), CHANNEL)
        assert isinstance(wire, Wire)
        read, found = CODECS[codec].read(bytes(wire), None, (), CHANNEL)
        assert found == data
        assert codec == "msgpack" or (read.type, read.id) == ("mail.sent", "m-1")
