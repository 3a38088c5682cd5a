"""Findings point at a line and a column: of JSON files, of lines of recordings, and of TOML keys."""

import json
import tomllib

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from contract_test.data.finding import Finding, Position
from contract_test.files.json_positions import JsonText
from contract_test.files.positions import with_positions
from contract_test.files.toml_positions import toml_offsets, toml_path
from contract_test.schema.walk import escape

KEYS = st.text(max_size=6) | st.sampled_from(["a/b", "~", "", "0", 'x"y', "\\", "é", "\u2028", "]", "{", "a.b", "#"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | KEYS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))
LAYOUTS = st.sampled_from([
    {}, {"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}, {"ensure_ascii": False}, {"separators": (" ,\r\n", " : ")},
])  # fmt: skip


def members(value, pointer=""):
    """Yield the pointer, the name and the value of everything inside."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        here = f"{pointer}/{escape(str(name))}"
        yield here, name, inner
        yield from members(inner, here)


@given(VALUES, LAYOUTS)
def test_every_pointer_leads_to_the_name_or_the_item(value, layout):
    text = json.dumps(value, **layout)
    positions, decoder = JsonText(text), json.JSONDecoder()
    for pointer, name, inner in members(value):
        found, end = decoder.raw_decode(text, positions.offset_of(pointer))
        if isinstance(name, str):
            assert found == name
            start = end + len(text[end:]) - len(text[end:].lstrip(" :"))
            found, _ = decoder.raw_decode(text, start)
        assert found == inner


@pytest.mark.parametrize(
    ("text", "pointer", "offset"),
    [
        ('{"a": {"b": 1}}', "/a/b/c", 7),
        ('{"a": {"b": 1}}', "/x", 0),
        ('{"a": 1, "a": 2}', "/a", 9),
        ("  [1]", "", 2),
        ("[1, [2]]", "/1/0", 5),
        ('{"a": 1', "/a", 1),
        ('{"a": 1,, "b": 2}', "/b", 0),
        ('{[1]: 2, "b": 2}', "/b", 0),
        ("", "/a", 0),
        ("[" * 100_000, "/0/0", 2),
        (f'{{"n": {"9" * 5000}, "b": 1}}', "/b", 5008),
    ],
)
def test_what_is_not_there_is_found_as_far_as_it_is(text, pointer, offset):
    assert JsonText(text).offset_of(pointer) == offset


TOML = '''\
# a comment with [brackets] = 1
title = "x"  # [no.table]
[channels.activity]
address = "a[b]#c"
words = [ "one", # ]
  "two" ]
note = """
[subjects.no]
key = 1 """

  [subjects."order.placed"]
  "sent by" = ['web']
  schema_ids = { 1 = 7, 2.x = 8 }
  time.zone = 'Z'
[[lint]]
finding = "a"
[[lint]]
finding = \'\'\'
[[lint]]\'\'\'
until = 2027-03-31
[lint.more]
x = -1.5
'''


@pytest.mark.parametrize(
    ("pointer", "line", "column"),
    [
        ("", 1, 1),
        (".title", 2, 1),
        ("[channels.activity]", 3, 1),
        ("[channels]", 3, 1),
        ("[channels.activity].words", 5, 1),
        ("[channels.activity].note", 7, 1),
        ('[subjects."order.placed"]', 11, 3),
        ("[subjects.'order.placed'].'sent by'", 12, 3),
        ('[subjects."order.placed"].schema_ids', 13, 3),
        ('[subjects."order.placed"].schema_ids.2', 13, 25),
        ('[subjects."order.placed"].time.zone', 14, 3),
        ('[subjects."order.placed"].unknown', 11, 3),
        ('[subjects."another"]', 11, 3),
        ("[[lint]] 1", 15, 1),
        ("[[lint]] 2", 17, 1),
        ("[[lint]] 2.until", 20, 1),
        ("[lint.more]", 15, 1),
        ("[dialects]", 1, 1),
    ],
)
def test_tables_and_keys_of_toml_are_found(tmp_path, pointer, line, column):
    (tmp_path / "catalog.toml").write_text(TOML)
    finding = Finding(str(tmp_path / "catalog.toml"), pointer, "catalog", "", "")
    assert with_positions([finding])[0].position == Position(line, column)


def test_a_table_below_an_array_of_tables_belongs_to_its_last_one():
    assert toml_offsets(TOML)["lint", 1, "more"] == TOML.index("[lint.more]")


TOML_VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False)
    | KEYS.filter(str.isprintable)
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS.filter(str.isprintable), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS.filter(str.isprintable), TOML_VALUES, max_size=4))
def test_every_key_of_a_toml_file_is_found(document):
    text = tomli_w.dumps(document)
    offsets = toml_offsets(text)

    def check(value, path):
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, inner in pairs:
            here = (*path, name)
            rest = text[offsets[here] :]
            if isinstance(name, str) and not rest.startswith("["):
                keys = [rest[:at] for at, letter in enumerate(rest) if letter == "="]
                assert (name,) in [toml_path(f".{key}")[-1:] for key in keys]
            check(inner, here)

    assert tomllib.loads(text) == document
    check(document, ())


def test_a_value_in_one_line_of_a_recording_is_found(tmp_path):
    file = tmp_path / "v1.jsonl"
    file.write_text('{"payload": {"a": 1}}\n{"payload": {"b": {"c": "é"}, "d": 1}}\n', encoding="utf-8")
    (found, message, beyond) = with_positions([
        Finding(str(file), "/payload/d", "leak-x", "", "", line=2),
        Finding(str(file), "/c", "recording-invalid", "", "", line=2, file_pointer="/payload/b/c"),
        Finding(str(file), "/c", "recording-invalid", "", "", line=9),
    ])  # fmt: skip
    assert found.position == Position(2, 31)
    assert message.position == Position(2, 20)
    assert beyond.position == Position(9, 1)


@pytest.mark.parametrize("name", ["", "gone.json", "main:contracts/a/v1.json", "\0"])
def test_what_cannot_be_read_has_no_position(tmp_path, name):
    assert with_positions([Finding(str(tmp_path / name), "/a", "r", "", "")])[0].position is None


def test_columns_count_characters(tmp_path):
    file = tmp_path / "v1.json"
    file.write_text('{\r\n  "é\U0001f600": 1, "b": 2\r\n}', encoding="utf-8", newline="")
    assert with_positions([Finding(str(file), "/b", "r", "", "")])[0].position == Position(2, 12)
