"""What gives a secret or a person away: one row a rule.

Every pattern starts where a word can start and repeats within bounds, so that no text makes it work for long.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from contract_test.scanner.people_rules import has_birth_date, has_identity_number, has_phone
from contract_test.scanner.randomness import is_filled, is_random

Confirm = Callable[["re.Match[str]"], bool]


@dataclass(frozen=True)
class Rule:
    """A name, what it calls the thing, a pattern, and a second look at what the pattern found.

    A text without any of `needs` (in small letters), or with fewer `digits`, need not be searched.
    """

    name: str
    thing: str
    pattern: re.Pattern[str]
    confirm: Confirm = bool
    needs: tuple[str, ...] = ()
    digits: int = 0

    def breaks(self, text: str, lowered: str, digits: int) -> bool:
        """Return whether a text holds the thing.

        `lowered` is it in small letters, `digits` counts those that it has.
        """
        if digits < self.digits or (self.needs and not any(need in lowered for need in self.needs)):
            return False
        return any(self.confirm(each) and not _is_form(each[0]) for each in self.pattern.finditer(text))


def _is_json_with_algorithm(found: re.Match[str]) -> bool:
    head = found[0].partition(".")[0]
    try:
        value = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error):
        return False
    return isinstance(value, dict) and "alg" in value


def _is_real_mailbox(found: re.Match[str]) -> bool:
    """Names under RFC 2606 belong to nobody."""
    labels = found["domain"].lower().split(".")
    return labels[-1] not in ("test", "example", "invalid", "localhost") and not (
        labels[-2] == "example" and labels[-1] in ("com", "net", "org")
    )


def _is_real_phone(found: re.Match[str]) -> bool:
    """No country and no area has the code 999; 555-01xx is for films."""
    digits = re.sub(r"[^0-9]", "", found[0]).lstrip("0")
    return not digits.startswith("999") and digits[-7:-2] != "55501" and not digits.endswith("0000")


def _is_card(found: re.Match[str]) -> bool:
    digits = [int(letter) for letter in found[0] if letter.isdigit()]
    if digits[0] not in (3, 4, 5, 6) and not 22 <= digits[0] * 10 + digits[1] <= 27:  # noqa: PLR2004 - issuers' ranges
        return False
    return sum(sum(divmod(digit * (place % 2 + 1), 10)) for place, digit in enumerate(reversed(digits))) % 10 == 0


def _is_account(found: re.Match[str]) -> bool:
    text = found[0].replace(" ", "")
    moved = text[4:] + text[:4]
    checks = int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1 and "02" <= text[2:4] <= "98"
    return checks and len(text) >= 15  # noqa: PLR2004 - Norway's are the shortest


def _is_public_address(found: re.Match[str]) -> bool:
    try:
        return ipaddress.ip_address(found[0]).is_global
    except ValueError:
        return False


def _says_something(found: re.Match[str]) -> bool:
    value = found["value"].strip("\"'").lower()
    stands_for = value.strip("*x.<>[]{}$%_-")
    return stands_for not in ("", "null", "none", "true", "false", "undefined", "redacted", "masked", "hidden", "empty")


def _is_mixed(found: re.Match[str]) -> bool:
    text = found["value"]
    return any(letter.isdigit() for letter in text) or (text.lower() != text != text.capitalize())


def _is_mixed_and_not_filled(found: re.Match[str]) -> bool:
    return _is_mixed(found) and not is_filled(found["value"], 6)


def _holds_credentials(found: re.Match[str]) -> bool:
    return ":" in found["who"] or len(found["who"]) >= 20  # noqa: PLR2004 - longer than people's names


def _is_not_filled(found: re.Match[str]) -> bool:
    return not is_filled(found[0], 6)


def _is_random(found: re.Match[str]) -> bool:
    """Characters that no words and no counters make. What ends in one letter again and again is generated."""
    text = found[0].rstrip("=")
    if _UUID.fullmatch(text) or _is_filled(text) or _decoded(text):
        return False
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
    return bits > MIN_BITS and is_random(text)


def _is_form(text: str) -> bool:
    """Whether a text only shows the kinds of letters that stood there: `xxx.xxxx@xxxxx.xxx`."""
    return not text.strip().strip("xX9 .:/@?=&_+()-")


def _is_filled(text: str) -> bool:
    """Return True if a text ends in one letter again and again, one for each kind of characters."""
    tail = [letter for letter in text if letter.isalnum()][-8:]
    kinds = ([each for each in tail if is_kind(each)] for is_kind in (str.islower, str.isupper, str.isdigit))
    return all(len(set(kind)) <= most for kind, most in zip(kinds, (1, 1, 2), strict=True))


def _decoded(text: str) -> str:
    """The text that base64, base32 or hexadecimal digits stand for; empty where they stand for none."""
    for decode in (_from_hexadecimal, _from_base64, _from_base32):
        try:
            inner = decode(text).decode()
        except (ValueError, binascii.Error):
            continue
        if len(inner) > 5 and all(letter.isprintable() or letter in "\r\n\t" for letter in inner):  # noqa: PLR2004
            return inner
    return ""


def _from_hexadecimal(text: str) -> bytes:
    return bytes.fromhex(text)


def _from_base32(text: str) -> bytes:
    text = text.rstrip("=")
    return base64.b32decode(text + "=" * (-len(text) % 8))


def _from_base64(text: str) -> bytes:
    text = text.rstrip("=")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_" if "-" in text or "_" in text else None)


ENCODED = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{12,100000}={0,2}")
decoded: Callable[[str], str] = _decoded
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MIN_BITS = 2.5
"""The entropy of one character. Random hexadecimal digits have more; a few letters again and again have less."""
_WHOLE = r"(?s)\A.{6,}\Z"
_WORD = r"(?<![A-Za-z0-9_-])"


def _rule(
    name: str, thing: str, pattern: str, confirm: Confirm = bool, needs: str = "", digits: int = 0, flags: int = 0
) -> Rule:
    return Rule(name, thing, re.compile(pattern, flags), confirm, tuple(needs.split()), digits)


_TOKENS = {  # who issues them, what of it is always there, and the whole
    "Amazon": ("akia asia abia acca", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    "Anthropic": ("sk-ant-", r"sk-ant-[A-Za-z0-9_-]{20,200}"),
    "Atlassian": ("atatt3", r"ATATT3[A-Za-z0-9_=-]{20,300}"),
    "Databricks": ("dapi", r"dapi[0-9a-f]{32}"),
    "DigitalOcean": ("_v1_", r"do[opr]_v1_[0-9a-f]{40,64}"),
    "Docker": ("dckr_", r"dckr_[a-z]{2,4}_[A-Za-z0-9_-]{20,100}"),
    "GitHub": (
        "gho_ ghp_ ghu_ ghs_ ghr_ github_pat_",
        r"(?:gh[opusr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{20,255})",
    ),
    "GitLab": ("gl", r"gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{18,100}"),
    "Google": (
        "aiza ya29. gocspx-",
        r"(?:AIza[A-Za-z0-9_-]{30,50}|ya29\.[A-Za-z0-9_-]{20,500}|GOCSPX-[A-Za-z0-9_-]{20,50})",
    ),
    "HashiCorp": ("hvs. hvb. hvr.", r"hv[sbr]\.[A-Za-z0-9_-]{20,300}"),
    "Hugging Face": ("hf_", r"hf_[A-Za-z0-9]{30,60}"),
    "Linear": ("lin_api_", r"lin_api_[A-Za-z0-9]{30,60}"),
    "Mailgun": ("key-", r"key-[0-9a-f]{32}"),
    "npm": ("npm_", r"npm_[A-Za-z0-9]{30,60}"),
    "OpenAI": ("sk-", r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,200}"),
    "PyPI": ("pypi-", r"pypi-[A-Za-z0-9_-]{40,300}"),
    "SendGrid": ("sg.", r"SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{16,60}"),
    "Shopify": ("shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    "Slack": ("xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    "Slack app": ("xapp-", r"xapp-[0-9]-[A-Za-z0-9-]{10,250}"),
    "Square": ("sq0 eaaa", r"(?:sq0[a-z]{3}-|EAAA)[A-Za-z0-9_-]{22,70}"),
    "Stripe": ("k_live_ k_test_ whsec_", r"(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,250}"),
    "Telegram": (":aa", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{30,40}"),
    "Twilio": ("sk ac", r"(?:SK|AC)[0-9a-f]{32}"),
}

RULES = (
    _rule("private-key", "a private key",
          r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|PuTTY-User-Key-File-[0-9]|AGE-SECRET-KEY-1[A-Z0-9]{10}", needs="key"),
    _rule("jwt", "a signed token", _WORD + r"ey[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{2,4000}\.[A-Za-z0-9_-]{0,1000}",
          _is_json_with_algorithm, needs="ey"),
    *(
        _rule("token", f"a token of {issuer}", _WORD + pattern, _is_not_filled, needs)
        for issuer, (needs, pattern) in _TOKENS.items()
    ),
    _rule("webhook", "a secret web address",
          r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{10,100}"
          r"|discord(?:app)?\.com/api/webhooks/[0-9]{10,25}/[A-Za-z0-9_-]{20,100}", needs="hooks"),
    _rule("credentials-in-url", "a web address with credentials",
          r"[a-z][a-z0-9+.-]{1,20}://(?P<who>[^\s/?#@\"'<>]{1,200})@", _holds_credentials, needs="://",
          flags=re.IGNORECASE),
    _rule("secret-parameter", "a secret in a web address",
          r"[?&;](?:[a-z]{1,10}[_-]){0,3}(?:token|key|apikey|sig|signature|secret|password|passwd|pwd|session|sid|auth|"
          r"jwt|credential)=(?P<value>[^&#\s\"']{4,2000})", _says_something, needs="=", flags=re.IGNORECASE),
    _rule("authorization", "credentials of a request",
          r"\b(?:bearer|basic|digest|negotiate|apikey|token) {1,3}(?P<value>[A-Za-z0-9._~+/=-]{12,4000})", _is_mixed,
          needs="bearer basic digest negotiate apikey token", flags=re.IGNORECASE),
    _rule("password", "a secret under its name",
          r"(?:password|passwd|\bpwd|passphrase|passcode|secret|token|api[ _-]?key|access[ _-]?key|private[ _-]?key|"
          r"account[ _-]?key|credentials?)[\"']?\s{0,3}[:=]\s{0,3}(?P<value>[^\s,;&]{4,500})", _says_something,
          needs="pass pwd secret token key credential", flags=re.IGNORECASE),
    _rule("session", "the id of a session",
          r"(?:session(?:[ _-]?(?:id|key))?|sess[ _-]?id|cookie)[\"']?\s{0,3}[:=]\s{0,3}"
          r"[\"']?(?P<value>[A-Za-z0-9._~+/%-]{12,4000})", _is_mixed_and_not_filled, needs="sess cookie",
          flags=re.IGNORECASE),
    _rule("password-hash", "the hash of a password",
          r"\$(?:2[abxy]?|5|6|7|y|argon2(?:id|i|d)|scrypt|pbkdf2[a-z0-9-]{0,10})\$[./A-Za-z0-9$=,+-]{8,200}",
          _is_not_filled, needs="$"),
    _rule("mail", "a mail address",
          r"[A-Za-z0-9._%+-]{1,64}@(?P<domain>[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,6}\.[A-Za-z]{2,24})"
          r"(?![A-Za-z0-9])",
          _is_real_mailbox, needs="@"),
    _rule("phone", "a phone number",
          r"(?<![A-Za-z0-9.+-])(?:\+[1-9](?:[ ().\-/]{0,2}[0-9]){7,14}"
          r"|(?<![0-9]{4} [0-9]{4} )(?<!999[0-9] )00[1-9][0-9]{0,2}[ .\-/](?:[ .\-/]?[0-9]){6,12})"
          r"(?![0-9])", _is_real_phone, needs="+ 00", digits=8),
    _rule("phone", "a phone number",
          r"(?<![A-Za-z0-9.+-])\(?[2-9][0-9]{2}\)?[ .-]{1,2}[2-9][0-9]{2}[ .-][0-9]{4}(?![A-Za-z0-9-])",
          _is_real_phone, digits=10),
    _rule("phone", "a phone number", _WHOLE, lambda found: has_phone(found[0]), digits=8),
    _rule("identity-number", "a personal identity number", _WHOLE, lambda found: has_identity_number(found[0]),
          digits=5),
    _rule("birth-date", "a date of birth", _WHOLE, lambda found: has_birth_date(found[0]), digits=6),
    _rule("card", "a payment card", r"(?<![A-Za-z0-9.-])[0-9](?:[ -]?[0-9]){12,18}(?![A-Za-z0-9-])", _is_card,
          digits=13),
    _rule("account", "a bank account",
          r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])", _is_account,
          digits=4),
    _rule("social-security", "a social security number",
          r"(?<![A-Za-z0-9-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![A-Za-z0-9-])", digits=9),
    _rule("address", "a network address of somebody",
          r"(?<![A-Za-z0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![A-Za-z0-9.])"
          r"|(?<![A-Za-z0-9.:])[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![A-Za-z0-9.:])", _is_public_address,
          needs=". :", digits=2),
    _rule("random", "a long random text",
          r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{20,512}={0,2}", _is_random),
)  # fmt: skip
