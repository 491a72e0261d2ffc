"""Two languages from one catalogue: nothing is left in English, nothing is lost on the way."""

import re
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

from ledger.queries.reasons import Why
from tests.ledger_steps import brought_to
from tests.processes import ROOT
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)
from web.language import LANGUAGES
from web.words import WHY

OTHERS = [language for language in LANGUAGES if language != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def file_of(language: str, kind: str = "po") -> Path:
    return ROOT / "web" / "translations" / language / "LC_MESSAGES" / f"messages.{kind}"


def catalogue(language: str) -> Catalog:
    with file_of(language).open("rb") as file:
        return read_po(file, locale=language)


def messages(language: str) -> list[Message]:
    return [message for message in catalogue(language) if message.id]


def forms(texts: str | tuple[str, ...]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)


@cache
def said() -> frozenset[str]:
    """Every sentence in the templates and modules that asks to be translated, in its first form."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    words = {"_": None, "_l": None, "N_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}
    found = extract_from_dir(ROOT, methods, options, keywords=words, directory_filter=is_ours)
    return frozenset(forms(each[2])[0] for each in found)


def is_ours(folder: str) -> bool:
    parts = Path(folder).relative_to(ROOT).parts
    return not parts or parts[0] in {"ledger", "web", "workers", "templates"}


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_pages_is_in_the_catalogue(language: str):
    assert said() - {forms(message.id)[0] for message in messages(language)} == set()


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_in_the_catalogue_is_said_no_more(language: str):
    assert {forms(message.id)[0] for message in messages(language)} - said() == set()
    assert not catalogue(language).obsolete


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_translated_and_none_by_guessing(language: str):
    left = [message.id for message in messages(language) if message.fuzzy or not all(forms(message.string))]
    assert left == []


@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_agree(language: str):
    for message in messages(language):
        wanted = sorted(set(PLACEHOLDER.findall(forms(message.id)[-1])))
        for string in forms(message.string):
            assert sorted(set(PLACEHOLDER.findall(string))) == wanted, message.id


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_compiled_is_what_is_written(language: str):
    written = BytesIO()
    write_mo(written, catalogue(language))
    compiled = BytesIO(file_of(language, "mo").read_bytes())
    assert sentences(compiled) == sentences(written), "make translations"


def sentences(compiled: BytesIO) -> list[tuple]:
    """Without the header, which names the version of Babel."""
    compiled.seek(0)
    return [(message.id, message.string) for message in read_mo(compiled) if message.id]


@pytest.mark.parametrize(
    ("asks", "gets"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"), ("zh", "zh-Hans"), ("zh-SG", "zh-Hans"), ("en-GB,en", "en"),
        ("fr-FR, de;q=0.9", "en"), ("fr, zh-CN;q=0.5", "zh-Hans"), ("", "en"),
    ],
)  # fmt: skip
def test_a_page_speaks_what_the_browser_asks_for(site: Site, asks: str, gets: str):
    page = site.page("/runs", **{"Accept-Language": asks})
    assert page.html["lang"] == gets
    assert bool(CHINESE.search(text(page.select_one("nav.main")))) == (gets == "zh-Hans")


def test_a_chosen_language_counts_for_more_than_the_browsers(site: Site):
    chosen = site.page("/runs").select_one("button[name=language][value=zh_Hans]")
    form = chosen.find_parent("form")
    fields = {field["name"]: field["value"] for field in form.select("input")} | {"language": "zh_Hans"}
    response = site.client.post(form["action"], data=fields)
    assert (response.status_code, response.location) == (303, "/runs")
    page = site.page("/jobs", **{"Accept-Language": "en"})
    assert page.html["lang"] == "zh-Hans"
    assert page.select_one("button[name=language][aria-pressed=true]").get_text() == "简体中文"


def test_times_and_states_are_told_in_the_language_of_the_page(site: Site):
    run_id = brought_to(site.engine, "succeeded").id
    page = site.page(f"/runs/{run_id}", **{"Accept-Language": "zh-CN"})
    assert "已完成" in text(page.h1) and "完成" in page.title.get_text()
    assert re.search(r"\d+ 秒前", text(page.main))


def test_scripts_take_their_words_from_the_page(site: Site):
    assert '"ago": "{}前"' in site.page("/runs", **{"Accept-Language": "zh-CN"}).body["data-words"]
    assert '"ago": "{} ago"' in site.page("/runs").body["data-words"]


def test_every_reason_has_words():
    assert set(WHY) == set(Why) - {Why.PAUSED}  # a pause has a sentence of its own


def test_no_sentence_stands_inside_another_string():
    """What is called within an f-string is found by no extractor, and stays English."""
    hidden = re.compile(r"""\bf["'].*\{\s*n?_?(?:_|gettext|ngettext)\(""")
    rooms = [path for room in ("web", "ledger", "workers") for path in (ROOT / room).rglob("*.py")]
    assert [path.name for path in rooms if any(hidden.search(line) for line in path.read_text().splitlines())] == []
