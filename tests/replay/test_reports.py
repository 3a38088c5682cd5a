"""One result, rendered for a terminal, a program, a pull request and a browser; what a stranger wrote stays text."""

import dataclasses
import json
import re
import subprocess
from html.parser import HTMLParser

import pytest

from contract_test.data.interaction import Mismatch
from contract_test.data.result import (
    Coverage,
    Fact,
    Failure,
    FieldReads,
    MessageResult,
    Operation,
    Reader,
    Run,
    Strength,
    Survivor,
)
from contract_test.files.catalog import load_catalog
from contract_test.files.lock import digest
from contract_test.files.revision import CI_VARIABLES
from contract_test.pages.marked_json import marked_lines
from contract_test.report.run_github import run_as_github
from contract_test.report.run_html import run_as_html
from contract_test.report.run_json import run_as_json
from contract_test.report.summary import failure_lines, summary_lines

from .conftest import line, order

HOSTILE = (
    '</pre><script>alert(1)</script><img src=x onerror="alert(2)">\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp.exe'
    "\r\n::error file=a::pwned %0A::stop-commands::x\x00\u2028"
)


def played(
    number: int, outcome: str = "passed", failure: Failure | None = None, said: str = "Bo", **more
) -> MessageResult:
    message = json.dumps({"like_id": f"l-{number}", "liker": {"name": said}, "tags": [1, 2]}, ensure_ascii=False)
    place = f"contracts/message.liked/recordings/v2.jsonl:{number}"
    item = f"tests/test_feed.py::test_likes[message.liked-v2[v2.jsonl:{number}]]"
    return MessageResult(
        item,
        "message.liked",
        2,
        "consumes",
        outcome,
        place=place,
        failure=failure,
        message=message if failure else "",
        **more,
    )


UNKNOWN = Failure(
    "field-unknown", "the contract has no such field (it has: name)", "/liker/nick", "read `name` instead"
)
CHOKED = Failure("handler-failed", f"KeyError: {HOSTILE}", "/liker", HOSTILE)
RUN = Run(
    "feed",
    (
        Operation(
            "message.liked",
            2,
            "consumes",
            (
                played(1),
                played(2, "failed", UNKNOWN),
                played(3, "failed", UNKNOWN),
                played(4, "failed", CHOKED, HOSTILE, origin="variation", change=HOSTILE),
            ),
            ("web",),
            ("feed", "trending"),
            Strength(3, 4, (Survivor("test_likes", "/tags", HOSTILE),)),
        ),
    ),
    (Coverage("message.liked", 2, (Fact("/note", "absent"), Fact("/kind", f'value "{HOSTILE}"', "recorded"))),),
    (
        Reader(
            "feed", "message.liked", 2, "digest", 4, (FieldReads(f"/{HOSTILE}", 3, 1), FieldReads("/liker/name", 0, 2))
        ),
    ),
    (f"no test for {HOSTILE}",),
    ("message.posted: allow_empty, so nothing is asked of it",),
)
GREEN = Run("feed", (Operation("message.liked", 2, "consumes", (played(1),), ("web",), ("feed",)),))


class Page(HTMLParser):
    """What a browser would take as tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def printable(text: str) -> bool:
    return all(letter.isprintable() or letter == "\n" for letter in text)


def test_the_summary_says_what_failed_why_which_message_who_is_affected_and_what_to_do():
    lines = failure_lines(RUN)
    assert lines[:6] == [
        "",
        "message.liked v2 consumes: 2 of 4 messages, field-unknown",
        "  why      /liker/nick: the contract has no such field (it has: name)",
        "  message  contracts/message.liked/recordings/v2.jsonl:2 and 1 more",
        "  affects  sent by web, received by feed, trending",
        "  to do    read `name` instead",
    ]
    assert failure_lines(GREEN) == []


def test_the_summary_ends_after_ten_ways_to_fail():
    failed = [played(n, "failed", dataclasses.replace(UNKNOWN, pointer=f"/{n}")) for n in range(14)]
    run = dataclasses.replace(GREEN, operations=(dataclasses.replace(GREEN.operations[0], played=tuple(failed)),))
    lines = failure_lines(run)
    assert sum("field-unknown" in each for each in lines) == 10
    assert lines[-1].startswith("and 4 other ways to fail; --contracts-report")


def test_github_gets_the_worst_ten_and_the_count():
    failed = [played(n, "failed", dataclasses.replace(UNKNOWN, pointer=f"/{n % 14}")) for n in range(20)]
    run = dataclasses.replace(GREEN, operations=(dataclasses.replace(GREEN.operations[0], played=tuple(failed)),))
    lines = run_as_github(run).splitlines()
    assert len(lines) == 11
    assert all("2 of 20 messages" in each for each in lines[1:7]), "the most frequent come first"
    assert lines[1].startswith("::error file=contracts/message.liked/recordings/v2.jsonl,line=0,col=1,title=")
    assert lines[0].endswith("20 failed messages, 14 things to mend; the worst 10 are annotated")
    assert run_as_github(GREEN) == ""


def test_json_has_a_version_counts_and_every_failure():
    document = json.loads(run_as_json(RUN))
    (operation,) = document["operations"]
    assert document["format"] == 2
    assert operation["messages"]["recorded"] == {"passed": 1, "failed": 2, "skipped": 0}
    assert [each["failure"]["check"] for each in operation["failed"]] == [
        "field-unknown",
        "field-unknown",
        "handler-failed",
    ]
    assert json.loads(operation["failed"][2]["message"])["liker"]["name"] == HOSTILE
    assert (document["coverage"][0]["share"], document["readers"][0]["fields"][1]["by_test"]) == (0.5, 2)


def test_html_shows_verdicts_the_message_beside_the_expectation_readers_coverage_and_strength():
    text = " ".join(Page(run_as_html(RUN)).text.split())
    for said in (
        "3 of 4 messages failed",
        "message.posted: allow_empty, so nothing is asked of it",
        "message.liked v2 consumes 3 3 1 50% 3 of 4",
        "field-unknown 2 of 4, consumes /liker/nick the contract has no such field (it has: name) To do: read `name` instead",
        "The contract allows this message.",
        "reads it in 3 of 4",
        "only its test reads it, in 2 of 4",
        "/notenever reads it",
        "Never exercised: 1 /note absent",
        "Faults that no test noticed /tags",
    ):
        assert said in text
    assert "The message passed: 1" in Page(run_as_html(GREEN)).text


def test_html_links_to_a_site_of_the_contracts():
    html = run_as_html(dataclasses.replace(RUN, site="https://contracts.acme.example/"))

    assert 'href="https://contracts.acme.example/services/feed.html"' in html
    assert 'href="https://contracts.acme.example/subjects/message.liked/v2.html"' in html
    assert 'href="https' not in run_as_html(RUN)
    assert 'href="javascript' not in run_as_html(dataclasses.replace(RUN, site="javascript:alert(1)"))


def test_html_of_a_producer_shows_what_was_recorded_beside_what_was_emitted():
    mismatches = (Mismatch("/liker/name", '"Bo"', '"Cy"'), Mismatch("/tags/7", "nothing", "7", "new-field"))
    failure = Failure("value-changed", 'expected "Bo", found "Cy"', "/liker/name", "Change it back.", mismatches)
    one = played(1, "failed", failure, expected=json.dumps({"liker": {"name": "Bo"}, "tags": [1]}))
    operation = dataclasses.replace(
        GREEN.operations[0], operation="produces", played=(dataclasses.replace(one, operation="produces"),)
    )
    html = run_as_html(dataclasses.replace(GREEN, operations=(operation,)))
    assert "Expected, as it was recorded" in html
    assert "The cause that it was given" in html
    marked = re.findall(r'<span class="line marked">(.*?)</span>', html)
    assert marked == ["    &#34;name&#34;: &#34;Bo&#34;", "  &#34;tags&#34;: ["]
    assert "<del>&#34;Bo&#34;</del> <ins>&#34;Cy&#34;</ins>" in html


def test_the_page_loads_and_runs_nothing():
    page = Page(run_as_html(RUN))
    assert not page.tags & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert all(not name.startswith("on") for name, _ in page.attributes)
    assert all(value.startswith("#") for name, value in page.attributes if name in {"href", "src", "action"})
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


@pytest.mark.parametrize(
    "render",
    [
        run_as_html,
        run_as_json,
        run_as_github,
        lambda run: "\n".join(failure_lines(run)),
        lambda run: "\n".join(summary_lines(run)),
    ],
    ids=["html", "json", "github", "failures", "table"],
)
def test_nothing_that_a_terminal_or_a_browser_acts_on_leaves_a_report(render):
    assert printable(render(RUN))


def test_a_value_cannot_begin_a_workflow_command():
    assert len(run_as_github(RUN).splitlines()) == 3
    assert all(each.startswith("::error ") for each in run_as_github(RUN).splitlines())
    assert "%0A::stop-commands" not in run_as_github(RUN).replace("%250A", "")


def test_marked_lines_of_any_json():
    text = json.dumps({"a": [], "b": {"c/d": None, "e": [1, {"f": "\u202e"}]}})
    lines = marked_lines(text, ["/b/c~1d", "/b/e/1/gone/further", "/a", "/nowhere"])
    assert json.loads("\n".join(each.text for each in lines)) == json.loads(text)
    assert [each.text.strip() for each in lines if each.marked] == ["{", '"a": [],', '"c/d": null,', "{"]


def test_a_run_writes_every_report_that_is_asked_for(repo):
    note = HOSTILE.replace("\x00", "")
    repo.record("order.placed", [line("order.placed", 1, order(1) | {"note": note}), line("order.placed", 1, order(2))])
    repo.record("mail.requested", []).unlink()
    repo.settings('service = "mailer"\npackage = "acme"\ncontracts = "contracts"\nallow_empty = ["mail.requested"]')
    repo.change("    assert handle(message)", '    assert message.note == "short" or not message.note')
    repo.pytester.makeconftest("import os\nos.environ['GITHUB_ACTIONS'] = 'true'")
    result = repo.run("-k", "read", "-n", "2", "--contracts-report=out/found.html", "--contracts-report=found.json")
    result.assert_outcomes(passed=1, failed=1)
    document = json.loads((repo.pytester.path / "found.json").read_text())
    (failed,) = document["operations"][0]["failed"]
    assert failed["place"] == "contracts/order.placed/recordings/v1.jsonl:1"
    page = Page((repo.pytester.path / "out" / "found.html").read_text())
    assert "1 of 2 messages failed" in page.text
    assert "script" not in page.tags
    assert all(printable(each) for each in result.outlines)
    commands = [each for each in result.outlines if each.startswith("::")]
    recorded = (repo.pytester.path / "contracts/order.placed/recordings/v1.jsonl").read_text()
    (command,) = commands
    where = "line=1,col=" + str(recorded.index('"data"') + 1)
    assert command.startswith(f"::error file=contracts/order.placed/recordings/v1.jsonl,{where},title=order.placed v1")


def test_a_report_that_cannot_be_written_is_red_and_leaves_the_summary(repo):
    (repo.pytester.path / "taken").write_text("a file, and no folder")
    result = repo.run("--contracts-report=taken/run.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["order.placed *", "*taken/run.json: cannot be written: *"])


def test_without_the_extra_that_replaying_needs_it_is_named(repo):
    repo.pytester.makeconftest("""
        import contract_test.pytest_plugin.plugin as plugin
        plugin.find_spec = lambda name: None if name == "jsonschema" else name
    """)
    result = repo.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --contracts needs jsonschema: install the extra contract-test[[]replay]"])


def test_a_report_of_an_unknown_kind_is_refused_before_anything_runs(repo):
    result = repo.run("--contracts-report=found.pdf")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*found.pdf is no report that can be written*", "*end in .html or .json*"])


def report_of(repo, *options):
    result = repo.run("--contracts-report", "result.json", *options)
    return result, json.loads((repo.pytester.path / "result.json").read_text())


@pytest.mark.parametrize("bulk", [(), ("--contracts-bulk",)])
def test_the_report_names_what_was_emitted_and_the_contracts_by_their_digests(repo, bulk):
    _, document = report_of(repo, *bulk)
    assert [each["sent"] for each in document["operations"]] == [[1], []]
    assert {each["operation"] for each in document["operations"] if each["sent"]} == {"produces"}
    contract = load_catalog(repo.contracts).subjects["order.placed"].newest
    pinned = {each["subject"]: each for each in document["contracts"]["pinned"]}
    assert pinned["order.placed"] == {
        "subject": "order.placed",
        "version": 1,
        "digest": digest(contract),
        "sends": False,
        "receives": True,
    }
    assert (pinned["mail.requested"]["sends"], pinned["mail.requested"]["receives"]) == (True, False)


def test_the_report_names_the_commit_and_whether_files_differ_from_it(repo, monkeypatch):
    for name in CI_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    monkeypatch.setenv("GITHUB_SHA", "abc123")
    assert report_of(repo)[1]["service_version"] == "abc123", "outside of git, what the CI system names"
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "all")):
        subprocess.run([*git, *arguments], cwd=repo.pytester.path, check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], cwd=repo.pytester.path, check=True, capture_output=True)
    document = report_of(repo)[1]
    assert (document["service_version"], document["dirty"]) == (head.stdout.decode().strip(), False)
    (repo.pytester.path / "extra.py").write_text("")
    assert report_of(repo)[1]["dirty"]
