"""``python -m bench.volumes.memory RAW Z Y X``: the most memory that loading and keeping such a CT takes, as MB.

A process of its own, for the most that a process ever had is all that the system tells. ``resource`` would tell of its
parent, too, up to the moment at which it became another program.
"""

import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from workers.jobs.volume import read, store
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import About


def main(path: str, *lengths: str) -> None:
    before = peak_mb()
    volume = read.volume(Source(Path(path), "ct.raw"), Recipe(tuple(map(int, lengths)), "int16"))
    volume = replace(volume, unit="HU", about=About(modality="CT"))
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        store.write(volume, Path(folder) / "kept", "ct", "CT")
    print(volume.array.nbytes / 2**20, before, peak_mb())


def peak_mb() -> float:
    return int(re.search(r"VmHWM:\s*([0-9]+) kB", Path("/proc/self/status").read_text())[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
