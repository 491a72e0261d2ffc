"""Somebody who posts forms and remembers what the site answered: whatever it accepted, it has promised."""

import contextlib
import random
import re
import threading
import time
from dataclasses import dataclass, field
from secrets import token_hex

import httpx

TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Sent:
    """``status`` is None when no answer came; ``run_id`` is known only for what was accepted."""

    key: str
    job: str
    status: int | None
    run_id: str | None
    at: int  # monotonic nanoseconds, when it was sent
    seconds: float

    @property
    def accepted(self) -> bool:
        return self.run_id is not None


@dataclass
class Client:
    url: str
    sent: list[Sent] = field(default_factory=list)
    _http: httpx.Client | None = None
    _token: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, job: str, key: str, **arguments) -> Sent:
        """Sends the job's form once, as a browser does; the answer, whatever it is."""
        at, began = time.monotonic_ns(), time.perf_counter()
        status = run_id = None
        with contextlib.suppress(httpx.HTTPError):
            answer = self._submit(job, {"key": key, **arguments})
            status, run_id = answer.status_code, run_id_of(answer)
        sent = Sent(key, job, status, run_id, at, time.perf_counter() - began)
        with self._lock:
            self.sent.append(sent)
        return sent

    def open(self) -> None:
        """Gets a session. Needs the ledger: a site that never saw it answers 503."""
        self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT)
        page = self._http.get("/jobs/mark").text
        self._token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]

    def _submit(self, job: str, arguments: dict) -> httpx.Response:
        fields = {f"arg-{name}": str(value) for name, value in arguments.items()}
        return self._http.post(f"/jobs/{job}/runs", data={"csrf_token": self._token, "key": token_hex(8), **fields})

    def press(self, path: str) -> int | None:
        """Presses a button that has a form of its own, like "Cancel"; the status, None without an answer."""
        with contextlib.suppress(httpx.HTTPError):
            return self._http.post(path, data={"csrf_token": self._token}).status_code
        return None

    def text(self, path: str) -> str:
        return self._http.get(path).text


def run_id_of(answer: httpx.Response) -> str | None:
    place = answer.headers.get("location", "")
    return place.rpartition("/runs/")[2] if answer.status_code == 303 and "/runs/" in place else None


class Load(threading.Thread):
    """Posts forms at a steady pace while something breaks. One in ten is a job that fails at first."""

    def __init__(self, client: Client, chance: random.Random, count: int, per_second: float, seconds: float):
        super().__init__(name="load", daemon=True)
        self.client, self.chance, self.count, self.per_second = client, chance, count, per_second
        self.longest = seconds
        self.stopping = threading.Event()

    def run(self) -> None:
        began = time.monotonic()
        for number in range(self.count):
            if self.stopping.wait(max(0.0, began + number / self.per_second - time.monotonic())):
                return
            self._post(f"load-{number}")

    def _post(self, key: str) -> None:
        seconds = round(self.chance.uniform(0, self.longest), 3)
        if self.chance.random() < 0.1:
            self.client.post("flaky", key, failures=self.chance.randint(1, 2), seconds=seconds)
        else:
            self.client.post("mark", key, seconds=seconds)
