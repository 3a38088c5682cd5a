"""Every command that judges or renders, in every format: no planted secret comes out, and hostile names stay inert."""

import json
import re
import sys

import pytest
from scrub.planted import KINDS, files_below, found, secrets
from scrub.planted_runs import SCHEMA, everywhere, write_contracts
from scrub.test_public_scanners import replay

from contract_test.cli import main

HOSTILE = (
    "::set-output name=evil::x", "\n::stop-commands::evil", "##[add-mask]evil", "##vso[task.complete]evil", "\x1b[31mred\x1b]0;t\x07",
    "\u202eright\u2066", "]]><script>alert(1)</script>", "a\r\n::error::evil", "\x85##[error]evil", "%0A::debug::evil", "\u2028::warning::evil",
)  # fmt: skip
ACTIVE = (
    re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"),
    re.compile(r"##[A-Za-z0-9_-]*\["),
    re.compile(r"^\s*::(set-output|stop-commands|error::evil|debug|warning::evil)"),
)
FORMATS = ("text", "json", "junit", "sarif", "github", "markdown")
SOURCE = "{source}", "--channel", "events"
COMMANDS = [
    *(("record", *SOURCE),),
    *(("verify", *SOURCE, "--format", each) for each in FORMATS),
    *(("compat", "--format", each) for each in FORMATS),
    *(("lint", "--format", each) for each in FORMATS),
    *(("scan", "{source}", "--format", each) for each in FORMATS),
    *(("infer", "{source}", "--topic", "t2", "--subject", "a.b", "--type", "person.changed", "--format", each) for each in ("text", "json")),
    ("asyncapi", "export", "--output", "{folder}/another.json"),
    ("asyncapi", "check", "{folder}/document.json"),
    ("site", "--output", "{folder}/site"),
    ("show", "person.changed"),
    ("readers", "person.changed"),
    ("record-deployment", "feed", "--environment", "live", "--service-version", "1", "{ledger}"),
    ("deployments", "{ledger}"),
    *(("can-i-deploy", "web", "--to-environment", "live", "--service-version", "2", "{ledger}", "--format", each) for each in ("text", "json", "markdown", "github")),
    *(("matrix", "person.changed", "{ledger}", "--format", each) for each in ("text", "json")),
    *(("rollback-target", "feed", "--environment", "live", "{ledger}", "--format", each) for each in ("text", "json")),
    ("registry", "plan", "http://127.0.0.1:9"),
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Contracts with hostile names, of which two versions disagree, and messages with a secret each."""
    folder = tmp_path_factory.mktemp("outputs")
    contracts = write_contracts(folder)
    hostile = {name: {"type": "string", "description": name, "title": name} for name in HOSTILE}
    first = SCHEMA | {"title": HOSTILE[1], "description": "".join(HOSTILE)}
    first = first | {"properties": SCHEMA["properties"] | hostile, "default": dict.fromkeys(HOSTILE, 1)}
    second = first | {
        "properties": first["properties"] | {name: {"enum": [1, HOSTILE[0]]} for name in HOSTILE[1:4]},
        "required": ["person_id", HOSTILE[4]],
    }
    (contracts / "person.changed" / "v1.json").write_text(json.dumps(first))
    (contracts / "person.changed" / "v2.json").write_text(json.dumps(second))
    planted = secrets(len(KINDS), seed=21)[::3]
    lines = [line for number, each in enumerate(planted) for line in everywhere(each, number)[number % 5 :: 5]]
    (folder / "stream.jsonl").write_text("\n".join(lines))
    return folder, contracts, planted


@pytest.fixture
def typed(world, monkeypatch, capsys):
    """Type a command: its exit code, stdout and stderr."""
    folder, contracts, _ = world
    monkeypatch.setenv("CONTRACT_TEST_SCRUB_KEY", "5f0c2a91d47e4b3e8a6d1c9b7f2e3a40")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(folder / "tmp")

    def typed(*words):
        filled = [
            word.format(source=folder / "stream.jsonl", folder=folder, ledger=f"--ledger={folder}/ledger")
            for word in words
        ]
        monkeypatch.setattr(sys, "argv", ["contract-test", *filled, "--contracts", str(contracts)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return typed


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_secret_and_no_command_comes_out(world, typed, words):
    planted = world[2]
    if words[:2] == ("asyncapi", "check"):
        typed("asyncapi", "export", "--output", words[2])

    code, out, err = typed(*words)

    assert code in (0, 1, 3), err
    assert "this is a defect" not in err
    assert found(planted, (out + err).encode()) == []
    assert [line for line in (out + err).split("\n") for each in ACTIVE if each.search(line)] == []


def test_no_secret_and_no_script_is_in_a_file(world, typed):
    folder, contracts, planted = world
    for words in (("record", *SOURCE), ("site", "--output", "{folder}/site")):
        typed(*words)
    for path, content in files_below(contracts, folder / "tmp", folder / "site"):
        assert found(planted, content) == [], path
    pages = [path.read_text() for path in (folder / "site").rglob("*.html")]
    assert pages
    assert not [page for page in pages if "<script>alert" in page]


@pytest.mark.timeout(300)
def test_no_secret_and_no_command_is_in_the_reports_of_a_replay_or_in_its_verification(world, typed):
    folder, _, planted = world
    service, printed = folder / "service", folder / "printed"
    printed.mkdir()
    typed("record", *SOURCE)
    assert typed("generate", "--package", "acme", "--output", str(service))[0] == 0

    replay(service, printed)
    code, out, err = typed("publish-verification", str(printed / "replay.json"), "--service-version", "1", "{ledger}")

    assert code == 0, err
    (printed / "publish.out").write_text(out + err)
    for path, content in files_below(printed, folder / "ledger"):
        assert found(planted, content) == [], path
        lines = content.decode().split("\n")
        assert [line for line in lines for each in ACTIVE if each.search(line)] == [], path
    assert "<script>alert" not in (printed / "replay.html").read_text()
