"""The documentation site builds without a warning and documents every public name."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import contract_test
import envelopes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built in a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("docs", "services", "src"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("mkdocs.yml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    done = subprocess.run(
        [Path(sys.executable).with_name("zensical"), "build", "--strict", "--config-file", folder / "mkdocs.yml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    yield folder / "build" / "site"
    shutil.rmtree(folder)


@pytest.mark.parametrize("package", [envelopes, contract_test], ids=lambda package: package.__name__)
def test_every_public_name_is_in_the_api_reference(site, package):
    page = (site / "api" / package.__name__ / "index.html").read_text()

    missing = [name for name in package.__all__ if f'id="{package.__name__}.{name}"' not in page]

    assert not missing


def test_every_page_is_in_the_navigation(site):
    home = (site / "index.html").read_text()
    pages = {
        path.relative_to(ROOT / "docs").with_suffix("").as_posix()
        for path in (ROOT / "docs").rglob("*.md")
        if path.name != "index.md"
    }

    assert not {page for page in pages if f'href="./{page}/"' not in home}
