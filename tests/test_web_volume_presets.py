"""Presets for files without a header: kept from the form, picked for files of that size, deleted; seen by everybody."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine

from ledger import presets
from ledger.errors import PresetNotFound
from ledger.ids import new_id
from ledger.presets import NameInUse
from ledger.queries import presets as queries
from ledger.uploads import reference_to
from tests.ledger_steps import migrated  # noqa: F401
from tests.test_web_volumes import empty, serve, token_of  # noqa: F401
from tests.web_steps import Site, text
from web.volume_presets import preset_url
from web.volume_recipes import size_of

FORM = "/jobs/volumes.ingest"
RECIPE = {"shape": "4x3x2", "dtype": "int16", "header_offset": "10", "unit": "Bq/ml"}
SIZE = 4 * 3 * 2 * 2 + 10


def uploaded(site: Site, size: int) -> str:
    """The reference of a file that was sent ahead."""
    upload_id = new_id()
    folder = Path(site.settings.uploads, upload_id)
    folder.mkdir(parents=True)
    (folder / "pet.raw").write_bytes(bytes(size))
    return reference_to(upload_id, "pet.raw")


def answer(site: Site, **changes: str) -> dict[str, str]:
    said = {f"arg-{name}": value for name, value in RECIPE.items()} | {"key": "k", "preset-name": "Biograph"}
    return said | token_of(site.page(FORM)) | changes


def kept(site: Site) -> str:
    """The id of the preset of ``RECIPE``."""
    return presets.save(site.engine, "Biograph", SIZE, RECIPE, "ana")


def filled(response) -> dict[str, list[str]]:
    assert response.status_code == 303
    return parse_qs(urlsplit(response.headers["Location"]).query)


def test_a_preset_is_kept_by_its_name_and_deleted(engine: Engine):
    preset_id = presets.save(engine, "Biograph", 10**10, {"shape": "4x3x2"}, "ana")
    with pytest.raises(NameInUse):
        presets.save(engine, "Biograph", 1, {}, "ben")
    (found,) = queries.all_presets(engine)
    assert found == queries.preset(engine, preset_id)
    assert (found.name, found.size, found.arguments) == ("Biograph", 10**10, {"shape": "4x3x2"})
    for _ in range(2):
        presets.remove(engine, preset_id)
    with pytest.raises(PresetNotFound):
        queries.preset(engine, preset_id)


def test_the_answer_of_the_form_is_kept_under_a_name_and_nothing_typed_is_lost(site: Site):
    sent = site.client.post("/volumes/presets", data=answer(site, **{"arg-subject": "17", "arg-spacing": " "}))
    assert filled(sent) == {f"arg-{name}": [value] for name, value in RECIPE.items()} | {"arg-subject": ["17"]}
    (found,) = queries.all_presets(site.engine)
    assert (found.name, found.size, found.arguments) == ("Biograph", SIZE, RECIPE), "who it is of is not kept"
    page = site.page(FORM)
    assert text(page.select_one(".presets button")) == "Biograph"
    assert "4x3x2 int16, 10 bytes before, Bq/ml" in text(page.main)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"arg-shape": ""}, "Tell the shape"), ({"arg-header_offset": "-1"}, "Tell the shape"),
        ({"preset-name": " "}, "1 to 80 characters"), ({"preset-name": "x" * 81}, "1 to 80 characters"),
    ],
)  # fmt: skip
def test_a_preset_that_is_none_is_told(site: Site, wrong: dict, said: str):
    sent = site.client.post("/volumes/presets", data=answer(site, **wrong))
    assert sent.status_code == 422 and said in sent.text and not queries.all_presets(site.engine)


def test_a_name_in_use_is_told_and_another_may_be_typed(site: Site):
    kept(site)
    page = site.client.post("/volumes/presets", data=answer(site))
    assert page.status_code == 422 and "There is a preset of this name already." in page.text
    sent = site.client.post("/volumes/presets", data=answer(site, **{"preset-name": "Discovery"}))
    assert sent.status_code == 303 and len(queries.all_presets(site.engine)) == 2


def test_a_preset_fills_the_form_in_for_a_file_that_it_fits(site: Site):
    reference = uploaded(site, SIZE)
    sent = answer(site, **{"arg-files": reference, "arg-subject": "17", "arg-shape": "1x1x1", "arg-spacing": "2x2x2"})
    found = filled(site.client.post(f"/volumes/presets/{kept(site)}/form", data=sent))
    own = {"arg-files": [reference], "arg-subject": ["17"]}
    assert found == own | {f"arg-{name}": [value] for name, value in RECIPE.items()}
    page = site.page(f"{FORM}?arg-files={reference}&arg-shape=4x3x2")
    assert "fits this file" in text(page.select_one(".presets"))


def test_a_file_of_another_size_leaves_the_form_as_it_is(site: Site):
    reference = uploaded(site, SIZE + 1)
    sent = answer(site, **{"arg-files": reference, "arg-shape": "1x1x1"})
    found = site.client.post(f"/volumes/presets/{kept(site)}/form", data=sent)
    assert filled(found)["arg-shape"] == ["1x1x1"]
    page = site.page(found.headers["Location"])
    assert "“Biograph” is for files of 58 bytes, this one has 59." in text(page.main)
    assert "does not fit this file" in text(page.select_one(".presets"))


def test_the_page_of_presets_keeps_a_reading_and_deletes(site: Site):
    assert "No presets yet" in text(site.page("/volumes/presets").main)
    with site.app.test_request_context():
        address = preset_url({"shape": "4x3x2", "dtype": "float32"})
        assert preset_url({"series": "1.2"}) == ""
    site.press(site.page(address), "Save", **{"preset-name": "Quick"})
    page = site.page("/volumes/presets")
    assert "4x3x2 float32" in text(page.main) and "96 bytes" in text(page.main)
    assert page.select_one("td a")["href"] == f"{FORM}?arg-shape=4x3x2&arg-dtype=float32"
    site.press(page, "Delete Quick")
    assert not queries.all_presets(site.engine)
    gone = {"csrf_token": site.page(FORM).select_one("[name=csrf_token]")["value"]}
    assert site.client.post(f"/volumes/presets/{new_id()}/form", data=gone).status_code == 404


def test_other_jobs_have_no_presets(site: Site):
    assert site.page("/jobs/volumes.measure").select_one(".presets") is None


def test_the_size_of_a_recipe_is_that_of_its_files():
    assert size_of({"shape": "110 x 110 x 187"}) == 2_262_700
    assert size_of({"shape": "110×110×187", "dtype": "float64", "header_offset": "352"}) == 8 * 2_262_700 + 352
    for wrong in ({}, {"shape": "110x110"}, {"shape": "4x3x2", "header_offset": "²"}):
        assert size_of(wrong) is None
