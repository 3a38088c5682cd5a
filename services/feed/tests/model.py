"""What the feed must hold, computed from the stream itself and without any of the feed's code."""

import json
from collections import Counter, defaultdict
from datetime import datetime


class Model:
    """Everything is a plain dict; the log is read once, in the order in which it was written."""

    def __init__(self, records):
        self.stands = {}
        self.authors = {}
        self.pushes = []
        notified = set()
        for record in records:
            try:
                event = json.loads(record.value())
            except ValueError:
                continue
            data = event["data"]
            if event["type"] == "message.posted":
                continue
            pair = data["message_id"], data["liker"]["person_id"]
            self.authors[pair[0]] = data["author"]["person_id"]
            at = datetime.fromisoformat(data["liked_at"])
            stand = (at, False, data["like_id"], data["liker"]["name"])
            if event["type"] == "message.unliked":
                stand = (max(at, datetime.fromisoformat(data["unliked_at"])), True, *stand[2:])
            if pair in self.stands and self.stands[pair][:3] >= stand[:3]:
                continue
            self.stands[pair] = stand
            if not stand[1] and pair[1] != self.authors[pair[0]] and pair not in notified:
                notified.add(pair)
                self.pushes.append(data["like_id"])

    def likes(self):
        """The counter of every message that somebody likes."""
        return Counter(message for (message, _), (_, unliked, _, _) in self.stands.items() if not unliked)

    def feeds(self):
        """The news feed of every author: message, newest liker, how many others; the newest first."""
        likes = defaultdict(list)
        for (message, liker), (at, unliked, like_id, name) in self.stands.items():
            if not unliked and liker != self.authors[message]:
                likes[message].append((at, like_id, name))
        feeds = defaultdict(list)
        for message, each in likes.items():
            at, _, name = max(each)
            feeds[self.authors[message]].append((-at.timestamp(), message, name, len(each) - 1))
        return {author: [item[1:] for item in sorted(items)] for author, items in feeds.items()}
