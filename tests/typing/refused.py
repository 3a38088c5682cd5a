"""Mistakes that type checkers must find: each line marked `# error` is one. Nothing here is executed."""

from __future__ import annotations

from envelopes import Envelope, decode, encode
from envelopes.messages import MessageLiked


def mistakes(like: MessageLiked, envelope: Envelope[MessageLiked]) -> None:
    MessageLiked(like_id="l-1")  # error
    envelope.id = "e-2"  # error
    decode({"like_id": "l-1"}, channel="activity")  # error
    decode(b"{}")  # error
    encode({"like_id": "l-1"})  # error
    len(like.reaction)  # error
    like.reaction = "wow"  # error
    print(envelope.data.likes)  # error
