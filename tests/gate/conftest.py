import pytest
from gate.world import World


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONTRACT_TEST_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)
