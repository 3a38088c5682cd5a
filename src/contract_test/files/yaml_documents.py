"""Documents that are JSON or YAML, read with limits, and written."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from contract_test.data.errors import DocumentError
from contract_test.files.schemas import MAX_BYTES, MAX_DEPTH, read_json

MAX_VALUES = 500_000
"""As many values a YAML file may have once its aliases are written out."""

_NULL = ("", "~", "null", "Null", "NULL")
_BOOL = {text: text.lower() == "true" for text in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INT = re.compile(r"[-+]?[0-9]{1,4000}")
_OTHER_INT = re.compile(r"0(o[0-7]{1,4000}|x[0-9a-fA-F]{1,4000})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TAG = "tag:yaml.org,2002:"


def document_text(document: Any, path: Path) -> str:
    """Return a document as the text of a file: YAML by its suffix, else JSON."""
    if path.suffix in (".yaml", ".yml"):
        return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


class _Dumper(yaml.SafeDumper):
    """Writes what occurs twice in full: some readers limit or lack aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


# Texts that other readers, by YAML 1.2, would take for numbers: they are written in quotes.
_Dumper.add_implicit_resolver(f"{_TAG}float", re.compile(f"(?:{_FLOAT.pattern})$"), list("-+.0123456789"))
_Dumper.add_implicit_resolver(
    f"{_TAG}int", re.compile(f"(?:{_OTHER_INT.pattern}|{_INT.pattern})$"), list("-+0123456789")
)


def read_document(path: Path) -> Any:
    """Read a JSON or YAML file. Raises DocumentError or SchemaError with the line."""
    if path.suffix == ".json":
        return read_json(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DocumentError(f"larger than {MAX_BYTES:,} bytes", place=str(path), advice="Split it into files.")
        return _Yaml(path).value(path.read_text(encoding="utf-8-sig"))
    except UnicodeError:
        raise DocumentError("not UTF-8 text", place=str(path), advice="Save it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise DocumentError(f"not YAML: {error.problem}", place=where, advice="Correct the syntax there.") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise DocumentError(f"not YAML: {error}", place=str(path), advice="Correct the syntax.") from None
    except OSError as error:
        advice = "Check that the file is there."
        raise DocumentError(f"cannot be read: {error.strerror}", place=str(path), advice=advice) from None


class _Yaml:
    """Makes JSON values of YAML's events, by the core schema of YAML 1.2: `yes` and `2026-01-01` are texts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open: list[tuple[Any, str | None, int, list[Any]]] = []
        self._values = 0

    def value(self, text: str) -> Any:
        """Return the value of the only document in a text."""
        found: list[Any] = []
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.DocumentStartEvent) and found:
                raise self._error(event, "a second document in one file", "Keep one document in a file.")
            if isinstance(event, yaml.CollectionStartEvent):
                self._count(event, 1)
                if len(self._open) == MAX_DEPTH:
                    raise self._error(event, f"nested deeper than {MAX_DEPTH} levels", "Flatten it.")
                self._open.append((event, event.anchor, self._values, []))
            elif isinstance(event, yaml.CollectionEndEvent):
                start, anchor, before, items = self._open.pop()
                made = items if isinstance(start, yaml.SequenceStartEvent) else self._mapping(start, items)
                self._add(found, made, anchor, self._values - before + 1)
            elif isinstance(event, yaml.ScalarEvent):
                self._count(event, 1)
                self._add(found, self._scalar(event), event.anchor, 1)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchors:
                    advice = "An alias repeats what was written before it, and never what it is a part of."
                    raise self._error(event, f"the alias *{str(event.anchor)[:60]} has no value", advice)
                made, size = self._anchors[event.anchor]
                self._count(event, size)
                self._add(found, made, None, size)
        return found[0] if found else None

    def _add(self, found: list[Any], value: Any, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, size)
        (self._open[-1][3] if self._open else found).append(value)

    def _count(self, event: Any, number: int) -> None:
        self._values += number
        if self._values > MAX_VALUES:
            problem = f"more than {MAX_VALUES:,} values, once the aliases are written out"
            raise self._error(event, problem, "Split the document, and use fewer aliases.")

    def _mapping(self, start: Any, items: list[Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key == "<<":
                for each in reversed(value if isinstance(value, list) else [value]):
                    merged |= each if isinstance(each, dict) else {}
                continue
            name = key if isinstance(key, str) else json.dumps(key) if isinstance(key, Hashable) else None
            if name is None or name in made:
                problem = "a key is a list or a mapping" if name is None else f"the key {name[:60]!r} stands twice"
                raise self._error(start, problem, "Give each key once, as a text.")
            made[name] = value
        return merged | made

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        text: str = event.value
        tag: str | None = event.tag
        if tag is not None and tag not in ("!", *(_TAG + name for name in ("str", "int", "float", "bool", "null"))):
            raise self._error(event, f"the tag {tag[:60]!r} is not known", "Remove the tag.")
        if tag in ("!", f"{_TAG}str") or (tag is None and not event.implicit[0]):
            return text
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _INT.fullmatch(text):
            return int(text)
        if _OTHER_INT.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if number - number != 0:
                raise self._error(event, f"the number {text[:40]} is beyond a double", "Use a smaller one.")
            return number
        return text

    def _error(self, event: Any, problem: str, advice: str) -> DocumentError:
        mark = event.start_mark
        return DocumentError(problem, place=f"{self._path}:{mark.line + 1}:{mark.column + 1}", advice=advice)
