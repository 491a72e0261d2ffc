"""Sends jobs as an application does: a line ``key seconds`` comes in, a line ``key seconds-taken error`` goes out.

``python -m tests.faults.peers.send MODULE``. Accepted is what the system's own call for sending returned from.
"""

import importlib
import sys
import time


def main(module: str) -> None:
    send = sender(module)
    print("ready", flush=True)
    for line in sys.stdin:
        key, seconds = line.split()
        began, error = time.perf_counter(), "-"
        try:
            send(key, float(seconds))
        except Exception as failure:
            error = type(failure).__name__
        print(key, f"{time.perf_counter() - began:.4f}", error, flush=True)


def sender(module: str):
    if module.endswith("waybill_jobs"):
        from workers.broker import make_broker

        make_broker()
    job = importlib.import_module(module).mark
    return job.delay if hasattr(job, "delay") else job.send


if __name__ == "__main__":
    main(sys.argv[1])
