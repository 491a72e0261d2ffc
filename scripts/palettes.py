"""Writes the colours of the volume page: `python scripts/palettes.py` after an upgrade of pydicom or cmap.

The standard's palettes are those of DICOM PS3.6 annex B, as pydicom ships them; viridis is public domain (CC0).
"""

import json
from pathlib import Path

import cmap
import numpy as np
from pydicom.pixels import apply_color_lut

TARGET = Path(__file__).parent.parent / "web" / "static" / "volume" / "palettes.json"
SOURCES = {
    "grey": "white on black",
    "grey-inverted": "black on white",
    "hot-iron": "DICOM PS3.6 annex B, Hot Iron (1.2.840.10008.1.5.1), by pydicom",
    "pet": "DICOM PS3.6 annex B, PET (1.2.840.10008.1.5.2), by pydicom",
    "pet-20-step": "DICOM PS3.6 annex B, PET 20 Step (1.2.840.10008.1.5.4), by pydicom",
    "viridis": "Nathaniel J. Smith, Stefan van der Walt, Eric Firing; CC0; github.com/bids/colormap; by cmap."
    " Told apart with any colour vision",
}
LEVELS = np.arange(256, dtype=np.uint8)


def palettes() -> dict[str, np.ndarray]:
    """256 x 3 tables of red, green and blue by name."""
    grey = np.repeat(LEVELS[:, None], 3, axis=1)
    standard = {
        name: apply_color_lut(LEVELS, palette=name.replace("-", "_").upper())
        for name in ("hot-iron", "pet", "pet-20-step")
    }
    viridis = np.rint(np.asarray(cmap.Colormap("bids:viridis").lut(256))[:, :3] * 255).astype(np.uint8)
    return {"grey": grey, "grey-inverted": 255 - grey} | standard | {"viridis": viridis}


def written() -> str:
    lines = (f'"{name}":{json.dumps(table.tolist(), separators=(",", ":"))}' for name, table in palettes().items())
    tables = ",\n".join(lines)
    return f'{{"sources":{json.dumps(SOURCES, indent=1)},\n"palettes":{{\n{tables}}}}}\n'


if __name__ == "__main__":
    TARGET.write_text(written())
