"""An upcaster that brings every old message to the new version keeps BACKWARD, and compat says so."""

import importlib
import re
import sys

import pytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate
from envelopes import UpcastError, as_newest, decode
from envelopes.messages import MessageLiked, MessageLikedV1

from .conftest import INTEGER, STRING, message

V1 = message(["name"], name=STRING, age=INTEGER)
V2 = message(["first", "last"], first=STRING, last=STRING, age=INTEGER)
V3 = message(["first", "last", "id"], first=STRING, last=STRING, id=STRING)

TOTAL = """
from envelopes import upcast
from {package}.messages import ThingDoneV1, ThingDoneV2

@upcast(ThingDoneV1, ThingDoneV2)
def split(old):
    first, _, last = old.name.partition(" ")
    return ThingDoneV2(first=first, last=last, age=old.age)
"""


@pytest.fixture
def package(repo, monkeypatch, request):
    """Generate the repo's value objects, with upcasters beside them; each test has a package of its own."""
    name = "acme_" + re.sub("[^a-z_]", "_", request.node.name)
    monkeypatch.syspath_prepend(str(repo.root))

    def make(upcasters=None):
        generate(load_catalog(repo.root / "contracts"), name, repo.root)
        if upcasters is not None:
            (repo.root / name / "upcasters.py").write_text(upcasters.format(package=name))
        importlib.invalidate_caches()
        return name

    yield make
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[module]


def messages(name):
    return importlib.import_module(f"{name}.messages")


def test_without_an_upcaster_the_change_breaks(repo, compat, package):
    repo.subject(versions=[V1, V2])
    assert compat("--package", package()).code == 1


def test_an_upcaster_that_takes_every_message_keeps_backward(repo, compat, package):
    repo.subject(versions=[V1, V2])
    repo.recording(1, {"name": "Ana Lund", "age": 30}, {"name": "Bo"})
    result = compat("--package", package(TOTAL))
    assert result.code == 0, result.out
    assert "thing.done v1 → v2: BACKWARD is kept by migration: its upcaster holds on 2 recorded and" in result.err
    assert "0 compatible, 0 incompatible, 0 unknown, 1 kept by migration; 0 findings" in result.err


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("first, last = old.name.split(' ')\n    return ThingDoneV2(first=first, last=last)", "ValueError"),
        ("return ThingDoneV2.from_value({{'first': old.name}})", "expected the field"),
        ("return old", "gave a ThingDoneV1"),
        ("return ThingDoneV2(first=old.name, last=str(next(counter)))", "not pure"),
    ],
    ids=["not total", "not valid", "not the version", "not pure"],
)
def test_an_upcaster_that_does_not_is_found_out(repo, compat, package, body, reason):
    repo.subject(versions=[V1, V2])
    repo.recording(1, {"name": "Ana Lund", "age": 30}, {"name": "Bo"})
    head = TOTAL.partition("    first,")[0].replace("@upcast", "import itertools\ncounter = itertools.count()\n@upcast")
    result = compat("--package", package(f"{head}    {body}\n"))
    assert result.code == 1
    assert "the upcaster does not keep it" in result.out
    assert reason in result.out


@pytest.mark.parametrize(
    ("upcasters", "place", "said"),
    [
        ("import envelopes\nimport no_such_module\n", "upcasters.py:2", "ModuleNotFoundError: No module named"),
        ("def split(old)\n    return old\n", "upcasters.py:1", "SyntaxError: expected ':'"),
        (TOTAL + "\n\nsplit(None)\n", "upcasters.py:7", "AttributeError: 'NoneType' object"),
    ],
    ids=["a module is missing", "no Python", "it fails"],
)
def test_upcasters_that_cannot_be_imported_are_told_with_their_place(repo, compat, package, upcasters, place, said):
    repo.subject(versions=[V1, V2])
    name = package(upcasters)
    result = compat("--package", name)
    assert (result.code, result.out) == (2, "")
    assert f"error: {name}/{place}: cannot be imported: {said}" in result.err


def test_an_upcaster_that_fails_is_a_finding_where_none_is_needed(repo, compat, package):
    repo.subject(versions=[V1, message(["name"], name=STRING, age=INTEGER, id=STRING)])
    failing = TOTAL.partition("    first,")[0] + "    raise RuntimeError(old.name)\n"
    result = compat("--package", package(failing))
    assert result.code == 1
    assert "upcaster-fails" in result.out


def test_upcasters_are_chained_and_what_is_valid_anyway_needs_none(repo, package):
    repo.subject(versions=[V1, V2, message(["first", "last"], first=STRING, last=STRING, age=INTEGER, id=STRING), V3])
    chain = TOTAL + (
        "\nfrom {package}.messages import ThingDoneV3, ThingDoneV4\n"
        "@upcast(ThingDoneV3, ThingDoneV4)\n"
        "def name(old):\n    return ThingDoneV4(first=old.first, last=old.last, id='none')\n"
    )
    made = messages(package(chain))
    assert as_newest(made.ThingDoneV1(name="Ana Lund")) == made.ThingDone(first="Ana", last="Lund", id="none")


def test_without_an_upcaster_a_message_that_the_next_version_rejects_is_an_error(repo, package):
    repo.subject(versions=[V1, V2])
    made = messages(package())
    with pytest.raises(UpcastError, match=r"thing.done v1 could not be read as v2: .*first"):
        as_newest(made.ThingDoneV1(name="Ana"))


def test_the_text_of_an_error_in_an_upcaster_is_not_repeated(repo, package):
    repo.subject(versions=[V1, V2])
    failing = TOTAL.partition("    first,")[0] + "    raise RuntimeError(old.name)\n"
    made = messages(package(failing))
    with pytest.raises(UpcastError, match=r"v2: RuntimeError in upcasters.py, line \d+\. ") as caught:
        as_newest(made.ThingDoneV1(name="Ana"))
    assert "Ana" not in str(caught.value) + caught.value.reason


def test_a_contract_other_than_the_packages_is_not_kept_by_its_upcasters(repo, compat, package):
    repo.subject(versions=[V1, V2])
    name = package(TOTAL)
    repo.version(2, message(["first", "last", "id"], first=STRING, last=STRING, id=STRING))
    assert compat("--package", name).code == 1


def test_a_consumer_reads_as_newest_or_as_sent():
    wire = (
        b'{"specversion":"1.0","id":"l-0001","source":"/web","type":"message.liked","dataschema":'
        b'"urn:contract:message.liked:v1","data":{"like_id":"l-0001","message_id":"m-0001","group_id":"g-blue",'
        b'"liker":{"person_id":"p-0001","name":"Bo"},"author":{"person_id":"p-0002","name":"Ana"},'
        b'"liked_at":"2026-03-01T12:00:05Z"}}'
    )
    sent = decode(wire, channel="activity")
    newest = as_newest(sent)
    assert isinstance(sent.data, MessageLikedV1)
    assert isinstance(newest.data, MessageLiked)
    assert (newest.version, newest.id, newest.data.reaction) == (1, "l-0001", None)
    assert as_newest(newest) == newest
