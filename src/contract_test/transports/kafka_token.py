"""Tokens for Kafka's OAUTHBEARER: from a token endpoint (client credentials, RFC 6749 section 4.4), or from a file."""

from __future__ import annotations

import base64
import binascii
import json
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, unquote, urlencode, urlsplit

from contract_test.data.errors import CatalogError, UnreachableError

ENDPOINT = "sasl.oauthbearer.token.endpoint.url"
_ID = "sasl.oauthbearer.client.id"
_SECRET = "sasl.oauthbearer.client.secret"  # noqa: S105 - an option's name
_SCOPE = "sasl.oauthbearer.scope"
_AUTHORITY = "https.ca.location"
TOKEN_OPTIONS = (ENDPOINT, _ID, _SECRET, _SCOPE, _AUTHORITY)
"""As librdkafka and the Java client call them."""

_PATIENCE = 10.0  # seconds
_LARGEST = 64_000  # bytes of an answer, or of a file
_USUAL_LIFE = 300.0  # seconds, where nobody says how long a token is good for
_SHARE = 0.8  # of its life, after which a token is asked for again, as librdkafka does
_TOKEN = re.compile(rb"[!-~]+")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Another address than the one that was named never sees the client's secret."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Tokens:
    """Gives a token that is good, and asks for a new one in time. What it holds is never shown."""

    options: Mapping[str, str]
    shown: str
    """The broker's address, for errors."""
    _token: str = ""
    _expires: float = 0.0
    _renewed: float = 0.0

    def __repr__(self) -> str:
        return f"Tokens({self.shown})"

    def token(self) -> tuple[str, float]:
        """Return a token and when it expires, in seconds since 1970.

        Raises CatalogError where the options are wrong, UnreachableError where the endpoint gives none.
        """
        if time.time() >= self._renewed:
            self._token, life = self._from_file() if self._place.scheme == "file" else self._from_endpoint()
            now = time.time()
            self._expires, self._renewed = now + life, now + life * _SHARE
        return self._token, self._expires

    @cached_property
    def _place(self) -> Any:
        place = urlsplit(self.options.get(ENDPOINT, ""))
        is_private = place.scheme == "https" or (place.scheme == "http" and place.hostname in _LOOPBACK)
        if place.scheme != "file" and not (is_private and place.hostname):
            advice = "Give it as https://HOST/PATH, or as file:///PATH where a file holds the token."
            self._wrong(f"OAUTHBEARER needs {ENDPOINT}", advice)
        return place

    def _from_file(self) -> tuple[str, float]:
        """Read what a sidecar or a command keeps in a file; its life stands in it, where it is a JWT."""
        path = Path(unquote(self._place.path))
        try:
            with path.open("rb") as file:
                text = file.read(_LARGEST + 1)
        except OSError as error:
            self._wrong(f"the token's file cannot be read: {error.strerror}", f"{ENDPOINT} names {path}.")
        return self._checked(text.strip()), self._life_of(text.strip())

    def _from_endpoint(self) -> tuple[str, float]:
        missing = [name for name in (_ID, _SECRET) if not self.options.get(name)]
        if missing:
            variables = " and ".join("KAFKA_" + name.upper().replace(".", "_") for name in missing)
            self._wrong(f"a token endpoint needs {' and '.join(missing)}", f"Set {variables} in the environment.")
        form = {"grant_type": "client_credentials"}
        if scope := self.options.get(_SCOPE):
            form["scope"] = scope
        pair = ":".join(quote(self.options[name], safe="") for name in (_ID, _SECRET))
        request = urllib.request.Request(  # noqa: S310 - https, or http on this machine: `_place` checks it
            self._place.geturl(),
            urlencode(form).encode(),
            {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode(), "Accept": "application/json"},
        )
        try:
            context = ssl.create_default_context(cafile=self.options.get(_AUTHORITY) or None)
        except OSError as error:
            self._wrong(f"{_AUTHORITY} cannot be read: {error.strerror}", "Name a file of certificates in PEM.")
        opener = urllib.request.build_opener(_NoRedirects, urllib.request.HTTPSHandler(context=context))
        try:
            with opener.open(request, timeout=_PATIENCE) as answer:
                text = answer.read(_LARGEST + 1)
        except urllib.error.HTTPError as error:
            self._refused(f"it answered {error.code}")
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            self._refused(str(reason) if isinstance(reason, OSError) else type(error).__name__)
        try:
            answered = json.loads(text)
            token, life = answered["access_token"], answered.get("expires_in")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self._refused("its answer has no access_token")
        if not isinstance(token, str):
            self._refused("its access_token is no text")
        checked = self._checked(token.encode(errors="replace"))
        is_number = isinstance(life, int | float) and not isinstance(life, bool) and life > 0
        return checked, float(life) if is_number else self._life_of(checked.encode())

    def _checked(self, token: bytes) -> str:
        """Take what can stand in the mechanism's first message, whose parts end with a control character."""
        if len(token) > _LARGEST or not _TOKEN.fullmatch(token):
            self._refused("what it gave is no token")
        return token.decode()

    def _life_of(self, token: bytes) -> float:
        """How long a JWT is good for by its own `exp`, which nobody here believes further than that."""
        try:
            claims = token.split(b".")[1]
            expires = json.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))["exp"]
            life = float(expires) - time.time()
        except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError, binascii.Error):
            return _USUAL_LIFE
        if not life > 0:
            self._refused("the token that it gave has expired")
        return life

    def _wrong(self, problem: str, advice: str) -> NoReturn:
        raise CatalogError(problem, place=self.shown, advice=advice) from None

    def _refused(self, reason: str) -> NoReturn:
        advice = f"Look at {ENDPOINT}, {_ID}, {_SECRET} and {_SCOPE}."
        raise UnreachableError(f"the token endpoint gave no token: {reason}", place=self.shown, advice=advice) from None
