"""Every exception of the project can be sent to another process and copied, as multiprocessing and loggers do."""

import copy
import importlib
import inspect
import pickle
import pkgutil
from enum import Enum
from pathlib import Path
from typing import get_type_hints

import pytest

import contract_test
import envelopes
import feed
import transport
from contract_test.files.catalog import load_catalog
from contract_test.record.validator import ContractValidator
from envelopes import Violation

PACKAGES = (envelopes, contract_test, feed, transport)
VALUES = {
    str: "a text",
    int: 3,
    float: 0.5,
    bytes: b"raw",
    bool: True,
    Violation: Violation("/id", "type", "string", "1"),
    Exception: ValueError("cause"),
    ContractValidator: ContractValidator(load_catalog(Path(__file__).parents[2] / "contracts").contracts[0]),
}


def exceptions():
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".messages." not in module.name:
                importlib.import_module(module.name)
    todo = [Exception]
    while todo:
        kind = todo.pop()
        todo.extend(kind.__subclasses__())
        if kind.__module__.partition(".")[0] in {package.__name__ for package in PACKAGES}:
            yield kind


def value_for(parameter, hints):
    hint = hints.get(parameter.name, str)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    for kind, value in VALUES.items():
        if hint is kind or kind in getattr(hint, "__args__", ()):
            return value
    return "a text"


def instance(kind):
    signature = inspect.signature(kind.__init__)
    hints = get_type_hints(kind.__init__, vars(importlib.import_module(kind.__module__)))
    positional, named = [], {}
    for parameter in list(signature.parameters.values())[1:]:
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            positional += ["a text"] if parameter.kind is parameter.VAR_POSITIONAL else []
        elif parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = value_for(parameter, hints)
        else:
            positional.append(value_for(parameter, hints))
    return kind(*positional, **named)


@pytest.mark.parametrize(
    "kind", sorted(set(exceptions()), key=repr), ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
)
def test_an_exception_can_be_pickled_and_copied(kind):
    error = instance(kind)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        assert vars(again).keys() == vars(error).keys()
        assert again.args == error.args
