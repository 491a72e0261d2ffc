"""Pages keep themselves up to date, and say nothing when there is nothing new."""

import gzip
from time import time

from ledger.engine import writing
from ledger.progress import Progress, report
from tests.ledger_steps import dispatch, finish, running, succeeded
from tests.web_steps import (
    Site,
    visited,  # noqa: F401
)

AS_HTMX = {"HX-Request": "true"}


def test_a_poll_of_an_unchanged_page_is_answered_304(site: Site):
    dispatch(site.engine)
    for path in ("/", "/runs", "/runs?q=add", "/queues", "/workers", "/schedules", "/jobs"):
        page = site.page(path)
        if page.select_one("#live").has_attr("hx-get"):
            minute = None
            while minute != (minute := int(time() // 60)):  # a chart moves on with the minute: another page
                tag = site.poll(page).headers["ETag"]
                again = site.poll(page, **{"If-None-Match": tag})
            assert (again.status_code, again.data) == (304, b""), path


def test_the_page_carries_the_tag_of_what_it_shows(site: Site):
    dispatch(site.engine)
    page = site.page("/runs")
    response = site.client.get(page.select_one("#live")["hx-get"], headers=AS_HTMX)
    again = site.page("/runs").select_one("#live")["hx-headers"]
    assert response.headers["ETag"].strip("W/").strip('"') in again


def test_a_change_in_the_ledger_is_another_tag(site: Site):
    claimed = running(site.engine)
    page = site.page("/runs")
    tag = site.poll(page).headers["ETag"]
    with writing(site.engine) as connection:
        report(connection, [Progress(claimed, 1, 2, "half")])
    changed = site.poll(page, **{"If-None-Match": tag})
    assert changed.status_code == 200 and "half" in changed.text


def test_a_visit_is_never_answered_304(site: Site):
    dispatch(site.engine)
    tag = site.poll(site.page("/runs")).headers["ETag"]
    response = site.client.get("/runs", headers={"If-None-Match": tag})
    assert response.status_code == 200 and "ETag" not in response.headers
    assert response.headers["Cache-Control"] == "private, no-store"


def test_new_runs_are_announced_and_push_nothing_down(site: Site):
    dispatch(site.engine)
    page = site.page("/runs")
    dispatch(site.engine)
    polled = site.poll(page)
    assert polled.text.count("<tr id=") == 1
    assert "1 new run – show" in " ".join(polled.text.split())


def test_a_list_that_ran_empty_shows_what_is_new(site: Site):
    claimed = running(site.engine)
    page = site.page("/runs?tab=running")
    finish(site.engine, succeeded(claimed))
    newer = running(site.engine)
    assert newer.id in site.poll(page).text


def test_a_run_in_progress_polls_faster_than_a_list(site: Site):
    def seconds(path: str) -> float:
        return float(site.page(path).select_one("#live")["hx-trigger"].split()[1].rstrip("s,"))

    assert seconds(f"/runs/{running(site.engine).id}") == 1
    assert 2 <= seconds("/runs") <= 5


def test_polling_stops_with_the_answer_that_shows_the_end(site: Site):
    claimed = running(site.engine)
    page = site.page(f"/runs/{claimed.id}")
    finish(site.engine, succeeded(claimed))
    answer = site.poll(page).text
    live = answer[answer.index('<div id="live"') :]
    assert "hx-get" not in live[: live.index(">")]


def test_hidden_fields_of_forms_outlive_a_swap(site: Site):
    page = site.page(f"/runs/{dispatch(site.engine)}")
    assert all(field.has_attr("hx-morph-skip") for field in page.select("#live form input[type=hidden]"))


def test_errors_never_replace_a_page(site: Site):
    config = site.page("/runs").select_one("meta[name=htmx-config]")["content"]
    assert '"4xx", "5xx"' in config and '"history": false' in config


def test_relative_times_carry_the_instant(site: Site):
    dispatch(site.engine)
    time = site.page("/runs").select_one("tbody time")
    assert time["datetime"].endswith("Z") and time["title"].endswith("UTC") and time["data-rel"] == "ago"


def test_the_strip_is_polled_on_its_own(site: Site):
    assert site.page("/workers").select_one("#strip")["hx-get"] == "/strip"
    tag = site.client.get("/strip", headers=AS_HTMX).headers["ETag"]
    assert site.client.get("/strip", headers=AS_HTMX | {"If-None-Match": tag}).status_code == 304


def test_pages_travel_compressed(site: Site):
    for _ in range(60):
        dispatch(site.engine)
    response = site.client.get("/runs", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(gzip.decompress(response.data)) > 5 * len(response.data)


def test_a_first_visit_is_small(site: Site):
    """Four requests, 40 kB: the page with its icon, the style, two scripts. A page may have a file of its own."""
    for _ in range(60):
        dispatch(site.engine, kwargs={"order": 17, "note": "x" * 30})
    page = site.page("/runs")
    files = [each.get("src") or each["href"] for each in page.select("script, link[rel=stylesheet]")]
    assert page.select_one("link[rel=icon]")["href"].startswith("data:image/svg+xml,")
    answers = [site.client.get(path, headers={"Accept-Encoding": "gzip"}) for path in ["/runs", *files]]
    assert len(answers) == 4 and all(answer.status_code == 200 for answer in answers)
    assert sum(len(answer.data) for answer in answers) < 40_000


def test_static_files_are_kept_by_their_content(site: Site):
    address = site.page("/runs").select_one("link[rel=stylesheet]")["href"]
    kept = site.client.get(address).headers["Cache-Control"]
    assert "immutable" in kept and "max-age=31536000" in kept
    assert "immutable" not in site.client.get(address.partition("?")[0]).headers["Cache-Control"]
