"""Every page of an empty site, wide and light, and on a dark phone: nothing on the console, nothing too wide, nothing
that axe finds. ``every_walk`` does so on every screen, in every theme, lived in, and in Chinese, and leaves pictures in
``var/screenshots``."""

from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.chromium import (
    complaints,
    launched,  # noqa: F401
    serving,
)
from tests.walk import Stop, lived_in, stops
from tests.web_steps import Site

SCREENS = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
NARROWEST = {"width": 320, "height": 640}
LANGUAGES = {"en": "en-US", "zh-Hans": "zh-CN"}
#: What axe looks for. Themes and screens are the same in every language, colours the same on every screen.
EVERYTHING, CONTRAST, NOTHING = {}, {"runOnly": ["color-contrast"]}, None
LOOKS = {
    ("en", "wide", "light"): EVERYTHING,
    ("en", "wide", "dark"): CONTRAST,
    ("en", "phone", "light"): EVERYTHING,
    ("en", "phone", "dark"): CONTRAST,
    ("zh-Hans", "wide", "light"): EVERYTHING,
}
EVERY_LOOK = tuple(product(SCREENS, ("light", "dark")))
TWO_LOOKS = (("wide", "light"), ("phone", "dark"))


@pytest.mark.timeout(600)
def test_every_page_of_an_empty_site_is_fit_for_everybody(browser: Browser, tmp_path: Path):
    assert faults_on_the_way(browser, tmp_path, "en", "empty", TWO_LOOKS) == []


def faults_on_the_way(browser: Browser, tmp_path: Path, language: str, life: str, looks, pictures=None) -> list[str]:
    with serving(Site(tmp_path / "var")) as site:
        names = lived_in(site) if life == "lived-in" else {}
        context = browser.new_context(
            base_url=site.address, locale=LANGUAGES[language], reduced_motion="reduce", viewport=SCREENS["wide"]
        )
        page = context.new_page()  # one for all: a new one is a new process, two seconds of a core
        faults = [fault for stop in stops(site, names) for fault in look_at(page, stop, language, looks, pictures)]
        context.close()
    return faults


def look_at(page: Page, stop: Stop, language: str, looks, pictures: Path | None) -> list[str]:
    """What is wrong with one page. It is loaded once; then the screen around it changes."""
    said = complaints(page)
    page.set_viewport_size(SCREENS["wide"])
    page.emulate_media(color_scheme="light")
    answer = page.goto(stop.address)
    faults = [] if answer.status == stop.status else [f"{stop.address} answered {answer.status}"]
    if page.locator("html").get_attribute("lang") != language:
        faults.append(f"{stop.address} is not in {language}")
    for screen, theme in looks:
        faults += on_screen(page, stop, language, screen, theme)
        if pictures:
            picture = pictures / f"{stop.name}-{screen}-{theme}.jpg"
            page.screenshot(path=picture, type="jpeg", quality=70, full_page=True)
    page.set_viewport_size(NARROWEST)
    faults += too_wide(page, stop)
    return faults + [each for each in said if f"status of {stop.status}" not in each]


def on_screen(page: Page, stop: Stop, language: str, screen: str, theme: str) -> list[str]:
    page.set_viewport_size(SCREENS[screen])
    page.emulate_media(color_scheme=theme)
    found = [f"{stop.address}, {screen}, {theme}: {said}" for said in axe(page, language, screen, theme)]
    return too_wide(page, stop) + found


def axe(page: Page, *look: str) -> list[str]:
    options = LOOKS.get(look, NOTHING)
    found = Axe().run(page, options=options) if options is not NOTHING else None
    return [found.generate_report()] if found and found.violations_count else []


def too_wide(page: Page, stop: Stop) -> list[str]:
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{stop.address} is {over} px too wide at {page.viewport_size['width']}"] if over > 0 else []
