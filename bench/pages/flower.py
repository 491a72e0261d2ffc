"""Flower, whose history is what its memory holds: filled through its own persistent file, as after a restart."""

from contextlib import ExitStack
from urllib.parse import urlencode

from bench.pages.site import FAR, ROWS, Site
from tests.servers import Process, RabbitMQ

FILL_LIMIT = 1_800
APP = "bench.pages.flower_tasks"


class Flower(Site):
    name, label = "flower", "Flower 2.2"
    health = "/healthcheck"

    def prepare(self, stack: ExitStack) -> None:
        self.broker = stack.enter_context(RabbitMQ()).url
        self.processes.environment |= {"BENCH_BROKER": self.broker}
        self.state = self.processes.folder / "flower.db"
        self.run_to_end("-m", APP, "fill", self.state, self.runs, limit=FILL_LIMIT)

    def start(self) -> Process:
        options = [f"--port={self.port}", "--address=127.0.0.1", "--persistent=True", f"--db={self.state}",
                   f"--max_tasks={self.runs + 100_000}"]  # fmt: skip
        return self.processes.python("-m", "celery", "-A", APP, "flower", *options, name="flower")

    def pages(self) -> dict[str, list[str]]:
        far = min(ROWS * FAR, self.runs - ROWS)
        return {
            "workers": ["/workers"],
            "runs": ["/tasks", table(0)],
            "runs, page 1,000": ["/tasks", table(far)],
            "runs, search": ["/tasks", table(0, "kwargs:subject=42")],
            "run, done": ["/task/task-00000000"],
        }

    def arrivals(self, rate: int, seconds: int) -> Process:
        return self.processes.python("-m", APP, "arrive", rate, seconds, name="arrivals")


def table(start: int, search: str = "") -> str:
    """What the page of tasks asks for, newest first."""
    asked = {"draw": 1, "start": start, "length": ROWS, "search[value]": search, "order[0][column]": 0,
             "order[0][dir]": "desc", "columns[0][data]": "received"}  # fmt: skip
    return f"/tasks/datatable?{urlencode(asked)}"
