"""``python -m bench.pages.arrivals URL RATE SECONDS``: dispatches runs one by one, as forms and code do, then ends."""

import sys
import time
from collections.abc import Callable

from ledger.engine import open_engine
from ledger.runs import NewRun, dispatch


def main(url: str, rate: int, seconds: int) -> None:
    engine = open_engine(url)
    paced(rate, seconds, lambda number: dispatch(engine, new_run(number)))
    engine.dispose()


def new_run(number: int) -> NewRun:
    return NewRun(job="billing.charge", queue="default", origin="code", kwargs={"order_id": number, "amount": 9.5})


def paced(rate: int, seconds: int, act: Callable[[int], object]) -> None:
    """``act`` at a steady pace; what came too late is made up for at once. Says how many there were."""
    began = time.monotonic()
    for number in range(rate * seconds):
        ahead = began + number / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        elif ahead < -seconds:
            break
        act(number)
    took = time.monotonic() - began
    print(f"{number + 1} in {took:.1f} s: {(number + 1) / took:.0f} per second", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
