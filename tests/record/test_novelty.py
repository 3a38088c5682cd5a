"""What a recording keeps: every shape, few messages, the same ones in whatever order they come; causes with effects."""

import json
from collections import Counter
from random import Random

import pytest

from contract_test.data.interaction import Tapped
from contract_test.files.catalog import load_catalog
from contract_test.files.recordings import read_recordings
from contract_test.record.novelty import MAX_RECORDED, Novelty
from contract_test.record.recorder import Recorder
from contract_test.schema.message_shapes import MessageShapes
from contract_test.schema.shape import Shapes
from contract_test.schema.sources import Source
from contract_test.schema.walk import References
from envelopes import Wire

CATALOG = """
[channels.things]
protocol = "kafka"
address = "things"
codec = "json"

[channels.answers]
protocol = "redis-list"
address = "answers"
codec = "json"

[subjects."thing.happened"]
channel = "things"
id = "/thing_id"
sent_by = ["web"]
received_by = ["feed"]

[subjects."answer.given"]
channel = "answers"
id = "/answer_id"
caused_by = "/thing_id"
sent_by = ["feed"]
received_by = ["web"]
"""
TEXT = {"type": "string", "maxLength": 60}
THING = {
    "type": "object",
    "required": ["thing_id", "kind"],
    "properties": {
        "thing_id": TEXT,
        "kind": {"enum": ["a", "b", "c", "d", "e", "f", "g", "h"]},
        "note": {"type": ["string", "null"], "maxLength": 60},
        "count": {"type": "integer", "minimum": 0, "maximum": 99},
        "tags": {"type": "array", "items": TEXT},
        "list": {"type": "array", "minItems": 2, "maxItems": 4},
        "const": {"const": "x"},
        "size": {"minimum": 4, "maximum": 6},
        **{f"flag{number}": {"type": "boolean"} for number in range(12)},
    },
}
ANSWER = {
    "type": "object",
    "required": ["answer_id", "thing_id"],
    "properties": {"answer_id": TEXT, "thing_id": TEXT, "urgent": {"type": "boolean"}},
}


@pytest.fixture
def contracts(tmp_path):
    for subject, schema in (("thing.happened", THING), ("answer.given", ANSWER)):
        (tmp_path / subject).mkdir()
        (tmp_path / subject / "v1.json").write_text(json.dumps(schema))
    (tmp_path / "catalog.toml").write_text(CATALOG)
    return tmp_path


def record(contracts, messages, channel="things", every=1000, per_shape=3):
    catalog = load_catalog(contracts)
    recorder = Recorder(catalog, catalog.channels[channel], b"a key for tests", per_shape)
    for number, message in enumerate(messages, start=1):
        recorder.take(Tapped(Wire(json.dumps(message).encode()), {"offset": number}))
        if number % every == 0:
            recorder.write(caught_up=False)
    return recorder.write()


def kept(contracts, subject="thing.happened"):
    return [each.payload for each in read_recordings(load_catalog(contracts)) if each.subject == subject]


def message_shapes(schema=THING):
    references = References({"urn:t": schema}, "urn:t")
    return MessageShapes(Shapes(references), (Source(references.root),))


def thing(number: int, shape: int) -> dict:
    """One of forty shapes: eight kinds, each in five ways."""
    extra = ({}, {"note": None}, {"note": f"Ana {number}"}, {"count": 99}, {"tags": []})[shape // 8]
    return {"thing_id": f"t{number:06}", "kind": "abcdefgh"[shape % 8], **extra}


def stream(random: Random) -> list[dict]:
    """Twenty thousand messages; eight of the forty shapes are one in five thousand."""
    shapes = [shape for shape in range(8) for _ in range(4)]
    shapes += [8 + random.randrange(32) for _ in range(20_000 - len(shapes))]
    random.shuffle(shapes)
    return [thing(number, shape) for number, shape in enumerate(shapes)]


def test_every_shape_of_a_long_stream_is_kept_in_few_messages(contracts):
    result = record(contracts, stream(Random(5)))
    shown = Counter(map(message_shapes().of, kept(contracts)))
    prints = message_shapes()
    assert len({prints.of(each) for each in kept(contracts)}) == 40 == result.shapes
    assert sum(shown.values()) <= 50
    assert result.drift.read == 20_000


def test_recording_again_changes_nothing_and_what_is_new_is_added_at_the_end(contracts):
    messages = stream(Random(5))[:3000]
    record(contracts, messages)
    path = contracts / "thing.happened" / "recordings" / "v1.jsonl"
    before = path.read_bytes()
    Random(6).shuffle(messages)
    record(contracts, messages)
    assert path.read_bytes() == before
    record(contracts, [*messages, {"thing_id": "t", "kind": "a", "flag3": True}])
    assert path.read_bytes().startswith(before)
    assert len(path.read_bytes().splitlines()) == len(before.splitlines()) + 1


def test_the_same_messages_in_another_order_leave_the_same_recording(contracts, tmp_path_factory):
    messages = stream(Random(5))[:2000]
    found = []
    for seed in range(3):
        Random(seed).shuffle(messages)
        record(contracts, messages, every=10_000)
        path = contracts / "thing.happened" / "recordings" / "v1.jsonl"
        found.append({json.dumps(each, sort_keys=True) for each in kept(contracts)})
        path.unlink()
    assert found[0] == found[1] == found[2]


def test_a_few_of_one_shape_are_kept_and_no_more(contracts):
    record(contracts, [thing(number, 0) for number in range(500)])
    assert len(kept(contracts)) == 3
    record(contracts, [thing(number, 8) for number in range(500)], per_shape=1)
    assert len(kept(contracts)) == 4


def test_two_equal_messages_are_one(contracts):
    record(contracts, [thing(1, 0)] * 10)
    assert len(kept(contracts)) == 1


def test_where_there_are_too_many_shapes_every_fact_is_shown(contracts):
    random = Random(5)
    flags = [{f"flag{each}": random.random() < 0.5 for each in range(12) if random.random() < 0.5} for _ in range(4000)]
    record(contracts, [thing(number, 0) | each for number, each in enumerate(flags)])
    assert len(kept(contracts)) <= MAX_RECORDED
    for number in range(12):
        assert {each.get(f"flag{number}") for each in kept(contracts)} == {True, False, None}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"note": "Ana"}, {"note": None}),
        ({"note": "Ana"}, {}),
        ({"note": "Ana"}, {"note": ""}),
        ({"note": "Ana"}, {"note": "x" * 60}),
        ({"count": 5}, {"count": 0}),
        ({"count": 5}, {"count": 99}),
        ({"tags": []}, {"tags": ["a"]}),
        ({"tags": ["a"]}, {"tags": ["a", "b"]}),
        ({"flag1": True}, {"flag1": False}),
        ({"kind": "a"}, {"kind": "b"}),
        ({"other": 1}, {}),
        ({"other": 1}, {"other": "x"}),
        ({"other": 1}, {"other": 0}),
        ({"other": 1}, {"other": -1}),
        ({"other": 0}, {"other": -1}),
        ({"other": 1}, {"other": 1.5}),
        ({"other": [1]}, {"other": ["x"]}),
        ({"other": {}}, {"other": []}),
        ({"other": None}, {"other": False}),
        ({"size": 4}, {"size": 5}),
        ({"size": 6}, {"size": 5}),
        ({"tags": ["a", ""]}, {"tags": ["a", "b"]}),
        ({"list": [1, 2]}, {"list": [1, 2, 3]}),
        ({"list": [1, 2]}, {"list": [1, 2, 3, 4]}),
        ({"const": "x"}, {"const": "y"}),
    ],
)
def test_what_tells_two_messages_apart(one, other):
    prints = message_shapes()
    assert prints.of(one) != prints.of(other)
    assert prints.of(one) == prints.of(dict(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"note": "Ana"}, {"note": "Bo"}),
        ({"count": 5}, {"count": 7}),
        ({"tags": ["a", "b"]}, {"tags": ["a", "b", "c"]}),
        ({"ana": 1}, {"bo": 1}),
        ({"ana": 1, "bo": 2}, {"bo": 1}),
        ({"size": 5.25}, {"size": 5.5}),
        ({"other": 7}, {"other": 1}),
        ({"other": "Ana"}, {"other": "Bo"}),
        ({"list": [1] * 5}, {"list": [1, 2, 3]}),
    ],
)
def test_what_does_not(one, other):
    prints = message_shapes()
    assert prints.of(one) == prints.of(other)


def test_the_form_in_which_a_message_came_tells_it_apart():
    prints = message_shapes()
    assert prints.of({"count": 5}, "an event") != prints.of({"count": 5}, "a bare job") != prints.of({"count": 5})
    assert prints.of({"count": 5}, "an event") == prints.of({"count": 6}, "an event")


def test_of_alternatives_each_has_its_own_facts():
    def branch(tag):
        return {
            "type": "object", "required": ["as"],
            "properties": {"as": {"const": tag}, "size": {"type": "integer"}, "more": {"type": "string"}},
        }  # fmt: skip

    prints = message_shapes({"oneOf": [branch("a"), branch("b")]})
    shapes = {prints.of({"as": tag, **more}) for tag in "ab" for more in ({"size": 1}, {"more": "x"})}
    assert len(shapes) == 4
    tree = message_shapes({"$id": "urn:t", "properties": {"child": {"$ref": "urn:t"}, "name": {"type": "string"}}})
    deep = {"child": {"child": {"child": {"name": "x"}}}}
    assert tree.of(deep) == tree.of({"child": deep}), "a schema inside itself has the same facts at any depth"


def test_what_cannot_be_kept_gives_way_to_the_next_of_its_shape():
    novelty: Novelty[str] = Novelty([], 3)
    for name in "abcdef":
        novelty.offer(1, name.encode(), name)
    taken: list[str] = []
    rejected: list[str] = []

    def accept(name: str) -> bool:
        (taken if rejected else rejected).append(name)
        return bool(taken)

    novelty.choose(accept, last=True)
    assert (len(rejected), len(taken)) == (1, 2)


def chosen(novelty, *, last=True):
    taken: list[str] = []
    novelty.choose(lambda name: taken.append(name) is None, last=last)
    return taken


def test_what_is_preferred_goes_before_its_like_and_what_is_wanted_before_all():
    novelty: Novelty[str] = Novelty([], 1)
    for number in range(20):
        novelty.offer(1, f"plain {number}".encode(), "plain")
    novelty.offer(1, b"preferred", "preferred", preferred=True)
    for number in range(20):
        novelty.offer(1, f"late {number}".encode(), "late")
    for raw in (b"one", b"other", b"one"):
        novelty.offer(1, raw, raw.decode(), wanted=True)
    taken = chosen(novelty)
    assert sorted(taken[:2]) == ["one", "other"]
    assert taken[2:] == ["preferred"]
    assert chosen(novelty) == [], "each is given once"


def test_what_is_recorded_takes_the_place_of_its_like():
    novelty: Novelty[str] = Novelty([1, 1, 2], 2)
    assert (novelty.is_open(1), novelty.is_open(2), novelty.is_open(4)) == (False, True, True)
    for shape in (1, 2, 2, 4, 4, 4):
        novelty.offer(shape, f"{shape} {novelty.shown}".encode(), str(shape))
        novelty.offer(shape, f"{shape} again".encode(), str(shape))
    assert Counter(chosen(novelty)) == {"2": 1, "4": 2}


def test_more_of_one_shape_wait_until_no_other_needs_the_room():
    novelty: Novelty[str] = Novelty([], 3)
    for shape in range(6):
        for number in range(5):
            novelty.offer(1 << shape, f"{shape} {number}".encode(), str(shape))
    early = chosen(novelty, last=False)
    assert (len(early), set(early[:6])) == (15, set("012345"))
    assert novelty.holds_back
    assert len(chosen(novelty)) == 3
    assert not novelty.holds_back


def test_a_recording_of_more_shapes_than_it_holds_shows_the_most_facts_first():
    novelty: Novelty[int] = Novelty([63, 64], 3)
    for shape in range(1, 200):
        novelty.offer(shape, str(shape).encode(), shape)
    taken = chosen(novelty)
    assert len(taken) == MAX_RECORDED - 2
    assert taken[0] & 128, "the only fact that the recording does not show"
    facts: Novelty[int] = Novelty([], 3)
    for fact in range(MAX_RECORDED + 10):
        facts.offer(1 << fact, str(fact).encode(), fact)
    assert len(chosen(facts)) == MAX_RECORDED + 10, "a fact is shown even where there is no room"
    assert not facts.holds_back


def answer(number: int, cause: int, **more: object) -> dict:
    return {"answer_id": f"a{number:06}", "thing_id": f"t{cause:06}", **more}


def test_effects_are_chosen_among_those_whose_cause_is_recorded(contracts):
    record(contracts, [thing(number, 0) for number in range(1000)])
    result = record(contracts, [answer(number, number) for number in range(1000)], "answers")
    causes = {each["thing_id"] for each in kept(contracts)}
    assert {each["thing_id"] for each in kept(contracts, "answer.given")} == causes
    assert result.missing_causes == 0


def test_a_cause_that_a_recorded_effect_names_is_kept_whatever_its_shape(contracts):
    result = record(contracts, [answer(1, 700), answer(2, 701, urgent=True)], "answers")
    assert result.missing_causes == 2
    record(contracts, [thing(number, 0) for number in range(600)])
    assert len(kept(contracts)) == 3
    result = record(contracts, [thing(number, 0) for number in range(1000)])
    assert result.missing_causes == 0
    assert len(kept(contracts)) == 5
    assert {each["thing_id"] for each in kept(contracts, "answer.given")} < {
        each["thing_id"] for each in kept(contracts)
    }


def test_effects_of_one_cause_stay_together(contracts):
    messages = [answer(2 * number + more, number) for number in range(100) for more in (0, 1)]
    record(contracts, messages, "answers")
    counts = Counter(each["thing_id"] for each in kept(contracts, "answer.given"))
    assert set(counts.values()) == {2}
