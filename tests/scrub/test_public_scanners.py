"""A thousand secrets of seventy kinds go through every command, and public scanners of secrets judge what is left.

detect-secrets is in the development group. gitleaks is a program in Go: `make scanners` builds it into `.cache/bin`, and `.ci/run` does, too.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from scrub.planted import KINDS, files_below, found, secrets
from scrub.planted_runs import KEEP_EVERYTHING, everywhere, run_command, write_contracts

COUNT = 1000
OLDEST_GO = (1, 24)
BUILT = Path(__file__).parents[2] / ".cache" / "bin"
SERVICE_TEST = """
import pytest
from acme.messages import PersonChanged

@pytest.mark.consumes("person.changed")
def test_nothing_works(message, envelope):
    assert message == envelope, f"{message!r} {message.to_json()}"
"""
SERVICE_SETTINGS = """
[tool.contract-test]
service = "feed"
package = "acme"
contracts = "../contracts"
[tool.pytest.ini_options]
pythonpath = ["."]
"""


CODED_JSON = re.compile(r"^eyJ[A-Za-z0-9+/_-]+={0,2}\\*$")
"""Base64 of masked JSON, which stays what it is. It is decoded, and judged with all else."""
POINTER = "^(/[A-Za-z0-9]{1,40}|/[A-Za-z0-9=_-]*){2,}$"
"""A JSON pointer, which is long if the names of fields are."""


def detect_secrets(folder: Path) -> Counter[str]:
    """What detect-secrets finds, by its rule."""
    command = [sys.executable, "-m", "detect_secrets", "scan", "--all-files", "--no-verify", "."]
    command += ["--disable-plugin", "KeywordDetector"]  # which judges names of fields: any value of an `apiKey` will do
    command += ["--exclude-secrets", CODED_JSON.pattern, "--exclude-secrets", POINTER]
    command += ["--exclude-lines", '^ *"digest": "[0-9a-f]{64}",$']  # of a contract, in the report of a replay
    run = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return Counter(each["type"] for results in json.loads(run.stdout)["results"].values() for each in results)


def go_version() -> tuple[int, ...]:
    """Return the version of the Go that is here, or an empty one."""
    if shutil.which("go") is None:
        return ()
    printed = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, check=True).stdout.decode()
    return tuple(int(each) for each in re.findall("[0-9]+", printed)[:2])


def gitleaks(folder: Path) -> Counter[str]:
    """What gitleaks finds, by its rule."""
    program = shutil.which("gitleaks", path=f"{BUILT}{os.pathsep}{os.environ['PATH']}")
    if program is None and os.environ.get("CI") and go_version() >= OLDEST_GO:
        pytest.fail(
            "gitleaks is not here: .ci/run builds it with `make scanners`, which needs Go and the Go module proxy"
        )
    if program is None:
        pytest.skip("gitleaks is not here, so it has judged nothing: `make scanners` builds it, with Go 1.24 or newer")
    command = [program, "dir", ".", "--no-banner", "--log-level", "error", "--exit-code", "0"]
    run = subprocess.run(
        [*command, "--report-format", "json", "--report-path", "-"], cwd=folder, capture_output=True, check=True
    )
    return Counter(each["RuleID"] for each in json.loads(run.stdout))


SCANNERS = pytest.mark.parametrize("scanner", [detect_secrets, gitleaks], ids=lambda each: each.__name__)


def run_everything(folder: Path, source: Path) -> None:
    """Run every command that reads messages, and keep all that is printed in files."""
    contracts, printed = write_contracts(folder), folder / "printed"
    printed.mkdir()
    arguments = {
        "record": ["record", str(source), "--channel", "events", "--per-shape", "100000"],
        **{
            f"verify-{form}": ["verify", str(source), "--channel", "events", "--format", form]
            for form in ("text", "json", "github")
        },
        "infer": ["infer", str(source), "--topic", "more", "--type", "person.changed", "--subject", "person.found", "--write"],
        "scan": ["scan", str(source)],
        "lint": ["lint"],
        "show": ["show", "person.changed"],
        "generate": ["generate", "--package", "acme", "--output", str(folder / "service")],
    }  # fmt: skip
    for name, words in arguments.items():
        run = run_command(contracts, *words, before=KEEP_EVERYTHING)
        assert run.returncode in (0, 1), run.stderr.decode()
        (printed / f"{name}.out").write_bytes(run.stdout)
        (printed / f"{name}.log").write_bytes(run.stderr)
    replay(folder / "service", printed)
    ledger = ["--ledger", str(folder / "ledger")]
    deployment = ["--environment", "live", "--service-version"]
    gate = {
        "publish-verification": ["publish-verification", str(printed / "replay.json"), "--service-version", "2"],
        "record-deployment-1": ["record-deployment", "feed", *deployment, "1"],
        "record-deployment-2": ["record-deployment", "feed", *deployment, "2"],
        "can-i-deploy": ["can-i-deploy", "feed", "--to-environment", "live", "--service-version", "2"],
        "rollback-target": ["rollback-target", "feed", "--environment", "live"],
        "matrix": ["matrix", "person.changed"],
    }
    for name, words in gate.items():
        run = run_command(contracts, *words, *ledger)
        assert run.returncode in (0, 1), run.stderr.decode()
        (printed / f"{name}.out").write_bytes(run.stdout + run.stderr)


def replay(service: Path, printed: Path) -> None:
    """Replay all recorded messages against a test that fails, so that each is in the reports."""
    (service / "pyproject.toml").write_text(SERVICE_SETTINGS)
    (service / "test_service.py").write_text(SERVICE_TEST)
    reports = [f"--contracts-report={printed / 'replay'}.{form}" for form in ("html", "json")]
    options = ["--contracts", "--contracts-bulk", "-p", "no:xdist", f"--junitxml={printed / 'replay.xml'}", *reports]
    run = subprocess.run([sys.executable, "-m", "pytest", *options], cwd=service, capture_output=True, check=False)
    assert run.returncode == 1, run.stdout.decode()[-2000:]
    (printed / "replay.out").write_bytes(run.stdout)
    (printed / "replay.log").write_bytes(run.stderr)


def decoded(text: str) -> bytes:
    """Return what base64 stands for, as far as a report shows it."""
    text = text.rstrip("=").translate(str.maketrans("+/", "-_"))
    return base64.urlsafe_b64decode(text[: len(text) // 4 * 4])


def write(folder: Path, *, everywhere_in_it: bool) -> tuple[Path, Path]:
    """Plant secrets in a stream, and run every command on it. Return the stream's folder, and that of all else."""
    stream, written = folder / "stream", folder / "written"
    stream.mkdir()
    written.mkdir()
    source = stream / "stream.jsonl"
    planted = secrets(COUNT, seed=21)
    with source.open("w") as lines:
        for number, each in enumerate(planted):
            messages = everywhere(each, number)
            one = messages[(number + number // len(KINDS)) % len(messages)]
            lines.writelines(f"{line}\n" for line in (messages if everywhere_in_it else [one]))
    run_everything(written, source)

    recorded = written / "contracts" / "person.changed" / "recordings" / "v1.jsonl"
    quarantined = written / "contracts" / ".recorder" / "events.quarantine.jsonl"
    assert len(recorded.read_bytes().splitlines()) > COUNT / 4
    assert len(quarantined.read_bytes().splitlines()) > COUNT / 4
    shutil.rmtree(written / "service" / ".pytest_cache")
    coded = set()
    for path, content in files_below(written):
        coded |= {each for each in re.findall(r"[\w+/=-]+", content.decode(errors="replace")) if CODED_JSON.match(each)}
        assert found(planted, content) == [], path.relative_to(written)
    (written / "decoded").write_bytes(b"\n".join(map(decoded, sorted(coded))))
    assert found(planted, (written / "decoded").read_bytes()) == []
    return stream, written


def judge(scanner, stream: Path, written: Path) -> None:
    assert scanner(stream).total() > COUNT / 3, "a scanner that does not see what was planted is no judge"
    assert scanner(written) == {}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write(tmp_path_factory.mktemp("planted"), everywhere_in_it=False)


@pytest.mark.timeout(1200)
@SCANNERS
def test_public_scanners_find_no_secret_in_what_any_command_writes(scanner, folders):
    assert len(KINDS) >= 50
    judge(scanner, *folders)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_public_scanners_find_no_secret_that_stood_anywhere_in_a_message(tmp_path):
    stream, written = write(tmp_path, everywhere_in_it=True)
    for scanner in (detect_secrets, gitleaks):
        judge(scanner, stream, written)
