"""The site in a real browser, opened from disk."""

import json
import re

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from site_pages import crowd, hostile

from contract_test.site.search import Entry, index_files

SIZES = (1280, 800, 420)


class Window:
    """A browser window at a size, light or dark, on the pages of a folder."""

    def __init__(self, driver, site):
        self.driver, self.site = driver, site

    def set(self, width=1280, scheme="light", *, scripts=True):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})

    def open(self, page="index.html"):
        self.driver.get(f"file://{self.site}/{page}")

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def click(self, text):
        self.driver.find_element("link text", text).click()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def search(self, query):
        """Type a query, and return what is found, once the index has answered."""
        answer = "const done = arguments[1]; contractSearch.find(arguments[0]).then((found) => done(found.rows));"
        return self.driver.execute_async_script(answer, query)


@pytest.fixture
def window(browser, contracts):
    browser.set_script_timeout(60)
    found = Window(browser, contracts.site)
    found.set()
    yield found
    found.set()
    browser.get("about:blank")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_who_breaks_without_a_field_is_two_clicks_away(shop, window):
    shop.run()
    window.open()

    window.click("order.placed")
    window.click("/name")

    field = window.one(".field:target")
    assert "mailer breaks: it reads it in 3 of 4 recorded messages of v1." in field.text


def test_what_changed_and_for_whom_is_two_clicks_away_and_who_owns_it_one(shop, window):
    shop.run()
    window.open()
    window.click("order.placed")
    window.click("v1 and v3")
    assert "removed" in window.one("table").text
    assert "mailer, which reads v1 today, breaks" in window.one("main").text

    window.open()
    window.one(".lead a").click()
    assert "letters (slack #letters" in window.one("tbody tr").text


def test_the_search_finds_fields_services_and_owners_from_disk(shop, window):
    shop.run()
    window.open("services/mailer.html")

    window.one("body").send_keys("/")
    window.driver.switch_to.active_element.send_keys("order nam")

    assert window.search("order nam") == [
        ["/name", "order.placed", "field", "subjects/order.placed/fields.html#f-name"]
    ]
    assert [row[2] for row in window.search("letters")] == ["owner"]
    assert {row[2] for row in window.search("order")} == {"subject", "channel", "field"}
    assert window.search("nothing like it") == []
    WebDriverWait(window.driver, 60).until(lambda _: window.all(".results a"))
    window.driver.switch_to.active_element.send_keys(Keys.ENTER)
    field = "subjects/order.placed/fields.html#f-name"
    WebDriverWait(window.driver, 60).until(lambda driver: driver.current_url.endswith(field))


def test_a_large_index_is_split_and_still_finds_everything(shop, window):
    """Thirty thousand names, of which all share a word, so that no part of the index can hold what that word finds."""
    entries = [
        Entry(
            f"Order{number}.placed", f"a.channel.of.some.length.{number % 7}", "subject", f"subjects/order{number}.html"
        )
        for number in range(30_000)
    ]
    shop.run()
    files = index_files(entries)
    assert len(files) > 10
    assert max(map(len, files.values())) < 500_000
    for path in (shop.site / "search").iterdir():
        path.unlink()
    for path, text in files.items():
        (shop.site / path).write_text(text)

    window.open()
    assert [row[0] for row in window.search("order29999")] == ["Order29999.placed"]
    assert [row[0] for row in window.search("placed order1234")][:1] == ["Order1234.placed"]
    assert window.search("placed")
    assert window.search("order30000") == []


def test_without_scripts_everything_but_the_search_is_there(shop, window):
    shop.run()
    window.set(scripts=False)
    window.open()

    assert not window.one(".search").is_displayed()
    window.click("order.placed")
    window.click("v1 → v2: 1 field changed")
    assert "What changed" in window.one("main").text


def test_the_keyboard_reaches_the_content_first_and_every_picture(shop, window):
    shop.run()
    window.open()

    window.one("body").send_keys(Keys.TAB)
    skip = window.driver.switch_to.active_element
    assert skip.text == "Skip to the content"
    skip.send_keys(Keys.ENTER)
    window.driver.switch_to.active_element.send_keys(Keys.TAB, Keys.TAB)
    assert window.run("return document.activeElement.closest('.map') !== null")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_an_accessibility_problem_or_is_wider_than_its_window(shop, window, axe, report, scheme):
    """At every width, because what is beside something at one is below it at another."""
    shop.git("init", "--initial-branch=main")
    shop.git("add", "contracts")
    shop.git("commit", "-m", "Begin")
    shop.run("--results", str(report))
    pages = sorted(path for path in shop.files() if path.endswith(".html"))
    for page in pages:
        window.set(SIZES[0], scheme)
        window.open(page)
        window.run(axe)
        window.run(PLAIN)
        check = "const done = arguments[0]; axe.run(document, {preload: false}).then((found) => done(JSON.stringify(found.violations)));"
        problems = json.loads(window.driver.execute_async_script(check))
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in problems] == [], page
        for width in SIZES:
            window.set(width, scheme)
            assert window.run("return document.documentElement.scrollWidth") <= width, f"{page} at {width}"


PLAIN = """
// The checker cannot tell the contrast of text on a gradient, so the shadows beside tables and maps are taken away.
for (const each of document.querySelectorAll(".scroll, .map")) each.style.background = "none";
"""


@pytest.mark.parametrize("services", [10, 300])
def test_no_label_of_a_map_overlaps_another_or_leaves_its_box(contracts, window, services):
    crowd(contracts, services)
    contracts.run()
    maps = ["index.html", "services/s000.html", "services/s007.html"]
    maps += [f"domains/{path.name}" for path in (contracts.site / "domains").glob("*.html")][:3]
    seen = 0
    for page in maps:
        window.open(page)
        boxes = window.run(BOXES)
        seen += len(boxes)
        for number, (box, text) in enumerate(boxes):
            assert inside(text, box), f"{page}: {text} is not inside {box}"
            for other, _ in boxes[number + 1 :]:
                assert apart(box, other), f"{page}: {box} overlaps {other}"
    assert seen > 40


BOXES = """
const rectangle = (each) => { const at = each.getBoundingClientRect(); return [at.left, at.top, at.right, at.bottom]; };
return [...document.querySelectorAll(".map g")].map((group) => {
  const texts = [...group.querySelectorAll("text")].map(rectangle);
  const all = [Math.min(...texts.map((t) => t[0])), Math.min(...texts.map((t) => t[1])), Math.max(...texts.map((t) => t[2])), Math.max(...texts.map((t) => t[3]))];
  return [rectangle(group.querySelector("rect")), all];
});
"""


def inside(inner, outer):
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def apart(one, other):
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_hostile_words_are_text_everywhere(contracts, window):
    hostile(contracts)
    contracts.run("--title", "<script>hacked=1</script>")
    pages = sorted(path for path in contracts.files() if path.endswith(".html"))
    tags = set()
    for page in pages:
        window.open(page)
        state = window.run(
            "return [typeof hacked, document.scripts.length, document.querySelectorAll('img,iframe,object,base,form:not(.search)').length,"
            " [...document.querySelectorAll('a')].map((each) => each.href || each.href.baseVal).filter((each) => /^(javascript|data|vbscript):/i.test(each)),"
            " [...document.querySelectorAll('main *')].map((each) => each.localName)]"
        )
        assert state[:4] == ["undefined", 1, 0, []], page
        tags.update(state[4])
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f]", (contracts.site / page).read_text()), page
        window.set(420)
        assert window.run("return document.documentElement.scrollWidth") <= 420, page
        window.set()
    assert tags.isdisjoint({"b", "script", "style", "img"}), tags
    window.open()
    for query in ("script", "x onerror", "hacked"):
        window.one("input").clear()
        window.one("input").send_keys(query)
        rows = window.search(query)
        assert rows
        assert window.run("return typeof hacked") == "undefined"
        assert window.run("return document.querySelectorAll('.results img, .results script').length") == 0
