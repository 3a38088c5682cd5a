"""A real Chromium without a window, for tests and benchmarks."""

import shutil


def chromium():
    """Return a started browser; None where there is none, or no Selenium."""
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(programs):
        return None
    try:
        from selenium import webdriver
    except ImportError:
        return None
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(programs[1]))
