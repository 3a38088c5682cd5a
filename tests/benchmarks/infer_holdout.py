"""How many of the next messages an inferred schema refuses: `python tests/benchmarks/infer_holdout.py`.

Public webhook payloads are fetched from the package registries into a folder in your cache, with genson and quicktype's
inference. Each family is divided at random into 70 % to infer from and 30 % to check. The generated families have a
known schema: what is recovered of it is counted, too.
"""

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import jsonschema_rs
from table import Row, report

from contract_test.infer import DeclaredFields, infer

CACHE = Path.home() / ".cache" / "contract-test-benchmarks"
SPLITS = 10
MIN_MESSAGES = 5
ENOUGH = 10
QUICKTYPE = """
import { quicktype, InputData, jsonInputForTargetLanguage } from "quicktype-core";
import readline from "node:readline";
for await (const line of readline.createInterface({ input: process.stdin })) {
  const input = jsonInputForTargetLanguage("schema"), inputData = new InputData();
  await input.addSource({ name: "Message", samples: JSON.parse(line) });
  inputData.addInput(input);
  const made = await quicktype({ inputData, lang: "schema" });
  console.log(JSON.stringify(JSON.parse(made.lines.join("\\n"))));
}
"""


def fetch():
    """Install what is compared with, and the payloads, once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if not (CACHE / "node_modules" / "quicktype-core").is_dir():
        packages = ["quicktype-core", "@octokit/webhooks-examples"]
        subprocess.run(["npm", "install", "--prefix", CACHE, *packages], check=True, stdout=sys.stderr)
    if not (CACHE / "python" / "genson").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", CACHE / "python", "genson"]
        subprocess.run(command, check=True, stdout=sys.stderr)
    sys.path.append(str(CACHE / "python"))


def payloads():
    """Return the public payloads by event."""
    index = CACHE / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    return {each["name"]: each["examples"] for each in json.loads(index.read_text())}


def orders(rng, number):
    """Return a message of a family with a format, an enum, a map, an optional field, and fields that are null at times."""
    message = {
        "order_id": f"{rng.getrandbits(128):032x}",
        "placed_at": f"2026-03-{rng.randint(1, 28):02}T12:00:{rng.randint(0, 59):02}Z",
        "status": rng.choice(["new", "paid", "sent"]),
        "total": round(rng.uniform(1, 99), 2) if rng.random() < 0.7 else rng.randint(1, 99),
        "coupon": rng.choice([None, None, "SPRING"]),
        "stock": {f"sku-{rng.randint(1000, 9999)}": rng.randint(0, 9) for _ in range(rng.randint(1, 5))},
        "buyer": {"id": number, "name": "x", "phone": rng.choice([None, "1"])},
        "receiver": {"id": number + 1, "name": "y", "phone": rng.choice([None, "1"])},
    }
    return message | ({"note": "x"} if rng.random() < 0.1 else {})


def notices(rng, number):
    """Return a message of a family of alternatives."""
    kind = rng.choice(["push", "sms", "mail"])
    more = {
        "push": {"device": "x", "badge": number % 9},
        "sms": {"phone": "1"},
        "mail": {"to": "a", "cc": [], "html": True},
    }
    return {"notice_name": kind, "id": number, "body": {"text": "x", "lang": rng.choice(["en", "de"])}, **more[kind]}


def splits(families):
    """Return the name of a family, the messages to infer from and those to check, for each split."""
    for name, messages in families.items():
        for seed in range(SPLITS if len(messages) >= ENOUGH else SPLITS // 2):
            mixed = random.Random(f"{name} {seed}").sample(messages, len(messages))
            end = max(1, round(len(mixed) * 0.7))
            yield name, mixed[:end], mixed[end:]


def genson(messages):
    """Return genson's schema."""
    from genson import SchemaBuilder

    builder = SchemaBuilder()
    for each in messages:
        builder.add_object(each)
    return builder.to_schema()


def quicktype(every):
    """Return quicktype's schemas for many lists of messages."""
    script = CACHE / "node_modules" / "infer_holdout.mjs"
    script.write_text(QUICKTYPE)
    lines = "".join(json.dumps([json.dumps(each) for each in messages]) + "\n" for messages in every)
    done = subprocess.run(["node", script], input=lines, text=True, check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def refused(divided, schemas):
    """Return the share of the messages to check that their schema refuses."""
    checked = bad = 0
    for (_, _, rest), schema in zip(divided, schemas, strict=True):
        validator = jsonschema_rs.validator_for(schema, validate_formats=True)
        checked += len(rest)
        bad += sum(not validator.is_valid(each) for each in rest)
    return 100 * bad / checked


def share_rows(title, families):
    """Yield the share that is refused for us and both others. The goal is half of the better one's."""
    divided = list(splits(families))
    others = {
        "genson": refused(divided, [genson(messages) for _, messages, _ in divided]),
        "quicktype": refused(divided, quicktype([messages for _, messages, _ in divided])),
    }
    ours = refused(divided, [infer(messages).schema for _, messages, _ in divided])
    note = f"{len(families)} families, {len(divided)} splits"
    yield Row("infer", f"{title}: refused", ours, "%", most=min(others.values()) / 2, note=note)
    for name, share in others.items():
        yield Row("infer", f"{title}: refused by {name}", share, "%")


def recovered_rows():
    """Yield what is recovered of two known schemas, from few and from many messages."""
    for count in (20, 200):
        rng = random.Random(7)
        order = infer(
            [orders(rng, number) for number in range(count)], DeclaredFields(enums=frozenset(["/status"]))
        ).schema
        notice = infer([notices(rng, number) for number in range(count)]).schema
        found = Counter(
            required=sum(name in order.get("required", ()) for name in ("order_id", "placed_at", "status", "total", "coupon", "stock")),
            optional="note" not in order.get("required", ()),
            format=order["properties"]["placed_at"].get("format") == "date-time",
            null=order["properties"]["coupon"].get("type") == ["string", "null"],
            enum=order["properties"]["status"].get("enum") == ["new", "paid", "sent"],
            map="additionalProperties" in order["properties"]["stock"] and "properties" not in order["properties"]["stock"],
            definition=order["properties"]["buyer"] == order["properties"]["receiver"] and "$ref" in order["properties"]["buyer"],
            alternatives=len(notice.get("oneOf", ())),
        )  # fmt: skip
        missing = {"required": 6, "alternatives": 3}
        lost = [name for name, number in found.items() if number < missing.get(name, 1)]
        note = (
            f"missing: {', '.join(lost)}"
            if lost
            else "required, optional, format, null, enum, map, definition, alternatives"
        )
        yield Row("infer", f"recovered of known schemas, {count} messages", found.total(), "of 15", least=15, note=note)


def rows():
    """Measure."""
    fetch()
    public = payloads()
    many = {name: each for name, each in public.items() if len(each) >= ENOUGH}
    few = {name: each for name, each in public.items() if MIN_MESSAGES <= len(each) < ENOUGH}
    rng = random.Random(3)
    generated = {
        f"{make.__name__} {count}": [make(rng, number) for number in range(count)]
        for make in (orders, notices)
        for count in (10, 20, 60)
    }
    yield from share_rows("public webhooks, 10 messages or more", many)
    yield from share_rows("public webhooks, 5 to 9 messages", few)
    yield from share_rows("generated families", generated)
    yield from recovered_rows()


if __name__ == "__main__":
    report(rows)
