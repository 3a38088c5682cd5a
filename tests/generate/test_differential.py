"""A value object never disagrees with its contract: `from_json` against two validators, on random and written schemas."""

import importlib
import json
import os
import random
import re
from pathlib import Path

import jsonschema
import jsonschema_rs
import pytest

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate
from envelopes import DecodeError
from envelopes.validation import ASSERTED_FORMATS

from .random_schemas import Maker

DRAFT = "https://json-schema.org/draft/2020-12/schema"
REALISTIC = Path(__file__).parent / "realistic"
# `make test` judges a seeded part; CONTRACT_TEST_JUDGED=60000 is a night's run.
JUDGED = int(os.environ.get("CONTRACT_TEST_JUDGED", "6000"))
SEED = int(os.environ.get("CONTRACT_TEST_SEED", "20260301"))
PER_SCHEMA = 60


def strictly_equal(one, other):
    """JSON equality in which 1 and 1.0 are two texts."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(strictly_equal(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(strictly_equal, one, other))
    return one == other


def package_of(folder: Path, schemas: dict[str, object]):
    """Generate one package for many schemas, and give its value objects by subject."""
    contracts = folder / "contracts"
    for subject, schema in schemas.items():
        (contracts / subject).mkdir(parents=True)
        (contracts / subject / "v1.json").write_text(json.dumps({"$schema": DRAFT} | schema))
    catalog = load_catalog(contracts)
    name = f"differential_{re.sub('[^a-z0-9]', '_', folder.name.lower())}"
    generate(catalog, name, folder)
    module = importlib.import_module(f"{name}.messages")
    return {each.subject: getattr(module, each.class_name) for each in catalog.contracts}


def validators(schema):
    fast = jsonschema_rs.validator_for(schema, validate_formats=True)
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker(ASSERTED_FORMATS))
    return fast, checker


def check(cls, schema, instances, *, clean):
    """Validate every instance with both validators; `clean` are those without undeclared fields."""
    fast, slow = validators(schema)
    for instance, is_clean in zip(instances, clean, strict=True):
        raw = json.dumps(instance)
        valid = fast.is_valid(instance)
        assert valid == slow.is_valid(instance), f"the validators disagree on {raw} under {json.dumps(schema)}"
        try:
            value = cls.from_json(raw)
        except DecodeError:
            assert not valid, f"{raw} was refused under {json.dumps(schema)}"
            continue
        assert valid, f"{raw} was accepted under {json.dumps(schema)}"
        hash(value)
        back = json.loads(value.to_json())
        assert fast.is_valid(back)
        if is_clean:
            assert strictly_equal(back, instance), f"{raw} came back as {back} under {json.dumps(schema)}"


@pytest.mark.parametrize("batch", range(max(1, JUDGED // (PER_SCHEMA * 20))))
def test_random_schemas(batch, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    makers = {f"s{number}": Maker(random.Random(SEED + 1000 * batch + number)) for number in range(20)}
    schemas = {subject: maker.root() for subject, maker in makers.items()}
    classes = package_of(tmp_path, schemas)
    for subject, maker in makers.items():
        whole = [maker.instance(schemas[subject]) for _ in range(PER_SCHEMA // 3)]
        mutated = [maker.mutated(maker.random.choice(whole)) for _ in range(PER_SCHEMA - len(whole))]
        schema = {"$schema": DRAFT} | schemas[subject]
        closed = [declared_only(schema, instance) for instance in whole]
        check(classes[subject], schema, [*whole, *mutated], clean=[*closed, *[False] * len(mutated)])


def declared_only(schema, instance):
    """Whether every field of an instance is evaluated by the schema; nested objects are asked in the same way."""
    return jsonschema_rs.is_valid(closed(schema), instance)


def closed(schema):
    """The schema with every object closed to what it does not evaluate."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        key: value if key in ("const", "enum", "not", "if") else
        {name: closed(child) for name, child in value.items()} if key in ("properties", "$defs", "patternProperties") else closed(value)
        for key, value in schema.items()
    }  # fmt: skip
    if made.keys() & {"properties", "patternProperties"} and "unevaluatedProperties" not in made:
        made["unevaluatedProperties"] = False
    return made


@pytest.mark.parametrize("path", sorted(REALISTIC.glob("*.json")), ids=lambda path: path.stem)
def test_realistic_contracts(path, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    document = json.loads(path.read_text())
    schema = document["schema"]
    cls = package_of(tmp_path, {"one": schema})["one"]
    maker = Maker(random.Random(SEED))
    instances = list(document["valid"])
    instances += [maker.mutated(maker.random.choice(document["valid"])) for _ in range(max(200, JUDGED // 20))]
    check(
        cls,
        {"$schema": DRAFT} | schema,
        instances,
        clean=[True] * len(document["valid"]) + [False] * (len(instances) - len(document["valid"])),
    )
    for invalid in document["invalid"]:
        with pytest.raises(DecodeError):
            cls.from_json(json.dumps(invalid))
