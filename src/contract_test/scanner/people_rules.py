"""National phone numbers, identity numbers and dates of birth: what the checks of maintained libraries confirm.

The libraries are imported when a text has the form of such a number. A number that begins with 999 is nobody's.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module
from types import ModuleType

_REGIONS = ("DE", "FR", "GB", "SE", "IT", "NL", "ES", "CH", "AT", "BE", "FI", "AU", "JP", "ZA", "IE")
"""Where people write a national number with a 0 in front. Others are found by the rules for phone numbers."""
_GROUPED = re.compile(
    r"(?<![A-Za-z0-9.+_/-])(?<![0-9]:)(?<![0-9]{4} [0-9]{4} )(?<!999[0-9] )"
    r"\(?0[1-9][0-9]{0,3}\)?[ ./-]{1,3}[0-9]{2,8}(?:[ .-][0-9]{2,5}){0,4}(?![A-Za-z0-9_-])"
)
"""What follows digits and a colon is a time, `16:39:09.663920`, and what follows two groups of four a card's number."""
_MOBILE = re.compile(r"(?<![A-Za-z0-9.,+_/-])0[17][0-9]{9}(?![A-Za-z0-9_/-]|[.,][0-9])")
"""Without gaps only those of 11 digits: of those of 10, order numbers with zeros in front have the form, too."""
_LEAST_DIGITS, _MOST_DIGITS = 8, 12

_IDENTITY_NUMBERS = tuple(
    (re.compile(rf"(?<![A-Za-z0-9.,_/+-])(?<![0-9A-Z] ){pattern}(?![A-Za-z0-9_/-]| [0-9])"), module)
    for pattern, module in (
        (r"(?:[0-9]{2})?[0-9]{6}[-+][0-9]{4}", "se.personnummer"),
        (r"(?:19|20)[0-9]{10}", "se.personnummer"),
        (r"[0-9]{6} ?[0-9]{5}", "no.fodselsnummer"),
        (r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y]", "fi.hetu"),
        (r"[0-9]{2} [0-9]{3} [0-9]{3} [0-9]{3}", "de.idnr"),
        (r"[12] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", "fr.nir"),
        (r"[XYZ]-?[0-9]{7}-[A-Z]", "es.nie"),
        (r"[0-9]{8}-[A-Z]", "es.dni"),
        (r"[A-Z]{6}[0-9]{2}[ABCDEHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]", "it.codicefiscale"),
        (r"[0-9]{4}\.[0-9]{2}\.[0-9]{3}", "nl.bsn"),
        (r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}", "be.nn"),
        (r"[0-9]{6}/[0-9]{3,4}", "cz.rc"),
        (r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}", "ch.ssn"),
        (r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", "br.cpf"),
        (r"[0-9]{6}-[0-9]{7}", "kr.rrn"),
        (r"[0-9]{3}[ -][0-9]{3}[ -][0-9]{3}", "ca.sin"),
        (r"[0-9]{4} [0-9]{4} [0-9]{4}", "in_.aadhaar"),
        (r"[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[A-Z0-9][0-9]", "mx.curp"),
        (r"[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9X]", "cn.ric"),
        (r"[0-9]{3} [0-9]{3} [0-9]{4}", "gb.nhs"),
    )
)
_BIRTH = re.compile(
    r"birth|\bborn|\bdob\b|bday|geburt|geboren|\bgeb\b|geboort|naissance|\bnée?\b|nacimiento|nacid[oa]|nascimento|nascita"
    r"|födel|född|fødsel|født|syntym|urodz|narozen|doğum",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"(?<![0-9])(?:(?P<y>1[89][0-9]{2}|20[0-9]{2})[-./](?P<m>[0-9]{1,2})[-./](?P<d>[0-9]{1,2})"
    r"|(?P<d2>[0-9]{1,2})[-./](?P<m2>[0-9]{1,2})[-./](?P<y2>1[89][0-9]{2}|20[0-9]{2}))(?![0-9])"
)
_NEAR = 30
"""So many characters may be between a word for birth and the day."""


def has_phone(text: str) -> bool:
    """Return True if a text has a phone number as people write it in their own country."""
    return any(_is_phone(found[0]) for found in _GROUPED.finditer(text)) or any(
        _is_phone(found[0], only_mobile=True) for found in _MOBILE.finditer(text)
    )


def has_identity_number(text: str) -> bool:
    """Return True if a text has a personal identity number, and its checksum or its date is right."""
    for pattern, module in _IDENTITY_NUMBERS:
        for found in pattern.finditer(text):
            if not found[0].startswith("999") and _validator(module).is_valid(found[0]):
                return True
    return False


def has_birth_date(text: str) -> bool:
    """Return True if a text calls a day somebody's day of birth."""
    for word in _BIRTH.finditer(text):
        near = text[max(0, word.start() - _NEAR) : word.end() + _NEAR]
        if is_past_day(near):
            return True
    return False


def names_birth(name: str) -> bool:
    """Return True if the name of a field is one for days of birth."""
    return _BIRTH.search(re.sub("(?<=[a-z])(?=[A-Z])|_", " ", name)) is not None


def is_past_day(text: str) -> bool:
    """Return True if there is a day in a text on which somebody may be born: nobody is in the future."""
    today = datetime.now(UTC).date()
    for found in _DAY.finditer(text):
        year, *rest = (int(found[name] or found[f"{name}2"]) for name in "ymd")
        for month, day in (rest, reversed(rest)):
            try:
                if date(year, month, day) <= today:
                    return True
            except ValueError:
                continue
    return False


def _is_phone(text: str, *, only_mobile: bool = False) -> bool:
    import phonenumbers

    digits = re.sub("[^0-9]", "", text)
    if not _LEAST_DIGITS <= len(digits) <= _MOST_DIGITS or digits.startswith("0999"):
        return False
    for region in _REGIONS:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(number, region) and (
            not only_mobile or phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
        ):
            return True
    return False


@cache
def _validator(module: str) -> ModuleType:
    return import_module(f"stdnum.{module}")
