"""``python -m bench.volumes``: how long each stage of loading a CT and a PET takes, beside the least it could.

Both are timed in turn, the best of some rounds counts. Prints a table in Markdown, as ``docs/performance.md`` shows it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.throughput import taken_by_others
from bench.volumes.browser import Wait, waits
from bench.volumes.made import Patient
from bench.volumes.stages import Stage, stages

HEAD = "stage|the least|s|here s|ratio|aim|".split("|")
MEMORY_FACTOR, MEMORY_MB = 1.4, 120


def main() -> int:
    options = parse()
    busy = taken_by_others()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        patient = Patient(Path(folder), tuple(options.ct), tuple(options.pet))
        print(f"{line(HEAD)}\n{line('---' for _ in HEAD)}", flush=True)
        found = [shown(measured(stage, options.rounds)) for stage in stages(patient)]
        found.append(shown(memory(patient)))
        if not options.without_browser:
            found += [shown(waited(wait)) for wait in waits(patient)]
    print(f"\n{os.cpu_count()} cores, {busy:.0%} taken by others. CT {spoken(options.ct)}, PET {spoken(options.pet)}.")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(any(each["reached"] is False for each in found))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.volumes", description="Measures how volumes are loaded.")
    add = parser.add_argument
    add("--ct", type=int, nargs=3, default=[400, 512, 512], metavar=("Z", "Y", "X"), help="voxels (400 512 512)")
    add("--pet", type=int, nargs=3, default=[400, 200, 200], metavar=("Z", "Y", "X"), help="voxels (400 200 200)")
    add("--rounds", type=int, default=3, help="of which the best counts (%(default)s)")
    add("--folder", type=Path, help="where files are made, about 1 GB (the system's for temporary files)")
    add("--without-browser", action="store_true", help="leave out what Chromium has to do")
    add("--json", type=Path, metavar="FILE", help="write all figures here too")
    return parser.parse_args()


def measured(stage: Stage, rounds: int) -> dict:
    times = [(seconds(stage.least), seconds(stage.ours)) for _ in range(rounds)]
    least, ours = (min(each) for each in zip(*times, strict=True))
    return said(stage.name, stage.limit, least, ours, stage.target)


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    result = work()
    taken = time.perf_counter() - began
    del result  # giving memory back is nobody's work here
    return taken


def memory(patient: Patient) -> dict:
    """In MB instead of seconds, beside the volume itself."""
    command = [sys.executable, "-m", "bench.volumes.memory", str(patient.raw.path), *map(str, patient.ct_shape)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    volume, _, peak = map(float, output.split())
    aim = MEMORY_FACTOR + MEMORY_MB / volume
    return said("memory to load and keep the CT, MB", "the volume", volume, peak, aim)


def waited(wait: Wait) -> dict:
    if wait.most is None:
        return said(wait.name, "a second", 1.0, wait.seconds, None)
    return said(wait.name, "what nobody waits for", wait.most, wait.seconds, 1.0)


def said(name: str, limit: str, least: float, ours: float, aim: float | None) -> dict:
    ratio = ours / least
    found = {"stage": name, "limit": limit, "least": least, "ours": ours, "ratio": ratio, "aim": aim}
    return found | {"reached": None if aim is None else ratio <= aim}


def shown(found: dict) -> dict:
    aim = "" if found["aim"] is None else f"{found['aim']:.3g}"
    reached = {None: "", True: "reached", False: "missed"}[found["reached"]]
    figures = [f"{found[each]:.3g}" for each in ("least", "ours", "ratio")]
    print(line([found["stage"], found["limit"], *figures, aim, reached]), flush=True)
    return found


def line(cells) -> str:
    return f"| {' | '.join(cells)} |"


def spoken(shape: list[int]) -> str:
    return " x ".join(map(str, reversed(shape)))


if __name__ == "__main__":
    sys.exit(main())
