"""What is installed works alone: value objects, schemas and recordings belong together in one wheel."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel's content in a folder of its own, away from this checkout; made where somebody has recorded."""
    folder = tmp_path_factory.mktemp("wheel")
    checkout = folder / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".git", ".venv", ".cache", "*_cache", "__pycache__"))
    (checkout / "contracts" / ".scrub-key").write_text("secret")
    (checkout / "contracts" / ".recorder").mkdir(exist_ok=True)
    (checkout / "contracts" / ".recorder" / "activity.marks.json").write_text("{}")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, checkout]
    subprocess.run(command, check=True, timeout=200)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_code_schemas_and_recordings(installed):
    for path in (
        "envelopes/py.typed",
        "envelopes/messages/message_liked_v2.json",
        "envelopes/contracts/catalog.toml",
        "envelopes/contracts/catalog.schema.json",
        "envelopes/contracts/message.liked/v1.json",
        "envelopes/contracts/message.liked/recordings/v2.jsonl",
        "contract_test/pytest_plugin/plugin.py",
    ):
        assert (installed / path).is_file(), path
    assert not list(installed.rglob(".scrub-key"))
    assert not list(installed.rglob(".recorder*"))


def read_of(path):
    """Which fields of which contract a service was seen reading in recorded messages."""
    readers = json.loads(path.read_text())["readers"]
    return {
        (each["subject"], each["version"], each["contract"]): {
            field["pointer"]: f"{field['by_service']} of {each['messages']}" for field in each["fields"]
        }
        for each in readers
    }


@pytest.mark.parametrize("service", ["feed", "transport"])
def test_a_service_repo_replays_with_nothing_but_the_package(installed, service, tmp_path):
    repo = tmp_path / service
    shutil.copytree(ROOT / "services" / service, repo, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--contracts", "-m", "contract", "-p", "no:cacheprovider"],
        cwd=repo, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"contracts of {service}" in done.stdout
    seen, kept = (
        read_of(path / "readers" / f"{service}.json") for path in (repo / ".contract-test", ROOT / "contracts")
    )
    assert kept == seen, "pytest --contracts -m contract --contracts-readers=../../contracts/readers, in the service"
    where = "import envelopes; print(envelopes.__file__)"
    said = subprocess.run(
        [sys.executable, "-c", where], env=environment, cwd=repo, capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith(str(installed))
