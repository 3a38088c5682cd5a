"""Reading pages as people do."""

from html.parser import HTMLParser


class _Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.parts = []

    def handle_data(self, data):
        self.parts.append(data)


def text_of(html):
    """Return the text of a page, with single blanks."""
    parser = _Text()
    parser.feed(html[html.index("<main") :])
    return " ".join(" ".join(parser.parts).split()).replace(" ,", ",").replace(" :", ":")
