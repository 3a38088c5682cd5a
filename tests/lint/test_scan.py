"""`contract-test scan`, and the scanner's part in `lint` and `record`."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_test.cli.lint import command as lint
from contract_test.cli.record import command as record
from contract_test.cli.scan import command as scan
from contract_test.data.errors import NothingFoundError

CONTRACTS = Path(__file__).parents[2] / "contracts"
SECRET = "AKIA" + "IOSFODNN7EXAMPLE"
TOKEN, RANDOM = (f"leak-{rule}:message.liked:v2 recording:/payload/data/liker/name" for rule in ("token", "random"))


@pytest.fixture
def contracts(tmp_path, monkeypatch):
    monkeypatch.setenv("CONTRACT_TEST_SCRUB_KEY", "5f0c2a91d47e4b3e8a6d1c9b7f2e3a40")
    shutil.copytree(CONTRACTS, tmp_path / "contracts", ignore=shutil.ignore_patterns(".scrub-key", ".recorder"))
    return tmp_path / "contracts"


def run(command, *words: object):
    return CliRunner().invoke(command, list(map(str, words)), standalone_mode=False)


def spoil(contracts: Path) -> Path:
    path = contracts / "message.liked" / "recordings" / "v2.jsonl"
    lines = path.read_text().splitlines()
    line = json.loads(lines[2])
    line["payload"]["data"]["liker"]["name"] = SECRET
    path.write_text("\n".join([*lines[:2], json.dumps(line), *lines[3:]]) + "\n")
    return path


def test_what_is_recorded_here_is_clean(contracts):
    result = run(scan, "--contracts", contracts)
    assert (result.return_value, result.stdout) == (0, "")


@pytest.mark.parametrize("command", [scan, lint])
def test_a_secret_is_told_by_file_line_and_pointer(contracts, command):
    path = spoil(contracts)
    result = run(command, "--contracts", contracts)
    assert result.return_value == 1
    assert f"{path}:3:/payload/data/liker/name  leak-token  a token of Amazon is written here" in result.output
    assert SECRET not in result.output


@pytest.mark.parametrize(
    ("form", "told"),
    [("json", '"line": 3'), ("sarif", '"startLine": 3'), ("github", ",line=3,"), ("junit", "v2.jsonl:3:/payload")],
)
def test_every_report_tells_the_line(contracts, form, told):
    path = spoil(contracts)
    result = run(scan, path, "--format", form)
    assert told in result.stdout
    assert SECRET not in result.stdout


def test_of_an_address_that_looks_like_a_secret_nobody_is_told_to_look_at_a_field(contracts):
    path = contracts / "message.liked" / "recordings" / "v2.jsonl"
    line = json.loads(path.read_text().splitlines()[0])
    line["seen"] = {"topic": SECRET, "partition": 0, "offset": 1}
    path.write_text(json.dumps(line) + "\n")
    printed = run(scan, "--contracts", contracts).output
    assert f"{path}:1:/seen/topic  leak-token" in printed
    assert "Give the channel an address of words" in printed
    assert "x-sensitivity" not in printed


def test_files_of_any_name_and_hidden_directories_are_read(tmp_path):
    (tmp_path / "trace.log").write_text(f"line\nkey {SECRET}\n")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "a.json").write_text(json.dumps({"a": {"b": SECRET}}, indent=1))
    assert f"{tmp_path}/trace.log:2  leak-token" in run(scan, tmp_path / "trace.log").stdout
    assert f"{tmp_path}/.hidden/a.json:/a/b  leak-token" in run(scan, tmp_path).stdout


def test_nothing_to_scan_is_never_green(tmp_path):
    assert isinstance(run(scan, tmp_path).exception, NothingFoundError)


def accept(contracts, *findings, until="2999-01-01"):
    rows = [f'[[scan]]\nfinding = "{each}"\nreason = "a name of the tests"\n' for each in findings]
    text = "\n".join(f"{each}until = {until}\n" if until else each for each in rows)
    (contracts / "accepted.toml").write_text(text)


def likes_by(contracts, folder, names) -> Path:
    """Make the name of the liker public, and return a file with one like by each name."""
    like = json.loads((contracts / "message.liked" / "recordings" / "v2.jsonl").read_text().splitlines()[0])
    shutil.rmtree(contracts / "message.liked" / "recordings")
    schema = contracts / "message.liked" / "v2.json"
    schema.write_text(schema.read_text().replace('"x-sensitivity": "personal"', '"x-sensitivity": "public"'))
    messages = []
    for number, name in enumerate(names):
        like["payload"]["data"]["liker"]["name"] = name
        like["payload"]["data"]["like_id"] = f"l-0000{number}"
        messages.append(json.dumps(like))
    source = folder / "source.jsonl"
    source.write_text("\n".join(messages))
    return source


def test_a_message_in_which_the_scanner_finds_something_is_left_out_and_the_run_fails(contracts, tmp_path):
    source = likes_by(contracts, tmp_path, ["Ana", SECRET, "ana@" + "gmail.com"])

    result = run(record, source, "--channel", "activity", "--contracts", contracts)

    assert result.return_value == 1, result.output
    path = contracts / "message.liked" / "recordings" / "v2.jsonl"
    assert f"not kept: 1 message: leak-token: a token of Amazon at {path}:/payload/data/liker/name" in result.output
    assert f'[[scan]] finding = "{TOKEN}"' in result.output
    kept = (contracts / "message.liked" / "recordings" / "v2.jsonl").read_text()
    assert len(kept.splitlines()) == 1
    assert '"Ana"' in kept
    assert SECRET not in kept + result.output


def test_what_was_accepted_is_recorded_and_the_scan_is_green(contracts, tmp_path):
    source = likes_by(contracts, tmp_path, ["Ana", SECRET])
    accept(contracts, TOKEN, RANDOM)

    recorded = run(record, source, "--channel", "activity", "--contracts", contracts)
    scanned = run(scan, "--contracts", contracts)

    assert (recorded.return_value, scanned.return_value) == (0, 0), recorded.output + scanned.output
    assert SECRET in (contracts / "message.liked" / "recordings" / "v2.jsonl").read_text()
    assert scanned.stdout.count("accepted until 2999-01-01: a name of the tests") == 2
    assert "2 accepted" in scanned.stderr
    assert "leak-token  accepted" in run(lint, "--contracts", contracts).stdout


@pytest.mark.parametrize("until", ["2020-01-01", None])
def test_a_secret_is_accepted_only_up_to_a_day(contracts, tmp_path, until):
    source = likes_by(contracts, tmp_path, ["Ana", SECRET])
    accept(contracts, TOKEN, RANDOM, until=until)

    recorded = run(record, source, "--channel", "activity", "--contracts", contracts)

    assert recorded.return_value == 1
    assert SECRET not in (contracts / "message.liked" / "recordings" / "v2.jsonl").read_text()


def test_an_accepted_secret_that_is_gone_is_a_warning_if_everything_was_scanned(contracts):
    accept(contracts, TOKEN)

    everything, one_file = (
        run(scan, "--contracts", contracts),
        run(scan, "--contracts", contracts, contracts / "readers"),
    )

    assert everything.return_value == one_file.return_value == 0
    assert f"acceptance-unused  warning: {TOKEN} is accepted here" in everything.stdout
    assert one_file.stdout == ""


def test_a_baseline_accepts_what_the_scanner_finds_as_its_finding(contracts):
    spoil(contracts)
    run(lint, "--contracts", contracts, "--baseline", "--reason", "old", "--until", "2999-01-01")

    assert f'[[scan]]\nfinding = "{TOKEN}"' in (contracts / "accepted.toml").read_text()
    assert run(scan, "--contracts", contracts).return_value == 0


def test_an_id_holds_nothing_of_the_message(contracts):
    path = contracts / "message.liked" / "recordings" / "v2.jsonl"
    line = json.loads(path.read_text().splitlines()[0])
    ids = set()
    for key, count in (("order-1", 1), ("another", 3)):
        line["payload"]["data"]["liker"] = {key: ["x"] * count + [{"name": SECRET}]}
        path.write_text(f"{json.dumps(line)}\n" * count)
        found = json.loads(run(scan, "--contracts", contracts, "--format", "json").stdout)["findings"]
        ids |= {each["id"] for each in found}
    assert ids == {each.replace("/liker/", "/liker/*/*/") for each in (TOKEN, RANDOM)}


def test_names_that_the_contracts_declare_are_not_looked_at(contracts):
    path = spoil(contracts)
    schema = contracts / "message.liked" / "v2.json"
    declared = json.loads(schema.read_text())
    declared["properties"][SECRET] = {"enum": [f"x-{SECRET}"]}
    schema.write_text(json.dumps(declared))
    line = json.loads(path.read_text().splitlines()[0])
    line["payload"]["data"] |= {SECRET: f"x-{SECRET}", "liker": {"name": "Ana"}}
    line["masked"] = [f"/{SECRET}"]
    path.write_text(json.dumps(line) + "\n")
    assert run(scan, path, "--contracts", contracts).return_value == 0
    assert f"{schema}:/properties/{SECRET}/enum/0  leak-random" in run(scan, "--contracts", contracts).stdout
