"""The bench of volumes measures what it says, beside a limit that does the same work."""

import numpy as np
import pytest

from bench.volumes.__main__ import measured, memory, said, shown, waited
from bench.volumes.browser import waits
from bench.volumes.made import Patient
from bench.volumes.stages import stages


@pytest.fixture
def patient(tmp_path) -> Patient:
    return Patient(tmp_path, (20, 33, 34), (18, 17, 16))


def test_the_volumes_are_a_ct_and_a_pet_of_the_asked_size(patient):
    assert (patient.ct.shape, patient.ct.dtype) == ((20, 33, 34), np.int16)
    assert (patient.pet.shape, patient.pet.dtype) == ((18, 17, 16), np.float32)
    assert patient.ct.min() < -900 < 40 < patient.ct.max() and patient.raw.size == patient.ct.nbytes


def test_every_stage_is_measured_and_told_as_a_row(patient, capsys):
    found = [shown(measured(stage, 1)) for stage in stages(patient)]
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == len(found) >= 10 and all(row.count("|") == 8 for row in rows)
    assert all(each["ratio"] == each["ours"] / each["least"] > 0 for each in found)


def test_what_is_slower_than_its_aim_is_missed(capsys):
    assert [shown(said("a", "b", 1.0, 2.0, aim))["reached"] for aim in (None, 2.0, 1.9)] == [None, True, False]
    assert "| missed |" in capsys.readouterr().out


def test_memory_is_that_of_a_process_of_its_own(patient):
    found = memory(patient)
    assert found["least"] == patient.ct.nbytes / 2**20 and 30 < found["ours"] < 400


def test_the_browser_waits_for_a_picture_all_voxels_and_each_move(tmp_path):
    found = [shown(waited(wait)) for wait in waits(Patient(tmp_path, (20, 64, 60), (18, 27, 26)))]
    first, whole, moved = (each["ours"] for each in found)
    assert 0 < first <= whole and 0 < moved < 1
