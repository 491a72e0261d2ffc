"""rq-dashboard on a private Redis."""

from contextlib import ExitStack

from bench.pages.site import FAR, ROWS, Site
from tests.servers import Process, free_port

FILL_LIMIT = 1_800
APP = "bench.pages.rq_jobs"


class RqDashboard(Site):
    name, label = "rq-dashboard", "rq-dashboard 0.9"

    def prepare(self, stack: ExitStack) -> None:
        port = free_port()
        options = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]
        server = self.processes.start("redis-server", *options)
        server.wait_for_log("Ready to accept connections")
        self.redis = f"redis://127.0.0.1:{port}"
        self.run_to_end("-m", APP, "fill", self.redis, self.runs, limit=FILL_LIMIT)

    def start(self) -> Process:
        options = ["--bind", "127.0.0.1", "--port", self.port, "--redis-url", self.redis]
        return self.processes.python("-m", "rq_dashboard", *options, name="rq-dashboard")

    def pages(self) -> dict[str, list[str]]:
        far = min(FAR + 1, self.runs // ROWS)
        return {
            "overview": ["/", "/0/data/queues.json"],
            "runs": self._finished(1),
            "runs, page 1,000": self._finished(far),
            "run, done": ["/0/view/job/job-00000001", "/0/data/job/job-00000001.json"],
            "workers": ["/0/view/workers", "/0/data/workers.json"],
        }

    def _finished(self, page: int) -> list[str]:
        place = f"jobs/default/finished/{ROWS}/desc/{page}"
        return [f"/0/view/{place}", f"/0/data/{place}.json"]

    def arrivals(self, rate: int, seconds: int) -> Process:
        return self.processes.python("-m", APP, "arrive", self.redis, rate, seconds, name="arrivals")
