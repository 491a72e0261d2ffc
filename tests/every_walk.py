"""The walk of ``test_browser_walk`` in every language, empty and lived in: ``make walk``, for it takes minutes."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.chromium import launched  # noqa: F401
from tests.processes import ROOT
from tests.test_browser_walk import EVERY_LOOK, LANGUAGES, faults_on_the_way

PICTURES = ROOT / "var" / "screenshots"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("life", ["empty", "lived-in"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_fit_for_everybody(browser: Browser, tmp_path: Path, language: str, life: str):
    assert faults_on_the_way(browser, tmp_path, language, life, EVERY_LOOK, PICTURES / language / life) == []
