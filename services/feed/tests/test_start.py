"""What is set up wrong is one sentence and exit code 2, before the service is ready."""

import os
import signal
import socket
import threading

import pytest
import sqlalchemy as sa

from feed.__main__ import main


@pytest.fixture
def start(kafka, redis_url, mailbox, tmp_path, capsys, caplog):
    """Start the service with options that are wrong; return its exit code and what it said."""

    def run(*options):
        right = {"--kafka": kafka.address, "--redis": redis_url, "--store": str(tmp_path / "feed.db")}
        command = [part for name, value in right.items() if name not in options for part in (name, value)]
        giving_up = threading.Timer(120, os.kill, (os.getpid(), signal.SIGTERM))
        giving_up.start()
        try:
            code = main([*command, *options])
        except SystemExit as usage_error:
            code = usage_error.code
        giving_up.cancel()
        return code, capsys.readouterr().err + caplog.text

    return run


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--http", "127.0.0.1:99999", "Give it a HOST:PORT"),
        ("--http", "8080", "HOST:PORT"),
        ("--http", "localhost", "HOST:PORT"),
        ("--http", "nowhere.invalid:0", "Give it a HOST:PORT"),
        ("--redis", "localhost:6379", "not a URL such as redis://"),
        ("--redis", "redis://localhost:99999", "not a URL such as redis://"),
        ("--redis", "redis://localhost/first", "not a URL such as redis://"),
        ("--redis", "redis+sentinel://localhost", "not a URL such as redis://"),
        ("--redis", "redis://nowhere.invalid", "Check --redis"),
        ("--kafka", "nowhere.invalid:9092", "Check --kafka"),
        ("--kafka", "127.0.0.1:99999", "not host:port"),
        ("--store", "/nowhere/feed.db", "Check --store"),
        ("--store", "localhost:5432/feed", "not a URL such as postgresql"),
        ("--store", "postgres://localhost/feed", "--store cannot be used"),
        ("--store", "postgresql+psycopg://feed@nowhere.invalid/feed", "Check --store"),
        ("--store", "postgresql+psycopg://feed@localhost:99999/feed", "Check --store"),
        ("-X", "no.such.setting=1", "Check -X"),
        ("-X", "session.timeout.ms=soon", "Check -X"),
        ("-X", "ssl.ca.location=/nowhere", "Check -X"),
        ("-X", "group.id=mine", "group.id cannot be given"),
        ("-X", "enable.auto.commit=true", "the offsets are in the store"),
        ("-X", "auto.offset.reset=latest", "the offsets are in the store"),
        ("-X", "group.protocol=consumer", "it has not been tried"),
        ("-X", "bootstrap.servers=localhost", "use --kafka"),
        ("-X", "error_cb=print", "it is a function"),
    ],
)
def test_an_option_that_is_wrong(start, option, value, words):
    security = ["-X", "security.protocol=SSL"] if "ssl" in value else []
    code, said = start(option, value, *security)
    assert code == 2
    assert words in said
    assert "Traceback" not in said


def test_a_port_that_is_taken(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = start("--http", f"127.0.0.1:{taken.getsockname()[1]}")
    assert code == 2
    assert "the port is taken" in said


@pytest.mark.parametrize("problem", ["password", "database", "type", "certificate"])
def test_a_redis_that_is_set_up_wrong(start, redis_url, mailbox, problem):
    if problem == "password":
        redis_url = redis_url.replace("redis://", "redis://somebody:wrong@")
    if problem == "database":
        redis_url += "/99"
    if problem == "certificate":
        redis_url = redis_url.replace("redis://", "rediss://") + "?ssl_ca_certs=/nowhere"
    if problem == "type":
        mailbox.set("resque:queues", "a text")
    code, said = start("--redis", redis_url)
    assert code == 2
    assert "Check --redis" in said


@pytest.mark.parametrize("problem", ["database", "role", "rights"])
def test_a_postgresql_that_is_set_up_wrong(start, postgresql, problem):
    url = postgresql.replace("/postgres", "/nowhere") if problem == "database" else postgresql
    if problem == "role":
        url = url.replace("feed@", "nobody@")
    if problem == "rights":
        with sa.create_engine(postgresql, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("CREATE ROLE stranger LOGIN")
        url = url.replace("feed@", "stranger@")
    code, said = start("--store", url)
    assert code == 2
    assert "Check --store" in said


@pytest.mark.parametrize("options", [["--window", "0"], ["--window", "-1"], ["--window", "nan"], ["--window", "inf"],
                                     ["--top", "0"], ["--top", "1.5"]])  # fmt: skip
def test_numbers_of_trending(options, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["trending", "--kafka", "127.0.0.1:1", *options])
    assert ended.value.code == 2
    assert options[0] in capsys.readouterr().err
