"""The live page, in a real browser."""

import os
import shutil
import socket

import pytest

from feed.http import make_app, serve


@pytest.fixture(scope="session")
def browser():
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(programs):
        missing = "NOT RUN in a browser: there is none here (Debian: apt-get install chromium chromium-driver)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(programs[1]))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, feed, people, port, until):
    """The page of Ana's news feed; `page(selector)` gives the texts that are seen there."""
    with serve(make_app(feed, problem=lambda: None), f"127.0.0.1:{port}"):
        until(lambda: answers(port))
        browser.get(f"http://127.0.0.1:{port}/")
        browser.find_element("name", "person").send_keys(people.ana["person_id"])
        browser.find_element("css selector", "button").click()

        def texts(selector):
            script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText)"
            return browser.execute_script(script, selector)

        until(lambda: texts("#state") == ["Live"])
        yield texts
        browser.get("about:blank")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_counters_and_the_feed_change_as_it_is_watched(page, feed, like, unlike, post, people, until):
    assert page("li") == []
    feed.handle(post(text="Lunch at <b>one</b>?"))
    feed.handle(like(1, people.bo))
    until(lambda: page("li .what") == ["Bo likes your message\nLunch at <b>one</b>?"])
    assert page("li .likes") == ["1"]
    second = like(2, people.cy, seconds=1)
    feed.handle(second)
    until(lambda: page("li .likes") == ["2"])
    assert page("li .what")[0].startswith("Cy and 1 other like your message")
    feed.handle(unlike(second))
    until(lambda: page("li .likes") == ["1"])
    assert page("li .what")[0].startswith("Bo likes your message")
    feed.handle(like(3, people.di, message="m-0002", seconds=9))
    until(lambda: len(page("li")) == 2)
    assert page("li .what")[0] == "Di likes your message"


def test_nothing_stands_out_of_a_narrow_page(page, browser, feed, like, post, people, until):
    until(lambda: browser.execute_script("return getComputedStyle(items, '::after').content") == '"No likes yet."')
    browser.set_window_size(500, 700)  # the narrowest that the browser has
    feed.handle(post(text="x" * 300))
    feed.handle(like(1, {"person_id": "p-long01", "name": "Y" * 80}))
    until(lambda: page("li .likes") == ["1"])
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def answers(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
