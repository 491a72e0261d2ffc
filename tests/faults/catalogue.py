"""All faults by number, gathered from the modules that are named after what fails."""

import inspect

from tests.faults import (
    backups,
    bodies,
    brokers,
    clocks,
    crashes,
    databases,
    daylight,
    messages,
    nemesis,
    people,
    stalls,
)  # fmt: skip
from tests.faults.scenario import Fault

MODULES = (crashes, brokers, bodies, messages, databases, clocks, daylight, people, stalls, nemesis, backups)


def faults() -> dict[int, type[Fault]]:
    found = [each for module in MODULES for _, each in inspect.getmembers(module, is_fault)]
    return {each.number: each for each in sorted(found, key=lambda each: each.number)}


def is_fault(each: object) -> bool:
    return inspect.isclass(each) and issubclass(each, Fault) and "number" in vars(each)


FAULTS = faults()
