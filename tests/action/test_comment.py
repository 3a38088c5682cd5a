"""The step of action.yml that comments on a pull request, against a stand-in of the API on this machine."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from compat.conftest import INTEGER, STRING, message, repo  # noqa: F401 - fixtures

ROOT = Path(__file__).parents[2]
MARK = "<!-- contract-test:compat -->"


class Api(ThreadingHTTPServer):
    """Comments of pull request 7, and whether the token may write."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments, self.may_write, self.broken = [], True, False

    def add(self, body, kind="Bot"):
        self.comments.append({"id": 100 + len(self.comments), "body": body, "user": {"type": kind}})


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def answer(self, code, value):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        assert path == "/repos/acme/contracts/issues/7/comments"
        if self.server.broken:
            self.answer(502, {})
            return
        page = int(query.rpartition("page=")[2])
        self.answer(200, self.server.comments[100 * (page - 1) : 100 * page])

    def write(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        if not self.server.may_write:
            self.answer(403, {"message": "Resource not accessible by integration"})
        elif self.command == "POST":
            self.server.add(body)
            self.answer(201, {})
        else:
            known = int(self.path.rpartition("/")[2])
            next(each for each in self.server.comments if each["id"] == known)["body"] = body
            self.answer(200, {})

    do_POST = do_PATCH = write  # noqa: N815 - as the base class asks for


@pytest.fixture
def api():
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def act(repo, api):  # noqa: F811
    """Run the action's step in a repository in which v2 breaks: its exit code, and what it printed."""
    repo.subject(versions=[message(a=STRING)])
    repo.commit()
    repo.version(2, message(a=INTEGER))
    (repo.root / "event.json").write_text('{"pull_request": {"number": 7}}')
    step = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"][-1]

    def run(command="compat --against main --format markdown", event="pull_request", comment="true"):
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ACTION": str(ROOT), "COMMAND": command, "COMMENT": comment, "TOKEN": "t0ken",
            "GITHUB_API_URL": f"http://127.0.0.1:{api.server_port}", "GITHUB_REPOSITORY": "acme/contracts",
            "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(repo.root / "event.json"),
            "GITHUB_STEP_SUMMARY": str(repo.root / "summary.md"),
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=repo.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    run.summary = lambda: (repo.root / "summary.md").read_text() if (repo.root / "summary.md").exists() else ""
    run.event = repo.root / "event.json"
    run.mend = lambda: repo.version(2, message(a=STRING, b=STRING))
    return run


def test_the_comment_is_written_once_and_then_updated(act, api):
    assert act()[0] == 1
    (comment,) = api.comments
    assert comment["body"].startswith(f"{MARK}\n")
    assert "break on what web sends" in comment["body"]
    act.mend()
    assert act()[0] == 0
    (comment,) = api.comments
    assert "no findings" in comment["body"]


def test_a_comment_of_a_person_or_on_a_later_page_is_told_apart(act, api):
    api.add(f"{MARK}\nI am a bot, too", kind="User")
    for _ in range(150):
        api.add("something else")
    api.add(f"{MARK}\nof an earlier run")

    act()

    assert len(api.comments) == 152
    assert api.comments[0]["body"].endswith("I am a bot, too")
    assert "What breaks" in api.comments[-1]["body"]


@pytest.mark.parametrize("trouble", ["read-only token", "the API is down", "no pull request"])
def test_where_it_cannot_comment_it_writes_the_summary_and_says_so(act, api, trouble):
    api.may_write, api.broken = trouble != "read-only token", trouble == "the API is down"
    if trouble == "no pull request":
        act.event.write_text("{}")

    code, out = act()

    assert (code, api.comments) == (1, [])
    assert act.summary().startswith(f"{MARK}\n")
    assert out.startswith("::notice::")
    assert ("may not write comments" in out) == (trouble == "read-only token")


def test_it_refuses_to_give_rights_to_the_code_of_a_stranger(act, api):
    code, out = act(event="pull_request_target")

    assert (code, api.comments, act.summary()) == (2, [], "")
    assert out.startswith("::error::")


def test_without_comment_the_command_prints_as_ever(act, api):
    code, out = act("compat --against main --format github", comment="false")

    assert (code, api.comments) == (1, [])
    assert out.startswith("::error file=")
