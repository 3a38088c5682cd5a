"""A recorded message that breaks is shown before any generated one."""

from compat.conftest import INTEGER, STRING, message


def test_a_recorded_message_that_breaks_is_preferred(repo, compat):
    repo.subject(versions=[message(a=STRING, b=STRING), message(a=INTEGER, b=STRING)])
    repo.recording(1, {"b": "harmless"}, {"a": "seen", "b": "too"})

    (finding,) = compat("--format", "json").findings

    assert finding["recorded"] == "contracts/thing.done/recordings/v1.jsonl:2"
    assert finding["verdict"]["witness"] == {"a": "seen", "b": "too"}
    out = compat().out
    assert '    breaks: {"a": "seen", "b": "too"}\n    recorded: contracts/thing.done/recordings/v1.jsonl:2\n' in out
    assert "generated" not in out


def test_a_recorded_message_of_another_version_is_no_witness(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    repo.recording(2, {"a": 1})

    (finding,) = compat("--format", "json").findings

    assert "recorded" not in finding
    assert finding["verdict"]["witness"] == {"a": ""}


def test_a_recorded_message_that_its_own_version_rejects_is_no_witness(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    repo.recording(1, {"a": ["neither"]})

    (finding,) = compat("--format", "json").findings

    assert "recorded" not in finding


def test_a_recorded_message_decides_what_was_unknown(repo, compat):
    repo.subject(versions=[message(a={"pattern": r"^(.)\1"}), message(a={"pattern": r"^(.)\1$"})])
    repo.recording(1, {"a": "aab"})

    (finding,) = compat("--budget", "0.000001", "--format", "json").findings

    assert finding["verdict"]["status"] == "incompatible"
    assert finding["verdict"]["witness"] == {"a": "aab"}


def test_a_recorded_message_with_a_field_that_its_version_does_not_declare_breaks(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=STRING, extra=INTEGER)])
    assert compat().code == 0
    repo.recording(1, {"a": "seen", "extra": "text"})

    result = compat()

    assert result.code == 1
    assert result.out.startswith(
        'contracts/thing.done/v2.json  BACKWARD  recorded-message-breaks  /extra: expected integer, found "text"  (breaks feed and trending: reading v1 as v2)\n'
    )


def test_a_recording_that_cannot_be_read_is_lints_to_say(repo, compat):
    repo.subject(versions=[message(a=STRING), message(a=INTEGER)])
    repo.recording(1, {"a": "seen"})
    path = repo.root / "contracts/thing.done/recordings/v1.jsonl"
    path.write_text("{" + path.read_text())

    result = compat()

    assert result.code == 1
    assert "generated" in result.out
