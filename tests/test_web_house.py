"""The house of the pages: what holds for every template, style and vendored file."""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from ledger import notes
from ledger.queries.rejected import rejected_page
from tests.ledger_steps import brought_to, dispatch
from tests.web_steps import (
    Site,
    visited,  # noqa: F401
)

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STATIC = ROOT / "web" / "static"
VENDOR = STATIC / "vendor"
STYLE = (STATIC / "app.css").read_text()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_hold_no_style_and_no_script(template: Path):
    source = template.read_text()
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=|javascript:", source, re.IGNORECASE)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", source))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_fetch_nothing_from_elsewhere(template: Path):
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", template.read_text())


def test_a_worker_serves_its_queues_and_has_no_other_word_for_it():
    sources = [*TEMPLATES, *(ROOT / "web").glob("*.py")]
    said = [
        word
        for source in sources
        for word in re.findall(r"[\"“ ]consum\w+|takes? (?:a|no new) runs?", source.read_text())
    ]
    assert said == []


def test_scripts_make_no_code_of_text():
    for script in (each for each in STATIC.rglob("*.js") if VENDOR not in each.parents):
        assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", script.read_text()), script.name


def rejected(site: Site) -> str:
    notes.reject(site.engine, "default", "it is no Dramatiq message", b"x")
    return rejected_page(site.engine).lines[0].id


def paths(site: Site) -> list[str]:
    dispatch(site.engine)
    states = ("queued", "running", "succeeded", "failed", "dead", "canceled", "expired")
    runs = [f"/runs/{brought_to(site.engine, state).id}" for state in states]
    return [
        "/",
        "/runs",
        "/runs?q=nothing",
        "/jobs",
        "/queues",
        "/queues/default",
        "/queues/default/pause",
        "/queues/nowhere",
        "/dead-letters",
        f"/dead-letters/{rejected(site)}",
        "/workers",
        "/schedules",
        "/photos",
        "/search?q=a",
        "/keys",
        "/nowhere",
        "/runs/gone",
        *runs,
    ]


def test_every_page_has_a_title_one_heading_and_one_main(site: Site):
    titles = set()
    for path in paths(site):
        response = site.client.get(path)
        page = site.page(path, response.status_code)
        assert page.html["lang"] == "en"
        assert len(page.select("h1")) == len(page.select("main")) == 1, path
        assert page.title.get_text().endswith(" · Waybill"), path
        titles.add(page.title.get_text())
    assert {"Overview · Waybill", "Runs · Waybill", "add failed · Waybill", "add done · Waybill"} <= titles


def test_every_page_says_where_one_is(site: Site):
    for path, word in {
        "/": "Overview",
        "/runs": "Runs",
        "/queues": "Queues",
        "/workers": "Workers",
        "/schedules": "Schedules",
        "/photos": "Photos",
    }.items():
        page = site.page(path)
        assert [link.get_text().split()[0] for link in page.select("nav.main [aria-current]")] == [word]
        assert page.select_one("a.skip")["href"] == "#main"


def test_ids_are_unique_on_every_page(site: Site):
    for path in paths(site):
        page = site.page(path, site.client.get(path).status_code)
        ids = [tag["id"] for tag in page.select("[id]")]
        assert len(ids) == len(set(ids)), path


def test_scrolling_parts_can_be_reached_by_keyboard(site: Site):
    for path in paths(site):
        page = site.page(path, site.client.get(path).status_code)
        for part in page.select(".tw, .log, .trace, pre:not(.trace pre, .empty pre)"):
            assert part.has_attr("tabindex") and part.has_attr("aria-label"), f"{path}: {part}"


def test_vendored_files_are_what_the_manifest_says():
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    for entry in manifest:
        assert set(entry) >= {"name", "version", "licence", "file", "sha256"}
        assert sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["name"]
    listed = {entry[key] for entry in manifest for key in ("file", "licence_file")}
    assert listed == {path.name for path in VENDOR.iterdir()} - {"manifest.json"}


TOKENS = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", STYLE)
LIGHT = {name: light for name, light, _ in TOKENS}
DARK = {name: dark for name, _, dark in TOKENS}
HUES = ("ok", "run", "warn", "bad", "idle")
PAIRS = [
    *[(ink, ground, 7.0) for ink in ("ink",) for ground in ("paper", "card", "sunk")],
    *[("ink", f"{hue}-soft", 7.0) for hue in HUES],
    *[("ink-2", ground, 4.5) for ground in ("paper", "card", "sunk")],
    *[(hue, ground, 4.5) for hue in HUES for ground in ("paper", "card", "sunk", f"{hue}-soft")],
    ("on-bad", "bad-fill", 4.5),
    ("on-ink", "ink", 7.0),
    ("on-ink", "ink-2", 4.5),
    *[("line-strong", ground, 3.0) for ground in ("paper", "card")],
]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_text_can_be_read_in_both_themes(theme: dict[str, str], ink: str, ground: str, least: float):
    assert contrast(theme[ink], theme[ground]) >= least


def test_every_colour_is_said_for_both_themes():
    tokens = STYLE.partition("@layer base")[0]
    assert len(re.findall(r"#[0-9a-f]{3,8}\b", tokens)) == 2 * len(TOKENS) == 2 * len(LIGHT)


def test_every_colour_of_a_text_is_checked_somewhere():
    assert set(LIGHT) - {"line"} == {name for one, other, _ in PAIRS for name in (one, other)}


def test_the_style_stays_small():
    assert len(STYLE.encode()) <= 31_000


def test_the_style_names_no_colour_outside_the_tokens():
    assert not re.search(r"#[0-9a-f]{3,8}\b|rgb\(|hsl\(", STYLE.partition("@layer base")[2], re.IGNORECASE)
