"""The scrub key: nobody else can read it, git never sees it, and it cannot be guessed."""

import os
import subprocess

import pytest

from contract_test.data.errors import CatalogError
from contract_test.files.scrub_key import FILE, VARIABLE, scrub_key
from contract_test.lint.key_checks import check_scrub_key

KEY = "0f9b" * 4 + "c2d4e6a8" * 2


@pytest.fixture(autouse=True)
def _no_key_given(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "contracts").mkdir()
    return tmp_path / "contracts"


def git(place, *words: str) -> int:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(place), *words]
    return subprocess.run(command, check=False, capture_output=True).returncode


def put(root, key: str = KEY, mode: int = 0o600) -> None:
    (root / FILE).write_text(key)
    (root / FILE).chmod(mode)


def findings(root) -> list[str]:
    return [f"{each.rule}: {each.sentence}" for each in check_scrub_key(root)]


@pytest.mark.parametrize("how", ["new", "copied here", "given, beside a file"])
def test_git_ignores_the_file_wherever_it_comes_from(repository, how, monkeypatch):
    if how != "new":
        put(repository)
    if how == "given, beside a file":
        monkeypatch.setenv(VARIABLE, KEY)
    scrub_key(repository)
    assert git(repository, "check-ignore", "-q", FILE) == 0
    assert (repository / FILE).stat().st_mode & 0o777 == 0o600
    assert findings(repository) == []


@pytest.mark.parametrize("rules", ["!.scrub-key", "# .scrub-key", ".scrub-key\n!.scrub-key", "other"])
def test_a_rule_that_only_names_the_file_does_not_hide_it(repository, rules):
    (repository / ".gitignore").write_text(rules)
    scrub_key(repository)
    assert git(repository, "check-ignore", "-q", FILE) == 0
    assert (repository / ".gitignore").read_text().startswith(rules)


def test_a_key_that_git_tracks_is_refused(repository):
    put(repository)
    git(repository, "add", "-f", FILE)
    with pytest.raises(CatalogError, match="git tracks the scrub key"):
        scrub_key(repository)
    assert findings(repository) == ["scrub-key: git tracks the scrub key"]


def test_lint_finds_a_key_that_git_does_not_ignore(repository):
    put(repository)
    assert findings(repository) == ["scrub-key: git does not ignore the scrub key"]


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o604])
def test_a_file_that_others_can_read_is_refused(tmp_path, mode):
    put(tmp_path, mode=mode)
    with pytest.raises(CatalogError, match="other users can read"):
        scrub_key(tmp_path)
    assert findings(tmp_path) == ["scrub-key: other users can read the scrub key"]


@pytest.mark.parametrize(
    "key", ["k", "a key for tests", "0" * 64, "0123456789abcdef" * 2, "12345678901234567890123456789012"]
)
@pytest.mark.parametrize("given", [True, False])
def test_a_key_that_can_be_guessed_is_refused(tmp_path, key, given, monkeypatch):
    if given:
        monkeypatch.setenv(VARIABLE, key)
    else:
        put(tmp_path, key)
    if key.startswith("0123456789abcdef"):
        assert scrub_key(tmp_path)[0] == key.encode(), "128 bits"
        return
    with pytest.raises(CatalogError, match="less than 128 bits"):
        scrub_key(tmp_path)


def test_without_git_there_is_a_key_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    key, _ = scrub_key(tmp_path)
    assert len(key) == 64
    assert (tmp_path / ".gitignore").read_text() == f"{FILE}\n"
