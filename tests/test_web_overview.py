"""The first page and the page of the workers."""

from sqlalchemy import Engine, update

from ledger import clock, fleet
from ledger.engine import writing
from ledger.fleet import NewProcess
from ledger.migrate import migrate
from ledger.tables import processes
from tests.ledger_steps import (
    CRASH_LIMIT,
    dispatch,
    dispatch_many,
    failed,
    finish,
    rescue,
    running,
    succeeded,
    worker,
)
from tests.processes import wait_until
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)


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


def test_the_five_figures_count_the_last_hour(site: Site):
    for _ in range(3):
        finish(site.engine, succeeded(running(site.engine)))
    finish(site.engine, failed(running(site.engine)))
    running(site.engine)
    dispatch(site.engine)
    shown = figures(site.page("/"))
    assert shown["Waiting"] == ("1", "oldest 0 s")
    assert shown["Running"][0] == "1"
    assert shown["Done"][0] == "3"
    assert shown["Failed"] == ("1", "25 % of finished")
    assert shown["Next schedule"] == ("–", "no schedule is on")


def test_a_queue_that_nobody_consumes_is_an_alert_with_a_way_out(site: Site):
    scheduler(site.engine)
    dispatch_many(site.engine, 2, queue="mail")
    alert = site.page("/").select_one(".alert")
    assert text(alert).startswith("No worker consumes “mail”. 2 runs are waiting, the oldest for 0 s .")
    assert alert.a["href"] == "/runs?tab=waiting&queue=mail"


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
    migrate(site.engine)
    dispatch(site.engine)
    wait_until(lambda: "lost" in text(site.page("/").main), message="the connection was tried")
    alert = site.page("/").select_one(".alert.warn")
    assert text(alert).startswith("RabbitMQ is away.") and "Runs are accepted" in text(alert)
    strip = site.page("/workers").select_one("#strip")
    assert "Broker away" in text(strip)
    assert "secret" not in str(site.page("/"))
    site.close()
