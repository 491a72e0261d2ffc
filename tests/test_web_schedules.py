"""Schedules on pages: making one with its next fires in view, pausing, running now, changing and deleting it."""

import json
import re
from io import BytesIO

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from ledger import clock, fleet, schedules
from ledger.engine import reading, writing
from ledger.tables import jobs as jobs_table
from ledger.tables import schedules as schedules_table
from ledger.tables import ticks as ticks_table
from tests.test_web_jobs import Site, announced, build_report, site, text, values
from web import tick_words
from workers.uploads import UploadFile

__all__ = ["site"]

NIGHTLY = {"name": "nightly", "rule": "0 3 * * *", "timezone": "Europe/Madrid", "arg-month": "2026-10"}


def load_file(file: UploadFile): ...


@pytest.fixture(autouse=True)
def jobs(site: Site) -> None:
    announced(site, build_report, load_file, queues=("default",))


def form_of(page: BeautifulSoup):
    return page.select_one("main form.schedule")


def send(site: Site, page: BeautifulSoup, status: int, press: str = "", **typed) -> BeautifulSoup:
    """Presses a button of the form with what stands in it and what is ``typed``; the answer's page."""
    form = form_of(page)
    sent = values(form) | typed | ({press: "1"} if press else {})
    multipart = {"content_type": "multipart/form-data"} if form.get("enctype") else {}
    response = site.client.post(form["action"], data=sent, **multipart)
    assert response.status_code == status, response.text
    return site.page(response.location) if status == 303 else BeautifulSoup(response.text, "html.parser")


def made(site: Site, **typed) -> BeautifulSoup:
    return send(site, site.page("/schedules/new?job=build_report"), 303, **NIGHTLY | typed)


def row(site: Site):
    with reading(site.engine) as connection:
        return connection.execute(select(schedules_table)).one()


def press(site: Site, page: BeautifulSoup, word: str, **typed) -> BeautifulSoup:
    """Presses the first button that begins with ``word``, and follows where it leads."""
    button = next(each for each in page.select("main button") if each.text.startswith(word))
    form = button.find_parent("form")
    response = site.client.post(form["action"], data=values(form) | typed)
    assert response.status_code == 303, response.text
    return site.page(response.location)


def error_at(page: BeautifulSoup, name: str) -> str:
    control = page.find(id=name)
    assert control["aria-invalid"] == "true"
    assert f"{name}-error" in control["aria-describedby"].split()
    assert page.select_one(f'#faults a[href="#{name}"]'), "the summary links to the field"
    return page.find(id=f"{name}-error").text


def overdue(site: Site, minutes: int) -> None:
    """Puts the schedule back, so that its last ticks are still to come."""
    with writing(site.engine) as connection:
        watermark = clock.now() - minutes * 60 * clock.SECOND
        connection.execute(update(schedules_table).values(watermark=watermark, anchor_at=watermark))
        schedules.fire(connection, connection.scalar(select(schedules_table.c.id)), clock.now())


def test_without_jobs_the_list_shows_how_to_get_some(site):
    with writing(site.engine) as connection:
        connection.execute(jobs_table.delete())
    assert "python -m workers" in text(site.page("/schedules"))
    assert not site.page("/schedules").select("a[href='/schedules/new']")
    assert "python -m workers" in text(site.page("/schedules/new"))


def test_an_empty_list_leads_to_the_choice_of_a_job_and_that_to_its_form(site):
    page = site.page("/schedules")
    assert "Nothing is scheduled yet" in text(page)
    page = site.page(page.select_one("main a.btn")["href"])
    assert "Build the monthly report." in text(page)
    form = form_of(site.page(page.find("a", string="build_report")["href"]))
    typed = values(form)
    assert typed["timezone"] == ["Europe/Madrid"] and typed["name"] == ["build_report"]
    assert typed["arg-copies"] == ["1"] and typed["overlap"] == ["skip"] and typed["catchup"] == ["latest"]


def test_a_schedule_is_made_from_its_form(site):
    page = made(site, overlap="allow", catchup="all", queue="night", priority="high", **{"arg-region": "US"})
    found = row(site)
    assert (found.name, found.job, found.kind, found.rule) == ("nightly", "build_report", "cron", "0 3 * * *")
    assert (found.timezone, found.overlap, found.catchup) == ("Europe/Madrid", "allow", "all")
    assert (found.queue, found.priority, found.created_by) == ("night", -10, "someone")
    assert json.loads(found.args) == {"month": "2026-10", "region": "US", "template": None, "copies": 1}
    said = text(page)
    assert "At 03:00 every day" in said and "Next in Europe/Madrid" in said and "It has not ticked yet." in said
    assert len(page.select(".fires tbody tr")) == 5


def test_what_is_left_blank_is_the_jobs_own(site):
    made(site)
    assert (row(site).queue, row(site).priority) == (None, None)


def test_an_interval_counts_from_the_second_it_was_made_and_keeps_its_anchor_when_edited(site):
    page = made(site, kind="interval", rule="5 min")
    anchor, watermark = row(site).anchor_at, row(site).watermark
    assert row(site).rule == "300" and anchor % clock.SECOND == 0
    assert "Every 5 min" in text(page)
    edited = site.page(f"/schedules/{row(site).id}/edit")
    assert values(form_of(edited))["rule"] == ["300"]
    send(site, edited, 303, name="often")
    assert (row(site).name, row(site).anchor_at, row(site).watermark) == ("often", anchor, watermark)


@pytest.mark.parametrize(
    "field, typed, says",
    [
        ("rule", "61 * * * *", "The minute “61” is not possible: it takes 0 to 59"),
        ("rule", "", "five fields"),
        ("timezone", "Europe/Madird", "did you mean Europe/Madrid?"),
        ("name", " ", "A schedule needs a name."),
        ("name", "n" * 201, "at most 200 characters"),
        ("queue", "two words", "cannot be a queue's name"),
        ("priority", "soon", "is no priority"),
        ("overlap", "maybe", "Choose one of these."),
        ("catchup", "some", "Choose one of these."),
        ("kind", "solar", "choose cron, interval or once"),
        ("starts", "soon", "write it like 2026-10-31 03:00"),
        ("ends", "2020-01-01 03:00", "None of its times lies ahead"),
        ("jitter", "2 d", "A day is the most"),
        ("expires", "later", "is not a span of time"),
        ("keep", "0", "Write a number from 1 to 500"),
        ("arg-month", "2026-13", "Write it like"),
    ],
)
def test_a_fault_stands_at_its_field_and_nothing_typed_is_lost(site, field, typed, says):
    page = send(site, site.page("/schedules/new?job=build_report"), 422, **NIGHTLY | {"arg-copies": "7", field: typed})
    assert says in error_at(page, field)
    kept = values(form_of(page))
    assert kept["arg-copies"] == ["7"] and "needs a change" in page.title.text.lower()
    if field not in ("overlap", "catchup", "kind"):
        assert kept[field] == [typed.strip() if field == "name" else typed]
    with reading(site.engine) as connection:
        assert connection.execute(select(schedules_table)).fetchall() == []


def test_a_name_is_taken_once(site):
    made(site)
    page = send(site, site.page("/schedules/new?job=build_report"), 422, **NIGHTLY)
    assert error_at(page, "name") == "Another schedule is called “nightly”. Choose another name."
    assert len(page.select(".fires tbody tr")) == 5


def test_preview_shows_the_next_five_makes_nothing_and_calls_nothing_else_wrong(site):
    page = site.page("/schedules/new?job=build_report")
    page = send(site, page, 200, press="preview", **NIGHTLY | {"arg-month": "", "name": ""})
    times = [cells.select("td")[0].text for cells in page.select(".fires tbody tr")]
    assert len(times) == 5 and all(re.search(r" 03:00 CES?T$", each) for each in times)
    assert not page.select("[aria-invalid]")
    assert "Nothing is scheduled yet" in text(site.page("/schedules"))


def test_preview_of_a_wrong_rule_says_so_at_the_rule(site):
    page = send(site, site.page("/schedules/new?job=build_report"), 200, press="preview", **NIGHTLY | {"rule": "x"})
    assert "five fields" in error_at(page, "rule")


def test_a_file_chosen_before_a_preview_needs_not_be_chosen_again(site):
    page = site.page("/schedules/new?job=load_file")
    chosen = {"name": "s", "rule": "@daily", "arg-file": (BytesIO(b"x"), "data.txt")}
    page = send(site, page, 200, press="preview", **chosen)
    assert "data.txt" in text(page)
    send(site, page, 303)
    assert re.fullmatch(r'\{"file":"upload:[0-9a-f-]{36}/data.txt"\}', row(site).args)


@pytest.mark.parametrize(
    "query, says",
    [
        ("kind=cron&rule=0+3+*+*+*&timezone=Asia/Tokyo", ["At 03:00 every day", "JST", "18:00"]),
        ("kind=interval&rule=90&timezone=UTC", ["Every 1 min 30 s"]),
        ("kind=cron&rule=61+3+*+*+*&timezone=UTC", ["minute “61”"]),
        ("kind=cron&rule=%3Cb%3E+*+*+*+*&timezone=UTC", ["minute “<b>”"]),
        ("kind=cron&rule=&timezone=UTC", ["next five times"]),
        ("", ["next five times"]),
    ],
)
def test_the_preview_while_typing_is_a_part_of_the_page(site, query, says):
    fragment = site.page(f"/schedules/preview?{query}")
    assert fragment.select_one("#preview") and not fragment.select("html, b b")
    assert all(part in fragment.text for part in says)


def test_the_list_says_what_fires_next_and_what_was_missed(site):
    made(site, kind="interval", rule="60", catchup="none")
    overdue(site, 5)
    said = text(site.page("/schedules"))
    assert "Next: nightly" in said and "Every 1 min" in said
    assert "skip while running, no catching up" in said
    assert re.search(r"[45] ticks were missed in a day\.", said)
    assert "No scheduler is running." in said


def test_with_a_scheduler_the_list_does_not_complain(site):
    made(site)
    fleet.register(site.engine, fleet.NewProcess(kind="scheduler"))
    assert "No scheduler" not in text(site.page("/schedules"))


def test_the_page_of_a_schedule_tells_what_became_of_its_ticks(site):
    made(site, kind="interval", rule="60", catchup="latest")
    overdue(site, 3)
    page = site.page(f"/schedules/{row(site).id}")
    outcomes = [cells.select("td")[1].text.strip() for cells in page.select(".ticks tbody tr")]
    assert outcomes[0] in ("Fired", "Late") and set(outcomes[1:]) == {"Missed"}
    link = page.select_one(".ticks tbody tr a")
    assert link.text.strip() == "Queued"
    assert "build_report" in text(site.page(link["href"]))


def test_it_is_paused_and_resumed_from_its_page_and_from_the_list(site):
    page = made(site)
    pause = site.page(next(link["href"] for link in page.select("a.btn") if link.text == "Pause…"))
    page = press(site, pause, "Pause", reason="DB upgrade", length="60")
    assert re.search(r"Paused until [-\d ]*\d\d:\d\d ?: it fires no more before.", text(page))
    assert re.search(r"Paused by someone, .* until [-\d ]*\d\d:\d\d: DB upgrade", text(page).replace("  ", " "))
    assert (row(site).paused_by, row(site).paused_reason) == ("someone", "DB upgrade")
    assert 3_590 < (row(site).resumes_at - row(site).paused_at) / clock.SECOND <= 3_600
    listed = site.page("/schedules")
    assert "Nothing fires: every schedule is paused" in text(listed)
    assert "Next: nightly" in text(press(site, listed, "Resume")) and row(site).paused_at is None
    assert "every schedule is paused" in text(press(site, site.page("/schedules"), "Pause"))
    assert "Resumed, from now on" in text(press(site, site.page(f"/schedules/{row(site).id}"), "Resume"))


def test_run_now_makes_one_run_beside_the_ticks_however_often_it_is_sent(site):
    page = made(site)
    first, second = press(site, page, "Run now"), press(site, page, "Run now")
    assert text(first)[:30] == text(second)[:30] and site.count() == 1
    run = site.run(first.select_one("dd.id").text)
    assert (run.schedule_id, run.tick_at, run.origin, run.created_by) == (row(site).id, None, "form", "someone")
    assert json.loads(run.args)["kwargs"]["month"] == "2026-10" and run.typed
    press(site, site.page(f"/schedules/{row(site).id}"), "Run now")
    assert site.count() == 2
    assert "Queued" in text(site.page("/schedules"))


def test_an_edit_keeps_what_it_does_not_change(site):
    made(site, queue="night", overlap="allow")
    page = site.page(f"/schedules/{row(site).id}/edit")
    assert "Edit nightly" in page.title.text and len(page.select(".fires tbody tr")) == 5
    said = text(send(site, page, 303, rule="30 4 * * SUN", **{"arg-month": "2026-11"}))
    assert "At 04:30 on Sunday" in said
    found = row(site)
    assert (found.queue, found.overlap, json.loads(found.args)["month"]) == ("night", "allow", "2026-11")
    assert "needs a change" in send(site, page, 422, rule="x").title.text.lower()


def test_it_is_deleted_after_a_question(site):
    made(site)
    page = site.page(f"/schedules/{row(site).id}")
    question = site.page(page.find("a", string="Delete…")["href"])
    assert "the record of its ticks is deleted" in text(question)
    assert row(site), "asking deletes nothing"
    said = text(press(site, question, "Delete this schedule"))
    assert "Deleted the schedule “nightly”." in said and "Nothing is scheduled yet" in said
    with reading(site.engine) as connection:
        assert connection.execute(select(ticks_table)).fetchall() == []


@pytest.mark.parametrize("path", ["", "/edit", "/deletion"])
def test_a_schedule_that_is_not_there_is_not_found(site, path):
    made(site)
    assert "No such schedule" in text(site.page(f"/schedules/nobody{path}", 404))


@pytest.mark.parametrize("act", ["/pause", "/resumption", "/runs", "/deletion", ""])
def test_acting_on_a_schedule_that_is_not_there_is_not_found(site, act):
    token = values(form_of(site.page("/schedules/new?job=build_report")))["csrf_token"]
    response = site.client.post(f"/schedules/nobody{act}", data={"csrf_token": token})
    assert response.status_code == 404


def test_a_job_that_nobody_announced_cannot_be_scheduled(site):
    site.page("/schedules/new?job=nonsense", 404)
    token = values(form_of(site.page("/schedules/new?job=build_report")))["csrf_token"]
    response = site.client.post("/schedules", data={"csrf_token": token, "job": "nonsense"})
    assert response.status_code == 404


@pytest.mark.parametrize("act", ["", "/x", "/x/pause", "/x/resumption", "/x/runs", "/x/deletion"])
def test_nothing_is_done_without_the_forms_token(site, act):
    assert site.client.post(f"/schedules{act}", data=NIGHTLY).status_code == 400


def test_a_poll_of_an_unchanged_list_gets_nothing(site):
    made(site)
    headers = {"HX-Request": "true"}
    first = site.client.get("/schedules", headers=headers)
    again = site.client.get("/schedules", headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)


NAMES = {"nightly", "build_report", "someone", "Europe/Madrid", "UTC", "CET", "CEST", "python", "scheduler"}
ARGUMENTS = {"month", "region", "EU", "template", "null", "copies"}
#: What is typed in every language as it stands.
TYPED = {
    "cron", "MON-FRI", "hourly", "daily", "weekly", "monthly", "yearly", "s", "min", "h", "d", "high", "normal", "low",
}  # fmt: skip


def english(part, names: set[str]) -> set[str]:
    """The words of a page that are left in English, but for names."""
    read = [part.get_text(" "), *(tag["aria-label"] for tag in part.select("[aria-label]"))]
    return set(re.findall(r"[A-Za-z][\w/-]*", " ".join(read).replace("scheduler.py", "scheduler"))) - names


def read_in_chinese(site: Site) -> None:
    site.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"


def test_a_schedule_is_told_in_chinese_where_the_browser_asks_for_that(site):
    made(site, kind="interval", rule="60", catchup="none")
    overdue(site, 5)
    read_in_chinese(site)
    listed, shown = site.page("/schedules"), site.page(f"/schedules/{row(site).id}")
    assert "每 1 分钟" in text(listed) and "运行时跳过，不补触发" in text(listed)
    assert re.search(r"一天内错过了 [45] 次触发", text(listed))
    assert re.search("发现时已晚 [1-5] 分钟", text(shown)) and re.search(r"周[一二三四五六日] 20\d\d-", text(shown))
    asked = site.page(f"/schedules/{row(site).id}/pause")
    paused = press(site, asked, "暂停")
    question = site.page(f"/schedules/{row(site).id}/deletion")
    for page in (listed, shown, asked, paused, site.page("/schedules"), question, press(site, question, "删除")):
        assert english(page.main, NAMES | ARGUMENTS) == set()


def test_the_form_of_a_schedule_and_its_faults_are_told_in_chinese(site):
    read_in_chinese(site)
    blank = site.page("/schedules/new?job=build_report")
    typed = {"rule": "61 * * * *", "timezone": "Europe/Madird", "queue": "two words", "name": " "}
    wrong = send(site, blank, 422, **NIGHTLY | typed)
    assert "您是指 Europe/Madrid 吗？" in error_at(wrong, "timezone") and "需要修改" in wrong.title.text
    assert "分钟“61”无效：可填 0 到 59" in site.page("/schedules/preview?rule=61+*+*+*+*").text
    for page in (blank, wrong):
        known = NAMES | TYPED | {"default", "Europe/Madird", "two", "words"}
        assert english(form_of(page).select_one(".c7"), known) == set()
    assert "每天 03:00" in text(send(site, wrong, 200, press="preview", **NIGHTLY))


@pytest.mark.parametrize(
    "said, chinese",
    [
        ("1 h 5 min behind", "晚了 1 小时 5 分钟"),
        ("the run before was not finished", "前一个运行尚未结束"),
        ("an equal run was accepted before", "先前已接受了相同的运行"),
        (
            "noticed 2 d 3 h behind; missed ticks are not made up for; 10,000 or more earlier ticks, "
            "from 2026-01-01 00:00:00 UTC on, were missed",
            "发现时已晚 2 天 3 小时；错过的触发不补上；自 2026-01-01 00:00:00 UTC 起，更早的至少 10,000 次触发已错过",
        ),
        ("something else; entirely", "something else；entirely"),
    ],
)
def test_why_a_tick_made_no_run_is_told_in_the_language_of_the_page(site, said, chinese):
    with site.app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert tick_words.reason(said) == chinese
    with site.app.test_request_context():
        assert tick_words.reason(said) == said


def test_everything_that_a_schedule_may_say_is_kept_and_shown_again(site):
    said = {
        "starts": "2026-01-01 03:00", "ends": "2099-12-31 03:00", "jitter": "90 s", "expires": "2 h", "keep": "7",
        "overlap": "queue",
    }  # fmt: skip
    page = made(site, **said)
    found = row(site)
    assert (found.jitter, found.expires_after, found.keep_runs) == (90 * clock.SECOND, 7_200 * clock.SECOND, 7)
    shown = ("Not before", "2026-01-01 03:00:00", "Not after", "2099-12-31 03:00:00", "the newest 7", "2 h")
    assert [words for words in shown if words not in text(page)] == []
    form = values(form_of(site.page(f"/schedules/{found.id}/edit")))
    again = {name: form[name][0] for name in said}
    assert again == said | {"expires": "7200 s"}
    send(site, site.page(f"/schedules/{found.id}/edit"), 303, name="renamed")
    unchanged = ("starts_at", "ends_at", "jitter", "expires_after", "keep_runs", "anchor_at", "watermark")
    assert [getattr(row(site), name) for name in unchanged] == [getattr(found, name) for name in unchanged]


def test_a_schedule_for_one_time_fires_once_and_then_no_more(site):
    page = made(site, kind="once", rule="2099-10-31T03:00")
    assert "Once, on 2099-10-31 at 03:00" in text(page) and len(page.select(".fires tbody tr")) == 1
    assert row(site).rule == "2099-10-31 03:00"
    with writing(site.engine) as connection:
        connection.execute(update(schedules_table).values(rule="2020-10-31 03:00"))
    assert "No more" in text(site.page("/schedules"))
    assert site.page(f"/schedules/{row(site).id}").select(".fires tbody tr") == []
    send(site, site.page(f"/schedules/{row(site).id}/edit"), 303, name="renamed")
    wrong = send(site, site.page(f"/schedules/{row(site).id}/edit"), 422, rule="2021-10-31 03:00")
    assert error_at(wrong, "rule") == "None of its times lies ahead."


def test_a_pause_until_a_time_that_has_passed_is_refused_at_its_field(site):
    made(site)
    page = site.page(f"/schedules/{row(site).id}/pause")
    form = page.select_one("main form")
    typed = {"length": "at", "at": "2020-01-01T07:00", "reason": "x"}
    response = site.client.post(form["action"], data=values(form) | typed)
    assert response.status_code == 422 and "This time has passed" in response.text and 'value="x"' in response.text
    assert row(site).paused_at is None
