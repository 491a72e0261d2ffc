"""Queues on pages: who waits and who serves, pausing with a reason and an end, resuming."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import Engine

from ledger import clock, fleet, pauses
from ledger.engine import reading, writing
from ledger.fleet import NewProcess
from tests.ledger_steps import HOUR, age, claim, dispatch, dispatch_many, finish, running, succeeded, worker
from tests.web_steps import (
    Site,
    buttons,
    cells,
    text,
    visited,  # noqa: F401
)

ALONE = "mail"


def held(engine: Engine) -> dict[str, pauses.Pause]:
    with reading(engine) as connection:
        return pauses.paused(connection, clock.now())


def row(site: Site, queue: str) -> list[str]:
    return [text(cell) for cell in site.page("/queues").find(id=f"queue-{queue}").select("td")]


def paused(site: Site, queue: str = ALONE, ends_at: int | None = None) -> None:
    pauses.pause(site.engine, queue, "ana", "DB upgrade", ends_at)


def test_without_jobs_the_page_says_where_queues_come_from(site: Site):
    assert "Queues come with jobs" in text(site.page("/queues").main)


def test_a_queue_that_nobody_serves_is_said_on_top_with_the_command_that_would(site: Site):
    dispatch_many(site.engine, 3, queue=ALONE)
    page = site.page("/queues")
    alert = page.select_one(".alert")
    assert text(alert).startswith("No worker serves “mail”. 3 runs wait, the oldest for")
    assert alert.code.text == "python -m workers --queues mail"
    assert alert.a["href"] == "/queues/mail"
    shown = row(site, ALONE)
    assert [shown[1], *shown[3:5]] == ["3", "0", "0"]
    assert shown[6] == "never"


def test_a_queue_says_how_many_wait_run_and_serve_it(site: Site):
    by = worker(site.engine)
    finish(site.engine, succeeded(running(site.engine, by)))
    running(site.engine, by)
    dispatch_many(site.engine, 2)
    dispatch(site.engine, due_at=clock.now() + HOUR)
    shown = row(site, "default")
    assert [shown[1], *shown[3:5]] == ["2 1 later", "1", "1"]
    assert shown[6] == "now"
    assert "4 now" in shown[7]
    assert not site.page("/queues").select(".alert")


def test_a_queue_is_paused_with_a_reason_and_an_end_and_the_page_says_so(site: Site):
    dispatch(site.engine, queue=ALONE)
    form = site.page("/queues/mail/pause")
    answer = site.press(form, "Pause", reason="DB upgrade", length="60")
    assert (answer.status_code, answer.location) == (303, "/queues/mail")
    [pause] = held(site.engine).values()
    assert (pause.queue, pause.by, pause.reason) == (ALONE, "someone", "DB upgrade")
    assert abs(pause.ends_at - clock.now() - HOUR) < 60 * clock.SECOND
    page = site.page("/queues/mail")
    said, shown = page.select_one(".note"), text(page.main)
    assert text(said) == f"Paused until {said.time.text} : no run of “mail” starts before. What runs goes on."
    assert "paused by someone until" in shown and "DB upgrade" in shown
    assert "“mail” is paused by someone" in text(site.page("/").select_one(".alert.idle"))


def test_what_waits_besides_the_first_ten_is_counted_with_a_link_to_all(site: Site):
    dispatch_many(site.engine, 13, queue=ALONE)
    card = site.page("/queues/mail").select_one("section.c8")
    assert len(card.select("tbody tr")) == 10
    link = card.select_one("p a")
    assert (text(link), link["href"]) == ("and 3 more", "/runs?tab=waiting&queue=mail")
    dispatch_many(site.engine, 10, queue="few")
    assert not site.page("/queues/few").select("section.c8 p")


def test_the_list_and_the_page_of_a_queue_say_the_same_rates(site: Site):
    for run_id in dispatch_many(site.engine, 3, queue=ALONE):
        age(site.engine, run_id, created_at=clock.now() - HOUR // 30)
    figure = site.page("/queues/mail").select(".kpis a")[2]
    assert row(site, ALONE)[5] == text(figure.b) == "0.6 / 0"


def test_a_time_is_the_end_with_the_choice_that_it_belongs_to(site: Site):
    dispatch(site.engine, queue=ALONE)
    at = clock.to_datetime(clock.now()).replace(second=0, microsecond=0) + timedelta(days=1)
    form, typed = site.page("/queues/mail/pause"), f"{at:%Y-%m-%dT%H:%M}"
    assert [each["value"] for each in form.select("[name=length][checked]")] == [""]
    assert site.press(form, "Pause", length="15", at=typed).status_code == 303
    assert abs(held(site.engine)[ALONE].ends_at - clock.now() - HOUR / 4) < 60 * clock.SECOND
    assert site.press(form, "Pause", length="at", at=typed).status_code == 303
    assert held(site.engine)[ALONE].ends_at == clock.from_datetime(at)


@pytest.mark.parametrize(
    "wrong, field, said",
    [
        ({"length": "at", "at": "2020-01-01T07:00"}, "at", "This time has passed."),
        ({"length": "at", "at": "soon"}, "at", "This is no time."),
        ({"length": "at", "at": ""}, "at", "Say until when."),
        ({"length": "at", "at": "0001-01-01T00:00+14:00"}, "at", "This"),
        ({"length": "a while"}, "length", "Choose how long."),
        ({"reason": "x" * 301}, "reason", "A reason has 300 characters at most."),
    ],
)
def test_what_is_wrong_with_a_pause_is_told_at_its_field_and_nothing_typed_is_lost(site: Site, wrong, field, said):
    dispatch(site.engine, queue=ALONE)
    sent = {"reason": "DB upgrade ‮🙂 <b>"} | wrong
    answer = site.press(site.page("/queues/mail/pause"), "Pause", **sent)
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422
    assert text(page.select_one(f"#{field}-error")).startswith(said)
    assert page.select_one("[name=reason]")["value"] == sent["reason"]
    assert page.select_one("[name=at]")["value"] == sent.get("at", "")
    assert held(site.engine) == {}


def test_a_paused_queue_is_resumed_from_the_list(site: Site):
    run_id = dispatch(site.engine, queue=ALONE)
    by = worker(site.engine)
    paused(site)
    assert claim(site.engine, by, queue=ALONE) == []
    answer = site.press(site.page("/queues"), "Resume mail")
    assert (answer.status_code, answer.location) == (303, "/queues")
    assert "Resumed: workers take what waits in “mail” again." in text(site.page("/queues").main)
    assert [each.id for each in claim(site.engine, by, queue=ALONE)] == [run_id]


def test_resuming_what_is_not_paused_is_no_error(site: Site):
    dispatch(site.engine, queue=ALONE)
    paused(site)
    page = site.page("/queues/mail")
    assert "Resume" in buttons(page)
    assert site.press(page, "Resume").status_code == site.press(page, "Resume").status_code == 303


def test_the_pause_is_the_reason_wherever_a_run_waits_for_it(site: Site):
    worker(site.engine)
    run_id = dispatch(site.engine)
    paused(site, "default")
    assert cells(site.page("/runs"), 3) == ["paused by ana: DB upgrade"]
    assert "paused by ana: DB upgrade" in text(site.page(f"/runs/{run_id}").main)
    assert cells(site.page("/queues/default"), 3) == ["paused by ana: DB upgrade"]
    dispatch(site.engine, due_at=clock.now() + HOUR)
    assert "due in" in cells(site.page("/runs?tab=scheduled"), 3)[0]


def test_the_page_of_a_queue_names_its_workers_and_leads_to_its_runs(site: Site):
    process = NewProcess(kind="worker", queues=[ALONE], jobs=["add"], slots=4, host="web-1", pid=7)
    fleet.register(site.engine, process)
    dispatch_many(site.engine, 12, queue=ALONE)
    page = site.page("/queues/mail")
    links = {text(link): link["href"] for link in page.select("main a")}
    assert links["web-1 / 7"] == f"/workers#process-{process.id}"
    assert links["Cancel 12 waiting runs…"] == "/runs?tab=waiting&queue=mail"
    assert len(page.select("table.runs tbody tr")) == 10


def test_a_queue_that_nobody_knows_is_not_found(site: Site):
    assert "No such queue" in text(site.page("/queues/nowhere", 404))
    assert site.client.post("/queues/nowhere/pause", data={}).status_code in (400, 404)


def test_the_list_of_queues_stays_as_it_is_while_nothing_happens(site: Site):
    dispatch(site.engine, queue=ALONE)
    paused(site)
    page = site.page("/queues")
    assert site.poll(page, **{"If-None-Match": tag(page)}).status_code == 304
    with writing(site.engine) as connection:
        pauses.resume(connection, ALONE)
    assert site.poll(page, **{"If-None-Match": tag(page)}).status_code == 200


def tag(page) -> str:
    import json

    return json.loads(page.select_one("#live")["hx-headers"])["If-None-Match"]


def test_a_queue_without_a_worker_is_red_only_when_runs_wait_in_it(site: Site):
    fleet.register(site.engine, NewProcess(kind="supervisor"), [fleet.Job("read", "feeds", 0, {}, "", "", {}, "")])
    row = site.page("/queues").select_one("#queue-feeds")
    assert "none, empty" in text(row) and not row.select(".none")
    page = site.page("/queues/feeds")
    assert "None, and nothing waits." in text(page.main) and not page.select("b.none")
    dispatch(site.engine, queue="feeds")
    assert text(site.page("/queues").select_one("#queue-feeds .none")) == "0"
    assert text(site.page("/queues/feeds").select_one("b.none")) == "None."
