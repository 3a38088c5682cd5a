"""What the pages say, and which files there are."""

import json
import re
from html.parser import HTMLParser

import pytest
from site_pages import STRING, crowd, message, text_of

from contract_test.files.catalog import load_catalog
from contract_test.files.ledger import DirectoryLedger


def test_every_link_of_every_page_leads_to_a_page_or_a_place_in_one(shop):
    shop.run()
    files = shop.files()
    pages = {path: Links(content.decode()) for path, content in files.items() if path.endswith(".html")}
    assert len(pages) > 15
    for path, page in pages.items():
        for link in page.links:
            if link.startswith(("https://", "mailto:")):
                continue
            target, _, anchor = link.partition("#")
            name = resolved(path, target)
            assert name in files, f"{path}: {link}"
            assert not anchor or anchor in pages[name].ids, f"{path}: {link}"


def test_a_field_says_who_reads_it_and_who_breaks_without_it(shop):
    shop.run()

    text = text_of(shop.page("subjects/order.placed/fields.html"))

    name = text[text.index("/name") :]
    assert "string, required. In v1, v2, since v1" in name
    assert "mailer, v1: reads it in 3 of 4 recorded messages" in name
    assert "audit, v2: not known, because it was not replayed" in name
    assert "mailer breaks: it reads it in 3 of 4 recorded messages of v1." in name
    assert "audit may break: it was not replayed, and v2 requires the field." in name
    note = text[text.index("/note") : text.index("/name")]
    assert "audit: not known, because it was not replayed. The field is optional." in note


def test_two_versions_say_what_changed_the_verdict_the_message_and_whom_it_breaks(shop):
    shop.run()

    text = text_of(shop.page("subjects/order.placed/v1-v3.html"))

    assert "changed /id string; required integer; required" in text
    assert "removed /name string; required \N{EN DASH}" in text
    assert "added /note \N{EN DASH} string; optional" in text
    assert "v3 reads what was sent as v1 Breaks mailer, audit" in text
    assert "mailer, which reads v1 today, breaks on what billing sends as v1 once it reads v3" in text
    assert "mailer is owned by letters" in text
    assert re.search(r'A message that breaks: generated .* \{ "id": ""', text)


def test_a_subject_a_channel_a_service_and_an_owner_have_pages(shop):
    shop.run()

    subject = text_of(shop.page("subjects/order.placed/index.html"))
    assert "Somebody bought something." in subject
    assert "v2 → v3: 2 fields changed breaks breaks mailer, audit" in subject
    channel = text_of(shop.page("channels/orders.html"))
    assert "protocol kafka, codec json address orders.v1 delivery at-least-once" in channel
    service = text_of(shop.page("services/mailer.html"))
    assert "Writes letters. owner letters domain messages runbook" in service
    assert "Receives subject comes from channel versions order.placed billing orders 3" in service
    owner = text_of(shop.page("people/letters.html"))
    assert "slack: #letters mail" in owner
    assert "order.placed v2 read as v3" in owner
    people = text_of(shop.page("people.html"))
    assert "letters slack: #letters, mail 1" in people
    assert "shop 2" in people


def test_findings_are_open_until_somebody_accepts_them_and_again_after_the_last_day(shop, monkeypatch):
    shop.run()
    assert "No open findings" not in shop.page("index.html")
    ids = [each["id"] for each in json.loads(shop.run("--json", output="")[1])["findings"]]
    rows = [f'[[compat]]\nfinding = "{each}"\nreason = "agreed"\nuntil = 2026-12-31\n' for each in ids]
    (shop.folder / "accepted.toml").write_text("\n".join(rows))

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1798675200")  # 2026-12-31
    shop.run()
    assert "No open findings" in shop.page("index.html")
    assert "accepted until 2026-12-31: agreed" in text_of(shop.page("findings.html"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1798761600")  # a day later
    shop.run()
    assert "No open findings" not in shop.page("index.html")


def test_the_changelog_says_whom_each_commit_broke_and_what_is_not_known(shop):
    shop.git("init", "--initial-branch=main")
    for version, date in ((1, "2026-03-01T12:00:00Z"), (3, "2026-04-01T12:00:00Z")):
        shop.git("add", *(f"contracts/order.placed/v{each}.json" for each in range(1, version + 1)))
        shop.git("commit", "-m", f"Add <v{version}>", date=date)
    shop.run()

    text = text_of(shop.page("changelog.html"))

    assert re.search(r"2026-04-01 [0-9a-f]{12} Add <v3> order.placed v2: since v1, breaks nobody", text)
    assert "order.placed v3: since v2, breaks mailer, audit" in text
    assert text.index("Add <v3>") < text.index("Add <v1>")
    shop.git("clone", "--depth", "1", f"file://{shop.root}", "clone")
    shop.folder.rename(shop.root / "old")
    (shop.root / "clone" / "contracts").rename(shop.folder)
    (shop.root / ".git").rename(shop.root / "git")
    (shop.root / "clone" / ".git").rename(shop.root / ".git")
    shop.run()
    assert "This is a shallow clone." in shop.page("changelog.html")


def test_without_git_and_without_a_ledger_the_site_says_what_is_missing(shop):
    code, _, notes = shop.run()

    assert code == 0
    assert "The contracts are in no git repository, so there is no changelog." in notes
    assert "Not known. Publish one with" in text_of(shop.page("services/mailer.html"))


def test_without_git_on_the_machine_there_is_a_site_all_the_same(shop, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")

    code, _, notes = shop.run()

    assert code == 0
    assert "Git is not installed, so there is no changelog." in notes


def test_what_runs_where_comes_from_the_ledger_and_strength_from_a_report(shop, report):
    from datetime import UTC, datetime

    from contract_test.data.deployment import Deployment, Verification, VerifiedOperation

    ledger = DirectoryLedger(shop.root / "ledger")
    (shop.root / "ledger").mkdir()
    time = datetime(2026, 3, 1, 12, tzinfo=UTC)
    ledger.record(Deployment("mailer", "m" * 3, "production", time))
    ledger.publish(
        Verification("billing", "b1", time, operations=(VerifiedOperation("order.placed", 1, "produces", 7),))
    )

    shop.run("--ledger", "ledger", "--results", str(report))

    mailer = text_of(shop.page("services/mailer.html"))
    assert "production mmm since 2026-03-01 12:00 UTC" in mailer
    assert "order.placed v1 consumes 4 0 50% 3 of 4 /name" in mailer
    assert "Version b1, 2026-03-01 12:00 UTC" in text_of(shop.page("services/billing.html"))


def test_a_version_shows_its_schema_as_a_table_as_json_and_as_python(contracts):
    from pathlib import Path

    root = Path(__file__).parents[2]
    contracts.run("--contracts", str(root / "contracts"))

    text = text_of(contracts.page("subjects/message.liked/v2.html"))

    assert '/reaction string, optional one of "like", "love", "laugh", "wow" How it was liked' in text
    assert "v2 Recorded examples" in text
    assert '"title": "Message liked"' in text
    assert "class MessageLikedV2" in text
    assert "15 recorded, 3 shown." in text


def test_the_same_contracts_give_the_same_bytes_and_only_changed_pages_are_written_again(shop):
    shop.run()
    before, times = shop.files(), {path: path.stat().st_mtime_ns for path in shop.site.rglob("*.html")}
    _, _, notes = shop.run()
    assert shop.files() == before
    assert ", 0 of them written:" in notes
    catalog = (shop.folder / "catalog.toml").read_text()
    (shop.folder / "catalog.toml").write_text(catalog.replace("Writes letters.", "Writes postcards."))
    shop.run()
    written = {path.name for path, time in times.items() if path.stat().st_mtime_ns != time}
    assert written == {"services.html", "mailer.html", "messages.html"}


def test_pages_of_what_is_gone_are_removed_and_no_other_file_is(shop):
    shop.run()
    (shop.site / "CNAME").write_text("contracts.acme.example")
    (shop.folder / "order.placed" / "v3.json").unlink()

    _, _, notes = shop.run()

    assert not list(shop.site.rglob("*v3*.html"))
    assert (shop.site / "CNAME").exists()
    assert "4 removed" in notes or "3 removed" in notes


def test_a_directory_with_other_files_is_not_touched(shop):
    shop.site.mkdir()
    (shop.site / "thesis.txt").write_text("years of work")

    code, _, notes = shop.run()

    assert (code, len(shop.files())) == (2, 1)
    assert "the directory holds other files" in notes


def test_json_has_everything_behind_the_pages(shop):
    code, out, _ = shop.run("--json", output="")

    document = json.loads(out)
    assert (code, document["format"], out.isascii()) == (0, 1, True)
    subject = document["subjects"]["order.placed"]
    assert [each["pointer"] for each in subject["fields"]] == ["/id", "/note", "/name"]
    assert subject["pairs"][0]["forward"]["status"] == "compatible"
    assert document["services"]["mailer"]["about"]["owner"] == "letters"


def test_all_pairs_only_if_asked_for(contracts):
    contracts.write('[subjects."a.b"]\n', a_b=[message_number(number) for number in range(5)])
    contracts.run()
    near = {path.name for path in contracts.site.rglob("v*-v*.html")}
    assert near == {"v1-v2.html", "v2-v3.html", "v3-v4.html", "v4-v5.html", "v1-v5.html", "v2-v5.html", "v3-v5.html"}
    contracts.run("--pairs", "all")
    assert len(list(contracts.site.rglob("v*-v*.html"))) == 10


@pytest.mark.parametrize("services", [10, 300])
def test_who_gets_what_a_service_sends_is_read_off_the_map(contracts, services):
    """With ten services from the first page; with three hundred by way of the service's domain."""
    crowd(contracts, services)
    contracts.run()
    catalog = load_catalog(contracts.folder)
    for number in range(0, services, services // 10):
        name = f"s{number:03}"
        page = "index.html"
        if services > 10:
            (domain,) = [
                each for each in links_of(contracts, page) if f">domain {number % (services // 15)}<" in each[1]
            ]
            (page,) = {each[0] for each in links_of(contracts, domain[0]) if each[0].endswith(f"/{name}.html")}
        arrows = re.findall(r"<title>(s\d+) (sends|receives) (\S+)</title>", contracts.page(page))
        sent = {what for who, verb, what in arrows if (who, verb) == (name, "sends")}
        got = {(who, what) for who, verb, what in arrows if verb == "receives" and what in sent}
        assert got == {(who, each.name) for each in catalog.sent_by(name) for who in each.received_by}, page


def links_of(contracts, page):
    """The links of a page: where they lead to, and their HTML."""
    found = re.findall(r'<a href="([^"#]+)"[^>]*(>.*?)</a>', contracts.page(page))
    return [(resolved(page, link), html) for link, html in found if not link.startswith("http")]


def test_no_page_is_long_however_many_versions_fields_and_subjects_there_are(contracts):
    many = {f"field_{number}": {"type": "string", "description": "word " * 120} for number in range(900)}
    versions = [message(id=STRING, **{f"added_{each}": STRING for each in range(number)}) for number in range(60)]
    rows = ['[channels.c]\nprotocol = "kafka"\naddress = "a"\ncodec = "cloudevents"\n']
    subjects = {"wide": [message(**many), message()], "old": versions}
    subjects |= {f"subject{number}": [message(id=STRING)] for number in range(1500)}
    rows += [f'[subjects.{name}]\nchannel = "c"\nsent_by = ["a"]\nreceived_by = ["b", "c"]\n' for name in subjects]
    contracts.write("".join(rows), **subjects)

    contracts.run()

    sizes = {path: len(content) for path, content in contracts.files().items()}
    assert max(sizes.values()) < 500_000, max(sizes, key=sizes.get)
    assert len(list(contracts.site.glob("subjects/old/v*-v*.html"))) == 59 + 58
    assert "fields-2.html" in contracts.page("subjects/wide/fields.html")
    assert "subjects-2.html" in contracts.page("index.html")
    assert contracts.page("subjects/wide/index.html").count("fields-2.html") > 30


def message_number(number):
    return {"type": "object", "properties": {f"field{each}": {"type": "string"} for each in range(number + 1)}}


class Links(HTMLParser):
    """The links and the ids of a page."""

    def __init__(self, html):
        super().__init__()
        self.links, self.ids = [], set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src"):
                self.links.append(value)
            elif name == "id":
                self.ids.add(value)


def resolved(page, link):
    if not link:
        return page
    parts = page.split("/")[:-1]
    for step in link.split("/"):
        if step == "..":
            parts.pop()
        elif step:
            parts.append(step)
    return "/".join(parts)
