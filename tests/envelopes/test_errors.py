"""Every exception can be sent to another process, and is shown under the path that people import it from."""

import copy
import enum
import importlib
import inspect
import multiprocessing
import pickle
import pkgutil
import traceback
from pathlib import Path
from typing import get_type_hints

import pytest

import envelopes
from contract_test.data.contract import Contract
from contract_test.record.validator import ContractValidator
from envelopes import DecodeError, Violation
from envelopes.messages import MessageLiked

SCHEMA = {"type": "object"}
SAMPLES = {
    int: 7,
    float: 0.5,
    str: "a text",
    bytes: b"\x00raw",
    bool: True,
    Violation: Violation("/a", "type", "string", "7"),
    Exception: OSError("no answer"),
}


def exception_classes():
    """Every exception class of the toolkit and the services, by its path."""
    found = {}
    for name in ("envelopes", "contract_test", "transport", "feed"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if module.name.endswith("__main__"):
                continue
            for kind in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(kind) and issubclass(kind, BaseException) and kind.__module__.startswith(name):
                    found[f"{kind.__module__}.{kind.__qualname__}"] = kind
    return found


KINDS = exception_classes()


def sample(kind):
    """An instance, built by its own constructor from values of the types that it names."""
    constructor = kind.__init__
    if not inspect.isfunction(constructor):  # the one of a built-in exception
        return kind("what happened")
    hints = get_type_hints(constructor) if constructor.__annotations__ else {}
    return kind(**{name: value_of(hints.get(name)) for name in list(inspect.signature(constructor).parameters)[1:]})


def value_of(hint):
    """Return a value for a parameter with this annotation."""
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    if inspect.isclass(hint) and issubclass(hint, ContractValidator):
        judge = ContractValidator(Contract("like", 1, Path("like/v1.json"), "urn:like", SCHEMA, {"urn:like": SCHEMA}))
        assert judge.validator.is_valid({})
        return judge
    return SAMPLES.get(hint, ("one", "two"))


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_an_error_survives_pickling_and_copying(path, again):
    error = sample(KINDS[path])
    made = again(error)
    assert type(made) is type(error)
    assert str(made) == str(error)
    assert sorted(vars(made)) == sorted(vars(error))


def read(raw):
    return MessageLiked.from_json(raw)


def test_a_pool_of_processes_reports_a_message_that_does_not_decode():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        answer = pool.map_async(read, [b"{}"])
        with pytest.raises(DecodeError) as refused:
            answer.get(timeout=60)
    assert refused.value.raw == b"{}"
    assert refused.value.violation.keyword == "required"


def test_a_traceback_shows_the_path_that_people_import_from():
    with pytest.raises(DecodeError) as refused:
        MessageLiked.from_json("{}")
    assert traceback.format_exception_only(refused.value)[0].startswith("envelopes.DecodeError: message.liked v2 at /")


def test_every_exported_error_is_shown_under_the_package():
    for name in envelopes.__all__:
        public = getattr(envelopes, name)
        if inspect.isclass(public) and issubclass(public, Exception):
            assert public.__module__ == "envelopes", name
