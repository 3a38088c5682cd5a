"""The programs of docs/other-languages.md write what the page says, and the contract judges it as the page says."""

import json
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from brokers import choice
from docs.page import read_page
from ecosystem.sdks import programs
from packages import generated

from envelopes import DecodeError

PAGE = Path(__file__).parents[2] / "docs" / "other-languages.md"
CATALOG = """
[channels.orders]
protocol = "kafka"
address = "orders"
codec = "json"

[subjects."order.placed"]
channel = "orders"
"""
ENDINGS = {"Ruby": "rb", "JavaScript": "mjs", "Go": "go", "Java": "java"}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    (schema,) = (json.loads(block.text) for block in read_page(PAGE) if block.file == "v1.json")
    folder = tmp_path_factory.mktemp("languages")
    with generated(folder, "acme_languages", CATALOG, {("order.placed", 1): schema}) as package:
        yield package


@pytest.mark.parametrize("language", ENDINGS)
def test_a_right_program_keeps_the_contract_and_each_line_of_a_wrong_one_breaks_it(
    package, language, tmp_path, record_property
):
    try:
        command = command_of(language)
    except programs.RuntimeMissingError as error:
        pytest.skip(choice.do_without(f"programs in {language}", str(error), record_property))
    blocks = read_page(PAGE)
    shown = {}
    for program, result in pairwise(blocks):
        if program.file and program.file.endswith(f".{ENDINGS[language]}"):
            (tmp_path / program.file).write_text(program.text)
            done = subprocess.run([*command, tmp_path / program.file], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            shown[result.language] = (done.stdout.splitlines(), result.text.splitlines())
    written, expected = shown["text"]
    assert [error_of(package, line) for line in written] == expected
    written, expected = shown["json"]
    assert written == expected
    assert json.loads(package.decode(written[0], channel="orders").data.to_json()) == json.loads(expected[0])


def error_of(package, line):
    with pytest.raises(DecodeError) as refused:
        package.decode(line, channel="orders")
    return str(refused.value)


def command_of(language):
    if language == "Java":
        return programs.java_source()
    name, package, *arguments = {
        "Ruby": ("ruby", "ruby"),
        "JavaScript": ("node", "nodejs"),
        "Go": ("go", "golang-go", "run"),
    }[language]
    return [programs.find(name, package), *arguments]
