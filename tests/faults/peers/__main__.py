"""``python -m tests.faults.peers``: one table of three systems under the same faults. It judges nobody: it counts."""

import argparse
import json
import sys
from pathlib import Path

from tests.faults.ground import Ground
from tests.faults.peers.faults import FAULTS, PeerOutcome, run
from tests.faults.peers.systems import SYSTEMS

LEGEND = """\
sent     sends that were tried while it was broken, or around it
refused  sends that raised an error: the caller knows, and has to deal with it
hung     sends that were not answered, a minute and more after all was well again
lost     sends that were accepted and whose body never came to its end
twice    bodies that came to their end more than once
again    bodies that were started more than once, for whatever reason: a crash is a good one
slowest  seconds that the slowest send took"""
WIDTHS = (3, 46, 18, 6, 8, 6, 6, 6, 6, 8)


def main() -> int:
    options = parse()
    outcomes: list[PeerOutcome] = []
    with Ground() as ground:
        for number in options.only or FAULTS:
            for system in SYSTEMS:
                outcome = run(FAULTS[number], system, ground, options.runs, options.short)
                outcomes.append(outcome)
                print(" ".join(row(outcome)), file=sys.stderr, flush=True)
    print_table(outcomes)
    if options.json:
        options.json.write_text(json.dumps([each.asdict() for each in outcomes], indent=1))
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.peers", description=__doc__)
    parser.add_argument("--only", type=int, nargs="+", choices=FAULTS, metavar="N", help="these faults")
    parser.add_argument("--runs", type=int, default=200, help="jobs sent in each (%(default)s)")
    parser.add_argument("--short", action="store_true", help="outages of a tenth of their length")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all outcomes here too")
    return parser.parse_args()


def print_table(outcomes: list[PeerOutcome]) -> None:
    print_row(("#", "fault", "system", "sent", "refused", "hung", "lost", "twice", "again", "slowest"))
    for outcome in outcomes:
        print_row(row(outcome))
    print(f"\n{LEGEND}")


def row(outcome: PeerOutcome) -> tuple[str, ...]:
    if outcome.error:
        return (str(outcome.number), outcome.title, outcome.system, f"failed: {outcome.error}", *[""] * 6)
    figures = (outcome.sent, outcome.refused, outcome.hung, outcome.lost, outcome.twice, outcome.again)
    return (str(outcome.number), outcome.title, outcome.system, *map(str, figures), f"{outcome.slowest:.2f}")


def print_row(cells: tuple[str, ...]) -> None:
    print(" ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
