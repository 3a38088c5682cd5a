"""Files that nobody wrote by hand: an error that names the place, never a traceback, and no work beyond their size."""

import pytest

from contract_test.data.errors import CatalogError, RecordingError
from contract_test.files.lock import read_lock
from contract_test.files.recordings import read_recording_file
from contract_test.files.toml import MAX_KEY_PARTS, read_toml
from contract_test.files.toml_positions import toml_offsets


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"[a]\nx = {'[' * 5000}{']' * 5000}\n", "nested too deeply"),
        (f"x = {'{a=' * 3000}1{'}' * 3000}\n", "nested too deeply"),
        (f"x = {'9' * 5000}\n", "not TOML: Exceeds the limit"),
        (f"a{'.a' * 20_000} = 1\n", "a key of more than 64 parts"),
        (f'[a]\n"a"{" . a" * 200} = 1\n', "a key of more than 64 parts"),
        (f"[a{'.a' * 20_000}]\n", "a key of more than 64 parts"),
        ('"\\""' + ' . "\\""' * 10_000 + " = 1\n", "a key of more than 64 parts"),
        ('[[a."\\\\"' + '."b\\u0022]"' * 100 + "]]\n", "a key of more than 64 parts"),
        (f"x = {{ y = 1, a{'.a' * 20_000} = 1 }}\n", "a key of more than 64 parts"),
    ],
)
def test_toml_that_no_person_writes_is_refused(tmp_path, text, problem):
    path = tmp_path / "catalog.toml"
    path.write_text(text)
    with pytest.raises(CatalogError, match=problem):
        read_toml(path)


def test_dots_in_values_and_in_short_keys_are_none_of_a_key(tmp_path):
    path = tmp_path / "catalog.toml"
    dotted = ".".join("a" * 3 for _ in range(500))
    key = ".".join("k" for _ in range(MAX_KEY_PARTS))
    path.write_text(f'x = "{dotted}"\n# {dotted} = 1\n[t]\n{key} = 1\n')
    assert read_toml(path)["x"] == dotted


def test_the_place_of_what_is_nested_too_deeply_is_not_looked_for():
    assert toml_offsets(f"[a]\nb = 1\nx = {'[' * 5000}{']' * 5000}\n")["a", "b"] == 4


def test_a_lock_that_is_no_text(tmp_path):
    (tmp_path / "contracts.lock").write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogError, match="not UTF-8 text"):
        read_lock(tmp_path)


@pytest.mark.parametrize(
    ("member", "problem"),
    [
        ('"masked": 5', "masked is not a list"),
        ('"headers": []', "headers is not an object"),
        ('"seen": "x"', "seen is not an object"),
        ('"prefix": 1', "prefix is not a text"),
        ('"version": "1"', "version is not a number"),
        ('"subject": null', "subject is not a text"),
        ('"channel": {}', "channel is not a text"),
    ],
)
def test_a_recorded_message_with_a_member_of_another_type(tmp_path, member, problem):
    members = {"format": "1", "channel": '"x"', "subject": '"s"', "version": "1", "payload": "{}"}
    members.pop(member.split('"')[1], None)
    path = tmp_path / "v1.jsonl"
    path.write_text("{" + ", ".join([*(f'"{name}": {value}' for name, value in members.items()), member]) + "}\n")
    with pytest.raises(RecordingError, match=problem):
        read_recording_file(path)
