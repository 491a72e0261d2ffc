"""What stands around every page: bar, menu, theme, keys, and the search that the palette is made of."""

import pytest
from bs4 import BeautifulSoup

from ledger import fleet
from ledger.fleet import NewProcess
from tests import stored_volumes
from tests.ledger_steps import brought_to, dispatch, dispatch_many, row
from tests.ledgers import prepare
from tests.test_web_jobs import announced, build_report
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)
from web import places


def greet(name: str = "world"):
    """Say hello."""


def choose(site: Site, name: str, value: str, path: str = "/runs?tab=failed"):
    """Presses a button of the menu."""
    form = site.page(path).select_one(f"button[name={name}][value={value}]").find_parent("form")
    fields = {field["name"]: field["value"] for field in form.select("input")} | {name: value}
    return site.client.post(form["action"], data=fields)


def options(site: Site, asked: str) -> list[str]:
    response = site.client.get("/search", query_string={"q": asked}, headers={"HX-Request": "true"})
    found = BeautifulSoup(response.text, "html.parser").select("[role=option]")
    assert bool(asked) == (found[-1]["id"] == "option-search")  # looks for it in runs
    return [text(option) for option in found if option["id"] != "option-search"]


def test_the_bar_leads_to_every_place_that_the_site_has(site: Site):
    links = site.page("/").select("nav.main a")
    assert [link["href"] for link in links][:3] == ["/", "/runs", "/jobs"]
    for link in links:
        site.page(link["href"])
    with site.app.test_request_context():
        assert len(links) == len(places.in_bar())


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_a_theme_is_chosen_and_kept(site: Site, theme: str):
    response = choose(site, "theme", theme)
    assert (response.status_code, response.location) == (303, "/runs?tab=failed")
    page = site.page("/jobs")
    assert page.html["data-theme"] == theme
    wanted = "light dark" if theme == "system" else theme
    assert page.select_one("meta[name=color-scheme]")["content"] == wanted


def test_a_theme_that_there_is_not_changes_nothing(site: Site):
    form = site.page("/").select_one("button[name=theme]").find_parent("form")
    token = form.select_one("[name=csrf_token]")["value"]
    site.client.post("/theme", data={"csrf_token": token, "theme": "<b>", "next": "//evil.test"})
    assert site.page("/").html["data-theme"] == "system"


def test_keys_are_listed_and_can_be_turned_off(site: Site):
    page = site.page("/keys")
    assert {"Ctrl K", "g r", "j", "k", "x", "?"} <= {text(key) for key in page.select("main kbd")}
    assert page.body.has_attr("data-keys-on") and page.select("nav.main [aria-keyshortcuts]")
    choose(site, "keys", "off", "/keys")
    page = site.page("/keys")
    assert not page.body.has_attr("data-keys-on") and not page.select("nav.main [aria-keyshortcuts]")
    choose(site, "keys", "on", "/keys")
    assert site.page("/keys").body.has_attr("data-keys-on")


def test_the_buttons_of_a_run_say_their_keys(site: Site):
    page = site.page(f"/runs/{dispatch(site.engine)}")
    keys = {each["aria-keyshortcuts"]: text(each) for each in page.select("main [aria-keyshortcuts]")}
    assert keys == {"c": "Cancel", "e": "Edit and run"}


def test_pages_are_found_by_their_name_in_either_language(site: Site):
    assert options(site, "sched")[:2] == ["Page Schedules pause, resume, cron, next, missed", "Page New schedule"]
    choose(site, "language", "zh_Hans")
    assert options(site, "sched")[0] == options(site, "定时计划")[0]
    assert options(site, "sched")[0].startswith("页面 定时计划")


@pytest.mark.parametrize(
    ("asked", "first"),
    [("mute", "Page Failures"), ("pause", "Page Queues"), ("bulk", "Page Bulk history"), ("shortcuts", "Page Keys")],
)
def test_pages_are_found_by_what_is_done_there(site: Site, asked: str, first: str):
    assert options(site, asked)[0].startswith(first)


def test_queues_are_found_by_their_name(site: Site):
    dispatch(site.engine, queue="mail")
    fleet.register(site.engine, NewProcess(kind="worker", jobs=["add"], queues=["media"]))
    assert [each for each in options(site, "mail") if each.startswith("Queue")] == ["Queue mail"]
    assert {"Queue mail", "Queue media"} <= set(options(site, "queue m"))
    assert "Queue media" in options(site, "pause media")
    assert [each["href"] for each in site.page("/search?q=media").select("main .grid a")] == ["/queues/media"]


def test_jobs_are_found_by_words_of_name_and_description(site: Site):
    announced(site, build_report, greet)
    assert options(site, "report build")[0].startswith("Job build_report")
    assert options(site, "hello")[0].startswith("Job greet")
    assert options(site, "100%_") == []


def test_a_job_that_needs_nothing_is_started_from_the_search(site: Site):
    announced(site, build_report, greet)
    assert [each for each in options(site, "build") if each.startswith("Start")] == []
    assert [each for each in options(site, "greet") if each.startswith("Start")] != []
    response = site.press(site.page("/search?q=greet"), "Start greet")
    run = row(site.engine, response.location.rpartition("/")[2])
    assert (run.job, run.args, run.origin) == ("greet", '{"args":[],"kwargs":{"name":"world"}}', "form")


def test_runs_are_found_by_the_beginning_and_the_end_of_their_id_and_by_their_job(site: Site):
    run_id = dispatch(site.engine)
    dispatch_many(site.engine, 20, job="other")
    for asked in (run_id, run_id[-8:], run_id[:30], run_id[-8:].upper(), "add"):
        assert [each for each in options(site, asked) if each.endswith(run_id[-8:])], asked
    assert options(site, "0000ffff") == []


def test_a_search_for_nothing_shows_pages_and_the_newest_runs(site: Site):
    ids = [brought_to(site.engine, "succeeded").id for _ in range(8)]
    found = [each for each in options(site, "") if each.startswith("Run add")]
    assert [each[-8:] for each in found] == [run_id[-8:] for run_id in reversed(ids)][:6]


def test_a_search_that_finds_nothing_offers_to_look_in_the_runs(site: Site):
    page = site.page("/search?q=card+declined")
    assert text(page.select_one("main h2")) == "Nothing is called “card declined”"
    assert page.select_one("main .empty a")["href"] == "/runs?q=card+declined"
    assert site.page("/search?q=runs").select("main a")[-1]["href"] == "/runs?q=runs"


@pytest.mark.parametrize("asked", ["\0", "a" * 5000, "%", "'; drop table runs", "\u202e", "-" * 36])
def test_a_search_takes_any_text(site: Site, asked: str):
    assert site.client.get("/search", query_string={"q": asked}).status_code == 200


def test_preferences_outlive_signing_in_and_out(tmp_path):

    site = Site(tmp_path / "var", waybill_password="x")
    prepare(site.engine)
    site.press(site.page("/sign-in"), "Sign in", name="ana", password="x")
    choose(site, "theme", "dark")
    assert text(site.page("/").select_one(".menu summary")) == "ana"
    site.press(site.page("/"), "Sign out")
    assert site.page("/sign-in").html["data-theme"] == "dark"
    site.close()


def test_the_bar_tells_in_which_place_one_is(site: Site):
    stored_volumes.keep_both(site.settings.volumes)
    stored_volumes.note_all(site.engine, site.settings.volumes)
    ct, pet = stored_volumes.CT_ID, stored_volumes.PET_ID
    pages = {
        "Runs": ("/failures", "/actions", "/dead-letters", "/views"),
        "Volumes": ("/volumes", f"/volumes/{pet}", f"/volumes/{pet}/measurements", f"/volumes/{ct}/beside/{pet}"),
        "Schedules": ("/schedules/calendar",),
        "": ("/settings",),
    }
    for place, paths in pages.items():
        for path in paths:
            here = [text(each).split(" ")[0] for each in site.page(path).select("nav.main [aria-current]")]
            assert here == [place] * bool(place), path
    with site.app.test_request_context("/subjects/7"):
        assert [place.name for place in places.in_bar() if place.is_here] == ["Volumes"]
