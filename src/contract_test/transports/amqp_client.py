"""A client for RabbitMQ (AMQP 0-9-1) that says what went wrong, and never with which credentials."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from contract_test.data.errors import CatalogError, UnreachableError
from contract_test.transports.urls import Address, unreadable

if TYPE_CHECKING:
    import ssl

USER, PASSWORD = "AMQP_USERNAME", "AMQP_PASSWORD"
OPTIONS = ("cacertfile", "certfile", "keyfile")
"""In the URL's query, as RabbitMQ's own clients name them."""
_ACCESS_REFUSED, _NOT_ALLOWED = 403, 530
_SECONDS = 15
_HEARTBEAT = 30  # a connection whose peer is gone ends after twice so many seconds, and its queue with it


@contextmanager
def amqp_connection(url: str, place: str) -> Iterator[Any]:
    """Connect to `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://` for TLS; the credentials may be in variables.

    Raises UnreachableError, from inside the block too, CatalogError for a URL that cannot be used; none of them shows a
    credential.
    """
    try:
        import pika
        from pika import exceptions
    except ImportError:
        advice = "Install it: pip install 'contract-test[rabbitmq]'."
        raise UnreachableError("the client for RabbitMQ is not installed", place=place, advice=advice) from None

    address = Address.of(url)
    where = f"{address.shown} {place}".rstrip()
    password = address.password or os.environ.get(PASSWORD)
    parameters = _parameters(url, address, password)
    connection = None
    try:
        connection = pika.BlockingConnection(parameters)
        yield connection
    except (exceptions.ProbableAuthenticationError, exceptions.AuthenticationError):
        raise _refused_credentials(where) from None
    except exceptions.ProbableAccessDeniedError:
        raise _refused_vhost(parameters.virtual_host, where) from None
    except exceptions.ConnectionClosedByBroker as error:
        if error.reply_code == _ACCESS_REFUSED:
            raise _refused_credentials(where) from None
        if error.reply_code == _NOT_ALLOWED:
            raise _refused_vhost(parameters.virtual_host, where) from None
        raise _unanswered(address.hide(error.reply_text, password), where) from None
    except (exceptions.AMQPError, OSError) as error:
        raise _unanswered(address.hide(_reason(error), password), where) from None
    finally:
        if connection is not None and connection.is_open:
            connection.close()


def _parameters(url: str, address: Address, password: str | None) -> Any:
    import pika

    for name in address.options:
        if name not in OPTIONS:
            advice = f"Known: {', '.join(OPTIONS)}."
            raise CatalogError("the URL has an option that is not known", place=address.shown, advice=advice)
    parts = urlsplit(url)
    is_tls = address.scheme == "amqps"
    if len(address.hosts) != 1 or parts.hostname is None:
        raise unreadable(address.shown)
    tls = None
    if is_tls:
        tls = pika.SSLOptions(_tls(address), parts.hostname)
    elif address.options:
        advice = "Write amqps:// for TLS."
        raise CatalogError("the URL has options for TLS, and no TLS", place=address.shown, advice=advice)
    user = address.user or os.environ.get(USER) or "guest"
    return pika.ConnectionParameters(
        parts.hostname,
        parts.port or (5671 if is_tls else 5672),
        unquote(parts.path.removeprefix("/")) or "/",
        pika.PlainCredentials(user, password or "guest"),
        ssl_options=tls,
        heartbeat=_HEARTBEAT,
        socket_timeout=_SECONDS,
        stack_timeout=_SECONDS,
        blocked_connection_timeout=_SECONDS,
        client_properties={"connection_name": "contract-test (reads a copy)"},
    )


def _tls(address: Address) -> ssl.SSLContext:
    import ssl

    options = address.options
    try:
        context = ssl.create_default_context(cafile=options.get("cacertfile"))
        if "certfile" in options:
            context.load_cert_chain(options["certfile"], options.get("keyfile"))
    except OSError as error:  # SSLError too
        advice = "Check the files that cacertfile, certfile and keyfile name in the URL."
        problem = f"the certificates cannot be read: {error.strerror or 'not in PEM'}"
        raise CatalogError(problem, place=address.shown, advice=advice) from None
    return context


def _reason(error: BaseException) -> str:
    """Return what went wrong below: pika's errors hold the errors of each attempt as arguments."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    inner = getattr(error, "exception", None)
    return _reason(inner) if isinstance(inner, BaseException) else str(error) or type(error).__name__


def _refused_credentials(where: str) -> UnreachableError:
    advice = (
        f"Check the user's name and password, in the URL or in {USER} and {PASSWORD}. "
        "The user guest may log in from localhost only."
    )
    return UnreachableError("RabbitMQ did not take the credentials", place=where, advice=advice)


def _refused_vhost(vhost: str, where: str) -> UnreachableError:
    advice = (
        "Write its name behind the host's /, with %2F for a / in it; give the user access to it: "
        "rabbitmqctl set_permissions."
    )
    return UnreachableError(f"RabbitMQ gives no access to the virtual host {vhost}", place=where, advice=advice)


def _unanswered(reason: str, where: str) -> UnreachableError:
    advice = "Check the address: amqp://HOST:5672/VHOST, or amqps://HOST:5671/VHOST?cacertfile=FILE for TLS."
    return UnreachableError(f"RabbitMQ did not answer: {reason}", place=where, advice=advice)
