"""`contract-test demo`: the whole loop, as a person sees it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from contract_test.transports.embedded import redis_server

ROOT = Path(__file__).parents[2]


def processes() -> str:
    return subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout


def test_the_whole_loop_runs_and_leaves_nothing_behind(tmp_path):
    before = (ROOT / "contracts").rglob("*")
    before = {path: path.read_bytes() for path in before if path.is_file()}
    command = Path(sys.executable).parent / "contract-test"
    done = subprocess.run(
        [command, "demo"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=150,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Redis" in done.stdout
    assert "embedded Kafka" in done.stdout
    assert "pointer    /lover: the contract has no such field" in done.stdout
    assert "the breaking change was caught" in done.stdout
    assert "no: transport 1.0 rejects delivery.requested v2 of feed 2.0" in done.stdout
    assert "/kind: expected " in done.stdout
    assert "yes, after transport 2.0" in done.stdout
    assert "with transport 2.0 deployed: yes" in done.stdout
    assert "roll back to: feed 1.0" in done.stdout
    assert str(tmp_path) not in processes(), "a process still uses the demo's folder"
    assert list(tmp_path.iterdir()) == []
    assert {path: path.read_bytes() for path in (ROOT / "contracts").rglob("*") if path.is_file()} == before


def demo(*options, python=sys.executable, folder=ROOT, **environment):
    """Run the demo in an environment where no Redis is on the PATH."""
    command = [python, "-c", "from contract_test.cli import main; main()", "demo", *options]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=150,
        env={"PATH": "/nonexistent", **environment},
    )  # fmt: skip


def test_an_empty_database_can_be_given_and_another_is_left_alone():
    from redis import Redis

    with redis_server() as server, Redis.from_url(server.address) as client:
        client.set("of somebody", 1)
        refused = demo("--redis", server.address)
        assert refused.returncode == 2
        assert "not empty (1 keys)" in refused.stderr
        assert client.keys() == [b"of somebody"]
        client.flushdb()
        done = demo(CONTRACT_TEST_REDIS_URL=server.address)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"(Redis|Valkey) [0-9.]+ \(named by CONTRACT_TEST_REDIS_URL\)", done.stdout)
        assert client.dbsize() == 0


def test_without_any_redis_one_sentence_asks_for_an_address(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import importlib.metadata as m\nm.files = lambda package: None\n")
    done = demo(PYTHONPATH=str(tmp_path))
    assert done.returncode == 3
    assert "set CONTRACT_TEST_REDIS_URL to the address of an empty database" in done.stderr


def test_a_checkout_without_the_services_packages_says_what_to_install(tmp_path):
    (tmp_path / "sqlalchemy.py").write_text("raise ModuleNotFoundError(\"No module named 'sqlalchemy'\")\n")
    done = demo(PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "No module named 'sqlalchemy'" in done.stderr
    assert "pip install '.[demo]'" in done.stderr


def test_the_extra_brings_what_the_services_need():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = {name_of(each) for each in project["optional-dependencies"]["demo"]}
    for service in ("feed", "transport"):
        needs = tomllib.loads((ROOT / "services" / service / "pyproject.toml").read_text())["project"]["dependencies"]
        tools = {name_of(each) for each in project["optional-dependencies"]["tools"]}
        assert {name_of(each) for each in needs} - {"contract-test"} <= extra | tools


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")
