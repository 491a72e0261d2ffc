"""``python -m bench.throughput``: Waybill, plain Dramatiq and Celery side by side, as one table with ratios.

Each system is measured in a process of its own (``bench.measure``), with its own servers, one after the
other; ``--runs`` goes round all of them so often and shows medians. Absolute numbers say more about the
machine than about the systems: read the ratios, and only within one table.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from bench.measure import SYSTEMS

LIMIT = 240  # seconds for one measurement
FIGURES = ("send", "bulk", "drain", "p50", "p99")
CELERY = {"sqlite": "celery-sqlite", "postgresql": "celery-postgresql"}
HEAD = "system|jobs|send/s|xD|xC|bulk/s|drain/s|xD|xC|p50 ms|xD|xC|p99 ms|xD|xC".split("|")
WIDTHS = (38, 7, 8, 6, 6, 9, 9, 6, 6, 9, 6, 6, 9, 6, 6)
QUIET = 0.1  # of the machine, taken by others just before a measurement
LEGEND = """\
send     sends per second, one after the other, one thread, nobody consuming
bulk     jobs per second that one call accepts, where there is such a call
drain    starts per second while that many waiting jobs are worked off, first start to last
p50, p99 milliseconds from just before a send to the start of its body, 100 sends a second
xD, xC   times the figure of plain Dramatiq, and of Celery with the same database"""


def main() -> int:
    options = parse()
    rounds = [{name: measured(name) for name in options.only} for _ in range(options.runs)]
    results = {name: medians([one[name] for one in rounds]) for name in options.only}
    print_table(results)
    print_other_work(rounds)
    if options.json:
        options.json.write_text(json.dumps({"medians": results, "runs": rounds}, indent=2) + "\n")
    return 1 if any("error" in result for result in results.values()) else 0


def parse() -> argparse.Namespace:
    names = ", ".join(SYSTEMS)
    parser = argparse.ArgumentParser(prog="python -m bench.throughput", description="Measures, side by side.")
    parser.add_argument("--runs", type=int, default=1, help="rounds; medians are shown (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=SYSTEMS, metavar="NAME", help=names)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here too")
    return parser.parse_args()


def measured(name: str) -> dict:
    """The figures of one system, or the reason why there are none: one that fails does not end the others."""
    print(f"measuring {SYSTEMS[name].label} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "bench.measure", name]
    busy = taken_by_others()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"error": f"not within {LIMIT} s"}
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    return json.loads(done.stdout.splitlines()[-1]) | {"taken_by_others": busy}


def taken_by_others(seconds: float = 1) -> float:
    """The part of the machine's processor time that was in use while this process did nothing."""
    before = cpu_times()
    time.sleep(seconds)
    spent = [after - earlier for after, earlier in zip(cpu_times(), before, strict=True)]
    return 1 - (spent[3] + spent[4]) / max(1, sum(spent))  # idle and waiting for a disk


def cpu_times() -> list[int]:
    return [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]


def medians(runs: list[dict]) -> dict:
    good = [run for run in runs if "error" not in run]
    if not good:
        return runs[-1]
    return {"jobs": good[0]["jobs"]} | {figure: _median(run[figure] for run in good) for figure in FIGURES}


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def print_table(results: dict[str, dict]) -> None:
    print()
    print_row(HEAD)
    for name, result in results.items():
        if "error" in result:
            print(f"{SYSTEMS[name].label:38} failed: {result['error']}")
        else:
            print_row(row(name, results))
    print(f"\n{LEGEND}")


def print_other_work(rounds: list[dict[str, dict]]) -> None:
    busy = max((run.get("taken_by_others", 0) for one in rounds for run in one.values()), default=0)
    verdict = "" if busy < QUIET else ": other work was running, do not trust these figures"
    print(f"\n{os.cpu_count()} cores, up to {busy:.0%} taken by others between measurements{verdict}")


def row(name: str, results: dict[str, dict]) -> list[str]:
    mine = results[name]
    dramatiq = results.get("dramatiq", {})
    celery = results.get(CELERY.get(SYSTEMS[name].database, ""), {})
    return [
        SYSTEMS[name].label,
        f"{mine['jobs']:,}",
        rate(mine, "send"), ratio(mine, dramatiq, "send"), ratio(mine, celery, "send"),
        rate(mine, "bulk"),
        rate(mine, "drain"), ratio(mine, dramatiq, "drain"), ratio(mine, celery, "drain"),
        f"{mine['p50']:,.1f}", ratio(mine, dramatiq, "p50"), ratio(mine, celery, "p50"),
        f"{mine['p99']:,.1f}", ratio(mine, dramatiq, "p99"), ratio(mine, celery, "p99"),
    ]  # fmt: skip


def rate(mine: dict, figure: str) -> str:
    return f"{mine[figure]:,.0f}" if mine[figure] is not None else "-"


def ratio(mine: dict, other: dict, figure: str) -> str:
    if mine is other or not other.get(figure) or mine.get(figure) is None:
        return "-"
    times = mine[figure] / other[figure]
    return f"{times:.2f}" if times < 10 else f"{times:.0f}"


def print_row(cells: Iterable[str]) -> None:
    name, *figures = cells
    padded = [f"{cell:>{width}}" for cell, width in zip(figures, WIDTHS[1:], strict=True)]
    print(f"{name:{WIDTHS[0]}}{''.join(padded)}")


if __name__ == "__main__":
    sys.exit(main())
