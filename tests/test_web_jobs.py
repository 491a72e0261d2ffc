"""The catalogue and the form of a job, from its page to the run in the ledger."""

import enum
import json
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Annotated, Optional

import dramatiq
import pytest
from bs4 import BeautifulSoup
from dramatiq.brokers.stub import StubBroker
from pydantic import Field
from sqlalchemy import select

from ledger import clock, fleet, runs
from ledger.claims import Claims, Wanted
from ledger.engine import reading, writing
from ledger.finishing import Ending, finish
from ledger.ids import new_id
from ledger.runs import NewRun
from ledger.settings import Settings, load
from ledger.states import Outcome, State
from ledger.tables import runs as runs_table
from tests.ledgers import prepare
from tests.web_steps import COMPILED
from web import create_app
from web.console import NAME
from workers.catalog import announce
from workers.options import ActorOptions
from workers.uploads import UploadFile

MONTH = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-10"])]


class Region(enum.Enum):
    EUROPE = "EU"
    AMERICA = "US"


def build_report(
    month: MONTH, region: Region = Region.EUROPE, template: Optional[UploadFile] = None, copies: int = 1
):
    """Build the monthly report.

    Not before the books are closed.

    Args:
        month: The month to report.
    """


def send(order: int, address: str = "me", *more: str, loud: bool = False, **rest: int): ...


class Site:
    """A test client that fills in forms as a browser does: from the page's own HTML."""

    def __init__(self, settings: Settings):
        self.app = create_app(settings)
        self.app.jinja_env.bytecode_cache = COMPILED
        self.client = self.app.test_client()
        self.engine = self.app.extensions[NAME].engine

    def close(self) -> None:
        self.app.extensions[NAME].close()

    def page(self, path: str, status: int = 200) -> BeautifulSoup:
        return self._read(self.client.get(path), status)

    def _read(self, response, status: int) -> BeautifulSoup:
        assert response.status_code == status, response.text
        return BeautifulSoup(response.text, "html.parser")

    def post(self, page: BeautifulSoup, **changes):
        """Sends the page's form with ``changes``; ``arg_month`` is the control ``arg-month``."""
        form = page.select_one("form[data-form]")
        sent = values(form) | {re.sub("^(arg|when)_", r"\1-", name): value for name, value in changes.items()}
        multipart = {"content_type": "multipart/form-data"} if form.get("enctype") else {}
        return self.client.post(form["action"], data=sent, **multipart)

    def start(self, page: BeautifulSoup, **changes):
        """Sends the form, which has to be accepted: the run's row."""
        response = self.post(page, **changes)
        assert response.status_code == 303, response.text
        return self.run(response.location.rpartition("/")[2])

    def refused(self, page: BeautifulSoup, **changes) -> BeautifulSoup:
        return self._read(self.post(page, **changes), 422)

    def run(self, run_id: str):
        with reading(self.engine) as connection:
            return connection.execute(select(runs_table).where(runs_table.c.id == run_id)).one()

    def count(self) -> int:
        with reading(self.engine) as connection:
            return len(connection.execute(select(runs_table.c.id)).fetchall())


def values(form) -> dict[str, list[str]]:
    """What a browser sends for the form's controls as they stand."""
    found: dict[str, list[str]] = {}
    for control in form.select("input[name], select[name], textarea[name]"):
        found.setdefault(control["name"], []).extend(_values_of(control))
    return found


def _values_of(control) -> list[str]:
    if control.name == "select":
        chosen = control.select_one("option[selected]") or control.select_one("option")
        return [chosen["value"]]
    if control.name == "textarea":
        return [control.text.removeprefix("\n")]
    kind = control.get("type")
    if kind == "file" or (kind in ("checkbox", "radio") and not control.has_attr("checked")):
        return []
    return [control.get("value", "")]


@pytest.fixture
def site(sqlite_url, tmp_path) -> Iterator[Site]:
    """On SQLite, as in ``web_steps``."""
    site = Site(settings_of(sqlite_url, tmp_path))
    prepare(site.engine)
    yield site
    site.close()


def settings_of(database_url, tmp_path, **more) -> Settings:
    return load(
        database_url=database_url,
        waybill_var=tmp_path / "var",
        display_timezone="Europe/Madrid",
        _env_file=None,
        **more,
    )


def announced(site: Site, *functions, queues: tuple[str, ...] = ("default",), **options) -> None:
    """A worker comes up that serves ``queues`` and knows jobs of these functions."""
    broker = StubBroker(middleware=[ActorOptions()])
    jobs = [announce(dramatiq.actor(fn, broker=broker, **options)) for fn in functions]
    names = [job.name for job in jobs]
    worker = fleet.NewProcess(kind="worker", queues=list(queues), jobs=names, slots=1)
    fleet.register(site.engine, worker, jobs)


def given(
    site: Site, job: str = "build_report", typed: bool = True, args=(), queue: str = "default", **kwargs
) -> str:
    new = NewRun(job=job, queue=queue, origin="form", args=args, kwargs=kwargs, typed=typed)
    return runs.dispatch(site.engine, new)


def text(page: BeautifulSoup) -> str:
    return " ".join(page.select_one("main").text.split())


def kwargs_of(run) -> dict:
    return json.loads(run.args)["kwargs"]


def test_the_catalogue_without_jobs_shows_how_to_make_one(site):
    assert "@dramatiq.actor" in site.page("/jobs").select_one(".empty pre").text


def test_the_catalogue_says_what_can_be_started_and_who_serves_it(site):
    announced(site, build_report)
    announced(site, send, queue_name="mail")
    given(site, month="2026-09")
    report, mail = site.page("/jobs").select("tbody tr")
    cells = [" ".join(cell.text.split()) for cell in report.select("td")]
    assert cells[0] == "build_reportBuild the monthly report."
    assert cells[1:3] == ["default", "1 worker"]
    assert cells[3].startswith("Queued")
    assert report.select_one("a.btn")["href"] == "/jobs/build_report"
    assert "no worker serves it" in mail.text and "never" in mail.text


def test_a_draining_or_ended_worker_serves_nothing(site):
    announced(site, build_report)
    with writing(site.engine) as connection:
        for process in fleet.beats(connection):
            fleet.drain(connection, process)
    assert "no worker serves it" in site.page("/jobs").text


def test_the_page_of_a_job_explains_it_and_asks_for_its_arguments(site):
    announced(site, build_report, max_retries=3, throws=ValueError)
    page = site.page("/jobs/build_report")
    assert page.title.text == "Start build_report · Waybill"
    assert (
        "Up to 3 retries, 15 s to 7 days apart. Not tried again after ValueError. Stopped after 10 min."
        in text(page)
    )
    assert page.select_one("label[for=arg-month]").text == "Month"
    assert page.select_one("#arg-month-help").text == "The month to report. Like 2026-10."
    assert "Not before the books are closed." in text(page)


def test_the_page_of_a_job_says_where_it_runs_and_within_which_limits(site):
    limits = {"memory_limit": 2_000_000_000, "cpu_limit": 90, "file_size_limit": 5_000_000, "open_files_limit": 64}
    announced(site, build_report, isolation="process", on_crash="fail", **limits)
    page = text(site.page("/jobs/build_report"))
    assert "Fails when it crashes, and is not started again." in page
    limits_in_words = "2 GB of memory, 1 min 30 s of CPU time, 5 MB in a file, 64 open files"
    assert f"Runs in a process of its own with at most {limits_in_words}." in page


def test_a_started_job_is_a_run_and_its_page_comes_next(site):
    announced(site, build_report, priority=7)
    run = site.start(site.page("/jobs/build_report"), arg_month="2026-10", arg_region="US")
    assert kwargs_of(run) == {"month": "2026-10", "region": "US", "template": None, "copies": 1}
    assert (run.job, run.queue, run.priority, run.typed, run.origin) == (
        "build_report",
        "default",
        7,
        True,
        "form",
    )
    assert (run.state, run.created_by, run.parent_id, run.expires_at) == ("queued", "someone", None, None)
    assert site.client.get(f"/runs/{run.id}").status_code == 200


def test_a_form_with_faults_comes_back_with_everything_in_it(site):
    announced(site, build_report)
    page = site.refused(
        site.page("/jobs/build_report"), arg_month="2026-13", arg_region="US", arg_copies="two"
    )
    assert page.title.text.startswith("Needs a change")
    summary = page.select_one("#faults[role=alert][autofocus]")
    assert "2 fields need a change." in summary.text
    assert [link["href"] for link in summary.select("a")] == ["#arg-month", "#arg-copies"]
    month = page.select_one("#arg-month")
    assert (month["value"], month["aria-invalid"]) == ("2026-13", "true")
    assert page.select_one("#" + month["aria-describedby"].split()[0]).text == (
        "“2026-13” is not written as asked. Write it like 2026-10."
    )
    assert page.select_one("#arg-region option[selected]")["value"] == "US"
    assert site.count() == 0


def test_a_corrected_form_is_accepted(site):
    announced(site, build_report)
    page = site.refused(site.page("/jobs/build_report"), arg_month="x")
    assert kwargs_of(site.start(page, arg_month="2026-10"))["month"] == "2026-10"


def test_a_double_click_makes_one_run(site):
    announced(site, build_report)
    page = site.page("/jobs/build_report")
    assert site.start(page, arg_month="2026-10").id == site.start(page, arg_month="2026-10").id
    assert site.count() == 1
    assert "started already" in site.page("/runs").text


def test_going_back_and_changing_something_makes_another_run(site):
    announced(site, build_report)
    page = site.page("/jobs/build_report")
    assert site.start(page, arg_month="2026-10").id != site.start(page, arg_month="2026-11").id
    assert site.start(page, arg_month="2026-10", when_delay="1 h").id
    assert site.count() == 3


def test_every_visit_of_the_form_may_start_a_run(site):
    announced(site, build_report)
    for _ in range(2):
        site.start(site.page("/jobs/build_report"), arg_month="2026-10")
    assert site.count() == 2


def test_a_file_is_uploaded_once_even_when_the_form_has_faults(site):
    announced(site, build_report)
    page = site.page("/jobs/build_report")
    page = site.refused(page, arg_month="x", arg_template=(BytesIO(b"layout"), "my layout.txt"))
    assert "my layout.txt" in page.select_one(".kept").text
    template = kwargs_of(site.start(page, arg_month="2026-10"))["template"]
    assert template.startswith("upload:") and template.endswith("/my layout.txt")


def test_a_double_click_with_a_file_makes_one_run(site):
    announced(site, build_report)
    page = site.page("/jobs/build_report")
    found = {site.start(page, arg_month="2026-10", arg_template=(BytesIO(b"1"), "a")).id for _ in range(2)}
    assert len(found) == 1


def test_edit_and_run_starts_from_the_earlier_arguments_and_is_linked(site):
    announced(site, build_report)
    first = given(site, month="2026-09", region="US", template=None, copies=2)
    page = site.page(f"/jobs/build_report/start?from={first}")
    assert page.select_one("#arg-month")["value"] == "2026-09"
    assert f"/runs/{first}" in page.select_one("form .alert a")["href"]
    run = site.start(page, arg_month="2026-10")
    assert run.parent_id == first
    assert kwargs_of(run) == {"month": "2026-10", "region": "US", "template": None, "copies": 2}


def test_an_edited_form_with_faults_says_what_was_changed(site):
    announced(site, build_report)
    first = given(site, month="2026-09", region="EU")
    page = site.page(f"/jobs/build_report/start?from={first}")
    page = site.refused(page, arg_month="x", arg_region="US")
    assert [each.text for each in page.select(".was")] == ["Changed, was 2026-09.", "Changed, was EUROPE."]
    assert site.start(page, arg_month="2026-10").parent_id == first


def test_use_these_fills_the_form_without_a_link_between_the_runs(site):
    announced(site, build_report)
    given(site, month="2026-09", region="US")
    page = site.page("/jobs/build_report")
    assert page.select_one(".past .args").text == "2026-09, US"
    page = site.page(page.select_one(".past td:last-child a")["href"])
    run = site.start(page)
    assert (kwargs_of(run)["month"], run.parent_id) == ("2026-09", None)


def test_arguments_that_code_gave_by_position_find_their_fields(site):
    announced(site, send)
    first = given(site, "send", False, (12123, "you", "a", "b"), loud=True, x=1)
    run = site.start(site.page(f"/jobs/send/start?from={first}"))
    assert kwargs_of(run) == {
        "order": 12123,
        "address": "you",
        "more": ["a", "b"],
        "loud": True,
        "rest": {"x": 1},
    }
    again = site.start(site.page(f"/jobs/send/start?from={run.id}"))
    assert kwargs_of(again) == kwargs_of(run)


def test_arguments_that_the_job_no_longer_takes_are_named(site):
    announced(site, build_report)
    first = given(site, "build_report", False, ("2026-09",), colour="red")
    assert "no parameter any more for colour" in text(site.page(f"/jobs/build_report/start?from={first}"))


def test_a_run_that_was_pruned_cannot_be_edited_but_its_open_form_can_be_sent(site):
    announced(site, build_report)
    assert site.client.get(f"/jobs/build_report/start?from={new_id()}").status_code == 404
    assert site.client.get("/jobs/build_report?from=nonsense").status_code == 404
    run = site.start(site.page("/jobs/build_report"), arg_month="2026-10", parent=new_id())
    assert run.parent_id is None


def test_a_run_of_another_job_leads_to_that_job(site):
    announced(site, build_report, send)
    first = given(site, "send", order=1)
    assert (
        site.client.get(f"/jobs/build_report/start?from={first}").location == f"/jobs/send/start?from={first}"
    )


def test_a_link_fills_the_form_in(site):
    announced(site, build_report)
    page = site.page("/jobs/build_report?arg-month=2026-10&arg-copies=3&when-queue=slow")
    link = page.select_one("a[data-link]")["href"].removeprefix("http://localhost")
    run = site.start(site.page(link))
    assert (kwargs_of(run)["month"], kwargs_of(run)["copies"], run.queue) == ("2026-10", 3, "slow")


def test_a_run_may_start_later_elsewhere_and_expire(site):
    announced(site, build_report)
    page = site.page("/jobs/build_report")
    run = site.start(
        page,
        arg_month="2026-10",
        when_delay="1 h 30 min",
        when_priority="high",
        when_queue="bulk",
        when_expires="2 hours",
    )
    assert (run.queue, run.priority) == ("bulk", -10)
    assert run.due_at - run.created_at == pytest.approx(5400e6, abs=5e6)
    assert run.expires_at - run.created_at == pytest.approx(7200e6, abs=5e6)


def test_a_start_time_is_one_of_the_display_zone(site):
    announced(site, build_report)
    run = site.start(site.page("/jobs/build_report"), arg_month="2026-10", when_at="2126-07-01T12:00")
    assert clock.to_datetime(run.due_at).isoformat() == "2126-07-01T10:00:00+00:00"


WRONG_WHEN = [
    ("when_delay", "soon", "“soon” is not a span of time. Write it like 90 s, 10 min, 2 h or 3 d."),
    ("when_delay", "100000 d", "“100000 d” is too long. Ten years are the most."),
    ("when_at", "2020-01-01T00:00", "“2020-01-01 00:00” has passed."),
    ("when_at", "2026-13-01T00:00", "13 is not a month. Write it like 2026-10-31 14:30."),
    ("when_priority", "urgent", "“urgent” is no priority. Write high, normal, low or a number."),
    ("when_priority", "99999999999", "“99999999999” is no priority. Write high, normal, low or a number."),
    ("when_queue", "my queue",
     "“my queue” cannot be a queue's name. Take letters, digits, dots, dashes and underscores, "
     "with a letter or an underscore first."),
    ("when_expires", "0", "It would expire before it starts."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "typed", "message"), WRONG_WHEN)
def test_when_and_where_has_messages_of_its_own(sqlite_url, tmp_path, name, typed, message):
    site = Site(settings_of(sqlite_url, tmp_path))
    prepare(site.engine)
    announced(site, build_report)
    page = site.refused(site.page("/jobs/build_report"), arg_month="2026-10", **{name: typed})
    assert page.select_one(".msg").text == message
    assert page.select_one("details.when").has_attr("open")
    site.close()


def test_when_and_where_are_told_in_chinese_where_the_browser_asks_for_that(site):
    announced(site, build_report)
    site.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    page = site.page("/jobs/build_report?when-delay=90+s&when-priority=high&when-queue=slow")
    summary = page.select_one("details.when summary span").text
    assert summary == "1 分钟 30 秒后 · 队列“slow” · 优先级：高"
    page = site.refused(page, arg_month="2026-10", when_delay="soon", when_priority="urgent", when_queue="my queue")
    words = set(re.findall("[A-Za-z]+", page.select_one("details.when").text))
    assert words == set("s min h d Europe Madrid high normal low soon urgent my queue".split())


def test_both_a_delay_and_a_time_are_one_too_many(site):
    announced(site, build_report)
    page = site.refused(
        site.page("/jobs/build_report"), arg_month="2026-10", when_delay="1 h", when_at="2126-07-01T12:00"
    )
    assert page.select_one("#when-at-error").text == "Give a delay or a time, not both."


def test_editing_keeps_a_queue_and_priority_that_are_not_the_jobs_own(site):
    announced(site, build_report)
    first = given(site, queue="bulk", month="2026-09")
    run = site.start(site.page(f"/jobs/build_report/start?from={first}"))
    assert run.queue == "bulk"


def test_a_job_that_nobody_serves_can_be_started(site):
    announced(site, build_report, queues=("other",))
    page = site.page("/jobs/build_report")
    assert "No worker serves this job." in text(page) and "python -m workers --queues default" in text(page)
    assert site.start(page, arg_month="2026-10").state == "queued"


def test_a_job_that_was_never_announced_is_not_found(site):
    for path in ("/jobs/nothing", "/jobs/nothing/start", "/jobs/%00"):
        assert "No worker ever announced" in site.page(path, 404).text


def test_a_job_may_have_an_odd_name(site):
    broker = StubBroker()
    actor = dramatiq.actor(build_report, broker=broker, actor_name="team/reports & <co>?#1 %")
    fleet.register(site.engine, fleet.NewProcess(kind="worker"), [announce(actor)])
    page = site.page(site.page("/jobs").select_one("tbody a")["href"])
    assert site.start(page, arg_month="2026-10").job == "team/reports & <co>?#1 %"


def test_arguments_are_shown_as_text_never_as_html(site):
    def job(text: str, lines: list[str], choice: Optional[str] = None): ...

    announced(site, job)
    evil = "</textarea><script>alert(1)</script>\"'>"
    first = given(site, "job", text=evil, lines=[evil, "\n"], choice=evil)
    page = site.page(f"/jobs/job/start?from={first}")
    assert [each["src"] for each in page.select("main script")] and not page.select("main script:not([src])")
    assert kwargs_of(site.start(page)) == {"text": evil, "lines": [evil, "\n"], "choice": evil}


def test_a_form_without_its_token_is_refused(site):
    announced(site, build_report)
    page = site.page("/jobs/build_report")
    assert site.post(page, csrf_token="x").status_code == 400
    response = site.client.post("/jobs/build_report/runs", data={"arg-month": "2026-10"})
    assert response.status_code == 400


def test_the_browser_may_keep_a_form_for_going_back(site):
    announced(site, build_report)
    assert "no-store" not in site.client.get("/jobs/build_report").headers["Cache-Control"]


def test_a_start_is_accepted_while_the_broker_is_down(database_url, tmp_path):
    site = Site(settings_of(database_url, tmp_path, broker_url="amqp://127.0.0.1:1"))
    prepare(site.engine)
    announced(site, build_report)
    assert site.start(site.page("/jobs/build_report"), arg_month="2026-10").state == "queued"
    site.close()


def test_nothing_is_accepted_while_the_ledger_is_away(tmp_path):
    site = Site(settings_of("postgresql+psycopg://nobody@127.0.0.1:1/none", tmp_path))
    assert site.client.get("/jobs").status_code == 503
    assert site.client.get("/jobs/build_report").status_code == 503
    site.close()


def test_no_style_and_no_script_stands_in_the_page(site):
    announced(site, build_report)
    for path in ("/jobs", "/jobs/build_report"):
        page = site.page(path)
        assert not page.select("[style], style, [onclick], script:not([src])")


LIMITS = {
    "max_concurrency": 1, "rate_limit": "10 / 15 min",
    "unique": "1 h", "unique_by": ["month"], "on_duplicate": "replace",
}  # fmt: skip


def test_a_limited_job_says_its_limits(site):
    announced(site, build_report, **LIMITS)
    rules = site.page("/jobs/build_report").select("dd .rule")
    said = {" ".join(rule.text.split()) for rule in rules}
    assert {"Never two at a time.", "At most 10 starts within 15 min."} <= said
    assert (
        "For 1 h, an equal run is no new one. Equal are those of the same month. "
        "One that waits makes way for the newer one." in said
    )


def test_a_job_that_takes_no_equal_run_leads_to_the_one_that_is_there(site):
    announced(site, build_report, unique="active")
    first = site.start(site.page("/jobs/build_report"), arg_month="2026-10")
    assert site.start(site.page("/jobs/build_report"), arg_month="2026-10").id == first.id
    assert "takes no equal run now" in site.page(f"/runs/{first.id}").text
    assert site.start(site.page("/jobs/build_report"), arg_month="2026-11").id != first.id


def test_a_run_says_the_limit_it_waits_for(site):
    announced(site, build_report, max_concurrency=1, rate_limit="1/h")
    worker = fleet.NewProcess(kind="worker", queues=["default"], jobs=["build_report"])
    fleet.register(site.engine, worker)
    given(site, month="2026-10")
    with writing(site.engine) as connection:
        [[held]] = Claims(worker.id, "w", worker.jobs).take(connection, [Wanted("default", 1)])
    waiting = given(site, month="2026-11")
    assert "no more than 1 at a time" in site.page(f"/runs/{waiting}").text
    with writing(site.engine) as connection:
        finish(connection, [Ending(claim=held, state=State.SUCCEEDED, outcome=Outcome.SUCCEEDED)])
    assert re.search(r"no more than 1 in 1 h, next\s+<time[^>]*>in (59|60) min", site.page(f"/runs/{waiting}").decode())



def test_the_list_of_jobs_says_what_to_do_with_it(site):
    assert site.page("/jobs").select_one(".head small") is None
    announced(site, build_report)
    assert site.page("/jobs").select_one(".head small").text == "choose one to start it"
