"""The codecs: one module and one row each."""

from __future__ import annotations

from envelopes import plugins

from . import celery, cloudevents, confluent, json, msgpack, resque, sidekiq
from ._context import NO_DATA, Codec, CodecError, Context, context_of
from ._layers import as_data, as_json, json_in_text

__all__ = [
    "CODECS", "NO_DATA", "Codec", "CodecError", "Context", "as_data", "as_json", "context_of", "json_in_text",
]  # fmt: skip

_BUILT_IN: dict[str, Codec] = {
    "json": json,
    "cloudevents": cloudevents,
    "resque": resque,
    "confluent": confluent,
    "celery": celery,
    "sidekiq": sidekiq,
    "msgpack": msgpack,
}
CODECS: plugins.Plugins[Codec] = plugins.Plugins(
    plugins.CODECS, ("CONTEXT_NAMES", "read", "write"), _BUILT_IN, tuple(_BUILT_IN)
)
"""The built-in codecs. Those of other packages are found by their names too."""
