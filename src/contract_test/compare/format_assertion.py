"""Asserted formats: two independent opinions on a text, and what every text of a format looks like.

The first opinion is jsonschema-rs; the second is python-jsonschema's checker, with the formats which that
leaves to further packages read from their RFCs here. Only where both agree is anything known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache, partial
from ipaddress import IPv6Address

import jsonschema_rs
from jsonschema import Draft202012Validator, FormatChecker

from contract_test.compare.dialects import DIALECTS

_STRANGE = ("", "x", "%", "\\", "( ", "::", ":x", "not a format!", "{", "~", "\x00 \n", "-1")

ASSERTED = frozenset(("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"))
"""The formats that are asserted: those that `decode` asserts, in every dialect. Others are annotations."""
# A pattern that every text of the format matches, by its RFC: for proofs, so rather too wide.
SHAPES = {
    "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "date-time": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$",
    "time": "^[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$",
    "duration": "^P[0-9A-Z]+$",
    "email": "^[\\s\\S]+@[\\s\\S]+$",
    "idn-email": "@",
    "hostname": "^[A-Za-z0-9._-]+$",
    "ipv4": "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$",
    "ipv6": "^[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*$",
    "uuid": "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$",
    "uri": "^[A-Za-z][A-Za-z0-9+.-]*:[\\x21-\\x7e]*$",
    "uri-reference": "^[\\x21-\\x7e]*$",
    "iri": '^[A-Za-z][A-Za-z0-9+.-]*:[^\\s<>"{}|\\\\^`]*$',
    "iri-reference": '^[^\\s<>"{}|\\\\^`]*$',
    "json-pointer": "^(/([^~/]|~[01])*)*$",
    "relative-json-pointer": "^(0|[1-9][0-9]*)(#|(/([^~/]|~[01])*)*)$",
}
# A pattern of plain texts of the format: for the search, so rather too narrow.
PLAIN = {
    "date": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$",
    "date-time": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T[01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?Z$",
    "time": "^[01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?Z$",
    "duration": "^P[0-9]+[DMWY]$",
    "email": "^[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*@([a-zA-Z0-9]+([-.][a-zA-Z0-9]+)*\\.)?[a-zA-Z0-9]+$",
    "hostname": "^([a-zA-Z0-9]+([-.][a-zA-Z0-9]+)*\\.)?[a-zA-Z0-9]+$",
    "ipv4": "^(1?[0-9]?[0-9]\\.){3}1?[0-9]?[0-9]$",
    "uri": "^[a-z][a-z0-9]*://[a-zA-Z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]*)*(\\?[A-Za-z0-9=&]*)?(#[A-Za-z0-9]*)?$",
    "uuid": SHAPES["uuid"],
}
MAX_LENGTH = {"email": 64 + 1 + 253, "hostname": 253, "ipv4": 15, "ipv6": 45}
"""The length of the longest text of a format, where no pattern says it: RFC 5321 4.5.3.1, RFC 1035 2.3.4."""
# The other way about: every text that matches has the format. Rather too narrow.
CERTAIN = {
    "uri-reference": "^[A-Za-z0-9._~-]*$",
    "iri-reference": "^[A-Za-z0-9._~-]*$",
    "uri-template": "^[A-Za-z0-9._~-]*$",
    "regex": "^[A-Za-z0-9_ -]*$",
    "uuid": SHAPES["uuid"],
    "json-pointer": "^(/([^~/]|~[01])*)*$",
    "relative-json-pointer": "^(0|[1-9][0-9]*)(#|(/([^~/]|~[01])*)*)$",
}
EXAMPLES = {
    "date": ["2024-02-29", "1999-12-31"],
    "date-time": ["2024-02-29T12:30:45Z", "1999-12-31T23:59:59.5+01:00", "2024-02-29t12:30:45z"],
    "time": ["12:30:45Z", "23:59:59.5+01:00"],
    "duration": ["P1D", "PT1H30M", "P4W"],
    "email": ["a@example.org", "b.c@example.com"],
    "idn-email": ["a@example.org", "é@example.org"],
    "hostname": ["example.org", "a", "1-a", "2024-a.example", "2001"],
    "idn-hostname": ["example.org", "a", "bücher.example"],
    "ipv4": ["192.0.2.1", "127.0.0.1", "1.1.1.1", "255.255.255.255"],
    "ipv6": ["2001:db8::1", "::1", "::", "::ffff:192.0.2.1", "2001:0db8:0000:0000:0000:8a2e:0370:7334",
             "FFFF:ffff:ffff:ffff:ffff:ffff:255.255.255.255"],
    "uuid": ["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "00000000-0000-0000-0000-000000000000",
             "2EB8AA08-AA98-11EA-B4AA-73B441D16380"],
    "uri": ["https://example.org/a?b#c", "urn:a:b", "a:", "https://u:p@example.org:80/'(a)/%20Z"],
    "uri-reference": ["/a/b", "#c", "", "a", "/'(a)/%20Z"],
    "iri": ["https://example.org/a?b#c", "urn:a:b", "https://example.org/é"],
    "iri-reference": ["/a/b", "#c", "", "/é"],
    "uri-template": ["/a/{b}", "a", "{+a}"],
    "json-pointer": ["/a/0", "", "/", "/a b"],
    "relative-json-pointer": ["0/a", "1#", "0"],
    "regex": ["^a+$", "", "[a-z]", "(a|b)*", "a{2}"],
}  # fmt: skip
# (before, filler, after): a text of any greater length
_STRETCHED = {
    "date-time": ("2024-02-29T12:30:45.", "5", "Z"),
    "time": ("12:30:45.", "5", "Z"),
    "duration": ("P", "1", "D"),
    "idn-email": ("", "a", "@example.org"),
    "idn-hostname": ("", "a", ".example"),
    "uri": ("https://example.org/", "a", ""),
    "uri-reference": ("/", "a", ""),
    "iri": ("https://example.org/", "a", ""),
    "iri-reference": ("/", "a", ""),
    "uri-template": ("", "a", ""),
    "json-pointer": ("/", "a", ""),
    "relative-json-pointer": ("0/", "a", ""),
    "regex": ("", "a", ""),
}


def examples(name: str, low: int, high: int | None) -> list[str]:
    """Return texts of a format, where possible some of `low` to `high` characters."""
    texts = list(EXAMPLES.get(name, ()))
    before, filler, after = _STRETCHED.get(name, ("", "", ""))
    if name in ("email", "hostname"):
        high = min(MAX_LENGTH[name], MAX_LENGTH[name] if high is None else high)
        texts += [_of_length(name, length) for length in sorted({low, low + 1, low + 7, high}) if 0 < length <= high]
    fixed = len(before) + len(after)
    if filler:
        wanted = {max(low, fixed + 1), low + 1, low + 7}
        texts += [before + filler * (length - fixed) + after for length in sorted(wanted) if length > fixed]
    return [text for text in texts if len(text) >= low and (high is None or len(text) <= high)]


def _of_length(name: str, length: int) -> str:
    """A host name, or an e-mail address, of some length: in labels of at most 63 letters behind a local part of 64."""
    local = min(64, max(1, length - 2)) if name == "email" else 0
    left = length - local - 1 if local else length
    labels = []
    while left > 0:
        label = min(63, left)
        label -= left - label == 1  # a dot and nothing behind it
        labels.append("a" * label)
        left -= label + 1
    return f"{'a' * local}@{'.'.join(labels)}" if local else ".".join(labels)


# What has the left format has the right one as well.
WIDER = {
    ("email", "idn-email"),
    ("uri", "iri"),
    ("uri", "uri-reference"),
    ("uri", "iri-reference"),
    ("iri", "iri-reference"),
    ("uri-reference", "iri-reference"),
}


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None


def _is_time(text: str) -> bool:
    """RFC 3339 5.6, with 5.7: a leap second only at 23:59:60 UTC."""
    found = re.fullmatch(r"(\d\d):(\d\d):(\d\d)(\.\d+)?([zZ]|([+-])(\d\d):(\d\d))", text, re.ASCII)
    if not found:
        return False
    hour, minute, second = (int(found[group]) for group in (1, 2, 3))
    away_hour, away_minute = int(found[7] or 0), int(found[8] or 0)
    if hour > 23 or minute > 59 or second > 60 or away_hour > 23 or away_minute > 59:  # noqa: PLR2004
        return False
    away = (away_hour * 60 + away_minute) * (-1 if found[6] == "-" else 1)
    return second < 60 or (hour * 60 + minute - away) % 1440 == 1439  # noqa: PLR2004


def _is_date_time(text: str) -> bool:
    return len(text) > 10 and text[10] in "Tt" and _is_date(text[:10]) and _is_time(text[11:])  # noqa: PLR2004


_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ESCAPED = r"%[0-9A-Fa-f]{2}"
_PCHAR = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|{_ESCAPED})"
_USER = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|{_ESCAPED})*@"
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|{_ESCAPED})*)"
_AUTHORITY = rf"(?:{_USER})?{_HOST}(?::\d*)?"
_TAIL = rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?"
_PATH = rf"(?:/{_PCHAR}*)*"
_REFERENCE = rf"(?://{_AUTHORITY}{_PATH}|/(?:{_PCHAR}+{_PATH})?|(?:(?!:){_PCHAR}|@)+{_PATH}|){_TAIL}"
_URI = rf"[A-Za-z][A-Za-z0-9+.-]*:(?://{_AUTHORITY}{_PATH}|/(?:{_PCHAR}+{_PATH})?|{_PCHAR}+{_PATH}|){_TAIL}"


def _fully(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def _ascii(text: str) -> str:
    """An IRI as the URI that it is written as (RFC 3987 3.1)."""
    return re.sub(r"[^\x00-\x9f]", "%41", text)


def _is_ipv6(text: str) -> bool:
    try:
        return not IPv6Address(text).scope_id
    except ValueError:
        return False


_OWN: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "time": _is_time,
    "date-time": _is_date_time,
    "duration": _fully(
        r"P(?!$)(\d+W|(\d+Y(\d+M(\d+D)?)?|\d+M(\d+D)?|\d+D)?(T(?=\d)(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S))?)"
    ),
    "hostname": lambda text: len(text) <= 253 and _fully(rf"{_LABEL}(\.{_LABEL})*")(text),  # noqa: PLR2004
    "idn-hostname": lambda text: _fully(rf"{_LABEL}(\.{_LABEL})*")(re.sub(r"[^\x00-\x9f]", "a", text)),
    "ipv6": _is_ipv6,
    "uuid": _fully(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    "uri": _fully(_URI),
    "uri-reference": lambda text: _fully(_URI)(text) or _fully(_REFERENCE)(text),
    "iri": lambda text: _fully(_URI)(_ascii(text)),
    "iri-reference": lambda text: _fully(_URI)(_ascii(text)) or _fully(_REFERENCE)(_ascii(text)),
    "uri-template": _fully(r"([^\x00-\x20\"'%<>\\^`{|}]|%[0-9A-Fa-f]{2}|\{[+#./;?&=,!@|]?[\w%.,:*]+\})*"),
    "json-pointer": _fully(r"(/([^~/]|~[01])*)*"),
    "relative-json-pointer": _fully(r"(0|[1-9]\d*)(#|(/([^~/]|~[01])*)*)"),
}


def _checker(names: frozenset[str] | None = None) -> FormatChecker:
    checker = FormatChecker(formats=())
    checker.checkers = dict(Draft202012Validator.FORMAT_CHECKER.checkers)
    for name, holds in _OWN.items():
        checker.checkers[name] = (partial(_holds_of, holds), ())
    if names is not None:
        checker.checkers = {name: check for name, check in checker.checkers.items() if name in names}
    return checker


def _holds_of(holds: Callable[[str], bool], value: object) -> bool:
    return not isinstance(value, str) or holds(value)


CHECKER = _checker()
"""python-jsonschema's checker, with every standard format: the second opinion."""
ASSERTING_CHECKER = _checker(ASSERTED)
"""The same with the formats that are asserted."""


@lru_cache(maxsize=512)
def _validator(name: str, number: int) -> jsonschema_rs.Validator:
    uri = next(dialect.uri for dialect in DIALECTS.values() if dialect.number == number)
    schema = {"$schema": uri, "format": name}
    return jsonschema_rs.validator_for(schema, validate_formats=True, offline=True)


@lru_cache(maxsize=8)
def format_options(number: int) -> Mapping[str, Callable[[str], bool]]:
    """Return how jsonschema-rs is to read formats in a dialect, so that it asserts the same in each."""
    as_in_the_newest = {
        name: _validator(name, 20).is_valid
        for name in sorted(ASSERTED)
        if all(_validator(name, number).is_valid(text) for text in _STRANGE)
    }
    return {**dict.fromkeys(EXAMPLES.keys() - ASSERTED, _anything), **as_in_the_newest}


def _anything(_: str) -> bool:
    return True


@lru_cache(maxsize=16384)
def conforms(name: str, text: str) -> bool | None:
    """Return whether a text has a format, as both opinions have it; None where they differ."""
    first = _validator(name, 20).is_valid(text)
    return first if CHECKER.conforms(text, name) == first else None
