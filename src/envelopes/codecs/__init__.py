"""The codecs: one module and one row each."""

from __future__ import annotations

from . import cloudevents, confluent, json, resque
from ._context import NO_DATA, Codec, CodecError, Context, context_of

__all__ = ["CODECS", "NO_DATA", "Codec", "CodecError", "Context", "context_of"]

CODECS: dict[str, Codec] = {
    "json": json,
    "cloudevents": cloudevents,
    "resque": resque,
    "confluent": confluent,
}
