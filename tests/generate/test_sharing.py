"""One schema that several contracts use unchanged is one class, and import paths stay."""

import importlib
import json
import subprocess
import sys

import pytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import check, generate
from envelopes import ContractViolationError, DecodeError

TEXT = {"type": "string"}
PERSON = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": TEXT,
        "home": {"$ref": "#/$defs/Home"},
        "mood": {"$ref": "#/$defs/Mood"},
        "friends": {"type": "array", "items": {"$ref": "#/$defs/Person"}},
    },
}
DEFINITIONS = {
    "Person": PERSON,
    "Home": {"type": "object", "properties": {"city": TEXT}},
    "Mood": {"enum": ["good", "bad"]},
}


def message(definitions=DEFINITIONS, **more):
    return {"type": "object", "properties": {"who": {"$ref": "#/$defs/Person"}} | more, "$defs": definitions}


@pytest.fixture
def write(tmp_path):
    """A function that writes contracts by path, generates the package again, and gives what was generated."""

    def write(package="shared_things", **schemas):
        for path, schema in schemas.items():
            file = tmp_path / "contracts" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(schema))
        return generate(load_catalog(tmp_path / "contracts"), package, tmp_path)

    return write


def modules(tmp_path, monkeypatch, *names, package="shared_things"):
    """The generated modules, imported anew."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    importlib.invalidate_caches()
    return [importlib.import_module(f"{package}.messages.{name}") for name in names]


def test_a_person_of_one_message_can_be_put_into_another(write, tmp_path, monkeypatch):
    write(**{"hired/v1.json": message(), "fired/v1.json": message(reason=TEXT)})
    hired, fired, shared = modules(tmp_path, monkeypatch, "hired_v1", "fired_v1", "shared")
    read = hired.HiredV1.from_json(
        '{"who": {"name": "Ana", "home": {"city": "Y"}, "friends": [{"name": "Bo"}], "mood": "good"}}'
    )
    assert fired.FiredV1(who=read.who).to_json() == read.to_json()
    assert hired.Person is fired.Person is shared.Person
    assert hired.Home is fired.Home is type(read.who.home)
    assert type(read.who.friends[0]) is shared.Person
    with pytest.raises(ContractViolationError, match="Person at /name: expected string, found a number of 1 digit"):
        shared.Person(name=7)
    with pytest.raises(DecodeError, match="hired v1 at /who: expected the field"):
        hired.HiredV1.from_json('{"who": {}}')


def test_a_dynamic_reference_that_leads_elsewhere_is_another_class(write, tmp_path, monkeypatch):
    person = {"type": "object", "properties": {"home": {"$dynamicRef": "#home"}}}
    flat, house = (
        {"$dynamicAnchor": "home", "type": "object", "properties": {each: TEXT}} for each in ("flat", "house")
    )
    for subject, home in (("hired", flat), ("fired", house), ("rehired", flat)):
        write(**{f"{subject}/v1.json": message({"Person": person, "Home": home})})
    hired, fired, rehired = modules(tmp_path, monkeypatch, "hired_v1", "fired_v1", "rehired_v1")
    assert hired.Person is rehired.Person is not fired.Person
    assert hired.HiredV1.from_json('{"who": {"home": {"flat": "3"}}}').who.home.flat == "3"
    assert fired.FiredV1.from_json('{"who": {"home": {"house": "4"}}}').who.home.house == "4"


def test_schemas_that_reach_hundreds_of_others_are_shared(write, tmp_path, monkeypatch):
    names = ["Person", *(f"Part{number}" for number in range(300))]
    parts = {
        name: {"type": "object", "properties": {"next": {"$ref": f"#/$defs/{following}"}}}
        for name, following in zip(names, [*names[1:], names[0]], strict=True)
    }
    write(**{"hired/v1.json": message(parts), "fired/v1.json": message(parts, reason=TEXT)})
    hired, fired = modules(tmp_path, monkeypatch, "hired_v1", "fired_v1")
    assert hired.Person is fired.Person
    assert hired.Part299 is fired.Part299


def test_a_shared_file_is_one_class_and_an_own_definition_is_not(write, tmp_path, monkeypatch):
    place = {"type": "object", "properties": {"zip": TEXT}, "$id": "https://acme.example/place.json"}
    used = {"type": "object", "properties": {"at": {"$ref": "../common/place.json"}}}
    write(**{
        "common/place.json": place, "a/v1.json": used, "b/v1.json": used,
        "c/v1.json": {"type": "object", "properties": {"own": {"$ref": "#/$defs/Own"}}, "$defs": {"Own": {"type": "object", "properties": {"x": TEXT}}}},
    })  # fmt: skip
    a, b, c, shared = modules(tmp_path, monkeypatch, "a_v1", "b_v1", "c_v1", "shared")
    (name,) = {
        name for name in vars(a) if vars(a)[name] in vars(shared).values() and name[0].isupper() and name != "CONTRACT"
    } - {"ValueObject"}
    assert getattr(a, name) is getattr(b, name)
    assert c.Own.__module__.endswith("c_v1")


def test_an_import_path_stays_when_contracts_are_added(write, tmp_path, monkeypatch):
    write(**{"hired/v1.json": message()})
    (hired,) = modules(tmp_path, monkeypatch, "hired_v1")
    assert hired.Person.__module__.endswith("hired_v1")
    write(**{"fired/v1.json": message()})
    hired, shared = modules(tmp_path, monkeypatch, "hired_v1", "shared")
    assert hired.Person is shared.Person
    changed = DEFINITIONS | {"Person": PERSON | {"required": ["name", "home"]}}
    write(**{"alarm/v1.json": message(changed), "hired/v2.json": message(changed)})
    alarm, hired, newer, shared = modules(tmp_path, monkeypatch, "alarm_v1", "hired_v1", "hired_v2", "shared")
    assert hired.Person is shared.Person, "the old class stays where it was"
    assert alarm.Person is newer.Person is shared.Person2
    read = alarm.AlarmV1.from_json('{"who": {"name": "Ana", "home": {}}}')
    assert type(read.who) is shared.Person2
    assert newer.HiredV2(who=read.who).to_json() == read.to_json()
    assert check(load_catalog(tmp_path / "contracts"), "shared_things", tmp_path).stale == ()
    assert write().written == ()


HUMAN = {
    "title": "Human",
    "type": "object",
    "required": ["name"],
    "properties": {"name": TEXT, "friends": {"type": "array", "items": {"$ref": "#"}}},
}


def holding(path):
    return {"type": "object", "properties": {"lead": {"$ref": path}}}


def test_a_message_can_be_a_part_of_another_one(write, tmp_path, monkeypatch):
    write(**{"hired/v1.json": HUMAN, "team/v1.json": holding("../hired/v1.json")})
    hired, team = modules(tmp_path, monkeypatch, "hired_v1", "team_v1")
    lead = hired.HiredV1(name="Ana")
    assert type(team.TeamV1.from_json('{"lead": {"name": "Ana"}}').lead) is hired.HiredV1
    assert team.TeamV1(lead=lead).to_json() == b'{"lead":{"name":"Ana"}}'
    newer = HUMAN | {"required": ["name", "friends"]}
    write(
        **{
            "hired/v2.json": newer,
            "team/v2.json": holding("../hired/v2.json"),
            "club/v1.json": holding("../hired/v1.json"),
        }
    )
    hired, second, team, newest, club = modules(
        tmp_path, monkeypatch, "hired_v1", "hired_v2", "team_v1", "team_v2", "club_v1"
    )
    assert team.Human is club.Human is hired.HiredV1
    assert newest.Human is second.HiredV2 is not hired.HiredV1
    assert check(load_catalog(tmp_path / "contracts"), "shared_things", tmp_path).stale == ()


def test_a_message_that_only_refers_to_a_schema_is_a_kind_of_its_class(write, tmp_path, monkeypatch):
    write(**{"common/human.json": HUMAN, "hired/v1.json": {"$ref": "../common/human.json"}})
    (hired,) = modules(tmp_path, monkeypatch, "hired_v1")
    read = hired.HiredV1.from_json('{"name": "Ana", "friends": [{"name": "Bo"}]}')
    assert (type(read), type(read.friends[0])) == (hired.HiredV1, hired.Human)
    write(**{
        "common/other.json": HUMAN | {"required": []}, "hired/v2.json": {"$ref": "../common/other.json"},
        "fired/v1.json": {"$ref": "../hired/v1.json"}, "team/v1.json": holding("../common/human.json"),
    })  # fmt: skip
    hired, second, fired, team = modules(tmp_path, monkeypatch, "hired_v1", "hired_v2", "fired_v1", "team_v1")
    read = hired.HiredV1.from_json('{"name": "Ana", "friends": [{"name": "Bo"}]}')
    assert type(read.friends[0]) is hired.Human is fired.Human is team.Human is not second.Human
    assert read.__contract__.subject == "hired"
    made = team.TeamV1(lead=read)
    assert made == team.TeamV1.from_json(made.to_json())
    assert hash(made) == hash(team.TeamV1.from_json(made.to_json()))
    assert fired.FiredV1.from_json(read.to_json()) != read
    with pytest.raises(ContractViolationError):
        team.TeamV1(lead=second.HiredV2())


def test_messages_that_are_parts_of_each_other_can_be_imported(write, tmp_path, monkeypatch):
    write(**{"one/v1.json": holding("../two/v1.json"), "two/v1.json": holding("../one/v1.json")})
    (two,) = modules(tmp_path, monkeypatch, "two_v1")
    (one,) = modules(tmp_path, monkeypatch, "one_v1")
    for cls in (one.OneV1, two.TwoV1):
        assert cls.from_json('{"lead": {"lead": {}}}').to_json() == b'{"lead":{"lead":{}}}'


def test_the_shared_module_goes_with_the_last_contract_that_needs_it(write, tmp_path):
    write(**{"hired/v1.json": message(), "fired/v1.json": message()})
    for name in ("hired", "fired"):
        (tmp_path / "contracts" / name / "v1.json").unlink()
        (tmp_path / "contracts" / name).rmdir()
    removed = {path.name for path in write(**{"other/v1.json": {"type": "object", "properties": {"x": TEXT}}}).removed}
    assert removed == {"hired_v1.py", "hired_v1.json", "fired_v1.py", "fired_v1.json", "shared.py", "shared.json"}


@pytest.mark.parametrize(
    "checker", [["mypy", "--strict", "--config-file="], ["pyright", "--pythonpath", sys.executable]]
)
def test_type_checkers_see_one_class(write, tmp_path, checker):
    write("typed_sharing", **{
        "hired/v1.json": message(), "fired/v1.json": message(), "human/v1.json": HUMAN, "hero/v1.json": {"$ref": "../human/v1.json"},
        "team/v1.json": holding("../human/v1.json"),
    })  # fmt: skip
    (tmp_path / "use.py").write_text(
        "from typed_sharing.messages import Fired, Hero, Hired, Human, Team\nfrom typed_sharing.messages.fired_v1 import Person\n"
        "def use(hired: Hired, person: Person) -> Fired:\n    Hired(who=person)\n    return Fired(who=hired.who)\n"
        "def lead(human: Human, hero: Hero) -> list[Human | None]:\n    return [Team(lead=human).lead, Team(lead=hero).lead]\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", *checker, "use.py", "typed_sharing"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout
