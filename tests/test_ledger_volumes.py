"""Kept volumes in the ledger: made by the attempt that holds its run, found, corrected, forgotten with their folder."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger import files, volumes
from ledger.claims import Claim
from ledger.errors import VolumeNotFound
from ledger.ids import new_id
from ledger.queries import volumes as queries
from ledger.queries.volumes import Wanted
from ledger.settings import load
from ledger.volumes import NewCorrection, NewMeasurement, NewVolume
from tests.ledger_steps import dispatch, migrated, running, written  # noqa: F401

SUV = {"factor": 2.5e-4, "kind": "BW", "inputs": {"weight": 70}, "notes": []}


def sidecar(**said) -> dict:
    known = {"name": "CT_head", "subject": "", "label": "", "modality": "CT", "acquired": "", "unit": "HU"}
    return known | {"bytes": 1_000, "shape_xyz": [4, 3, 2], "suv": None} | said


def kept(engine: Engine, **said) -> str:
    """The id of a volume that a run made just now."""
    held = running(engine)
    assert written(engine, volumes.keep, new_volume(held, **said))
    return held.id


def new_volume(held: Claim, **said) -> NewVolume:
    return NewVolume(run_id=held.id, claim_token=held.token, sidecar=sidecar(**said))


def measured(engine: Engine, volume_id: str) -> tuple[str, bool]:
    held, rule = running(engine), {"kind": "absolute"}
    told = {"run_id": held.id, "claim_token": held.token, "volume_id": volume_id, "rule": rule}
    return held.id, written(engine, volumes.note_measurement, NewMeasurement(**told, figures={"max": 5.4}))


def corrected(engine: Engine, volume_id: str, weight: float) -> bool:
    held, suv = running(engine), SUV | {"inputs": {"weight": weight}}
    told = {"run_id": held.id, "claim_token": held.token, "volume_id": volume_id, "suv": suv, "reason": "typing error"}
    return written(engine, volumes.note_correction, NewCorrection(**told))


def names(engine: Engine, **wanted) -> list[str]:
    return [each.name for each in queries.page(engine, Wanted(**wanted)).rows]


def test_a_volume_has_the_id_of_its_run_and_its_sidecar(engine):
    volume_id = kept(engine, subject="17")
    found = queries.volume(engine, volume_id)
    assert (found.id, found.subject, found.sidecar) == (volume_id, "17", sidecar(subject="17"))


def test_an_attempt_that_lost_its_run_keeps_nothing(engine):
    held = running(engine)
    assert not written(engine, volumes.keep, replace(new_volume(held), claim_token="stale"))
    with pytest.raises(VolumeNotFound):
        queries.volume(engine, held.id)


def test_a_second_attempt_keeps_the_same_volume(engine):
    held = running(engine)
    for _ in range(2):
        assert written(engine, volumes.keep, new_volume(held))
    assert names(engine) == ["CT_head"]


def test_volumes_are_found_by_text_subject_modality_and_date(engine):
    kept(engine, name="a", subject="17", modality="CT", acquired="2010-01-02T11:00:00")
    kept(engine, name="b", subject="18", modality="PT", acquired="2010-01-03T11:00:00", label="WB 100%")
    assert names(engine) == ["b", "a"]
    assert names(engine, text="100%") == names(engine, subject="18") == names(engine, modality="PT") == ["b"]
    assert names(engine, until="2010-01-02") == ["a"] and names(engine, since="2010-01-03") == ["b"]
    assert names(engine, text="1_0") == [] and queries.modalities(engine) == ("CT", "PT")


def test_a_long_list_is_read_page_by_page(engine):
    ids = [kept(engine, name=str(number)) for number in range(3)]
    before, queries.PAGE = queries.PAGE, 2
    try:
        first = queries.page(engine, Wanted())
        assert [each.id for each in first.rows] == ids[:0:-1] and first.older == ids[1]
        rest = queries.page(engine, Wanted(before=first.older))
        assert [each.id for each in rest.rows] == ids[:1] and rest.older is None
    finally:
        queries.PAGE = before


def test_the_newest_correction_holds_and_the_others_stay_on_record(engine):
    volume_id = kept(engine)
    for weight in (70, 80):
        assert corrected(engine, volume_id, weight)
    assert queries.volume(engine, volume_id).sidecar["suv"]["inputs"] == {"weight": 80}
    newest, first = queries.corrections_of(engine, volume_id)
    assert [each.suv["inputs"]["weight"] for each in (newest, first)] == [80, 70]
    assert newest.before == first.suv and first.before is None, "what the file said"


def test_what_is_measured_goes_with_its_volume(engine):
    volume_id = kept(engine)
    measurement_id, noted = measured(engine, volume_id)
    assert noted and queries.measurements_of(engine, volume_id)[0].figures == {"max": 5.4}
    volumes.forget(engine, volume_id)
    assert queries.measurement(engine, measurement_id) is None
    assert measured(engine, volume_id)[1] is False
    with pytest.raises(VolumeNotFound):
        volumes.forget(engine, volume_id)


def test_a_volume_that_is_not_there_cannot_be_corrected(engine):
    assert not corrected(engine, new_id(), 70)


def test_what_was_uploaded_for_one_run_goes_and_what_others_name_stays(engine, tmp_path):
    settings = load(waybill_var=tmp_path)
    alone, shared = new_id(), new_id()
    for each in (alone, shared):
        Path(settings.uploads, each).mkdir(parents=True)
    files_of = [f"upload:{alone}/a", f"upload:{shared}/b"]
    run_id = dispatch(engine, kwargs={"files": files_of})
    dispatch(engine, kwargs={"files": files_of[1:]})
    files.remove_uploads_of(engine, settings, run_id)
    assert [each.name for each in settings.uploads.iterdir()] == [shared]


def test_folders_that_no_volume_has_go_after_a_day(engine, tmp_path):
    settings = load(waybill_var=tmp_path)
    known, strange, fresh = kept(engine), new_id(), new_id()
    for name in (known, strange, fresh, f".{new_id()}.1.part"):
        folder = Path(settings.volumes, name)
        folder.mkdir(parents=True)
        if name != fresh:
            os.utime(folder, (time.time() - 2 * files.DAY_SECONDS,) * 2)
    files.remove_strange_volumes(engine, settings)
    assert {each.name for each in settings.volumes.iterdir()} == {known, fresh}
