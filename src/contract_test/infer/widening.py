"""The next version of a schema: the same schema, loosened as far as new messages need it."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat, takewhile
from typing import Any

import jsonschema_rs

from contract_test.data.texts import counted
from contract_test.infer.description import SAFE
from contract_test.infer.evidence import DeclaredFields, Masked, kind_of, looks_like_data, without_marks
from contract_test.infer.proposal import Proposal, infer
from contract_test.infer.schema_paths import Path, alternative_at, resolved, value_at
from contract_test.infer.tags import MAX_TAG_DEPTH, MIN_PER_ALTERNATIVE, NO_TAG, Tag, may_be_shown, set_tag, split
from contract_test.infer.undeclared import CannotWidenError, Declaring
from contract_test.schema.walk import escape
from envelopes.validation import compile_schema

MAX_ROUNDS = 40
MAX_BROKEN = 2_000
"""How many messages that are not valid are kept in memory at a time."""


def widen(
    schema: Any,
    resources: Mapping[str, Any],
    uri: str,
    values: Iterable[tuple[Any, Any]],
    declared: DeclaredFields | None = None,
) -> Proposal:
    """Return the schema with each violated keyword loosened and each undeclared field declared.

    `values` are messages, each as it is marked and plain; they are read several times. `resources` holds the schema and
    all that it reaches, by URI, as the catalog resolves it. `uri` is its own. Messages that are not valid because of a
    new text for an enum stay so, unless the user named the field. Validate the others under the result once more,
    because not everything can be loosened. Raises CannotWidenError.
    """
    widening = _Widening(schema, resources, uri, declared or DeclaredFields())
    widening.declaring.convert(values)
    for _ in range(MAX_ROUNDS):
        broken, messages = widening.invalid_among(values)
        widening.messages = messages
        changes = sum(1 for _ in takewhile(widening.loosen, repeat(broken, MAX_ROUNDS)))
        if not changes:
            break
    widening.declaring.declare(values)
    remarks = dict.fromkeys((*widening.declaring.remarks, *widening.remarks))
    return Proposal(
        widening.documents[0],
        tuple(remarks),
        messages=widening.messages,
        left_out=widening.left_out,
        redescribes=widening.declaring.redescribes,
    )


@dataclass
class _Broken:
    """The values that break one keyword, why, and where in a message they are."""

    place: str
    errors: list[jsonschema_rs.ValidationError] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    messages: set[int] = field(default_factory=set)


class _Widening:
    def __init__(self, schema: Any, resources: Mapping[str, Any], uri: str, declared: DeclaredFields) -> None:
        self._resources, self._uri, self._declared = dict(resources), uri, declared
        self._resources[uri] = copy.deepcopy(resources[uri])
        # As people wrote it, and as it is compiled: every change is made in both, at the same place.
        self.documents = copy.deepcopy(schema), self._resources[uri]
        self.remarks: list[tuple[str, str]] = []
        self.declaring = Declaring(self.documents, self._resources, uri, self._declared)
        self.messages = self.left_out = 0
        self._kept: set[Path] = set()

    def invalid_among(self, values: Iterable[tuple[Any, Any]]) -> tuple[list[tuple[Any, Any]], int]:
        """Return messages that are not valid and may become so, and the number of all messages."""
        validator = compile_schema(self._resources, f"{self._uri}#")
        found: list[tuple[Any, Any]] = []
        self.left_out = count = 0
        for marked, value in values:
            count += 1
            if len(found) == MAX_BROKEN or validator.is_valid(value):
                continue
            if self._kept and all(self._stays(error) for error in validator.iter_errors(value)):
                self.left_out += 1
            else:
                found.append((marked, value))
        return found, count

    def _stays(self, error: jsonschema_rs.ValidationError) -> bool:
        return all(self._path(each, "") in self._kept for each in _meant(error))

    def _broken(self, values: Sequence[tuple[Any, Any]]) -> dict[Path, _Broken]:
        validator = compile_schema(self._resources, f"{self._uri}#")
        broken: dict[Path, _Broken] = {}
        for number, (marked, value) in enumerate(values):
            for each in (inner for error in validator.iter_errors(value) for inner in _meant(error)):
                path = resolved(marked, each.instance_path) or ()
                place = "".join(f"/{'*' if isinstance(step, int) else escape(step)}" for step in path)
                instance = value_at(marked, path)
                where = self._path(each, place)
                if where in self._kept:
                    continue
                found = broken.setdefault(where, _Broken(place))
                found.errors.append(each)
                found.values.append(instance if without_marks(instance) == each.instance else each.instance)
                found.messages.add(number)
        return broken

    def loosen(self, values: Sequence[tuple[Any, Any]]) -> bool:
        """Loosen each keyword that some value breaks; False if there is none."""
        broken = self._broken(values)
        done: list[Path] = []
        for path in sorted(broken, key=len):
            if not any(path[: len(other)] == other for other in done):  # what stood there is another one now
                self._loosen(path, broken[path])
                done.append(path)
        return bool(broken)

    def _path(self, error: jsonschema_rs.ValidationError, place: str) -> Path:
        """Where the broken keyword stands in the contract's own file."""
        steps = error.schema_path
        if list(steps) == ["unexplained"]:
            raise CannotWidenError(place, "its alternatives are too many to find out which is meant")
        path = resolved(self.documents[1], steps)
        if path is None and [str(step) for step in steps[:2]] == ["$defs", "0"]:  # many files are compiled as one
            path = resolved(self.documents[1], steps[2:])
        if path is None:
            raise CannotWidenError(place)
        return path

    def _loosen(self, path: Path, broken: _Broken) -> None:
        *steps, keyword = path
        if keyword in ("enum", "const") and not self._may_widen_enum(path, broken):
            return
        if broken.errors[0].kind.name == "falseSchema" and keyword != "additionalProperties":
            schema = self._inferred(broken.values, broken.place)
            for document in self.documents:
                value_at(document, steps)[keyword] = copy.deepcopy(schema)
            self._remark(broken, path, "was forbidden, and is optional now")
            return
        for document in self.documents:
            node = value_at(document, steps)
            if keyword == "type":
                sentence = self._loosen_type(node, broken)
            elif keyword == "required":
                sentence = _loosen_required(node, broken)
            elif keyword in ("enum", "const"):
                sentence = _loosen_enum(node, keyword, broken)
            elif keyword in ("additionalProperties", "unevaluatedProperties"):
                sentence = self._loosen_additional(node, keyword, broken)
            elif keyword in ("anyOf", "oneOf"):
                sentence = self._loosen_alternatives(node, keyword, broken)
            elif keyword in ("minimum", "maximum") and node.get("type") == "integer":
                sentence = _loosen_bound(node, keyword, broken.values)
            else:
                sentence = f"{keyword}{_shown(node[keyword])} is dropped"
                del node[keyword]
        self._remark(broken, path, sentence)

    def _remark(self, broken: _Broken, path: Path, sentence: str) -> None:
        alternative = alternative_at(self.documents[1], path[:-1])
        where = f" in the alternative {alternative}" if alternative else ""
        more = " or more" if len(broken.messages) >= MAX_BROKEN else ""
        messages = f"{len(broken.messages)}{more} of {counted(self.messages, 'message')}"
        self.remarks.append((broken.place, f"{sentence}{where}, because of {messages}"))

    def _inferred(self, values: Sequence[Any], place: str) -> dict[str, Any]:
        proposal = infer(values, self._declared, place, definitions=False)
        self.remarks += proposal.remarks
        return proposal.schema

    def _loosen_type(self, node: dict[str, Any], broken: _Broken) -> str:
        before = [node["type"]] if isinstance(node["type"], str) else node["type"]
        made = dict.fromkeys((*before, *map(kind_of, broken.values)))
        if "number" in made:
            made.pop("integer", None)
        node["type"] = list(made) if len(made) > 1 else next(iter(made))
        if "enum" in node and None in broken.values:
            node["enum"] = [*node["enum"], None]
        for keyword, value in infer(broken.values, self._declared, broken.place, definitions=False).schema.items():
            if keyword in ("properties", "items", "additionalProperties", "patternProperties", "format"):
                node.setdefault(keyword, copy.deepcopy(value))
        return f"may be {' or '.join(kind for kind in made if kind not in before)} now, too"

    def _may_widen_enum(self, path: Path, broken: _Broken) -> bool:
        """Return False if new texts may not be shown: then the enum stays, and so do the messages with them."""
        texts = {value for value in broken.values if isinstance(value, str)}
        masked = any(isinstance(text, Masked) for text in texts)
        others = any(value is not None and not isinstance(value, str) for value in broken.values)
        if others or not texts or (broken.place in self._declared.enums and not masked):
            return True
        self._kept.add(path)
        new = counted(len(texts), "value")
        stays = f"has {new} that the enum lacks. It stays as it is. To add them, add --enum {broken.place}"
        self._remark(broken, path, stays)
        return False

    def _loosen_additional(self, node: dict[str, Any], keyword: str, broken: _Broken) -> str:
        found: dict[str, list[Any]] = {}
        for error, value in zip(broken.errors, broken.values, strict=True):
            unexpected: Any = error.kind.as_dict().get("unexpected", value)
            for name in unexpected:
                found.setdefault(name, []).append(value[name])
        data = {name for name in found if looks_like_data(name)}
        fields = [name for name in found if name not in data]
        for name in fields:
            place = f"{broken.place}/{escape(name)}"
            node.setdefault("properties", {})[name] = self._inferred(found[name], place)
        if data:
            rest = [value for name in data for value in found[name]]
            node[keyword] = self._inferred(rest, f"{broken.place}/*")
        return f"has {counted(len(found), 'field')} more"

    def _loosen_alternatives(self, node: dict[str, Any], keyword: str, broken: _Broken) -> str:
        unmatched = [
            value
            for error, value in zip(broken.errors, broken.values, strict=True)
            if error.kind.name != "oneOfMultipleValid"
        ]
        if unmatched:
            made = list(self._alternatives(unmatched, _tag_of(node[keyword]), broken.place))
            node[keyword] = [*node[keyword], *made]
            return f"has {counted(len(made), 'alternative')} more"
        if "anyOf" in node:
            del node["oneOf"]
            return "oneOf is dropped"
        node["anyOf"] = node.pop("oneOf")
        return "oneOf is anyOf now"

    def _alternatives(self, values: Sequence[Any], tag: Tag, place: str) -> Iterator[dict[str, Any]]:
        """Describe values that no alternative does: by one for each value of the tag of those that are there."""
        tagged = [each for each in values if tag and tag.text_in(each) is not None]
        where = place + "".join(f"/{escape(step)}" for step in tag.path)
        texts = [tag.text_in(each) or "" for each in tagged]
        if not tagged or len(tagged) < len(values):
            yield self._inferred(values, place)
        elif _may_show(texts, tag.kind) or (
            where in self._declared.enums and not any(isinstance(text, Masked) for text in texts)
        ):
            for text, objects in split(tagged, tag).items():
                made = self._inferred(objects, place)
                set_tag(made, tag.path, {"const": tag.constant(text)}, required=True)
                yield made
            self.remarks.append((where, "is the tag of a new alternative. Its value is in the schema"))
        else:
            yield self._inferred(values, place)
            self.remarks.append(
                (
                    where,
                    f"has a new value in too few messages. To put it into the schema, add --enum {where}",
                )
            )


def _is_masked(text: str) -> bool:
    return isinstance(text, Masked)


def _loosen_required(node: dict[str, Any], broken: _Broken) -> str:
    gone = {error.kind.as_dict()["property"] for error in broken.errors}
    node["required"] = [name for name in node["required"] if name not in gone]
    return f"{', '.join(sorted(gone))} {'is' if len(gone) == 1 else 'are'} optional now"


def _loosen_enum(node: dict[str, Any], keyword: str, broken: _Broken) -> str:
    before = node["enum"] if keyword == "enum" else [node["const"]]
    del node[keyword]
    if all(value is None or isinstance(value, str) for value in broken.values):
        new = dict.fromkeys(without_marks(each) for each in broken.values if each not in before)
        node["enum"] = [*before, *new]
        return f"the enum has {counted(len(new), 'value')} more"
    node.setdefault("type", list(dict.fromkeys(map(kind_of, (*before, *broken.values)))))
    return f"{keyword} is dropped"


def _shown(value: Any) -> str:
    """Return the value of a keyword of the schema, if it is short."""
    return f" {value}" if isinstance(value, str | int | float) and len(str(value)) <= 40 else ""  # noqa: PLR2004


def _may_show(texts: Sequence[str], kind: str) -> bool:
    """Return True if new values of a tag may be shown: each was seen several times, and none looks like data."""
    return min(Counter(texts).values()) >= MIN_PER_ALTERNATIVE and all(may_be_shown(text, kind) for text in texts)


def _meant(error: jsonschema_rs.ValidationError) -> Iterator[jsonschema_rs.ValidationError]:
    """The errors behind one: of alternatives, those of the alternative that is meant, if one is."""
    depth = len(error.instance_path)
    branches = [branch for branch in getattr(error.kind, "context", None) or () if branch]
    tags: list[set[object]] = [
        {str(each.instance_path) for each in branch if _is_tag(each, depth)} for branch in branches
    ]
    meant = [
        branch
        for branch, wrong in zip(branches, tags, strict=True)
        if not wrong - set.intersection(*tags)
        and not any(each.kind.name == "const" for each in branch if _is_tag(each, depth))
        and not any(len(each.instance_path) == depth and each.kind.name in _OTHER_VALUES for each in branch)
    ]
    if meant:
        for each in min(meant, key=len):
            yield from _meant(each)
    else:
        yield error


_OTHER_VALUES = ("const", "enum", "type", "falseSchema")


def _is_tag(error: jsonschema_rs.ValidationError, depth: int) -> bool:
    """Whether an alternative is refused for the text of a field: if not all are, that is not the one that is meant."""
    return depth < len(error.instance_path) <= depth + MAX_TAG_DEPTH and error.kind.name in ("const", "enum")


def _tag_of(alternatives: Sequence[Any]) -> Tag:
    """Return the required field whose constant distinguishes the alternatives for objects, or none."""
    objects = [each for each in alternatives if isinstance(each, dict) and each.get("type") == "object"]
    tags = [list(_constants(each)) for each in objects]
    return next((tag for tag in tags[0] if all(tag in each for each in tags)), NO_TAG) if tags else NO_TAG


def _constants(schema: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[Tag]:
    """Yield the required fields of an object that have a constant, the nearest first."""
    inner = {name: each for name, each in schema.get("properties", {}).items() if isinstance(each, dict)}
    required = {name: each for name, each in inner.items() if name in schema.get("required", ())}
    for name, each in required.items():
        if isinstance(each.get("const"), str | int):
            yield Tag((*above, name), kind_of(each["const"]))
    if len(above) + 1 < MAX_TAG_DEPTH:
        for name, each in required.items():
            yield from _constants(each, (*above, name))


def _loosen_bound(node: dict[str, Any], keyword: str, values: Sequence[Any]) -> str:
    lowest, highest, before = min(values), max(values), node[keyword]
    if keyword == "minimum" and lowest >= -SAFE:
        node[keyword] = 0 if lowest >= 0 else -SAFE
    elif keyword == "maximum" and highest <= SAFE:
        node[keyword] = SAFE
    else:
        del node[keyword]
        return f"{keyword} {before} is dropped"
    return f"{keyword} is {node[keyword]} now, and was {before}"
