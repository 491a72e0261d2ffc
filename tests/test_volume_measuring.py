"""Regions and their figures: by rule, on the volume's own grid, against numbers that were published or worked out."""

from math import pi

import nibabel
import numpy as np
import pytest

from tests.dicoms import shared
from workers.jobs.volume import read
from workers.jobs.volume.errors import BadValue
from workers.jobs.volume.measuring import figures, masks, peak
from workers.jobs.volume.measuring.components import component_of, labelled
from workers.jobs.volume.measuring.grid import Grid, Sphere
from workers.jobs.volume.measuring.masks import OtherGrid
from workers.jobs.volume.measuring.rules import NothingInside, Rule, region
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume


def cubes(shape: tuple[int, int, int], millimetres: float = 2.0) -> Grid:
    return Grid(shape, np.diag([millimetres, millimetres, millimetres, 1.0]))


def measured(values: np.ndarray, rule: Rule, grid: Grid | None = None, given: np.ndarray | None = None) -> dict:
    grid = grid or cubes(values.shape)
    return figures.measure(values, region(rule, values, grid, given).mask, grid)[0]


@pytest.fixture(scope="module")
def sts_004() -> tuple[np.ndarray, Grid]:
    """The PET in SUV, and its grid."""
    source = shared("sts_004_pet.zip")
    volume = read.volume(source, Recipe())
    return volume.array * np.float32(volume.suv.factor), Grid(volume.array.shape, volume.affine)


def test_a_real_tumour_measures_as_published(sts_004):
    values, grid = sts_004
    lesion = measured(values, Rule("percent", 41, hottest=True), grid)["whole"]
    assert lesion["max"] == pytest.approx(5.3674, abs=5e-5)
    assert (lesion["ml"], lesion["total"]) == (pytest.approx(21.705, abs=5e-4), pytest.approx(57.20, abs=5e-3))
    hot = measured(values, Rule("absolute", 2.5, hottest=True), grid)["whole"]
    assert (hot["ml"], hot["total"]) == (pytest.approx(5.538, abs=5e-4), pytest.approx(16.43, abs=5e-3))


def test_a_mask_that_somebody_drew_measures_as_published(sts_004):
    values, grid = sts_004
    source = shared("sts_004_pet_mask.nii.gz")
    drawn = masks.on_grid(read.volume(source, Recipe()), source.name, grid)
    tumour = measured(values, Rule("mask"), grid, drawn)["whole"]
    assert tumour["voxels"] == 5_962
    assert (tumour["ml"], tumour["mean"]) == (pytest.approx(297.48, abs=5e-3), pytest.approx(1.358, abs=5e-4))


def test_the_sphere_of_a_peak_holds_one_millilitre():
    for steps in ([2.0, 2.0, 2.0], [3.90625, 3.90625, 3.27], [0.5, 0.7, 1.5]):
        grid = Grid((9, 9, 9), np.diag([*steps, 1.0]))
        assert peak.kernel(grid).sum() * grid.voxel_ml == pytest.approx(1.0, rel=5e-3)
    assert 4 / 3 * pi * (peak.RADIUS / 10) ** 3 == pytest.approx(1.0)


def test_the_sphere_of_a_peak_is_round_on_a_turned_grid():
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    turned = Grid((9, 9, 9), np.block([[turn * 2.0, np.zeros((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]]))
    assert peak.kernel(turned).sum() * turned.voxel_ml == pytest.approx(1.0, rel=5e-3)


def test_a_peak_is_the_weighted_mean_of_its_sphere():
    values = np.random.default_rng(0).random((15, 15, 15)).astype(np.float32)
    grid, at = cubes(values.shape), (7, 7, 7)
    values[at] = 9
    weights = peak.kernel(grid)
    reach = weights.shape[0] // 2
    near = values[tuple(slice(each - reach, each + reach + 1) for each in at)]
    told = measured(values, Rule("absolute", 9.0), grid)["whole"]
    assert told["peak"] == told["peak_at_max"] == pytest.approx((near * weights).sum() / weights.sum())


def test_what_of_the_sphere_lies_outside_or_is_no_number_does_not_count():
    values = np.full((9, 9, 9), 2.0, np.float32)
    values[0, 0, 0], values[1, 1, 1] = 3.0, np.nan
    told = measured(values, Rule("absolute", 3.0))["whole"]
    assert 2.0 < told["peak"] < 3.0
    corner = Rule("sphere", within=Sphere((0.0, 0.0, 0.0), 1.0))
    assert measured(np.full((9, 9, 9), 2.0), corner)["whole"]["peak"] == pytest.approx(2.0)


def test_the_highest_peak_may_lie_beside_the_hottest_voxel():
    values = np.zeros((21, 21, 21), np.float32)
    values[10, 10, 4] = 10.0  # alone
    values[8:13, 8:13, 12:17] = 6.0  # a lump
    told = measured(values, Rule("absolute", 5.0))["whole"]
    assert told["peak"] > 4 * told["peak_at_max"] and told["max"] == 10.0


def test_parts_touch_by_faces_edges_and_corners():
    mask = np.zeros((4, 4, 4), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[3, 3, 3] = True
    labels, number = labelled(mask)
    assert number == 2 and labels[0, 0, 0] == labels[1, 1, 1] == 1 and labels[3, 3, 3] == 2
    assert component_of(mask, (3, 3, 3)).sum() == 1


def test_small_parts_are_left_out_and_the_largest_comes_first():
    values = np.zeros((4, 4, 8), np.float32)
    values[0, 0, 0], values[2:, 2:, 4:] = 9.0, 5.0
    told, labels = figures.measure(values, values > 0, cubes(values.shape), smallest=2)
    assert (told["number"], told["whole"]["voxels"], told["whole"]["max"]) == (1, 16, 5.0)
    assert labels[0, 0, 0] == 0 and labels[3, 3, 7] == 1
    both = measured(values, Rule("absolute", 1.0))
    assert [part["voxels"] for part in both["parts"]] == [16, 1] and both["whole"]["voxels"] == 17


def test_a_threshold_holds_its_own_value():
    values = np.arange(8.0, dtype=np.float32).reshape(2, 2, 2)
    assert measured(values, Rule("absolute", 6.0))["whole"]["voxels"] == 2
    assert measured(values, Rule("percent", 100))["whole"]["voxels"] == 1


def test_a_sphere_limits_where_the_maximum_is_looked_for():
    values = np.ones((10, 10, 10), np.float32)
    values[5, 5, 5], values[0, 0, 0] = 4.0, 100.0
    near = Rule("percent", 50, within=Sphere((10.0, 10.0, 10.0), 6.0))
    found = region(near, values, cubes(values.shape))
    assert found.cut == 2.0 and found.mask.sum() == 1 and found.mask[5, 5, 5]


def test_percist_takes_its_threshold_from_the_liver():
    values = np.zeros((20, 20, 20), np.float32)
    values[:10] = np.random.default_rng(0).normal(2.0, 0.2, (10, 20, 20))
    values[15, 10, 10] = 8.0
    liver = Sphere((20.0, 20.0, 9.0), 8.0)
    found = region(Rule("percist", reference=liver), values, cubes(values.shape))
    inside = values[cubes(values.shape).inside(liver)]
    assert found.cut == pytest.approx(1.5 * inside.mean() + 2 * inside.std(), rel=1e-5)
    assert found.mask.sum() == 1 and "mean" in found.notes[0]


def test_a_sphere_holds_the_voxels_whose_middle_lies_in_it():
    grid = Grid((12, 14, 16), np.array([[2.0, 0, 0, -10], [0, 3.0, 0, 5], [0, 0, 4.0, 100], [0, 0, 0, 1]]))
    sphere = Sphere((3.0, 22.0, 120.0), 11.0)
    z, y, x = np.indices(grid.shape)
    distance = np.sqrt((2 * x - 10 - 3) ** 2 + (3 * y + 5 - 22) ** 2 + (4 * z + 100 - 120) ** 2)
    assert (grid.inside(sphere) == (distance <= 11.0)).all()
    assert not grid.inside(Sphere((900.0, 0.0, 0.0), 5.0)).any()


@pytest.mark.parametrize(
    "rule",
    [
        Rule("sphere", within=Sphere((900.0, 0.0, 0.0), 5.0)),
        Rule("absolute", 99.0),
        Rule("percist", reference=Sphere((900.0, 0.0, 0.0), 5.0)),
    ],
    ids=["outside", "too high", "no liver"],
)
def test_a_region_without_a_voxel_says_why(rule: Rule):
    with pytest.raises(NothingInside, match="No voxel is in that region: "):
        measured(np.ones((4, 4, 4), np.float32), rule)


@pytest.mark.parametrize(
    ("kind", "said", "wanted"),
    [
        ("percent", {"threshold": 0}, "a percentage"),
        ("percent", {"threshold": 101}, "a percentage"),
        ("absolute", {}, "the least value"),
        ("sphere", {}, "a centre and a radius"),
        ("percist", {}, "a sphere in the liver"),
    ],
)
def test_a_rule_without_its_numbers_is_refused(kind, said, wanted):
    with pytest.raises(BadValue, match=wanted):
        Rule(kind, **said)


def test_a_mask_on_another_grid_is_refused_and_never_resampled():
    grid = cubes((4, 5, 6))
    with pytest.raises(OtherGrid, match="It has 6 x 5 x 3 voxels, the volume has 6 x 5 x 4"):
        masks.on_grid(Volume(np.ones((3, 5, 6)), "mask"), "mask.nii", grid)
    moved = grid.affine + np.array([[0, 0, 0, 1.0]] + 3 * [[0, 0, 0, 0]])
    with pytest.raises(OtherGrid, match=r"lies up to 1\.00 mm"):
        masks.on_grid(Volume(np.ones((4, 5, 6)), "mask", affine=moved), "mask.nii", grid)


def test_a_region_comes_back_from_its_nifti(tmp_path):
    labels = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype(np.uint16)
    grid = Grid((4, 5, 6), np.array([[2.0, 0, 0, -10], [0, 3.0, 0, 5], [0, 0, 4.0, 100], [0, 0, 0, 1]]))
    masks.write(labels, grid, tmp_path / "mask.nii.gz")
    assert (nibabel.load(tmp_path / "mask.nii.gz").get_fdata().T == labels).all()
    again = read.volume(Source(tmp_path / "mask.nii.gz", "mask.nii.gz"), Recipe())
    assert (masks.on_grid(again, "mask", grid) == (labels > 0)).all()
