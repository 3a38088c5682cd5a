"""The feed service: likes in from an event stream; counters, news feeds and push requests out."""

from .likes import Feed, Received
from .store import Store

__all__ = ["Feed", "Received", "Store"]
