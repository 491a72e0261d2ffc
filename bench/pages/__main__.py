"""``python -m bench.pages``: the pages of Waybill, Flower and rq-dashboard with the same history, as one table.

Each site is alone while it is measured: at rest, then with runs arriving. Of several rounds the best counts for
each page, because whatever else the machine does only makes pages slower.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from bench import usage
from bench.pages import visit
from bench.pages.flower import Flower
from bench.pages.rq_dashboard import RqDashboard
from bench.pages.site import Site
from bench.pages.visit import Cost, Visitor
from bench.pages.waybill import OnPostgresql, OnSqlite
from bench.throughput import taken_by_others

SITES: dict[str, type[Site]] = {site.name: site for site in (OnSqlite, OnPostgresql, Flower, RqDashboard)}
RATE = 500
SLOW = 5_000  # milliseconds: a page that takes longer is asked for a few times only
LEGEND = """\
p50, p95  milliseconds from request to last byte, of the best round; cpu: of the console's processor time
page      kilobytes of the page's HTML, and as they travel; view: of a first visit with all it fetches
load      p50 and p95 while that many runs a second arrive; arriving: how many really did"""


def main() -> int:
    options = parse()
    found, failed = [], False
    for count in options.runs:
        for name in options.only:
            try:
                found.append(measured(SITES[name], count, options))
                show(found[-1])
            except Exception as error:
                failed = True
                print(f"\n{SITES[name].label}, {count:,} runs: {type(error).__name__}: {error}", flush=True)
    print(f"\n{LEGEND}\n{os.cpu_count()} cores, {taken_by_others():.0%} of them taken by others at the end")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(failed)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description="Measures pages, side by side.")
    add = parser.add_argument
    add("--runs", type=int, nargs="+", default=[50_000, 1_000_000], help="sizes of the history (50000 1000000)")
    add("--only", nargs="+", choices=SITES, default=list(SITES), metavar="NAME", help=", ".join(SITES))
    add("--rounds", type=int, default=3, help="the best counts (%(default)s)")
    add("--requests", type=int, default=20, help="of each page in a round (%(default)s)")
    add("--rate", type=int, default=RATE, help="runs a second that arrive (%(default)s); 0 leaves that out")
    add("--memory", type=int, default=0, help="requests to make before memory is read again (none)")
    add("--json", type=Path, metavar="FILE", help="write all figures here too")
    return parser.parse_args()


def measured(site: type[Site], count: int, options: argparse.Namespace) -> dict:
    print(f"measuring {site.label}, {count:,} runs ...", file=sys.stderr, flush=True)
    with site(count) as running:
        visitor = Visitor(running.port)
        pages = running.pages()
        found = {"site": running.label, "runs": count, "busy": taken_by_others(), "memory": [memory(running)]}
        found["weight"] = {name: asdict(visit.weight(visitor, paths)) for name, paths in pages.items()}
        found["rest"] = best(running, visitor, pages, options)
        found["memory"].append(memory(running))
        if options.rate:
            found["load"], found["arriving"] = under_load(running, visitor, pages, options)
            found["memory"].append(memory(running))
        if options.memory:
            soak(visitor, pages, options.memory)
            found["memory"].append(memory(running))
        visitor.close()
    return found


def memory(site: Site) -> float:
    return usage.memory(site.pids)


def best(site: Site, visitor: Visitor, pages: dict, options: argparse.Namespace) -> dict[str, dict]:
    rounds = [
        {name: _cost(site, visitor, paths, options.requests) for name, paths in pages.items()}
        for _ in range(options.rounds)
    ]
    return {name: asdict(min((each[name] for each in rounds), key=lambda cost: cost.p95)) for name in pages}


def _cost(site: Site, visitor: Visitor, paths: list[str], requests: int) -> Cost:
    probe = visit.cost(visitor, paths, 2, site.pids)
    return visit.cost(visitor, paths, 3 if probe.p50 > SLOW else requests, site.pids)


def under_load(site: Site, visitor: Visitor, pages: dict, options: argparse.Namespace) -> tuple[dict, str]:
    """One round, for as long as runs arrive: at most two seconds a page."""
    seconds = 2 * len(pages) + 5
    arrivals = site.arrivals(options.rate, seconds)
    found = {name: asdict(_cost(site, visitor, paths, options.requests)) for name, paths in pages.items()}
    if not arrivals.running:
        print("the last runs had arrived before the last page was measured", file=sys.stderr)
    arrivals.wait(2 * seconds + 30)
    return found, arrivals.log_text().strip().splitlines()[-1]


def soak(visitor: Visitor, pages: dict, requests: int) -> None:
    paths = [path for each in pages.values() for path in each]
    for number in range(requests):
        visitor.get(paths[number % len(paths)])


def show(found: dict) -> None:
    megabytes = ", ".join(f"{each:.0f}" for each in found["memory"])
    print(f"\n{found['site']}, {found['runs']:,} runs. Memory {megabytes} MB (start, after the visits, under load).")
    print(f"{found['busy']:.0%} of the machine were taken by others. Arriving: {found.get('arriving', 'nothing')}")
    print(HEAD)
    for name, cost in found["rest"].items():
        load, weight = found.get("load", {}).get(name), found["weight"][name]
        loaded = f"{load['p50']:>10.1f}{load['p95']:>8.1f}" if load else f"{'-':>10}{'-':>8}"
        sizes = "".join(f"{weight[part] / 1_000:>{width}.1f}" for part, width in SIZES)
        print(
            f"{name:24}{cost['p50']:>8.1f}{cost['p95']:>8.1f}{cost['cpu']:>8.1f}{loaded}{sizes}{weight['requests']:>9}"
        )


HEAD = f"{'page':24}     p50     p95     cpu  load p50     p95  page kB   sent   view requests"
SIZES = (("page_raw", 9), ("page_sent", 7), ("all_sent", 7))

if __name__ == "__main__":
    sys.exit(main())
