"""A client of Confluent's registry API, by httpx. Answers are bounded in size and time, and are checked."""

from __future__ import annotations

import json
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

from contract_test.data.errors import CatalogError, UnreachableError
from contract_test.data.texts import printable

USER, PASSWORD, TOKEN, CA, CERTIFICATE, KEY = (
    f"CONTRACT_TEST_REGISTRY_{name}" for name in ("USER", "PASSWORD", "TOKEN", "CA", "CERTIFICATE", "KEY")
)
"""Where credentials come from: the environment, and nowhere else."""
MAX_ANSWER = 10_000_000
MAX_SHOWN = 300
MAX_NUMBER = 2**31 - 1
_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
CONFLICT, UNPROCESSABLE = 409, 422
_NOT_FOUND, _SERVER_ERROR = 404, 500
_ADVICE = {
    401: f"Set {USER} and {PASSWORD}, or {TOKEN}.",
    403: "Ask for the permission, or use other credentials.",
    429: "Run the command again later: it goes on where it stopped.",
    503: "Run the command again later: it goes on where it stopped.",
}
_NO_API = "Is this the address of the Confluent API? That of Apicurio Registry ends with /apis/ccompat/v7."


class RefusedError(UnreachableError):
    """The registry does not take a version, or cannot judge it. `status` is that of HTTP."""

    def __init__(self, problem: str, status: int, *, place: str = "", advice: str = "") -> None:
        super().__init__(problem, place=place, advice=advice)
        self.status = status


@dataclass(frozen=True)
class Reference:
    """A schema that another one refers to by `name`: a version of a registry's subject."""

    name: str
    subject: str
    version: int


@dataclass(frozen=True)
class Registered:
    """A version in a registry. `kind` is JSON, AVRO, PROTOBUF or another kind."""

    subject: str
    version: int
    id: int
    kind: str
    text: str
    references: tuple[Reference, ...]


class Registry:
    """A registry at a URL, with the credentials of an environment."""

    def __init__(self, url: str, environment: Mapping[str, str], seconds: float = 30.0) -> None:
        import httpx

        self.url = _checked(url)
        self._seconds = seconds
        user, password, token = (environment.get(name, "") for name in (USER, PASSWORD, TOKEN))
        basic = b64encode(f"{user}:{password}".encode()).decode()
        self._secrets = [each for each in (token, password, basic if user else "", user) if each]
        headers = {"Accept": f"{_MEDIA_TYPE}, application/json", "Content-Type": _MEDIA_TYPE}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        auth = httpx.BasicAuth(user, password) if user and not token else None
        try:
            self._client = httpx.Client(headers=headers, auth=auth, verify=_tls(environment), timeout=seconds)
        except (ValueError, UnicodeError):
            advice = f"Check {TOKEN}, {USER} and {PASSWORD}."
            raise CatalogError(
                "a credential in the environment has characters that HTTP does not allow", advice=advice
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def subjects(self) -> list[str]:
        """Return the names of all subjects."""
        return self._list("/subjects", "its subjects", str)

    def versions(self, subject: str) -> list[int]:
        """Return the numbers of a subject's versions; none if there is no such subject."""
        return sorted(self._list(f"/subjects/{_quoted(subject)}/versions", f"subject {subject}", int))

    def version(self, subject: str, number: int) -> Registered:
        """Return one version of a subject."""
        what = f"subject {subject} version {number}"
        found = self._ask("GET", f"/subjects/{_quoted(subject)}/versions/{number}", what)
        if not isinstance(found, dict) or not isinstance(found.get("schema"), str) or not _is_number(found.get("id")):
            raise self._not_the_api(what)
        references = tuple(self._reference(each, what) for each in found.get("references") or ())
        kind = str(found.get("schemaType") or "AVRO")
        return Registered(subject, number, found["id"], kind, found["schema"], references)

    def mode(self, subject: str) -> str:
        """Return the compatibility mode of a subject, or else the mode of all subjects."""
        found = self._ask("GET", f"/config/{_quoted(subject)}?defaultToGlobal=true", f"the mode of {subject}")
        found = found or self._ask("GET", "/config", "the mode of all subjects") or {}
        mode = found.get("compatibilityLevel") if isinstance(found, dict) else None
        if not isinstance(mode, str):
            raise self._not_the_api(f"the mode of {subject}")
        return mode

    def set_mode(self, subject: str, mode: str) -> None:
        """Set the compatibility mode of one subject."""
        what = f"the mode {mode} of {subject}"
        if self._ask("PUT", f"/config/{_quoted(subject)}", what, {"compatibility": mode}) is None:
            raise UnreachableError("the registry has no such subject", place=self._place(what), advice="Run it again.")

    def register(self, subject: str, document: Mapping[str, Any], what: str) -> int:
        """Register a version, and return its id. Raises RefusedError."""
        found = self._ask("POST", f"/subjects/{_quoted(subject)}/versions", what, document)
        if not isinstance(found, dict) or not _is_number(found.get("id")):
            raise self._not_the_api(what)
        return int(found["id"])

    def refusal(self, subject: str, number: int, document: Mapping[str, Any], what: str) -> str | None:
        """Return why the registry would refuse a document after a version; None if it would not. Changes nothing.

        Raises RefusedError where the registry cannot judge it.
        """
        path = f"/compatibility/subjects/{_quoted(subject)}/versions/{number}?verbose=true"
        found = self._ask("POST", path, what, document)
        if not isinstance(found, dict) or not isinstance(found.get("is_compatible"), bool):
            raise self._not_the_api(what)
        reasons = found.get("messages") or [found.get("reason") or "it gives no reason"]
        return None if found["is_compatible"] else self._shown("; ".join(map(str, reasons)))

    def _list(self, path: str, what: str, kind: type[Any]) -> list[Any]:
        found = self._ask("GET", path, what)
        found = [] if found is None else found
        if not isinstance(found, list) or not all(
            isinstance(each, str) if kind is str else _is_number(each) for each in found
        ):
            raise self._not_the_api(what)
        return found

    def _reference(self, found: Any, what: str) -> Reference:
        try:
            reference = Reference(found["name"], found["subject"], found["version"])
        except (KeyError, TypeError):
            raise self._not_the_api(what) from None
        if not (isinstance(reference.name, str) and isinstance(reference.subject, str)) or not _is_number(
            reference.version
        ):
            raise self._not_the_api(what)
        return reference

    def _ask(self, method: str, path: str, what: str, body: Any = None) -> Any:
        """Return the JSON of an answer, or None for what is not there."""
        import httpx

        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        end = time.monotonic() + self._seconds
        raw = bytearray()
        try:
            with self._client.stream(method, self.url + path, content=content) as response:
                for part in response.iter_bytes():
                    raw += part
                    if len(raw) > MAX_ANSWER:
                        problem = f"the registry's answer is larger than {MAX_ANSWER:,} bytes"
                        raise UnreachableError(problem, place=self._place(what), advice="Look at the subject there.")
                    if time.monotonic() > end:
                        raise self._slow(what)
        except httpx.TimeoutException:
            raise self._slow(what) from None
        except httpx.HTTPError as error:
            problem = f"the registry cannot be reached: {self._shown(str(error)) or type(error).__name__}"
            advice = f"Check the address and the network. {CA} names the certificates of an authority of your own."
            raise UnreachableError(problem, place=self._place(what), advice=advice) from None
        return self._read(response.status_code, response.headers.get("content-type", ""), bytes(raw), what)

    def _read(self, status: int, media_type: str, raw: bytes, what: str) -> Any:
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            found = None
            kind = media_type.partition(";")[0] or "no type"
            if status < _SERVER_ERROR and status not in _ADVICE:
                problem = f"the registry answers {status} with {printable(kind)[:40]} that is not JSON"
                raise UnreachableError(problem, place=self._place(what), advice=_NO_API) from None
        if status == _NOT_FOUND:
            if isinstance(found, dict) and "error_code" in found:
                return None
            raise self._not_the_api(what)
        if 200 <= status < 300:  # noqa: PLR2004 - successes of HTTP
            return found
        message = found.get("message") if isinstance(found, dict) else None
        problem = f"the registry answers {status}" + (f": {self._shown(str(message))}" if message else "")
        if status in (CONFLICT, UNPROCESSABLE, _SERVER_ERROR):
            raise RefusedError(problem, status, place=self._place(what))
        raise UnreachableError(problem, place=self._place(what), advice=_ADVICE.get(status, _NO_API))

    def _slow(self, what: str) -> UnreachableError:
        problem = f"the registry did not answer within {self._seconds:g} seconds"
        advice = "Run the command again: it goes on where it stopped."
        return UnreachableError(problem, place=self._place(what), advice=advice)

    def _not_the_api(self, what: str) -> UnreachableError:
        return UnreachableError("the answer is not of Confluent's API", place=self._place(what), advice=_NO_API)

    def _place(self, what: str) -> str:
        return f"{printable(what)} at {self.url}"

    def _shown(self, text: str) -> str:
        """Return a server's or a library's own words, short, and without credentials."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = printable(" ".join(text.split()))
        return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _checked(url: str) -> str:
    """Return a URL without a slash at its end. Raises CatalogError, which shows nothing that could be a password."""
    advice = f"Write https://HOST:PORT/PATH. Credentials come from {USER} and {PASSWORD}, or from {TOKEN}."
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = None
    if not usable or "@" in url or "?" in url or "#" in url or not url.isprintable() or " " in url:
        raise CatalogError("the registry's URL has credentials or a query in it, or is no URL", advice=advice)
    return url.rstrip("/")


def _tls(environment: Mapping[str, str]) -> ssl.SSLContext:
    authority, certificate = environment.get(CA), environment.get(CERTIFICATE)
    try:
        context = ssl.create_default_context(cafile=authority or None)
        if certificate:
            context.load_cert_chain(certificate, environment.get(KEY) or None)
    except (OSError, ssl.SSLError):
        names = f"{CA}, {CERTIFICATE} and {KEY}"
        raise CatalogError(
            "a certificate or a key cannot be read", place=names, advice="Name files in PEM format."
        ) from None
    return context


def _quoted(subject: str) -> str:
    return quote(subject, safe="")


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER
