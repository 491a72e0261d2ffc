"""volumes.ingest, volumes.measure and volumes.correct_suv, run as functions: what is kept, offered, measured, refused,
and that nothing is left of what was refused."""

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ledger.files import remove_volume
from ledger.ids import new_id
from ledger.settings import settings
from ledger.volume_files import LABELS, MASK, MEASUREMENTS
from tests.dicoms import shared, slice_of
from tests.test_volume_jobs import Notebook, files, run  # noqa: F401
from workers import context
from workers.context import Canceled, UploadFile
from workers.jobs.corrections import NoActivity, correct_suv
from workers.jobs.measurements import measure
from workers.jobs.volume import phantom, stored
from workers.jobs.volume.errors import BadValue, NotOneSource, VolumeError
from workers.jobs.volume.stored import VolumeGone
from workers.jobs.volumes import ingest


def upload(path: Path) -> UploadFile:
    return UploadFile(path, path.name, path.stat().st_size)


def real(name: str) -> UploadFile:
    return upload(shared(name).path)


def kept(run: Notebook) -> tuple[dict, np.ndarray]:  # noqa: F811
    said = run.volumes[run.run_id]
    return said, stored.voxels_in(context.volumes_dir() / run.run_id, said)


def left() -> list[str]:
    """What lies in the folder of volumes, hidden or not."""
    return sorted(path.name for path in context.volumes_dir().iterdir())


def phantom_file(folder: Path, name: str = "mystery.mpv", shape: tuple[int, int, int] = (187, 110, 110)) -> Path:
    path = folder / name
    path.write_bytes(b"".join(slab.tobytes() for slab in phantom.slabs(shape, "uint8", 0.03, 3)))
    return path


def test_a_series_is_kept_with_its_place_and_suv(run):  # noqa: F811
    told = ingest([real("sts_004_pet.zip")])
    said, voxels = kept(run)
    assert told["volume"] == said["id"] == run.run_id and told["shape"] == "43x46x85"
    assert (said["name"], said["subject"], said["modality"], said["unit"]) == ("sts_004_pet", "STS_004", "PT", "g/ml")
    assert voxels.max() * said["suv"]["factor"] == pytest.approx(5.3674, abs=5e-5)
    assert run.notes[-1] == (100, 100, "keeping, slice 85 of 85") and left() == [run.run_id]


def test_what_is_typed_is_worth_more_than_what_the_file_says(run):  # noqa: F811
    ingest([real("sts_004_pet.zip")], name="before", subject="17", label="leg")
    said, _ = kept(run)
    assert (said["name"], said["subject"], said["label"]) == ("before", "17", "leg")


def test_the_name_of_a_patient_is_dropped_unless_a_setting_keeps_it(run, tmp_path, monkeypatch):  # noqa: F811
    folder = tmp_path / "series"
    folder.mkdir()
    for number in range(3):
        data = slice_of(np.full((5, 6), number, np.int16), (0, 0, 2 * number), PatientName="Doe^Jane")
        (folder / f"{number}.dcm").write_bytes(data)
    uploads = [upload(path) for path in sorted(folder.iterdir())]
    ingest(uploads)
    assert kept(run)[0]["patient_name"] == ""
    monkeypatch.setenv("KEEP_PATIENT_NAMES", "true")
    settings.cache_clear()
    ingest(uploads)
    assert "Doe" in kept(run)[0]["patient_name"]


def test_a_folder_on_the_server_is_read(run, files):  # noqa: F811
    with zipfile.ZipFile(shared("dro_0_0.zip").path) as archive:
        archive.extractall(files / "dro")
    assert ingest(path="dro")["shape"] == "256x256x20"


def test_of_several_series_one_has_to_be_chosen(run, tmp_path):  # noqa: F811
    both = tmp_path / "both.zip"
    with zipfile.ZipFile(both, "w") as target:
        for name in ("sts_004_pet.zip", "dro_0_0.zip"):
            with zipfile.ZipFile(shared(name).path) as archive:
                for member in archive.namelist():
                    target.writestr(f"{name}/{member}", archive.read(member))
    offered = ingest([upload(both)])["offered"]
    assert len(offered) == 2 and run.volumes == {} and left() == []
    assert "20 slices of 256 x 256" in " ".join(each["words"] for each in offered)
    chosen = next(each for each in offered if "256 x 256" in each["words"])
    assert ingest([upload(both)], **chosen["arguments"])["shape"] == "256x256x20"


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_the_first_reading_of_a_raw_file_without_a_word_is_right(run, tmp_path, dtype):  # noqa: F811
    path = tmp_path / "file.mpv"
    path.write_bytes(b"".join(slab.tobytes() for slab in phantom.slabs((187, 110, 110), dtype, 0.03, 3)))
    told = ingest([upload(path)])
    assert told["shape"] == "110x110x187" and dtype in told["source"]
    assert told["offered"][0]["arguments"]["shape"] == "110x110x187"
    assert {each["picture"] for each in told["offered"]} <= set(run.artifacts)
    assert "The file does not say how it is to be read." in kept(run)[0]["warnings"][0]


def test_another_reading_is_loaded_by_its_arguments(run, tmp_path):  # noqa: F811
    path = upload(phantom_file(tmp_path))
    second = ingest([path])["offered"][1]["arguments"]
    told = ingest([path], **second)
    assert told["shape"] == second["shape"] and "offered" not in told


def test_what_is_told_of_a_raw_file_is_taken(run, tmp_path):  # noqa: F811
    ingest([upload(phantom_file(tmp_path))], shape="110x110x187", spacing="4 x 4 x 5", unit="HU")
    said, _ = kept(run)
    assert said["spacing_xyz"] == [4.0, 4.0, 5.0] and said["spacing_known"] and said["unit"] == "HU"


def test_a_second_attempt_replaces_what_the_first_has_left(run, tmp_path):  # noqa: F811
    (context.volumes_dir() / run.run_id / "full").mkdir(parents=True)
    ingest([upload(phantom_file(tmp_path, shape=(30, 24, 20)))], shape="20x24x30")
    assert kept(run)[1].shape == (30, 24, 20)


def bomb(folder: Path) -> Path:
    """A zip of 100 kB that unpacks to 100 MB, a thousand times."""
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(40):
            archive.writestr(f"{number}.dcm", bytes(10_000_000))
    return path


def slip(folder: Path) -> Path:
    path = folder / "slip.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../../evil.dcm", b"\0" * 128 + b"DICM")
    return path


def endless_nifti(folder: Path) -> Path:
    """A header that claims 108 TB."""
    header = bytearray(352)
    header[0:4], header[344:348] = (348).to_bytes(4, "little"), b"n+1\0"
    header[40:56] = np.array([3, 30000, 30000, 30000, 1, 1, 1, 1], "<i2").tobytes()
    header[70:74], header[108:112] = np.array([16, 32], "<i2").tobytes(), np.float32(352).tobytes()
    path = folder / "endless.nii"
    path.write_bytes(bytes(header))
    return path


def cut(folder: Path) -> Path:
    path = folder / "cut.nii.gz"
    path.write_bytes(gzip.compress(np.random.default_rng(0).bytes(100_000))[:50_000])
    return path


def empty(folder: Path) -> Path:
    path = folder / "empty.dcm"
    path.touch()
    return path


def renamed(folder: Path) -> Path:
    path = folder / "text.nii"
    path.write_text("no volume\n" * 200)
    return path


def prose(folder: Path) -> Path:
    """Its size fits many volumes, its content none."""
    path = folder / "README"
    path.write_text("Whoever reads this as voxels reads noise. " * 500)
    return path


HOSTILE = (bomb, slip, endless_nifti, cut, empty, renamed, prose)


@pytest.mark.parametrize("made", HOSTILE, ids=lambda made: made.__name__)
def test_what_is_no_volume_ends_as_a_clear_error_and_leaves_nothing(run, tmp_path, made):  # noqa: F811
    before = set(tmp_path.rglob("*"))
    path = made(tmp_path)
    with pytest.raises(VolumeError) as refused:
        ingest([upload(path)])
    assert len(str(refused.value)) > 30 and run.volumes == {} and left() == []
    assert set(tmp_path.rglob("*")) - before <= {path, settings().volumes}
    assert not (tmp_path.parent / "evil.dcm").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bad_gantrytilting_001.zip", "lean by 14.00 degrees"),
        ("bad_notavolume_001.zip", "001.dcm and 002.dcm lie at the same position"),
        ("bad_sliceincrement_001.zip", "are 10 mm apart, but the slices of this series 5 mm"),
    ],
)
def test_what_does_not_stack_is_refused_with_files_and_values(run, name, said):  # noqa: F811
    with pytest.raises(VolumeError, match=said):
        ingest([real(name)])
    assert left() == []


def test_a_load_that_is_canceled_leaves_nothing(run, tmp_path):  # noqa: F811
    run.cancel_at = "keeping"
    with pytest.raises(Canceled):
        ingest([upload(phantom_file(tmp_path))])
    assert left() == [] and run.volumes == {}


def test_one_source_is_wanted(run, tmp_path):  # noqa: F811
    with pytest.raises(NotOneSource):
        ingest()
    with pytest.raises(NotOneSource):
        ingest([upload(phantom_file(tmp_path))], path="x")


# Measuring


@pytest.fixture
def pet(run) -> str:  # noqa: F811
    """A kept PET, then another run."""
    ingest([real("sts_004_pet.zip")])
    volume_id, run.run_id = run.run_id, "measuring"
    return volume_id


def test_a_measurement_is_on_record_with_its_rule_and_its_region(run, pet):  # noqa: F811
    told = measure(pet)
    volume_id, rule, figures = run.measurements[0]
    assert (volume_id, told["unit"], figures["unit"]) == (pet, "SUVbw", "SUVbw")
    assert figures["whole"]["ml"] == told["ml"] == pytest.approx(21.705, abs=5e-4)
    assert rule["cut"] == pytest.approx(0.41 * 5.3674, abs=1e-4) and rule["hottest"]
    folder = context.volumes_dir() / pet / MEASUREMENTS / "measuring"
    labels = np.frombuffer(gzip.decompress((folder / LABELS).read_bytes()), "<u2")
    assert np.count_nonzero(labels) == figures["whole"]["voxels"] and (folder / MASK).stat().st_size > 0
    json.dumps(told)


def test_a_mask_file_limits_what_is_measured(run, pet):  # noqa: F811
    told = measure(pet, rule="mask", mask=real("sts_004_pet_mask.nii.gz"))
    assert told["ml"] == pytest.approx(297.48, abs=5e-3) and run.measurements[0][1]["mask"] == "sts_004_pet_mask.nii.gz"


def test_a_sphere_is_told_by_a_point(run, pet):  # noqa: F811
    told = measure(pet, rule="sphere", centre="-80.1, 33.2 724.2", radius_mm=10)
    assert told["max"] == pytest.approx(5.3674, abs=5e-5) and 3.5 < told["ml"] < 5


@pytest.mark.parametrize("wrong", [{"centre": "here"}, {"centre": "1, 2, 3"}, {"centre": "1 2 3", "radius_mm": -1}])
def test_a_sphere_that_is_none_is_refused(run, pet, wrong):  # noqa: F811
    with pytest.raises(BadValue):
        measure(pet, rule="sphere", **wrong)


def test_a_volume_that_is_deleted_while_it_is_measured_leaves_nothing_on_disk(run, monkeypatch):  # noqa: F811
    pet = run.run_id = new_id()
    ingest([real("sts_004_pet.zip")])

    def noted(done, total, note) -> None:
        if note == "measuring":
            remove_volume(context.volumes_dir(), pet)

    monkeypatch.setattr(run, "progress", noted)
    run.run_id = new_id()
    with pytest.raises(VolumeGone):
        measure(pet)
    assert not list(context.volumes_dir().iterdir())


def test_a_volume_that_is_gone_says_so(run):  # noqa: F811
    for act in (measure, lambda volume: correct_suv(volume, 70, 368)):
        with pytest.raises(VolumeGone, match="is not there"):
            act("01900000-0000-7000-8000-000000000000")


# Correcting


def test_a_dose_that_is_told_by_hand_makes_the_suv(run):  # noqa: F811
    ingest([real("dro_0_0.zip")])
    volume_id = run.run_id
    times = {"injected": "2010-01-02 10:00:00", "corrected_to": "2010-01-02 11:00:00"}
    told = correct_suv(volume_id, 70, 368.08, **times, reason="typing error")
    assert told["factor"] == pytest.approx(2.777781e-4, rel=1e-6)
    assert run.corrections[volume_id]["notes"][0] == "Corrected by hand."
    run.run_id = "measuring"
    assert measure(volume_id, rule="absolute", threshold=3.9, hottest=False)["max"] == pytest.approx(4.0, rel=1e-5)


def test_no_dose_makes_an_suv_of_what_is_no_activity(run, pet):  # noqa: F811
    with pytest.raises(NoActivity, match="are in g/ml, not in Bq/ml"):
        correct_suv(pet, 70, 368)


def test_a_time_that_is_none_is_refused(run):  # noqa: F811
    ingest([real("dro_0_0.zip")])
    with pytest.raises(BadValue, match="a date and time"):
        correct_suv(run.run_id, 70, 368, injected="yesterday", corrected_to="2010-01-02 11:00:00")


