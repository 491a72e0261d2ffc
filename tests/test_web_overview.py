"""The first page and the page of the workers."""

import json

from sqlalchemy import Engine, update

from ledger import clock, fleet, recurrence, schedules
from ledger.claims import Claims
from ledger.engine import writing
from ledger.fleet import NewProcess
from ledger.queries.throughput import Part, Range, Throughput
from ledger.tables import processes, runs
from tests.ledger_steps import (
    CRASH_LIMIT,
    dispatch,
    dispatch_many,
    draining,
    failed,
    finish,
    rescue,
    running,
    succeeded,
    worker,
)
from tests.ledgers import prepare
from tests.processes import wait_until
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)
from web.charts import bars


def scheduler(engine: Engine) -> None:
    fleet.register(engine, NewProcess(kind="scheduler"))


def figures(page) -> dict[str, tuple[str, str]]:
    found = [(each.select("small"), each.b) for each in page.select(".kpis a")]
    return {text(word): (text(number), text(note)) for (word, note), number in found}


def test_an_empty_ledger_says_how_to_begin(site: Site):
    assert "Nothing has run yet" in text(site.page("/").main)


def test_when_all_is_well_the_page_says_so_in_a_sentence(site: Site):
    scheduler(site.engine)
    finish(site.engine, succeeded(running(site.engine)))
    page = site.page("/")
    assert not page.select(".alert")
    assert text(page.select_one(".well")) == "The worker is up, nothing waits, no failure in the last hour."


def test_what_runs_on_workers_that_drain_is_told_apart_from_the_slots_of_the_others(site: Site):
    leaving, staying = (registered(site, slots=4) for _ in range(2))
    for by in (leaving, staying, staying):
        running(site.engine, by)
    draining(site.engine, leaving)
    page = site.page("/")
    assert figures(page)["Running"] == ("3", "2 of 4 slots, 1 on a worker that takes no more")
    said = "2 of 4 slots are busy. 1 run is at work on a worker that takes no more."
    assert said in text(page.select_one(".flowing"))
    assert "2 of 4 slots busy" in text(page.select_one(".flow"))


def registered(site: Site, slots: int) -> Claims:
    process = NewProcess(kind="worker", jobs=["add"], queues=["default"], slots=slots)
    fleet.register(site.engine, process)
    return Claims(process.id, process.name, process.jobs)


def test_the_five_figures_count_the_last_hour(site: Site):
    for _ in range(3):
        finish(site.engine, succeeded(running(site.engine)))
    finish(site.engine, failed(running(site.engine)))
    running(site.engine)
    dispatch(site.engine)
    shown = figures(site.page("/"))
    assert shown["Waiting"][0] == "1" and shown["Waiting"][1].startswith("oldest ")
    assert shown["Running"][0] == "1"
    assert shown["Done"][0] == "3"
    assert shown["Failed"] == ("1", "25 % of finished")
    assert shown["Next schedule"] == ("–", "no schedule is on")


def test_what_fires_next_leads_to_the_list_of_what_fires(site: Site):
    dispatch(site.engine)
    fleet.register(site.engine, NewProcess(kind="supervisor"), [fleet.Job("add", "default", 0, {}, "", "", {}, "")])
    often = schedules.NewSchedule(name="often", job="add", rule=recurrence.parse("interval", "90"))
    with writing(site.engine) as connection:
        schedules.create(connection, often)
    figure = site.page("/").select_one(".kpis a:last-child")
    assert "often" in text(figure) and figure["href"] == "/schedules"


def test_a_queue_that_nobody_serves_is_an_alert_with_a_way_out(site: Site):
    scheduler(site.engine)
    dispatch_many(site.engine, 2, queue="mail")
    alert = site.page("/").select_one(".alert")
    assert text(alert).startswith("No worker serves “mail”. 2 runs are waiting, the oldest for ")
    assert alert.a["href"] == "/runs?tab=waiting&queue=mail"


def test_many_alerts_of_a_kind_are_told_together(site: Site):
    scheduler(site.engine)
    for number, queue in enumerate(("mail", "imaging", "reports", "video")):
        dispatch_many(site.engine, number + 1, queue=queue)
    for job in ("charge", "send", "build"):
        for _ in range(5):
            finish(site.engine, failed(running(site.engine, worker(site.engine, job), job=job)))
    page = site.page("/")
    unserved, failing = page.select(".alert")
    assert text(unserved).startswith(
        "No worker serves 4 queues: “video”, “reports”, “imaging” and 1 more. 10 runs wait, the oldest for "
    )
    assert "3 jobs fail often:" in text(failing) and ", 15 of 15 runs in the last hour." in text(failing)
    assert [each.a["href"] for each in (unserved, failing)] == ["/queues", "/failures?range=hour"]
    assert text(page.select_one(".well")).startswith("2 things need you.")
    [alert] = site.page("/queues").select(".alert")
    assert alert.code.text == "python -m workers --queues imaging,mail,reports,video"


def test_a_missing_scheduler_is_an_alert(site: Site):
    finish(site.engine, succeeded(running(site.engine)))
    assert "No scheduler is running." in text(site.page("/").select_one(".alert"))


def test_a_scheduler_that_fell_silent_is_an_alert_that_says_since_when(site: Site):
    scheduler(site.engine)
    dispatch(site.engine)
    with writing(site.engine) as connection:
        connection.execute(update(processes).values(beat_at=clock.now() - 300 * clock.SECOND))
    assert "The scheduler stopped beating." in text(site.page("/").select_one(".alert"))


def test_a_job_that_fails_much_is_an_alert_with_its_main_cause(site: Site):
    scheduler(site.engine)
    for number in range(5):
        finish(site.engine, failed(running(site.engine), error=f"order {number} declined"))
    finish(site.engine, failed(running(site.engine), error="away"))
    alert = site.page("/").select_one(".alert.warn")
    assert "add fails 100 % of the time: 6 of 6 runs, 5 of them with “order … declined”" in text(alert)


def test_a_single_failure_is_no_alert(site: Site):
    scheduler(site.engine)
    finish(site.engine, failed(running(site.engine)))
    assert not site.page("/").select(".alert")


def test_causes_lead_to_their_runs(site: Site):
    for number in range(2):
        finish(site.engine, failed(running(site.engine), error=f"order {number} declined"))
    cause = next(each for each in site.page("/").select("td a") if "ValueError" in text(each))
    assert text(cause) == "ValueError: order … declined"
    assert len(site.page(cause["href"]).select("tbody tr")) == 2


def test_the_chart_says_in_words_what_it_draws(site: Site):
    finish(site.engine, succeeded(running(site.engine)))
    chart = site.page("/").select_one("svg.bars")
    assert chart["aria-label"].startswith("Runs finished per minute: 1 done, 0 failed; peak 1 at ")
    assert len(chart.select("g title")) == 60 and len(chart.select("rect")) == 1


def test_few_failures_among_many_runs_are_drawn_thin(site: Site):
    parts = (Part(clock.now(), 999, 1), Part(clock.now(), 0, 500))
    with site.app.test_request_context():
        first, second = bars(Throughput(Range.WEEK, parts, (), True)).bars
    assert (first.failed_height, second.failed_height) == (1, 60)


def test_ways_of_failing_that_have_no_room_are_counted_with_a_link_to_all(site: Site):
    for number in range(10):
        finish(site.engine, failed(running(site.engine), error_type=f"Error{number}"))
    page = site.page("/?range=week")
    assert "and 2 more" in [text(link) for link in page.select("section.c12 a[href='/failures?range=week']")]


def test_the_strip_tells_what_is_missing(site: Site):
    strip = text(site.page("/").select_one("#strip"))
    assert "Broker ok Ledger ok Scheduler away 0 workers" in strip


def test_the_strip_counts_workers(site: Site):
    worker(site.engine)
    scheduler(site.engine)
    assert "Scheduler ok 1 worker" in text(site.page("/").select_one("#strip"))


def test_the_badge_counts_failures_of_the_last_day(site: Site):
    assert text(site.page("/workers").select_one("#badge")) == ""
    finish(site.engine, failed(running(site.engine)))
    assert text(site.page("/workers").select_one("#badge")) == "1 failed and not seen yet"


def test_without_a_worker_the_page_says_how_to_start_one(site: Site):
    assert "python -m workers" in text(site.page("/workers").main)


def test_workers_show_what_they_run_now_and_who_ended(site: Site):
    running(site.engine, worker(site.engine), kwargs={"month": "2026-10"})
    rescue(site.engine, worker(site.engine), CRASH_LIMIT)
    page = site.page("/workers")
    alive, ended = page.select("table")
    assert "add month=2026-10" in text(alive)
    assert "killed by SIGKILL" in text(ended)


def test_a_broker_that_is_away_is_told_on_every_page(tmp_path):
    site = Site(tmp_path / "var", broker_url="amqp://guest:secret@127.0.0.1:1/")
    prepare(site.engine)
    dispatch(site.engine)
    wait_until(lambda: "lost" in text(site.page("/").main), message="the connection was tried")
    alert = site.page("/").select_one(".alert.warn")
    assert text(alert).startswith("RabbitMQ is away.") and "Runs are accepted" in text(alert)
    strip = site.page("/workers").select_one("#strip")
    assert "Broker away" in text(strip)
    assert "secret" not in str(site.page("/"))
    site.close()


def test_a_range_stands_in_the_address_and_in_what_is_counted(site: Site):
    finish(site.engine, succeeded(running(site.engine), at=clock.now() - 5 * 3600 * clock.SECOND))
    assert figures(site.page("/"))["Done"][0] == "0"
    page = site.page("/?range=day")
    assert figures(page)["Done"][0] == "1"
    assert text(page.select_one(".ranges [aria-current]")) == "Last 24 h"
    assert [each.text for each in page.select(".ys span")] == ["1", "0"]
    assert {each.text for each in page.select(".axis text")} <= {"00:00", "06:00", "12:00", "18:00"}
    assert page.select_one("svg.bars")["aria-label"].startswith("Runs finished per 15 minutes: 1 done")
    assert page.select_one("#live")["hx-get"] == "/?range=day"
    assert [each["href"] for each in page.select(".ranges a")] == ["/", "/?range=day", "/?range=week"]


def test_a_range_that_nobody_knows_is_the_last_hour(site: Site):
    dispatch(site.engine)
    assert text(site.page("/?range=year").select_one(".ranges [aria-current]")) == "Last hour"


def test_what_needs_somebody_is_counted_first(site: Site):
    dispatch(site.engine, queue="mail")
    said = text(site.page("/").select_one(".well"))
    assert said.startswith("2 things need you. No worker is up, some of what waits is not served")


def test_the_flow_is_boxes_in_words_that_lead_to_their_pages(site: Site):
    running(site.engine, worker(site.engine))
    dispatch(site.engine, queue="mail")
    page = site.page("/")
    columns = {text(each.h3): [text(box) for box in each.select("a")] for each in page.select(".flow .col")}
    assert list(columns) == ["Producers", "Exchange", "Queues", "Workers"]
    assert columns["Producers"] == ["From the form 2 per min"]
    assert columns["Exchange"] == ["The ledger embedded broker: workers claim here"]
    assert columns["Queues"][1].startswith("mail 1 wait, oldest ")
    assert columns["Queues"][1].endswith("no worker serves it")
    assert "draining, 1 run at work 1 worker" in columns["Workers"][0]
    assert page.select_one(".flow .bad")["href"] == "/runs?tab=waiting&queue=mail"
    assert all(wires["aria-hidden"] == "true" for wires in page.select(".flow svg"))
    assert "In the last minute 2 runs came in and 0 finished. 1 wait." in text(page.select_one(".flowing"))


def test_the_next_hour_leads_to_the_schedules_that_fire_in_it(site: Site):
    dispatch(site.engine)
    assert "No schedule is on." in text(site.page("/").main)
    fleet.register(site.engine, NewProcess(kind="worker"), [fleet.Job("add", "q", 0, {}, "", "", {}, "")])
    with writing(site.engine) as connection:
        new = schedules.NewSchedule(name="often", job="add", rule=recurrence.parse("cron", "*/10 * * * *"))
        made = schedules.create(connection, new)
    link = next(each for each in site.page("/").select("td a") if text(each) == "often")
    assert link["href"] == f"/schedules/{made}"
    assert ", 6 times" in text(link.find_parent("tr"))


def test_workers_that_keep_dying_and_runs_that_wait_long_are_alerts(site: Site):
    scheduler(site.engine)
    for _ in range(3):
        rescue(site.engine, worker(site.engine), CRASH_LIMIT)
    worker(site.engine)
    dispatch(site.engine, due_at=clock.now() - 3600 * clock.SECOND)
    deaths, wait = (text(each) for each in site.page("/").select(".alert"))
    assert deaths.startswith("Worker processes keep dying. 3 did in the last hour, the last one ")
    assert wait.startswith("Runs wait long in “default”. Workers serve it, but 1 wait, the oldest for 1 h")


def test_an_overview_that_nothing_changed_is_not_sent_again(site: Site):
    scheduler(site.engine)
    run = running(site.engine)
    with writing(site.engine) as connection:
        long_ago = clock.now() - 300 * clock.SECOND
        connection.execute(update(runs).values(created_at=long_ago, due_at=long_ago, started_at=long_ago))
    finish(site.engine, succeeded(run, at=clock.now() - 200 * clock.SECOND))
    page = site.page("/")
    answers = [site.poll(page, **{"If-None-Match": tag_of(page)}).status_code for _ in range(2)]
    assert 304 in answers


def tag_of(page) -> str:
    return json.loads(page.select_one("#live")["hx-headers"])["If-None-Match"]
