"""The public API as mypy and pyright see it in the code of a service."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PACKAGE = """
import json
from datetime import datetime
from typing import Any, assert_type

from envelopes import Envelope, FrozenMap
from {package} import decode, encode
from {package}.messages import A


def use(raw: bytes) -> None:
    assert_type(decode(raw, channel="c"), Envelope[Any])
    made = A(when=datetime.now(), tags=("t",), from_="a")
    assert_type(made.from_, str)
    assert_type(encode(made).key, bytes | None)
    made.from_ = "b"  # error
    A(when=datetime.now(), tags=("t",))  # error
    assert_type(A.from_json(raw).tags, tuple[str, ...])


def maps(when: datetime) -> None:
    made = A(when=when, tags=(), from_="a", labels=FrozenMap({{"a": "b"}}), deep=FrozenMap({{"a": FrozenMap({{"b": 1}})}}))
    assert_type(made.labels, FrozenMap[str, str] | None)
    A(when=when, tags=(), from_="a", labels=FrozenMap({{}}), deep=None)
    if made.labels is not None:
        assert_type(made.labels["a"], str)
        json.dumps(made.labels, default=dict)
        made.labels["a"] = "c"  # error
"""


def lines_with_errors(checker, *paths, cwd=HERE):
    """Run one type checker, strictly; return the lines that it complains about, as `file.py:7`."""
    command = {
        "mypy": ["mypy", "--strict", "--no-error-summary", "--config-file="],
        "mypy with pydantic": [
            "mypy",
            "--strict",
            "--no-error-summary",
            f"--config-file={HERE / 'pydantic_plugin.ini'}",
        ],
        "pyright": ["pyright", "--pythonpath", sys.executable],
    }[checker]
    result = subprocess.run(
        [sys.executable, "-m", *command, *map(str, paths)], capture_output=True, text=True, cwd=cwd, check=False
    )
    assert result.returncode in (0, 1), result.stdout + result.stderr
    return sorted(set(re.findall(r"(\w+\.py:\d+):(?:\d+ -)? error", result.stdout))), result.stdout


@pytest.mark.parametrize("checker", ["mypy", "mypy with pydantic", "pyright"])
def test_a_type_checker_accepts_the_public_api_and_finds_mistakes(checker):
    found, output = lines_with_errors(checker, HERE / "public_api.py", HERE / "refused.py")
    marked = [
        f"refused.py:{number}"
        for number, line in enumerate((HERE / "refused.py").read_text().splitlines(), start=1)
        if line.endswith("# error")
    ]
    assert marked
    assert found == sorted(marked), output


@pytest.mark.parametrize("checker", ["mypy", "mypy with pydantic", "pyright"])
def test_a_type_checker_accepts_a_generated_package(checker, tmp_path):
    from contract_test.files.catalog import load_catalog
    from contract_test.generate.package import generate

    contracts = tmp_path / "contracts"
    (contracts / "a").mkdir(parents=True)
    schema = {
        "type": "object",
        "required": ["when", "tags", "from"],
        "properties": {
            "when": {"type": "string", "format": "date-time"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "from": {"type": "string"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "deep": {
                "type": "object",
                "additionalProperties": {"type": "object", "additionalProperties": {"type": "integer"}},
            },
        },
    }
    (contracts / "a" / "v1.json").write_text(json.dumps(schema))
    (contracts / "catalog.toml").write_text(
        '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects.a]\nchannel = "c"\n'
    )
    generate(load_catalog(contracts), "acme_typed", tmp_path)
    use = PACKAGE.format(package="acme_typed")
    (tmp_path / "use.py").write_text(use)
    found, output = lines_with_errors(checker, "use.py", "acme_typed", cwd=tmp_path)
    assert found == [f"use.py:{n}" for n, line in enumerate(use.splitlines(), start=1) if "# error" in line], output
