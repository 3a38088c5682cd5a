"""`contract-test package`: what is built is what pip installs, upgrades to, and leaves out."""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

from package.conftest import INTEGER, schema

from contract_test.files.catalog import load_catalog
from contract_test.files.lock import changed_versions


class Service:
    """A service's virtual environment. Dependencies of the package come from the environment of these tests."""

    def __init__(self, folder):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=100)
        self.python = folder / "bin" / "python"
        (self.site,) = folder.glob("lib/python*/site-packages")
        (self.site / "others.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")

    def pip(self, *arguments):
        command = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", *arguments]
        done = subprocess.run(command, check=True, timeout=100, capture_output=True, text=True)
        return done.stdout + done.stderr

    def install(self, what, dist):
        return self.pip("install", "--no-index", "--find-links", dist, "--upgrade", what)

    def python_says(self, code):
        return subprocess.run(
            [self.python, "-c", code], check=True, timeout=100, capture_output=True, text=True
        ).stdout.strip()


VERSION = "import acme_envelopes; print(acme_envelopes.__version__)"
DIGEST = "import acme_envelopes; print(acme_envelopes.__contracts_digest__)"


def test_an_upgrade_gets_what_changed_and_production_gets_no_recordings(contracts, tmp_path):
    dist = tmp_path / "wheelhouse"
    assert contracts.run("package", "--out", dist).code == 0
    service = Service(tmp_path / "venv")
    service.install("acme-envelopes", dist)
    first, digest = service.python_says(VERSION), service.python_says(DIGEST)
    assert (service.site / "acme_envelopes/contracts/order.placed/v1.json").is_file()
    assert not list(service.site.rglob("*.jsonl"))

    contracts.record("o-1", "o-2")
    contracts.commit()
    assert contracts.run("package", "--out", dist).code == 0
    contracts.version(2, schema(total=INTEGER))
    contracts.commit()
    assert contracts.run("package", "--out", dist).code == 0
    service.install("acme-envelopes[recordings]", dist)

    assert (first, service.python_says(VERSION)) == ("0.0.1", "0.0.3")
    assert digest.startswith("sha256:")
    assert digest != service.python_says(DIGEST)
    assert service.python_says("from acme_envelopes.messages import OrderPlaced; print(OrderPlaced.__name__)") == (
        "OrderPlacedV2"
    )
    recording = service.site / "acme_envelopes/contracts/order.placed/recordings/v1.jsonl"
    assert "o-2" in recording.read_text()


def names_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_modules_that_somebody_wrote_are_in_it_wherever_it_is_built(contracts, tmp_path, monkeypatch):
    contracts.write("src/acme_envelopes/upcasters.py", '"""Upcasters."""\n')
    contracts.write("src/acme_envelopes/__pycache__/upcasters.pyc", "")
    contracts.write(".gitignore", "__pycache__/\n")
    contracts.commit()
    monkeypatch.chdir(tmp_path)
    result = contracts.run("package", "--contracts", contracts.root / "contracts", "--out", "out")
    assert result.code == 0, result.err
    names = names_in(tmp_path / result.out.splitlines()[0])
    assert "acme_envelopes/upcasters.py" in names
    assert not [name for name in names if "pycache" in name]


def test_hidden_files_of_the_recorder_are_in_neither(contracts, tmp_path):
    for name in (".scrub-key", ".recorder/orders.marks.json", "order.placed/recordings/.new.jsonl"):
        contracts.write(f"contracts/{name}", "{}")
    contracts.write(".gitignore", ".*\n")
    contracts.commit()
    result = contracts.run("package", "--out", tmp_path)
    assert result.code == 0, result.err
    for wheel in tmp_path.glob("*.whl"):
        assert not [name for name in names_in(wheel) if "/." in name]


def test_a_readme_that_is_missing_is_named(contracts):
    (contracts.root / "README.md").unlink()
    contracts.commit()
    result = contracts.run("package")
    assert result.code == 2
    assert "the readme 'README.md' is missing" in result.err


def test_the_package_of_the_toolkit_is_not_built(contracts):
    result = contracts.run("package", "--package", "envelopes")
    assert result.code == 2
    assert "comes with contract-test" in result.err


def test_references_to_files_lead_to_the_files_in_the_package(contracts, tmp_path):
    contracts.write("contracts/shared/money.json", {"type": "integer", "maximum": 9})
    money = f"{(contracts.root / 'contracts').as_uri()}/shared/money.json"
    contracts.version(2, schema(total={"$ref": money}))
    contracts.commit()
    result = contracts.run("package", "--out", tmp_path)
    assert result.code == 0, result.err
    shutil.rmtree(contracts.root / "contracts")
    with zipfile.ZipFile(tmp_path / "acme_envelopes-0.0.2-py3-none-any.whl") as archive:
        archive.extractall(tmp_path / "site")
    catalog = load_catalog(tmp_path / "site" / "acme_envelopes" / "contracts")
    assert not changed_versions(catalog)
    assert len(catalog.contracts[1].resources) == 2


def test_a_git_repository_of_packages_can_be_installed_from(contracts, tmp_path):
    dist, packages = tmp_path / "dist", tmp_path / "packages"
    contracts.run("package", "--version", "1.2.0", "--out", dist)
    for name in ("acme-envelopes", "acme-envelopes-recordings"):
        with tarfile.open(dist / f"{name.replace('-', '_')}-1.2.0.tar.gz") as tar:
            tar.extractall(packages, filter="data")
        (packages / f"{name.replace('-', '_')}-1.2.0").rename(packages / name)
    contracts.git("init", "-q", packages)
    contracts.git("-C", packages, "add", "-A")
    contracts.git("-C", packages, "commit", "-qm", "1.2.0")
    contracts.git("-C", packages, "tag", "v1.2.0")
    service = Service(tmp_path / "venv")
    for name in ("acme-envelopes", "acme-envelopes-recordings"):
        url = f"git+file://{packages}@v1.2.0#subdirectory={name}"
        service.pip("install", "--no-index", "--no-build-isolation", f"{name} @ {url}")
    assert service.python_says(VERSION) == "1.2.0"
    assert list(service.site.rglob("recordings/v1.jsonl"))


SERVICE = """
[tool.contract-test]
service = "billing"
package = "acme_envelopes"
"""
TESTS = """
import pytest

@pytest.mark.consumes("order.placed")
def test_an_order_is_read(message):
    assert isinstance(message.id, str)
"""


def test_a_service_replays_what_the_package_brings_and_is_red_if_its_parts_do_not_belong_together(contracts, tmp_path):
    dist = tmp_path / "wheelhouse"
    contracts.run("package", "--out", dist)
    service = Service(tmp_path / "venv")
    folder = tmp_path / "billing"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(SERVICE)
    (folder / "test_billing.py").write_text(TESTS)

    def replay(*options):
        done = subprocess.run(
            [service.python, "-m", "pytest", "--contracts", "-p", "no:cacheprovider", *options],
            cwd=folder, check=False, timeout=100, capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    service.install("acme-envelopes", dist)
    code, output = replay()
    assert code == 1
    assert "no recorded message of order.placed" in output
    assert "pip install 'acme-envelopes[recordings]'" in output

    service.install("acme-envelopes[recordings]", dist)
    code, output = replay()
    assert code == 0, output
    assert "order.placed  v1       consumes   1 " in output

    contracts.version(2, schema(total=INTEGER))
    contracts.record("o-2", version=2)
    contracts.commit()
    code, output = replay("--contracts-dir", contracts.root / "contracts")
    assert code == 4
    assert "order.placed v2 is not in the package 'acme_envelopes': the package is older than contracts.lock" in output

    contracts.run("package", "--out", dist)
    assert "acme-envelopes-recordings 0.0.1 requires acme-envelopes==0.0.1" in service.install("acme-envelopes", dist)
    code, output = replay()
    assert code == 4
    assert "the recordings belong to version 0.0.1, and the package 'acme_envelopes' is version 0.0.2" in output
    assert "pip install --upgrade 'acme-envelopes[recordings]'" in output

    service.install("acme-envelopes[recordings]", dist)
    code, output = replay("--contracts-dir", contracts.root / "contracts")
    assert code == 0, output
    assert "order.placed  v2       consumes   1 " in output


def test_the_same_commit_gives_the_same_bytes(contracts, tmp_path):
    for name in ("one", "two"):
        assert contracts.run("package", "--out", tmp_path / name).code == 0
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    assert len(one) == 4


def test_an_sdist_builds_the_same_wheel(contracts, tmp_path):
    assert contracts.run("package").code == 0
    dist = contracts.root / "dist"
    for archive in dist.glob("*.tar.gz"):
        with tarfile.open(archive) as tar:
            tar.extractall(tmp_path / "unpacked", filter="data")
    for folder in (tmp_path / "unpacked").iterdir():
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "again")]
        subprocess.run(command, cwd=folder, check=True, timeout=100, capture_output=True)
    assert {path.name: path.read_bytes() for path in dist.glob("*.whl")} == {
        path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()
    }
