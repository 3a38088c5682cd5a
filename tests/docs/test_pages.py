"""Every command and code block of README and docs/ does what the page says."""

import socket
import sys
from pathlib import Path

import pytest
from docs.page import Walk, read_page

from contract_test.transports.embedded import kafka_broker

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def kafka_of_its_own():
    """Services that are still ending are members of no group that another test asks about."""
    with kafka_broker() as server:
        yield server


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_can_be_followed(page, tmp_path, redis_url, kafka_of_its_own, request):
    registry = request.getfixturevalue("registry").url if page.name == "registry.md" else ""
    folder = tmp_path / "home"
    folder.mkdir()
    walk = Walk(
        folder,
        {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "NO_COLOR": "1",
            "COLUMNS": "120",
            **{
                f"GIT_{who}_{what}": "somebody@acme.example"
                for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")
            },
            "CHECKOUT": str(ROOT),
            "STAGING": redis_url,
            "REDIS": redis_url.removesuffix("/0") + "/9",  # services that are still ending write into no other test
            "KAFKA": kafka_of_its_own.address,
            "REGISTRY": registry,
            "GATEWAY_PORT": str(free_port()),
            "FEED_PORT": str(free_port()),
            "PYTHONPATH": str(folder / "acme" / "src"),  # in place of installing it
        },
    )
    for block in read_page(page):
        if block.shown_by is None:
            walk.follow(page, block)
        else:
            assert (ROOT / block.shown_by).exists(), f"{page.name}:{block.line}: {block.shown_by} is not there"
