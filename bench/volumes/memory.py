"""``python -m bench.volumes.memory RAW Z Y X``: the most memory that loading and keeping such a CT takes, as MB.

A process of its own, for the most that a process ever had is all that the system tells.
"""

import resource
import sys
import tempfile
from pathlib import Path

from bench.volumes.stages import of_ct
from workers.jobs.volume import read, store
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source


def main(path: str, *lengths: str) -> None:
    before = peak_mb()
    volume = read.volume(Source(Path(path), "ct.raw"), Recipe(tuple(map(int, lengths)), "int16"))
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        store.write(of_ct(volume.array), Path(folder) / "kept", "ct", "CT")
    print(volume.array.nbytes / 2**20, before, peak_mb())


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
