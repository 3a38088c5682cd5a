"""`contract-test show` prints recordings for people; old recordings are warned about."""

import json
import os
import pty
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_test.cli.lint import command as lint_command
from contract_test.cli.show import command
from contract_test.data.errors import NothingFoundError, RecordingError

CONTRACTS = Path(__file__).parents[2] / "contracts"
LIKES = CONTRACTS / "message.liked" / "recordings" / "v2.jsonl"


def show(*arguments):
    options = [*map(str, arguments), "--contracts", str(CONTRACTS)]
    return CliRunner().invoke(command, options, standalone_mode=False)


def on_a_terminal(columns, *arguments, **environment):
    """What a terminal of so many columns gets."""
    code = "from contract_test.cli import main; main()"
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-c", code, "show", *map(str, arguments)], stdout=theirs, stderr=subprocess.DEVNULL,
        env=os.environ | {"COLUMNS": str(columns), "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    assert done.wait() == 0
    return text.decode()


def written(path, *payloads, **more):
    lines = [
        {"format": 1, "channel": "c", "subject": "s", "version": 1, "payload": payload} | more for payload in payloads
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def test_a_message_is_shown_with_what_is_known_of_it():
    first = show(LIKES, "--line", "1").stdout
    recorded = json.loads(LIKES.read_text().splitlines()[0])
    assert first.startswith(f"message.liked v2  {LIKES}:1\n")
    assert f"sent     {recorded['payload']['time']}" in first
    assert f"key      {recorded['key']}" in first
    assert "topic activity" in first
    assert "header content-type application/cloudevents+json" in first
    assert '"reaction": "like"\n' in first
    assert f'"name": "{recorded["payload"]["data"]["liker"]["name"]}",  (masked)' in first
    assert first.count("(masked)") == len(recorded["masked"])


def test_a_message_names_the_recorded_message_that_caused_it():
    text = show("delivery.requested", "--line", "1").stdout
    assert f"({CONTRACTS}/message.liked/recordings/" in text.partition("cause ")[2].splitlines()[0]


def test_the_payload_is_json_that_can_be_copied(tmp_path):
    payload = {"a": [1.50, {}, [], None, True, "é"], "b": {"c": 10**30}}
    text = show(written(tmp_path / "some.jsonl", payload)).stdout
    assert json.loads(text[text.index("{") :]) == payload


def test_numbers_are_shown_as_they_were_written(tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_text('{"format":1,"channel":"c","subject":"s","version":1,"payload":{"a":1.50,"b":1e5}}\n')
    assert '"a": 1.50,\n    "b": 1e5\n' in show(path).stdout


def test_a_hostile_recording_does_nothing_to_a_terminal(tmp_path):
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\u009b1m\r\n"
    path = written(
        tmp_path / "some.jsonl", {evil: evil, "[red]": "[/]"}, key=evil, headers={evil: evil}, channel=evil, subject=evil,
        seen={"list": evil}, masked=[f"/{evil}"],
    )  # fmt: skip
    piped = show(path).output
    assert all(letter.isprintable() or letter == "\n" for letter in piped)
    plain = on_a_terminal(80, path, NO_COLOR="1")
    assert all(letter.isprintable() or letter in "\r\n" for letter in plain)
    assert '"[red]": "[/]"' in plain


def test_a_terminal_gets_colours_and_lines_of_its_width_and_no_colours_where_it_asks():
    assert "\x1b[" in on_a_terminal(80, LIKES)
    narrow = on_a_terminal(30, LIKES, NO_COLOR="1")
    assert "\x1b" not in narrow
    assert max(map(len, narrow.replace("\r", "").split("\n"))) <= 30


def test_a_pipe_that_closes_early_is_no_traceback():
    code = "from contract_test.cli import main; main()"
    command = f"{sys.executable} -c '{code}' show {LIKES} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("message.liked v2")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["nobody.knows", "no/such/file.jsonl"])
def test_nothing_to_show_says_so(name):
    assert isinstance(show(name).exception, RecordingError)


def test_a_line_that_is_not_there_says_so():
    error = show(LIKES, "--line", "999").exception
    assert isinstance(error, NothingFoundError)
    assert "no message in line 999" in str(error)
    assert f"is {len(LIKES.read_text().splitlines())}." in str(error)


def test_a_subject_that_is_mistyped_is_told_with_those_there_are():
    error = show("message.likd").exception
    assert "message.likd: no subject of the catalog, and no such file" in str(error)
    assert "Known: message.posted, message.liked, " in str(error)


def test_a_schema_is_no_recording():
    error = show(CONTRACTS / "message.liked" / "v2.json").exception
    assert "no recording\n  Name a SUBJECT" in str(error)


@pytest.fixture
def aged(tmp_path):
    """A function that gives contracts whose likes of version 2 were all sent so many days ago."""

    def make(days):
        contracts = tmp_path / "contracts"
        shutil.copytree(CONTRACTS, contracts)
        path = contracts / "message.liked" / "recordings" / "v2.jsonl"
        time = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            line["payload"] |= {"time": time}
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return contracts

    return make


@pytest.mark.parametrize(("days", "warned"), [(100, True), (10, False)])
def test_lint_warns_of_old_recordings_when_asked(aged, days, warned):
    contracts = str(aged(days))
    asked = CliRunner().invoke(lint_command, ["--contracts", contracts, "--max-age", "90d"], standalone_mode=False)
    shown = [line for line in asked.stdout.splitlines() if "recording-old" in line and "message.liked" in line]
    assert bool(shown) == warned
    if warned:
        assert "v2.jsonl  recording-old  warning: the newest of 15 recorded messages is 100 days old" in shown[0]
    assert asked.return_value == 0
    assert "recording-old" not in CliRunner().invoke(lint_command, ["--contracts", contracts]).output


def test_an_age_that_is_none_is_refused(aged):
    result = CliRunner().invoke(lint_command, ["--contracts", str(aged(1)), "--max-age", "soon"])
    assert result.exit_code == 2
    assert "90d" in result.output
