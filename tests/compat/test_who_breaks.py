"""A finding says who breaks on whose messages: from the catalog, the direction, and what replays showed."""

import pytest
from compat.conftest import INTEGER, STRING, message

from contract_test.data.result import FieldReads, Reader
from contract_test.files.catalog import load_catalog
from contract_test.files.reader_files import content_of, write_readers


@pytest.fixture
def replayed(repo):
    """Returns a function that records which versions a service was replayed with, and which fields it reads."""

    def record(service, *versions, reads=("/a",)):
        catalog = load_catalog(repo.root / "contracts")
        contracts = catalog.subjects["thing.done"].contracts
        fields = tuple(FieldReads(pointer, 3, 0, 0) for pointer in reads)
        readers = [
            Reader(service, "thing.done", number, content_of(contracts[number]), 3, fields) for number in versions
        ]
        write_readers(repo.root / "contracts" / "readers", service, readers, catalog)

    return record


def lines(result):
    return [line.strip() for line in result.out.splitlines()]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("BACKWARD", "feed and trending break on what web sends as v1 once they read v2"),
        ("FORWARD", "feed and trending, which read v1, break on what web sends as v2"),
    ],
)
def test_every_reader_counts_if_none_was_replayed(repo, compat, mode, told):
    repo.subject(mode=mode, versions=[message(a=STRING), message(a=INTEGER)])

    assert told in lines(compat())


def test_a_service_that_reads_an_older_version_breaks_once_it_reads_the_new_one(repo, compat, replayed):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    replayed("feed", 1, 2)
    replayed("trending", 1)

    found = lines(compat())

    assert "feed, which reads v2, breaks on what web sends as v1" in found
    assert "trending, which reads v1 today, breaks on what web sends as v1 once it reads v2" in found


def test_a_new_version_breaks_only_the_services_that_still_read_the_old_one(repo, compat, replayed):
    repo.subject(mode="FORWARD", versions=[message(a=STRING), message(a=INTEGER)])
    replayed("feed", 1, 2)
    replayed("trending", 1)

    result = compat()

    assert "trending, which reads v1, breaks on what web sends as v2" in lines(result)
    assert "feed reads v2 today, not v1" in lines(result)
    assert "Or deploy v2 to every reader (trending) before a service sends it." in result.out


def test_nobody_breaks_if_every_reader_has_the_new_version(repo, compat, replayed):
    repo.subject(mode="FORWARD", versions=[message(a=STRING), message(a=INTEGER)])
    replayed("feed", 2)
    replayed("trending", 1, 2)

    result = compat()

    assert "feed and trending read v2 today, not v1" in lines(result)
    assert "nobody breaks on what web sends as v2, as far as replays showed" in lines(result)
    assert "before a service sends it" not in result.out


def test_a_service_that_does_not_read_the_field_is_left_out(repo, compat, replayed):
    repo.subject(versions=[message(a=STRING, b=STRING), message(a=INTEGER, b=STRING)])
    replayed("feed", 1, 2, reads=("/b",))
    replayed("trending", 1, 2)

    assert "trending, which reads v2, breaks on what web sends as v1" in lines(compat())


def test_each_pair_of_three_versions_names_the_services_of_its_own(repo, compat, replayed):
    repo.subject(
        mode="FORWARD_TRANSITIVE", versions=[message(a=STRING), message(a=INTEGER), message(a={"type": "null"})]
    )
    replayed("feed", 1)
    replayed("trending", 2)

    found = lines(compat())

    assert "feed, which reads v1, breaks on what web sends as v2" in found
    assert "feed, which reads v1, breaks on what web sends as v3" in found
    assert "trending, which reads v2, breaks on what web sends as v3" in found
    assert "trending reads v2 today, not v1" in found


def test_two_files_name_nobody(repo, compat):
    repo.file("old.json", message(a=STRING))
    repo.file("new.json", message(a=INTEGER))

    result = compat("contracts/old.json", "contracts/new.json")

    assert result.code == 1
    assert not any(word in result.out for word in ("catalog", "breaks on", "break on"))


def test_a_finding_names_the_owner_of_who_breaks(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    with (repo.root / "contracts" / "catalog.toml").open("a") as catalog:
        catalog.write('[services.feed]\nowner = "readers"\n[owners.readers]\ncontacts = { slack = "#feed" }\n')

    (finding,) = compat("--format", "json").findings

    assert "feed is owned by readers (slack #feed)" in finding["affected"]
    for name in ("text", "junit", "github", "sarif", "markdown"):
        assert "feed is owned by readers (slack " in compat("--format", name).out, name
    assert not [line for line in finding["affected"] if line.startswith("trending is owned")]
