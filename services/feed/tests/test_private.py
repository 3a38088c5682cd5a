"""Passwords, and what messages say, stay out of logs, errors and the headers of dead letters."""

import itertools
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from feed import Store
from feed.__main__ import main, make_parser
from feed.errors import UnusableError
from feed.http import listen
from feed.outbox import Outbox

log = logging.getLogger("feed")

SECRET = "hunter2-is-a-secret"
SCHEMES = (
    "redis://", "rediss://", "redis+sentinel://", "unix://", "redis:/", "redis:", "", "REDIS://", "http://",
    "postgresql+psycopg://", "postgresql://", "postgresql:/", "postgresql+psycopg:", "mysql://",
)  # fmt: skip
LOGINS = (
    "feed:{}@", ":{}@", "{}@", "feed:{}/x@", "feed:/{}@", "feed:#{}@", "feed:?{}@", "feed:x@{}@", "feed:x:{}@",
    "feed:x/{}:1@", "feed: {}@", "feed:[{}]@", "feed:%zz{}@", "feed:{}",
)  # fmt: skip
PLACES = ("127.0.0.1:1/0", "127.0.0.1:99999/0", "127.0.0.1:port/0", "127.0.0.1:1/first", "[::1/0", "", "/", "a,b:c/d/e")


@pytest.mark.parametrize("option", ["--redis", "--store", "--kafka", "-X", "--http", "--top", "command"])
def test_no_malformed_url_is_quoted(option, capsys, caplog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a URL without a scheme is the path of a database
    parser, store, refused = make_parser(), Store("sqlite://"), 0
    for scheme, login, place in itertools.product(SCHEMES, LOGINS, PLACES):
        given = scheme + login.format(SECRET) + place
        arguments = [given] if option == "command" else [option, given]
        try:
            options = parser.parse_args(["--kafka", "127.0.0.1:1", *arguments])
            if option in {"--redis", "--store"}:
                Outbox(Store(options.store) if option == "--store" else store, options.redis).check()
            if option == "--http":
                listen(options.http).close()
        except (SystemExit, UnusableError, sa.exc.OperationalError) as error:
            refused += 1
            log.warning("%s", error)
        assert SECRET not in capsys.readouterr().err + caplog.text, given
        caplog.clear()
    assert refused > 900


@pytest.mark.parametrize(
    "arguments",
    [
        [f"--reddis=redis://:{SECRET}@host"],
        [f"--s=postgresql://feed:{SECRET}@host"],
        ["--redis", "redis://host", f"redis://:{SECRET}@host"],
        [f"--cluster={SECRET}"],
        ["-X", "sasl.password=", SECRET],
        ["-X", f"group.id={SECRET}"],
        ["-X", "security.protocol=SSL", "-X", f"ssl.key.pem={SECRET}", "-X", f"ssl.key.password={SECRET}"],
        ["-X", f"sasl.password={SECRET}", "-X", "sasl.passwort=x"],
    ],
)
def test_no_option_is_quoted(arguments, tmp_path, capsys, caplog):
    try:
        code = main(["--kafka", "127.0.0.1:1", "--store", str(tmp_path / "feed.db"), *arguments])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert SECRET not in capsys.readouterr().err + caplog.text


def test_every_option_can_come_from_a_file_and_does_not_stand_in_the_list_of_processes(
    kafka, redis_url, mailbox, like, tmp_path, until
):
    mailbox.acl_setuser("private", enabled=True, passwords=[f"+{SECRET}"], keys=["*"], commands=["+@all"])
    options = tmp_path / "options"
    url = redis_url.replace("redis://", f"redis://private:{SECRET}@")
    options.write_text(
        f"--kafka\n{kafka.address}\n--store={tmp_path / 'feed.db'}\n--redis={url}\n-X\nsession.timeout.ms=4000"
    )
    with subprocess.Popen([sys.executable, "-m", "feed", f"@{options}"], stderr=subprocess.PIPE, text=True) as process:
        kafka.publish(like(1))
        until(lambda: mailbox.llen("resque:queue:transport") == 1)
        assert SECRET not in Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8")
        process.terminate()
        assert SECRET not in process.stderr.read()
    mailbox.acl_deluser("private")


def test_urls_can_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("FEED_REDIS", "redis://:secret@redis")
    monkeypatch.setenv("FEED_STORE", "postgresql+psycopg://feed:secret@database/feed")
    options = make_parser().parse_args(["--kafka", "kafka:9092"])
    assert options.redis == "redis://:secret@redis"
    assert options.store == "postgresql+psycopg://feed:secret@database/feed"


def test_dead_letters_and_logs_do_not_say_what_was_in_a_message(service, kafka, mailbox, like):
    good = json.loads(like(1).to_json())
    liker = good["liker"]
    broken = [
        *({**good, name: SECRET} for name in good),
        *({**good, "liker": {**liker, name: SECRET * 9}} for name in ("person_id", "name", "locale")),
        {**good, "liker": {SECRET: 1}},
        {SECRET: SECRET},
        SECRET,
    ]
    event = {"specversion": "1.0", "id": "x", "source": "/web", "type": "message.liked"}
    bodies = [json.dumps(event | {"data": data}) for data in broken if data != good]
    bodies += [json.dumps(event | {"data": good, name: SECRET}) for name in ("type", "specversion", "time")]
    bodies += [SECRET, f'{{"{SECRET}', f'{{"data": "{SECRET}"']
    process = service()
    header = [("content-type", b"application/cloudevents+json")]
    kafka.publish(*[(body.encode(), SECRET.encode(), header) for body in bodies])
    letters = kafka.read("activity.dead-letter", len(bodies) - 1)  # `reaction` may be any text
    for letter in letters:
        headers = dict(letter.headers())
        assert SECRET.encode() not in headers["dead-letter-place"] + headers["dead-letter-reason"]
    assert any(b"/liker/locale" in dict(letter.headers())["dead-letter-reason"] for letter in letters)
    process.terminate()
    assert SECRET not in process.stderr.read()
