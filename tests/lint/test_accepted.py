"""`contracts/accepted.toml`: what somebody accepted stays visible, and errors stay accepted until a date only."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from contract_test.cli import lint
from contract_test.data.errors import CatalogError

TODAY = datetime.now(UTC).date()
UNBOUNDED = {"type": "object", "properties": {"total": {"type": "integer"}}}
WARNING = "integer-unbounded:order.placed:v1:/properties/total"
BROKEN = UNBOUNDED | {"description": 1}
ERROR = "schema-invalid:order.placed:v1:/description"


@pytest.fixture
def contracts(tmp_path):
    folder = tmp_path / "contracts"
    (folder / "order.placed").mkdir(parents=True)
    (folder / "catalog.toml").write_text(
        '[channels.c]\nprotocol = "kafka"\naddress = "c"\ncodec = "json"\n[subjects."order.placed"]\nchannel = "c"\n'
    )
    (folder / "order.placed" / "v1.json").write_text(json.dumps(UNBOUNDED))
    return folder


def accept(contracts, finding, **rows):
    lines = [f"{name} = {value if name == 'until' else json.dumps(value)}" for name, value in rows.items()]
    text = f"[[lint]]\nfinding = {json.dumps(finding)}\n" + "\n".join(lines) + "\n"
    (contracts / "accepted.toml").write_text(text)


def run(contracts, *options):
    result = CliRunner().invoke(lint.command, ["--contracts", str(contracts), *options], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def rows(contracts, *options):
    result = run(contracts, "--format", "json", *options)
    return {each["id"]: each for each in json.loads(result.stdout)["findings"]}, result.return_value


def test_an_accepted_warning_is_shown_as_accepted_and_strict_passes_over_it(contracts):
    accept(contracts, WARNING, reason="the shop checks amounts")

    found, code = rows(contracts, "--strict")

    assert found[WARNING]["severity"] == "accepted"
    assert found[WARNING]["accepted"] == "the shop checks amounts"
    assert code == 1, "another warning is strict's error"
    assert "accepted the shop checks amounts: " in run(contracts).stdout


def test_an_accepted_error_needs_a_last_day(contracts):
    (contracts / "order.placed" / "v1.json").write_text(json.dumps(BROKEN))
    accept(contracts, ERROR, reason="until the description is mended")

    found, code = rows(contracts)

    assert (found[ERROR]["severity"], code) == ("error", 1)
    assert "add until = YYYY-MM-DD" in found[ERROR]["details"][0]


@pytest.mark.parametrize(("days", "severity", "code"), [(1, "accepted", 0), (0, "accepted", 0), (-1, "error", 1)])
def test_an_error_is_accepted_up_to_its_last_day(contracts, days, severity, code):
    (contracts / "order.placed" / "v1.json").write_text(json.dumps(BROKEN))
    accept(contracts, ERROR, reason="soon", until=TODAY + timedelta(days=days))

    found, returned = rows(contracts)

    assert (found[ERROR]["severity"], returned) == (severity, code)


def test_an_id_depends_on_neither_text_nor_folder(contracts, tmp_path):
    here, _ = rows(contracts)
    moved = contracts.rename(tmp_path / "elsewhere")
    assert here.keys() == rows(moved)[0].keys()


def test_an_entry_whose_finding_is_gone_is_a_warning(contracts):
    accept(contracts, "example-invalid:order.placed:v1:/examples/9", reason="old")

    found, code = rows(contracts)

    (unused,) = [each for each in found.values() if each["rule"] == "acceptance-unused"]
    assert (unused["severity"], code) == ("warning", 0)
    assert unused["sentence"].startswith("example-invalid:order.placed:v1:/examples/9 is accepted here")


@pytest.mark.parametrize(
    "finding", ["recording-old:order.placed:v1 recording:", "registered-row-gone:order.placed:v1:"]
)
def test_an_entry_is_no_warning_if_an_option_is_needed_to_find_it(contracts, finding):
    accept(contracts, finding, reason="old")

    found, _ = rows(contracts)

    assert "acceptance-unused" not in {each["rule"] for each in found.values()}


def test_a_baseline_accepts_everything_that_is_found_today(contracts):
    (contracts / "order.placed" / "v1.json").write_text(json.dumps(BROKEN))
    with pytest.raises(Exception, match="--until DATE"):
        run(contracts, "--baseline", "--reason", "taken over")
    run(contracts, "--baseline", "--reason", "taken over", "--until", f"{TODAY + timedelta(days=30)}")

    found, code = rows(contracts, "--strict")

    assert ({each["severity"] for each in found.values()}, code) == ({"accepted"}, 0)
    again = (contracts / "accepted.toml").read_text()
    run(contracts, "--baseline", "--reason", "taken over", "--until", f"{TODAY}")
    assert (contracts / "accepted.toml").read_text() == again, "what is accepted already keeps its entry"
    listed = run(contracts, "--accepted").stdout
    assert f"lint  {ERROR}  until {TODAY + timedelta(days=30)}: taken over" in listed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[lnt]]\nfinding = "x"\n', "'lnt' is no command"),
        ('[lint]\nfinding = "x"\n', "Write two brackets"),
        ('[[lint]]\nreason = "x"\n', "finding is missing"),
        ('[[lint]]\nfinding = "x"\nreason = ""\n', "reason is missing"),
        ('[[lint]]\nfinding = "x"\nreason = "x"\nuntil = "2027-01-01"\n', "Write a date without quotes"),
        ('[[lint]]\nfinding = "x"\nreason = "x"\nby = "me"\n', "'by' is not known here"),
    ],
)
def test_a_wrong_entry_is_said(contracts, text, said):
    (contracts / "accepted.toml").write_text(text)
    with pytest.raises(CatalogError) as error:
        run(contracts)
    assert said in str(error.value)


@pytest.mark.parametrize("form", ["text", "junit", "sarif", "github"])
def test_every_format_shows_what_is_accepted(contracts, form):
    accept(contracts, WARNING, reason="the shop checks amounts")
    assert "integer" in run(contracts, "--format", form).stdout
    if form in ("text", "sarif"):
        assert "the shop checks amounts" in run(contracts, "--format", form).stdout
