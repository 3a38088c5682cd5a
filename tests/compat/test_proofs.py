"""What an earlier run proved is not proved again, and is never believed of anything else."""

import json
import sqlite3
from dataclasses import replace

import pytest

from contract_test import compare
from contract_test.compat.parallel import compare_pairs
from contract_test.compat.plan import plan_subjects
from contract_test.compat.proofs import Proofs
from contract_test.data.verdict import ABSENT, Verdict
from contract_test.files import proof_cache
from contract_test.files.proof_cache import ProofCache, key_of, user_cache

from .conftest import INTEGER, STRING, message

V1 = message(["id"], id=STRING, count=INTEGER)
V2 = message(["id", "at"], id=STRING, count=STRING, at=STRING)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def pairs_of(repo, *versions, mode="FULL"):
    repo.subject(mode=mode, versions=versions)
    return plan_subjects(repo.root / "contracts").pairs


def outcomes(pairs, folder, **options):
    options = {"content_model": "closed-writer", "budget": 2.0, **options}
    return list(compare_pairs(pairs, cache=ProofCache(folder), **options))


def kept(pairs, folder):
    return Proofs(ProofCache(folder), "closed-writer", 2.0).known(pairs)


def test_a_second_run_says_the_same_without_a_comparison(repo, folder):
    pairs = pairs_of(repo, V1, V2, V1)
    first = outcomes(pairs, folder)
    assert {each.status for each in first} == {"incompatible"}
    assert outcomes(pairs, folder, budget=2.0) == first
    assert kept(pairs, folder) == [each.proved for each in first]
    for pair in pairs:  # what is kept is what is said
        (known,) = kept([pair], folder)
        reasons = tuple(replace(each, after="kept") for each in known.incompatibilities)
        Proofs(ProofCache(folder), "closed-writer", 2.0).keep(pair, replace(known, incompatibilities=reasons))
    assert all("kept" in each.findings[0].sentence for each in outcomes(pairs, folder))


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        ({"type": "null"}, {"type": "string"}),
        ({"const": 1.0}, {"const": 2}),
        ({"properties": {"a": {"enum": ["ü", "\ud83d\ude00", None]}}}, {"properties": {"a": {"enum": ["b"]}}}),
        ({"type": ["integer", "array"]}, {"type": "integer", "maximum": 10**30}),
    ],
)
def test_a_verdict_is_kept_as_it_is(repo, folder, writer, reader):
    (pair,) = pairs_of(repo, writer, reader, mode="BACKWARD")
    verdict = compare(pair.writer.bundle.schema, pair.reader.bundle.schema)
    assert verdict.witness is not ABSENT
    Proofs(ProofCache(folder), "closed-writer", 2.0).keep(pair, verdict)
    assert kept([pair], folder) == [verdict]


def test_other_content_other_options_and_other_code_are_other_questions(repo, folder, monkeypatch):
    pairs = pairs_of(repo, V1, V2, mode="BACKWARD")
    outcomes(pairs, folder)
    assert kept(pairs, folder) != [None]
    assert Proofs(ProofCache(folder), "as-written", 2.0).known(pairs) == [None]
    assert Proofs(ProofCache(folder), "closed-writer", 3.0).known(pairs) == [None]
    forward = pairs_of(repo, V1, V2, mode="FORWARD")
    assert kept(forward, folder) == [None]
    assert kept(pairs_of(repo, V1, message(["id"], id=STRING, count=STRING), mode="BACKWARD"), folder) == [None]
    monkeypatch.setattr(proof_cache, "_digest_of", lambda _: "another version")
    assert kept(pairs, folder) == [None]


def test_unknown_is_not_kept(repo, folder):
    pairs = pairs_of(repo, V1, V2, mode="BACKWARD")
    Proofs(ProofCache(folder), "closed-writer", 2.0).keep(pairs[0], Verdict("unknown", cause="no time"))
    assert kept(pairs, folder) == [None]


@pytest.mark.parametrize("witness", [{"id": "a", "count": "1", "at": "b"}, {"id": 7}, ABSENT])
def test_a_kept_witness_is_confirmed(repo, folder, witness):
    pairs = pairs_of(repo, V1, V2, mode="BACKWARD")
    verdict = outcomes(pairs, folder)[0].proved
    assert kept(pairs, folder) == [verdict]
    reasons = tuple(replace(each, witness=ABSENT) for each in verdict.incompatibilities)
    forged = replace(verdict, witness=witness, incompatibilities=reasons)
    Proofs(ProofCache(folder), "closed-writer", 2.0).keep(pairs[0], forged)
    assert kept(pairs, folder) == [None]
    assert outcomes(pairs, folder)[0].proved == verdict


@pytest.mark.parametrize(
    "damage",
    [
        lambda database: database.execute('UPDATE proofs SET value = \'{"status": "compatible"}\''),
        lambda database: database.execute("UPDATE proofs SET value = 'nonsense'"),
        lambda database: database.execute("UPDATE proofs SET digest = NULL"),
        lambda database: database.execute("UPDATE proofs SET value = x'00ff'"),
        lambda database: database.execute("DROP TABLE proofs"),
    ],
)
def test_a_damaged_entry_is_none(repo, folder, damage):
    pairs = pairs_of(repo, V1, V2)
    first = outcomes(pairs, folder)
    with sqlite3.connect(folder / proof_cache.FILE) as database:
        damage(database)
    assert kept(pairs, folder) == [None, None]
    assert outcomes(pairs, folder) == first


def test_an_entry_under_another_key_is_none(folder):
    cache = ProofCache(folder)
    cache.put(key_of("a"), {"status": "compatible"})
    with sqlite3.connect(folder / proof_cache.FILE) as database:
        database.execute("UPDATE proofs SET key = ?", (key_of("b"),))
    assert cache.get(key_of("b")) is None


@pytest.mark.parametrize("what", ["text", "folder"])
def test_a_file_that_is_no_cache_does_no_harm(repo, folder, what):
    pairs = pairs_of(repo, V1, V2)
    folder.mkdir()
    if what == "text":
        (folder / proof_cache.FILE).write_bytes(b"x" * 5000)
    else:
        (folder / proof_cache.FILE).mkdir()
    assert [each.status for each in outcomes(pairs, folder)] == ["incompatible", "incompatible"]
    if what == "text":  # it was taken away, and the next run keeps its proofs
        outcomes(pairs, folder)
        assert None not in kept(pairs, folder)


def test_the_folder_is_the_users_or_what_the_environment_names(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(proof_cache.FOLDER, raising=False)
    user_cache().put(key_of("a"), {"n": 1})
    assert (tmp_path / "contract-test" / proof_cache.FILE).is_file()
    monkeypatch.setenv(proof_cache.FOLDER, str(tmp_path / "other"))
    assert user_cache().get(key_of("a")) is None
    monkeypatch.setenv(proof_cache.FOLDER, "")
    user_cache().put(key_of("a"), {"n": 1})
    assert user_cache().get(key_of("a")) is None


def test_the_command_keeps_what_it_proves(repo, compat, folder, monkeypatch):
    monkeypatch.setenv(proof_cache.FOLDER, str(folder))
    repo.subject(mode="FULL", versions=[V1, V2])
    first = compat("--format", "json")
    with sqlite3.connect(folder / proof_cache.FILE) as database:
        assert database.execute("SELECT count(*) FROM proofs").fetchone() == (2,)
    second = compat("--format", "json")
    assert (second.code, json.loads(second.out)) == (first.code, json.loads(first.out))
