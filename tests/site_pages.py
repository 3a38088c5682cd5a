"""Reading pages as people do, and contracts to make pages of."""

import json
from html.parser import HTMLParser

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def message(required=(), **properties):
    """A schema as contracts have it: an object with these properties."""
    return {"$schema": DRAFT, "type": "object", "properties": properties, "required": list(required)}


STRING, INTEGER = {"type": "string"}, {"type": "integer"}


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


EVIL = [
    '"><script>hacked=1</script>',
    "<img src=x onerror=hacked=1>",
    "</title></style></script><b>hacked",
    "{{ 7 * 7 }}{% raw %}hacked",
    "../../../etc/hacked",
    "\u202ehacked\u2066\u200f",
    "hacked" * 1700,
    "' onclick='hacked=1",
    "\\u003cscript\\u003ehacked()",
    "]]>--><!--hacked\u2028\n\ttwo",
]


def crowd(contracts, services):
    """Write contracts of many services: each sends to some of its own domain, and some to another."""
    domains = max(1, services // 15)
    rows = ['[channels.c]\nprotocol = "kafka"\naddress = "a"\ncodec = "cloudevents"\n']
    subjects = {}
    for number in range(services):
        name = f"s{number:03}"
        label = "WWWWWWWWWWWW" if number == 3 else "ordinary"
        rows.append(f'[services.{name}]\ndomain = "domain {number % domains}"\n')
        near = (number + domains) % services
        far = (number + 1) % services if number % 5 == 0 else near
        subject = f"{label.lower()}.thing{number}.happened"
        readers = json.dumps(sorted({f"s{near:03}", f"s{far:03}"}))
        rows.append(f'[subjects."{subject}"]\nchannel = "c"\nsent_by = ["{name}"]\nreceived_by = {readers}\n')
        subjects[subject] = [{"type": "object", "properties": {"id": {"type": "string"}}}]
    contracts.write("".join(rows), **{name.replace(".", "_"): schemas for name, schemas in subjects.items()})


def hostile(contracts):
    """Write contracts in which every text that can be chosen is chosen by somebody who wants to act on a page."""

    def toml(text):
        return json.dumps(text)

    rows, schemas = [], {}
    for number, evil in enumerate(EVIL):
        about = (
            f"description = {toml(evil)}\ndomain = {toml(evil)}\nowner = {toml(evil)}\n"
            f"links = {{ {toml(evil)} = {toml('javascript:hacked=1//' + evil)}, data = 'data:text/html,hacked', blank = ' javascript:hacked=1' }}\n"
        )
        rows.append(f'[channels.{toml(evil)}]\nprotocol = "kafka"\naddress = {toml(evil)}\ncodec = "json"\n{about}')
        rows.append(f"[services.{toml(evil)}]\n{about}")
        rows.append(
            f"[owners.{toml(evil)}]\ndescription = {toml(evil)}\ncontacts = {{ {toml(evil)} = {toml(evil)} }}\n"
        )
        subject = f"evil.number{number}"
        rows.append(
            f'[subjects."{subject}"]\nchannel = {toml(evil)}\nsent_by = [{toml(evil)}]\nreceived_by = [{toml(evil)}]\n'
            f"compatibility = 'FULL'\n{about}"
        )
        schema = {
            "title": evil, "description": evil, "type": "object", "required": [evil],
            "properties": {evil: {"description": evil, "const": evil}, "id": {"enum": [evil, "x"], "pattern": "^(.*<b>.*|x)?"}},
        }  # fmt: skip
        schemas[subject] = [
            schema,
            {**schema, "required": [], "properties": {evil: {"type": "integer", "title": evil}}},
        ]
    contracts.write("\n".join(rows), **{name.replace(".", "_"): found for name, found in schemas.items()})
    for number, evil in enumerate(EVIL):
        folder = contracts.folder / f"evil.number{number}" / "recordings"
        folder.mkdir()
        line = {"format": 1, "channel": evil, "payload": {evil: evil, "id": "x"}, "masked": [f"/{evil}"]}
        (folder / "v1.jsonl").write_text(json.dumps(line) + "\n")
    contracts.git("init", "--initial-branch=main")
    contracts.git("add", "contracts")
    contracts.git("commit", "-m", EVIL[0] + EVIL[1])
