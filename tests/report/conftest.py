from pathlib import Path

import pytest
from compat.conftest import INTEGER, STRING, compat, message, repo  # noqa: F401 - fixtures

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden():
    """Compare a text with the one in golden/NAME. To accept a new one, delete the file and run the test twice."""

    def compare(name, text):
        path = GOLDEN / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            pytest.fail(f"{path} was missing and has been written: read it")
        assert text == path.read_text(encoding="utf-8")

    return compare


EVENTS = [f"event{number:02}.done" for number in range(27)]


@pytest.fixture
def webhooks(repo):  # noqa: F811
    """Twenty-seven subjects over two shared files, in which seven things change from v1 to v2."""
    rows = ['[channels.hooks]\nprotocol = "kafka"\naddress = "hooks"\ncodec = "cloudevents"\n']
    before = {
        "id": INTEGER,
        "name": STRING,
        "kind": {"enum": ["app", "user"]},
        "size": {"type": "integer", "maximum": 9},
        "url": {"type": "string", "maxLength": 99},
    }
    after = before | {
        "id": STRING,
        "name": {"type": "string", "minLength": 1},
        "size": {"type": "integer", "maximum": 5},
        "url": {"type": "string", "maxLength": 9},
    }
    fields = {"login": STRING, "site": STRING, "mail": STRING}
    owner = [message(["login"], **fields), message(["login", "site", "mail"], **fields)]
    repo.catalog("")
    for version, properties in enumerate((before, after | {"kind": {"enum": ["app"]}}), start=1):
        shared = {**properties, "owner": {"$ref": f"owner-v{version}.json"}}
        repo.file(f"shared/owner-v{version}.json", owner[version - 1])
        repo.file(f"shared/repository-v{version}.json", message(**shared))
    for number, name in enumerate(EVENTS):
        rows.append(
            f'[subjects."{name}"]\nchannel = "hooks"\nsent_by = ["hub"]\nreceived_by = ["ci{number}", "audit"]\n'
        )
        for version in (1, 2):
            around = {"repository": {"$ref": f"../shared/repository-v{version}.json"}, "note": STRING}
            repo.version(version, message(["repository"], **around), name)
    repo.catalog("".join(rows))
    return repo


@pytest.fixture
def eight_required(repo):  # noqa: F811
    """One subject, of which v2 requires eight fields that v1 has, but does not require."""
    names = [f"field_{letter}" for letter in "abcdefgh"]
    fields = dict.fromkeys(names, STRING)
    repo.subject(versions=[message(note=STRING, **fields), message(names, note=STRING, **fields)])
    return repo
