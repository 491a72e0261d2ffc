"""The colours of the volume page are the standard's, and those of the one for any colour vision."""

import json

import cmap
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_palette_files

from tests.processes import ROOT

FILE = json.loads((ROOT / "web" / "static" / "volume" / "palettes.json").read_text())


def table(name: str) -> np.ndarray:
    return np.array(FILE["palettes"][name])


@pytest.mark.parametrize("name, file", [("hot-iron", "hotiron"), ("pet", "pet"), ("pet-20-step", "pet20step")])
def test_the_standards_palettes_are_those_that_pydicom_ships(name, file):
    (path,) = get_palette_files(f"{file}.dcm")
    dataset = dcmread(path)
    colours = [
        np.frombuffer(dataset[f"{colour}PaletteColorLookupTableData"].value, np.uint8)
        for colour in ("Red", "Green", "Blue")
    ]
    assert np.array_equal(table(name), np.transpose(colours))
    assert dataset.PaletteColorLookupTableUID in FILE["sources"][name]


def test_viridis_is_that_of_its_authors():
    assert np.abs(table("viridis") / 255 - np.asarray(cmap.Colormap("bids:viridis").lut(256))[:, :3]).max() < 0.002


def test_grey_is_grey_and_inverted_grey_its_opposite():
    levels = np.arange(256)[:, None].repeat(3, axis=1)
    assert np.array_equal(table("grey"), levels) and np.array_equal(table("grey-inverted"), 255 - levels)


def test_every_palette_has_256_colours_and_says_whence_it_comes():
    assert FILE["palettes"].keys() == FILE["sources"].keys()
    for name in FILE["palettes"]:
        assert table(name).shape == (256, 3) and 0 <= table(name).min() <= table(name).max() <= 255
