"""The project's texts use words that a newcomer knows."""

import ast

import pytest
from house.words import ROOT, docstrings_without_a_verb, old_names, old_phrases, problems


def test_the_project_keeps_its_words():
    found = sorted(problems(ROOT))

    assert not found, "\n".join(["words that readers stumble over:", *found])


@pytest.mark.parametrize(
    "text",
    [
        "Is held against the contract.",
        "It holds each message\n    against its contract.",
        "# A message that is made\n# up for the test.",
        "Nothing found is never green.",
    ],
)
def test_a_phrase_is_found_across_lines_and_comments(text):
    assert len(list(old_phrases("page.md", text))) == 1


def test_a_plain_sentence_has_no_old_phrase():
    assert not list(old_phrases("page.md", "Each message is checked against its contract."))


@pytest.mark.parametrize("source", ["class Desk: ...", "def _bury(): ...", "_MOST = 3"])
def test_a_replaced_name_is_found(source):
    assert len(list(old_names("a/b.py", ast.parse(source)))) == 1


def test_a_replaced_module_name_is_found():
    assert len(list(old_names("src/desk.py", ast.parse("")))) == 1


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('def f():\n    """Return one."""', 0),
        ('def f():\n    """Whether it is one."""', 1),
        ('def _f():\n    """Whether it is one."""', 0),
        ("def f(): ...", 0),
        ('class C:\n    def f(self):\n        """The one."""', 1),
        ('class C:\n    @property\n    def f(self):\n        """The one."""', 0),
        ('@pytest.fixture(scope="session")\ndef f():\n    """The one."""', 0),
    ],
)
def test_a_public_docstring_begins_with_a_verb(source, found):
    assert len(list(docstrings_without_a_verb("a.py", ast.parse(source)))) == found
