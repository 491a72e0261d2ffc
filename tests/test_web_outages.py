"""The site is only a window: runs go on while it is away, and it goes on while RabbitMQ is."""

import re
import time

from bs4 import BeautifulSoup

from tests.servers import RabbitMQ
from tests.stack import Site, Stack
from tests.walk import STOPS

TRIED_TWICE = 100


def page(site: Site, address: str) -> BeautifulSoup:
    return BeautifulSoup(site.client.get(address, follow_redirects=True).text, "html.parser")


def test_what_ran_while_the_site_was_away_is_there_with_its_log(rabbitmq_stack: Stack):
    stack = rabbitmq_stack
    web = stack.processes.python("-m", "web", name="web")
    site = Site(f"http://127.0.0.1:{stack.processes.environment['PORT']}")
    web.wait_until(site.is_up, 40, "the site answers")
    web.kill()
    stack.workers(2, 8)
    stack.scheduler()
    ids = [stack.dispatch("flaky", 2) for _ in range(TRIED_TWICE)]
    stack.wait_for_all(timeout=60)
    site = stack.web()
    assert f"Done {TRIED_TWICE}" in " ".join(page(site, "/runs").get_text(" ").split())
    for run_id in (ids[0], ids[-1]):
        said = page(site, f"/runs/{run_id}").get_text(" ")
        assert "try of" in said and "at last" in said and "not yet" in said


def test_every_page_works_while_rabbitmq_is_away_says_so_and_accepts_a_start(rabbitmq_stack: Stack, rabbitmq: RabbitMQ):
    stack = rabbitmq_stack
    stack.workers(1, 2)
    site = stack.web()
    rabbitmq.stop()
    stack.processes.wait_until(lambda: "Broker away" in strip(site), 30, "the strip says that RabbitMQ is away")
    for stop in STOPS:
        if not stop.needs_life and stop.status == 200:
            answer = site.client.get(stop.address)
            assert answer.status_code == 200, stop.address
            assert re.search(r"Broker\s*<b>away</b>\s*<time", answer.text), f"{stop.address} says since when"
    began = time.monotonic()
    form = page(site, "/jobs/add").select_one("form[data-form]")
    sent = {field["name"]: field.get("value", "") for field in form.select("input[name]")} | {
        "arg-x": "20",
        "arg-y": "22",
    }
    answer = site.client.post(form["action"], data=sent)
    assert answer.status_code == 303 and time.monotonic() - began < 5
    stack.processes.wait_until(lambda: stack.states() == {"succeeded": 1}, 30, "a worker found it in the ledger")
    rabbitmq.start()
    stack.processes.wait_until(lambda: "Broker ok" in strip(site), 60, "the strip says that RabbitMQ is back")


def strip(site: Site) -> str:
    return " ".join(page(site, "/strip").get_text(" ").split())
