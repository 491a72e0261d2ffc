"""``python -m bench.ticks``: how punctual Waybill's scheduler and celery beat are, with the same schedules.

Each is alone while it is measured. Prints tables in Markdown, as ``docs/performance.md`` shows them.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from bench.throughput import taken_by_others
from bench.ticks.celery_beat import CeleryBeat
from bench.ticks.load import SHAPES, Load, beginning
from bench.ticks.timekeeper import Timekeeper
from bench.ticks.waybill import OnPostgresql, OnSqlite, Waybill

SYSTEMS: dict[str, type[Timekeeper]] = {each.name: each for each in (OnSqlite, OnPostgresql, CeleryBeat)}
HEAD = "schedules|due|system|seen|p50 ms|p99 ms|worst ms|p99, of beat's|core|of beat's|MB|edit s".split("|")
PREPARED_PER_SECOND = 300  # schedules that are made and taken over by the scheduler
TITLES = {"spread": "Evenly over the time", "minute": "All at the full minute"}
LEGEND = """\
p50, p99   milliseconds from a tick's time to when a worker could have its run
core       processor time of the scheduler as a part of one core; MB: the most memory it had
edit       seconds from the commit of an edit to the run it was to make, the worst of ten"""


def main() -> int:
    options = parse()
    found = []
    for shape in options.shapes:
        print(f"\n{TITLES[shape]}\n\n{line(HEAD)}\n{line('---' for _ in HEAD)}", flush=True)
        for count in options.schedules:
            found += measured_together(shape, count, options)
    print(f"\n{LEGEND}\n\n{os.cpu_count()} cores, up to {max(each['busy'] for each in found):.0%} taken by others")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(any("error" in each for each in found))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ticks", description="Measures punctuality, side by side.")
    add = parser.add_argument
    add("--schedules", type=int, nargs="+", default=[10, 1_000, 10_000], help="how many (10 1000 10000)")
    add("--only", nargs="+", choices=SYSTEMS, default=["waybill-sqlite", "celery"], metavar="NAME",
        help=f"{', '.join(SYSTEMS)} (without PostgreSQL)")  # fmt: skip
    add("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES), help="when they fall due (both)")
    add("--seconds", type=int, default=60, help="measured, of those that are spread (%(default)s)")
    add("--settle", type=float, default=10, help="seconds to start in, besides one for 300 schedules (%(default)g)")
    add("--json", type=Path, metavar="FILE", help="write all figures here too")
    return parser.parse_args()


def measured_together(shape: str, count: int, options: argparse.Namespace) -> list[dict]:
    found = [measured(SYSTEMS[name], shape, count, options) for name in options.only]
    beat = next((each for each in found if each["name"] == "celery"), {})
    for each in found:
        print(line(row(each, beat)), flush=True)
    return found


def measured(system: type[Timekeeper], shape: str, count: int, options: argparse.Namespace) -> dict:
    """Its figures, or the reason why there are none: one that fails does not end the others."""
    print(f"measuring {system.label}, {count:,} schedules ...", file=sys.stderr, flush=True)
    said = {"name": system.name, "label": system.label, "shape": shape, "schedules": count, "busy": taken_by_others()}
    try:
        return said | figures(system, shape, count, options)
    except (OSError, RuntimeError, ValueError) as error:
        print(error, *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
        return said | {"error": str(error).partition("\n")[0]}


def figures(system: type[Timekeeper], shape: str, count: int, options: argparse.Namespace) -> dict:
    seconds = 60 if shape == "minute" else options.seconds
    lead = options.settle + count / PREPARED_PER_SECOND

    def load() -> Load:
        return Load(shape, count, beginning(shape, time.time() + lead), seconds)

    with system(load) as keeper:
        return asdict(keeper.measure()) | {"edit": keeper.edits() if isinstance(keeper, Waybill) else None}


def row(each: dict, beat: dict) -> list[str]:
    if "error" in each:
        return [f"{each['schedules']:,}", "-", each["label"], each["error"], *("-" for _ in HEAD[4:])]
    return [
        f"{each['schedules']:,}", f"{each['due']:,}", each["label"], f"{each['made']:,}",
        *(f"{each[figure]:,.1f}" for figure in ("p50", "p99", "most")), ratio(each, beat, "p99"),
        f"{each['cpu']:.3f}", ratio(each, beat, "cpu"), f"{each['memory']:.0f}",
        "-" if each["edit"] is None else f"{each['edit']:.2f}",
    ]  # fmt: skip


def ratio(mine: dict, other: dict, figure: str) -> str:
    return f"{mine[figure] / other[figure]:.2f}" if other.get(figure) and mine is not other else "-"


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
