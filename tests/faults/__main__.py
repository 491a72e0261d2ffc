"""``python -m tests.faults``: does the faults, one after the other, and prints what came of each.

Ends with 1 when a promise was broken. ``--short`` makes outages a tenth as long: for a first look, not for proof.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.faults.catalogue import FAULTS
from tests.faults.ground import Ground
from tests.faults.scenario import NOWHERE, ON, POSTGRESQL, SQLITE, Outcome, run

HEAD = ("#", "fault", "on", "runs", "lost", "doubled", "heal s", "verdict")
WIDTHS = (3, 62, 22, 6, 5, 8, 7, 9)


def main() -> int:
    options = parse()
    outcomes: list[Outcome] = []
    with Ground() as ground:
        for number in options.only or FAULTS:
            for on in FAULTS[number].on:
                if on in options.on or on == NOWHERE:
                    outcomes += all_seeds(number, ground, on, options)
                    write(outcomes, options.json)
    print_table(outcomes)
    return 1 if any(outcome.violations for outcome in outcomes) else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", type=int, nargs="+", choices=FAULTS, metavar="N", help="these faults, in this order")
    parser.add_argument("--seeds", type=int, default=1, help="how often each, with another seed (%(default)s)")
    parser.add_argument("--first-seed", type=int, default=1, help="(%(default)s)")
    where = "sqlite (embedded), postgresql (RabbitMQ)"
    parser.add_argument("--on", nargs="+", choices=(SQLITE, POSTGRESQL), default=(SQLITE, POSTGRESQL), help=where)
    parser.add_argument("--runs", type=int, default=200, help="forms posted in each (%(default)s)")
    parser.add_argument("--minutes", type=float, default=10, help="of random faults, number 41 (%(default)s)")
    parser.add_argument("--short", action="store_true", help="outages of a tenth of their length")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all outcomes here too")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the logs of what broke")
    return parser.parse_args()


def write(outcomes: list[Outcome], path: Path | None) -> None:
    """After each fault: a pass takes long, and may be stopped."""
    if path is not None:
        path.write_text(json.dumps([asdict(each) | {"verdict": each.verdict} for each in outcomes], indent=1))


def all_seeds(number: int, ground: Ground, on: str, options: argparse.Namespace) -> list[Outcome]:
    fault = FAULTS[number]()
    fault.minutes = options.minutes
    return [one_seed(fault, ground, on, options.first_seed + step, options) for step in range(options.seeds)]


def one_seed(fault, ground: Ground, on: str, seed: int, options: argparse.Namespace) -> Outcome:
    outcome = run(fault, ground, on, seed, options.runs, options.short, options.logs)
    print(f"{outcome.number:3} {on:10} seed {seed}: {outcome.verdict}, {outcome.seconds:.0f} s", file=sys.stderr)
    for sentence in outcome.violations[:12]:
        print(f"      {sentence}", file=sys.stderr)
    sys.stderr.flush()
    return outcome


def print_table(outcomes: list[Outcome]) -> None:
    print_row(HEAD)
    together: dict[tuple[int, str], list[Outcome]] = {}
    for outcome in outcomes:
        together.setdefault((outcome.number, outcome.on), []).append(outcome)
    for several in together.values():
        print_row(row(several))
    for outcome in outcomes:
        if outcome.left_out:
            print(f"{outcome.number} on {ON[outcome.on]} was left out: {outcome.left_out}")


def row(several: list[Outcome]) -> tuple[str, ...]:
    one = several[0]
    heals = [each.heal_seconds for each in several if each.heal_seconds is not None]
    verdicts = [each.verdict for each in several]
    verdict = next((word for word in ("BROKEN", "left out") if word in verdicts), "kept")
    return (
        str(one.number), one.title, ON[one.on], str(sum(each.runs for each in several)),
        str(sum(each.lost for each in several)), str(sum(each.doubled for each in several)),
        f"{max(heals):.1f}" if heals else "-", verdict,
    )  # fmt: skip


def print_row(cells: tuple[str, ...]) -> None:
    left, right = zip(cells[:3], WIDTHS[:3], strict=True), zip(cells[3:], WIDTHS[3:], strict=True)
    print(" ".join([f"{cell:<{width}}" for cell, width in left] + [f"{cell:>{width}}" for cell, width in right]))


if __name__ == "__main__":
    sys.exit(main())
