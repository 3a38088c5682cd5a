"""The codecs: one module and one row each."""

from __future__ import annotations

from . import cloudevents, confluent, json, resque
from ._parts import Codec, Malformed, Parts

__all__ = ["CODECS", "Codec", "Malformed", "Parts"]

CODECS: dict[str, Codec] = {
    "json": json,
    "cloudevents": cloudevents,
    "resque": resque,
    "confluent": confluent,
}
