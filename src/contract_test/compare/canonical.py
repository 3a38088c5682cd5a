"""Canonical containment by jsonschema-rs: an experimental second prover, asked last.

Only its yes is trusted. It runs outside Python, where nothing can stop it, so it is given
small schemas only; and whatever it raises, panics of its native code included, is no answer.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs

from contract_test.compare import format_assertion

MAX_TEXT = 6000


def covers(writer: Any, reader: Any, *, assert_formats: bool) -> bool:
    """Return whether jsonschema-rs proves that `reader` admits every value of `writer`; False says nothing."""
    text = json.dumps([writer, reader])
    if len(text) > MAX_TEXT:
        return False
    names = format_assertion.format_options(4) if assert_formats else ()
    if any(f'"{name}"' in text for name in (*names, "contentEncoding", "contentMediaType")):
        return False  # it reads these in a way of its own
    try:
        one = jsonschema_rs.canonicalize(writer, validate_formats=assert_formats, offline=True)
        other = jsonschema_rs.canonicalize(reader, validate_formats=assert_formats, offline=True)
        return other.covers(one) == jsonschema_rs.canonical.Containment.YES
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - a panic of native code is a BaseException
        return False
