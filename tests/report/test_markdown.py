"""One comment for a pull request: short enough whatever it shows, and text of strangers stays text."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from compat.conftest import INTEGER, STRING, message
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from report.test_formats import FINDINGS

from contract_test.data.finding import Finding, Report
from contract_test.data.verdict import ComparedPair
from contract_test.report.formats import FORMATS
from contract_test.report.inert_markdown import code, plain

MOST = 65_000
HOSTILE = [
    "```", "`", "``` ` ``", "| a | b |", "</details>", "<details>", "<script>alert(1)</script>", "@octocat", "@org/team",
    "#12", "GH-12", "[x](https://evil.example)", "![x](https://evil.example/a.png)", "https://evil.example", "www.evil.example",
    "<https://evil.example>", "::error::x", "\n::set-output name=a::b", "##[add-mask]x", "<!-- contract-test:compat -->", "-->",
    "\r\n\r\n# heading", "&lt;", "&#64;octocat", "\\", "\\`", "*", "**bold**", "_a_", "~~a~~", "$x$", "\u202e", "\ud800", "\U0001f600",
    "    code", "- item", "> quote", "a\x00b", " ", "", "'", '"',
]  # fmt: skip
NAMES = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=5), max_size=4).map("".join)
TAGS = {"p", "ul", "li", "h3", "h4", "strong", "code", "pre", "details", "summary"}


class Page(HTMLParser):
    """The tags of a page, and its texts outside of code."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.texts, self.comments = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert all(name == "class" and value == "language-json" for name, value in attrs), (tag, attrs)
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "code" not in self.open:
            self.texts.append(data)

    def handle_comment(self, data):
        self.comments.append(data.strip())


def page_of(text):
    return Page(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))


def check_comment(text, command):
    assert len(text.encode("utf-16-le")) // 2 <= MOST
    assert text.startswith(f"<!-- contract-test:{command} -->\n")
    page = page_of(text)
    assert page.comments == [f"contract-test:{command}"]
    assert set(page.tags) <= TAGS
    assert page.open == []
    assert page.tags.count("details") == page.tags.count("summary")
    outside = "".join(page.texts)
    assert not re.search(r"@\w|#[0-9]|GH-[0-9]|[a-z]://|www\.", outside), outside
    for line in text.splitlines():
        assert "##[" not in line
        assert not line.lstrip().startswith("::")
    return page


PAIRS = st.builds(
    ComparedPair,
    NAMES, NAMES, NAMES, st.sampled_from(["BACKWARD", "FORWARD"]),
    st.sampled_from(["compatible", "migrated", "incompatible", "unknown"]), NAMES,
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.builds(
            replace, FINDINGS, file=NAMES, pointer=NAMES, rule=NAMES, sentence=NAMES, advice=NAMES, subject=NAMES, writer=NAMES,
            reader=NAMES, direction=st.sampled_from(["", "BACKWARD"]), explanation=NAMES, rejected=NAMES, recorded=NAMES,
            witness=st.dictionaries(NAMES, NAMES, max_size=3), affected=st.lists(NAMES, max_size=2).map(tuple),
            severity=st.sampled_from(["error", "warning", "accepted"]),
        ),
        max_size=4,
    ),
    st.lists(PAIRS, max_size=3),
    st.lists(NAMES, max_size=2),
)  # fmt: skip
def test_text_of_strangers_stays_text(findings, pairs, notes):
    check_comment(FORMATS["markdown"](Report("compat", findings, pairs, notes)), "compat")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("render", [plain, code])
def test_a_text_is_shown_as_it_is(render, text):
    page = page_of(f"- {render(f'a{text}b')}")
    assert set(page.tags) <= {"ul", "li", "code"}


@settings(deadline=None, max_examples=15)
@given(
    size=st.sampled_from([1, 40, 3000]),
    count=st.sampled_from([1, 60, 400]),
    letter=st.sampled_from(["a", "`", "*", "@", "\U0001f600", "\u202e", "#1", "<"]),
    alike=st.booleans(),
    severity=st.sampled_from(["error", "warning", "accepted"]),
)
def test_a_comment_is_never_too_long(size, count, letter, alike, severity):
    text = letter * size
    findings = [
        Finding(
            text if alike else f"{number}{text}", f"/{number}{text}", text, text, text, severity, "BACKWARD", text, (text,) * 20,
            (f"{number}{text}",) * 20, f"{number if not alike else ''}{text}", "v1", "v2", {text: [text] * 20}, text, accepted=text,
        )
        for number in range(count)
    ]  # fmt: skip
    pairs = [ComparedPair(f"{number}{text}", text, text, "BACKWARD", "compatible", text) for number in range(count)]
    check_comment(FORMATS["markdown"](Report("compat", findings, pairs, [text] * count)), "compat")


def test_what_has_no_room_is_counted():
    findings = [Finding(f"{number}.json", "", "r", "x" * 300, "y" * 300) for number in range(400)]
    text = FORMATS["markdown"](Report("lint", findings))
    shown = text.count("**r** in")
    assert 0 < shown < 400
    assert f"{400 - shown} findings more, for which there is no room here." in text


def test_a_comment_tells_what_breaks_who_and_what_is_accepted_and_compatible(repo, compat, golden):
    repo.subject(mode="BACKWARD_TRANSITIVE", versions=[message(a=STRING, b=STRING), message(a=STRING, b=INTEGER)])
    finding = compat("--format", "json").findings[0]["id"]
    compat("accept", finding, "--reason", "nobody sends *b*", "--until", "2999-12-31")
    repo.version(3, message(a=INTEGER, b=INTEGER))
    repo.recording(1, {"a": "</details>`@octocat`"})

    text = compat("--format", "markdown").out

    check_comment(text, "compat")
    golden("comment.md", text)


def test_a_shared_cause_is_told_once(webhooks, compat, golden):
    text = compat("--format", "markdown", "--budget", "60").out

    check_comment(text, "compat")
    golden("webhooks.md", text)


def test_a_clean_run_says_so_and_lists_what_is_compatible(repo, compat):
    repo.subject(mode="FULL", versions=[message(a=STRING), message(a=STRING, b=STRING)])

    text = compat("--format", "markdown").out

    assert text == (
        "<!-- contract-test:compat -->\n\n### contract-test compat: no findings\n\n2 pairs compared: 2 compatible.\n\n"
        "<details><summary>Compatible: 1 subject</summary>\n\n"
        "- `thing.done`: v1 → v2 BACKWARD, v2 → v1 FORWARD\n\n</details>\n"
    )


def test_a_comment_links_to_the_pages_of_a_site(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])

    comment = compat("--format", "markdown", "--site", "https://contracts.acme.example/x)y/").out

    base = "https://contracts.acme.example/x%29y"
    assert f"- see [thing.done]({base}/subjects/thing.done/index.html), [feed]({base}/services/feed.html)" in comment
    assert compat("--format", "markdown", "--site", "javascript:alert(1)").code == 2
