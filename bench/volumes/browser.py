"""What somebody waits for at the page of a volume, in Chromium without a GPU: a PET over a CT, nothing cached."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np
from playwright.sync_api import Page, sync_playwright

from bench.volumes.made import Patient
from tests import stored_volumes
from tests.chromium import ARGUMENTS, CHROMIUM, serving
from tests.ledgers import prepare
from tests.stored_volumes import CT_ID, FACTOR, PET_ID
from tests.web_steps import Site
from workers.jobs.volume import store
from workers.jobs.volume.volume import About, Suv, Volume

#: Seconds; what somebody sees after them was not waited for.
FIRST_PICTURE, PLANES = 1.0, 0.05
MOVES = 15

SEEN = """() => {
  const viewer = document.getElementById('viewer')?.viewer;
  const come = viewer?.volumes.every((volume) => volume.preview || volume.isWhole);
  return come && viewer.planes.axial.backing.width > 0 && !viewer.asked && performance.now();
}"""
WHOLE = "() => document.getElementById('viewer').viewer.loader.isBusy ? false : performance.now()"
#: A pixel is asked for at the end, for drawing may be put off until then.
MOVED = """(moves) => Array.from({ length: moves }, (_, move) => {
  const { viewer } = document.getElementById('viewer');
  viewer.place(viewer.state.at.map((at) => at + (move % 2 ? 1 : -1) * (move + 1)));
  const began = performance.now();
  for (const plane of Object.values(viewer.planes)) {
    plane.draw();
    plane.context.getImageData(0, 0, 1, 1);
  }
  return performance.now() - began;
})"""


@dataclass(frozen=True)
class Wait:
    """``seconds`` may be ``most``, if that is a promise."""

    name: str
    seconds: float
    most: float | None


def waits(patient: Patient) -> Iterator[Wait]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    site = Site(patient.folder / "var")
    _keep(patient, site)
    with serving(site), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=site.address)
        address = f"/volumes/{CT_ID}?over={PET_ID}"
        site.client.get(address)  # a site compiles its templates for its first visitor
        page.goto(address, wait_until="commit")
        yield Wait("browser: first picture", _when(page, SEEN), FIRST_PICTURE)
        yield Wait("browser: full resolution", _when(page, WHOLE), None)
        yield Wait("browser: three fused planes", median(page.evaluate(MOVED, MOVES)) / 1000, PLANES)
        browser.close()


def _when(page: Page, condition: str) -> float:
    """Seconds from the click to when it holds."""
    return page.wait_for_function(condition, polling="raf", timeout=120_000).json_value() / 1000


def _keep(patient: Patient, site: Site) -> None:
    volumes = site.settings.var / "volumes"
    about = About(modality="CT", frame_of_reference_uid="1.2.3")
    ct = _centred(patient.ct, (2.0, 0.75, 0.75), unit="HU", about=about)
    about = About(modality="PT", frame_of_reference_uid="1.2.3")
    pet = _centred(patient.pet, (2.0, 2.0, 2.0), unit="Bq/ml", about=about, suv=Suv(FACTOR))
    for volume, volume_id in ((ct, CT_ID), (pet, PET_ID)):
        store.write(volume, volumes / volume_id, volume_id, volume.about.modality)
    prepare(site.engine)
    stored_volumes.note_all(site.engine, volumes)


def _centred(array: np.ndarray, spacing: tuple[float, float, float], **known) -> Volume:
    affine = np.diag([*reversed(spacing), 1.0])
    affine[:3, 3] = -np.multiply(spacing, array.shape)[::-1] / 2
    return Volume(array, "made up", spacing, orientation="LPS", affine=affine, **known)
