"""What somebody waits for at the page of a volume, in Chromium without a GPU: a PET over a CT, nothing cached."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import numpy as np
from playwright.sync_api import Page, sync_playwright

from bench.volumes.made import Patient
from ledger.engine import open_engine
from tests import stored_volumes
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.ledgers import prepare
from tests.processes import Processes, free_port
from tests.stack import READY_SECONDS
from tests.stack import Site as Served
from tests.stored_volumes import CT_ID, FACTOR, PET_ID
from workers.jobs.volume import store
from workers.jobs.volume.volume import About, Suv, Volume

#: Seconds; what somebody sees after them was not waited for.
FIRST_PICTURE, PLANES = 1.0, 0.05
MOVES = 15
POLL_MS = 200

#: The page says when it had drawn, and is not disturbed meanwhile.
SEEN, WHOLE = (
    f"() => performance.getEntriesByName('{mark}')[0]?.startTime" for mark in ("volume-first-picture", "volume-whole")
)
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
    var = patient.folder / "var"
    _keep(patient, var)
    with site(var) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=address)
        path = f"/volumes/{CT_ID}?over={PET_ID}"
        httpx.get(f"{address}{path}").raise_for_status()  # a site compiles its templates for its first visitor
        page.goto(path, wait_until="commit")
        yield Wait("browser: first picture", _when(page, SEEN), FIRST_PICTURE)
        yield Wait("browser: full resolution", _when(page, WHOLE), None)
        yield Wait("browser: three fused planes", median(page.evaluate(MOVED, MOVES)) / 1000, PLANES)
        browser.close()


@contextmanager
def site(var: Path) -> Iterator[str]:
    """The address of a site as it is served to people, in a process of its own, with what is kept in ``var``."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with Processes(var.parent, WAYBILL_VAR=var, PORT=port) as processes:
        started = processes.python("-m", "web")
        started.wait_until(Served(address).is_up, READY_SECONDS, "the site answers")
        yield address


def _when(page: Page, condition: str) -> float:
    """Seconds from the click to when it holds."""
    return page.wait_for_function(condition, polling=POLL_MS, timeout=120_000).json_value() / 1000


def _keep(patient: Patient, var: Path) -> None:
    about = About(modality="CT", frame_of_reference_uid="1.2.3")
    ct = _centred(patient.ct, (2.0, 0.75, 0.75), unit="HU", about=about)
    about = About(modality="PT", frame_of_reference_uid="1.2.3")
    pet = _centred(patient.pet, (2.0, 2.0, 2.0), unit="Bq/ml", about=about, suv=Suv(FACTOR))
    for volume, volume_id in ((ct, CT_ID), (pet, PET_ID)):
        store.write(volume, var / "volumes" / volume_id, volume_id, volume.about.modality)
    engine = open_engine(f"sqlite:///{var / 'ledger.db'}")
    prepare(engine)
    stored_volumes.note_all(engine, var / "volumes")
    engine.dispose()


def _centred(array: np.ndarray, spacing: tuple[float, float, float], **known) -> Volume:
    affine = np.diag([*reversed(spacing), 1.0])
    affine[:3, 3] = -np.multiply(spacing, array.shape)[::-1] / 2
    return Volume(array, "made up", spacing, orientation="LPS", affine=affine, **known)
