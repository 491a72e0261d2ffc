"""The jobs on volumes, run as functions inside a run that only writes down what they report."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from ledger.settings import settings
from tests.processes import ROOT
from workers import context
from workers.catalog import announce
from workers.context import Canceled, UploadFile
from workers.jobs.volume.errors import NotOneSource, OutsideFolder, SizeMismatch, VolumeError
from workers.jobs.volumes import load, make_phantom


@dataclass
class Notebook:
    """A run for ``context.current`` that keeps its reports, and is canceled at a note when told so."""

    run_id: str = "run"
    attempt: int = 1
    cancel_at: str = "never"
    notes: list[tuple[int, int, str]] = field(default_factory=list)
    artifacts: dict[str, tuple[bytes, str, str]] = field(default_factory=dict)
    volumes: dict[str, dict] = field(default_factory=dict)
    measurements: list[tuple[str, dict, dict]] = field(default_factory=list)
    corrections: dict[str, dict] = field(default_factory=dict)

    def canceled(self) -> bool:
        return bool(self.notes) and self.notes[-1][2].startswith(self.cancel_at)

    def progress(self, done, total, note) -> None:
        self.notes.append((done, total, note))

    def artifact(self, name, data, media_type, title) -> None:
        self.artifacts[name] = (data, media_type, title)

    def volume(self, sidecar) -> None:
        self.volumes[self.run_id] = sidecar

    def measurement(self, volume_id, rule, figures) -> bool:
        self.measurements.append((volume_id, rule, figures))
        return volume_id in self.volumes

    def correction(self, volume_id, suv, reason) -> bool:
        self.corrections[volume_id] = suv
        return volume_id in self.volumes

    def sidecar_of(self, volume_id) -> dict | None:
        said = self.volumes.get(volume_id)
        return said and said | ({"suv": self.corrections[volume_id]} if volume_id in self.corrections else {})


@pytest.fixture
def run():
    notebook = Notebook()
    token = context.current.set(notebook)
    yield notebook
    context.current.reset(token)


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("WAYBILL_VAR", str(tmp_path))
    settings.cache_clear()
    yield context.files_dir()
    settings.cache_clear()


def test_a_worker_that_starts_does_not_wait_for_libraries_that_only_readers_need():
    told = "import sys, tests.conftest, workers.jobs; print({'scipy', 'nibabel', 'pydicom'} & set(sys.modules))"
    asked = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert asked.stdout == "set()\n"


def test_a_phantom_is_written_and_says_how_to_load_it(run, files):
    result = make_phantom(shape="20x24x30", dtype="int16")
    assert (files / "phantom.mpv").stat().st_size == result["bytes"] == 20 * 24 * 30 * 2
    assert result["next"] == "Start volumes.load with path=phantom.mpv, shape=20x24x30, dtype=int16."
    assert list(run.artifacts) == ["mip-coronal.png"] and run.notes[-1] == (30, 30, "writing slices")


def test_a_phantom_is_loaded_with_what_its_result_says(run):
    made = make_phantom(shape="20x24x30", dtype="int16")
    result = load(path=made["path"], shape=made["shape"], dtype=made["dtype"])
    assert result["shape"] == "20x24x30" and result["dtype"] == "int16" and result["nonfinite"] == 0
    assert sum(result["histogram"]["counts"]) == result["voxels"] == 20 * 24 * 30
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_loading_attaches_a_histogram_three_slices_and_three_projections(run):
    make_phantom(shape="20x24x30")
    run.artifacts.clear()
    load(path="phantom.mpv", shape="20x24x30")
    assert list(run.artifacts) == [
        "histogram.svg", "axial.png", "coronal.png", "sagittal.png",
        "mip-axial.png", "mip-coronal.png", "mip-sagittal.png",
    ]  # fmt: skip
    data, media_type, title = run.artifacts["axial.png"]
    assert (
        data.startswith(b"\x89PNG") and media_type == "image/png" and title.startswith("Axial slice 16 of 30")
    )


def test_progress_goes_up_from_reading_to_done(run):
    make_phantom(shape="20x24x30")
    run.notes.clear()
    load(path="phantom.mpv", shape="20x24x30")
    assert [note.split(",")[0] for _, _, note in run.notes] == [
        "reading", "statistics", "slices", "projections", "done"
    ]  # fmt: skip
    assert [done for done, _, _ in run.notes] == sorted(done for done, _, _ in run.notes)
    assert run.notes[-1][:2] == (100, 100)


def test_an_uploaded_file_is_loaded_by_its_own_name(run, tmp_path):
    np.save(tmp_path / "stored.npy", np.arange(24.0).reshape(2, 3, 4))
    path = tmp_path / "stored.npy"
    assert load(file=UploadFile(path, "brain.npy", path.stat().st_size))["max"] == 23.0


def test_a_cancel_is_noticed_between_two_steps(run):
    make_phantom(shape="20x24x30")
    run.cancel_at = "statistics"
    with pytest.raises(Canceled):
        load(path="phantom.mpv", shape="20x24x30")
    assert "axial.png" not in run.artifacts


def test_a_phantom_that_is_canceled_leaves_no_file(run, files):
    run.cancel_at = "writing"
    with pytest.raises(Canceled):
        make_phantom()
    assert list(files.iterdir()) == []


@pytest.mark.parametrize("both, said", [(True, "both were given"), (False, "neither was given")])
def test_exactly_one_of_file_and_path_has_to_be_given(run, tmp_path, both, said):
    given = {"file": UploadFile(tmp_path / "a", "a", 0), "path": "a"} if both else {}
    with pytest.raises(NotOneSource, match=said):
        load(**given)


def test_a_path_out_of_the_files_folder_is_refused(run):
    with pytest.raises(OutsideFolder):
        load(path="../../etc/passwd", shape="1x1x1")


def test_a_raw_file_that_does_not_fit_says_what_would(run):
    make_phantom(shape="20x24x30")
    with pytest.raises(SizeMismatch, match="It would fit as uint8 or int8"):
        load(path="phantom.mpv", shape="20x24x30", dtype="int16")


@pytest.mark.parametrize("actor", [load, make_phantom])
def test_a_persons_mistake_is_not_retried(actor):
    assert issubclass(SizeMismatch, actor.options["throws"]) and actor.options["throws"] is VolumeError
    assert actor.options["max_retries"] == 0 and actor.queue_name == "volumes"


@pytest.mark.parametrize("actor", [load, make_phantom])
def test_every_field_of_the_form_is_explained(actor):
    fields = announce(actor).parameters["properties"]
    assert fields and all(field.get("description") for field in fields.values())
