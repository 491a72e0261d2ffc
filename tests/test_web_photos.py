"""Pages of photos: a grid with who made what, one picture with its facts, a feed that one press schedules."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger import photos
from ledger.fleet import Job, NewProcess, register
from ledger.photos import Feed, NewPhoto, Visit
from ledger.queries import schedules as schedule_queries
from tests.feed_server import jpeg
from tests.ledger_steps import running, written
from tests.test_ledger_photos import URL, facts
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)
from web.photo_view import Licence, licence_of
from workers.jobs.feed import store
from workers.jobs.feed.picture import picture

LICENCE = "https://creativecommons.org/licenses/by-sa/4.0/deed.en"


def shown(site: Site, name: str, url: str = URL, **said) -> str:
    """The id of a photo that was kept with its files."""
    made, held = picture(jpeg(name, (900, 600))), running(site.engine)
    told = {"author": "Ana", "licence": LICENCE, "size": len(made.picture.data), "width": 900, "height": 600} | said
    new = NewPhoto(run_id=held.id, claim_token=held.token, url=url, facts=facts(name, **told))
    store.write(made, site.settings.photos, new.facts.id)
    assert written(site.engine, photos.keep, new).is_new
    return new.facts.id


def noted(engine: Engine, url: str = URL, **said) -> None:
    held = running(engine)
    written(engine, photos.note_visit, Visit(run_id=held.id, claim_token=held.token, url=url, feed=Feed(**said)))


def announced(site: Site) -> None:
    parameters = {"type": "object", "properties": {"feed": {"type": "string"}}, "required": ["feed"]}
    job = Job("feeds.save_latest", "feeds", 0, parameters, "", "", {}, "")
    register(site.engine, NewProcess(kind="announcer"), [job])


def test_an_empty_page_says_how_to_start_a_worker_then_offers_to_schedule_a_feed(site: Site):
    assert "python -m workers" in text(site.page("/photos").select_one(".empty"))
    announced(site)
    empty = site.page("/photos").select_one(".empty")
    assert text(empty.h2) == "No photos yet" and empty.select_one("input[name=feed]")
    assert "No worker serves the queue of feeds." in text(empty) and "--queues feeds" in text(empty.code)
    register(site.engine, NewProcess(kind="worker", queues=["feeds"], jobs=["feeds.save_latest"]))
    assert "No worker" not in text(site.page("/photos").select_one(".empty"))


def test_one_press_schedules_a_feed_every_15_minutes(site: Site):
    announced(site)
    answer = site.press(site.page("/photos"), "Ask it every 15 minutes", feed=" https://Example.org/feed?tags=a ")
    assert answer.status_code == 303
    schedule = schedule_queries.schedule_of(site.engine, answer.location.rpartition("/")[2])
    assert (schedule.rule.kind, schedule.rule.text, schedule.job) == ("cron", "*/15 * * * *", "feeds.save_latest")
    assert schedule.args == {"feed": "https://example.org/feed?tags=a"}
    again = site.press(site.page("/photos"), "Ask it every 15 minutes", feed="https://example.org/feed?tags=a")
    assert again.status_code == 422 and "is scheduled already" in again.text


@pytest.mark.parametrize("typed, fault", [
    ("", "Give the address"), ("example.org/feed", "beginning with https"),
    ("file:///etc/passwd", "beginning with https"),
    ("http://127.0.0.1:8000/", "not on the public net"), ("http://[::ffff:10.0.0.1]/", "not on the public net"),
    ("http://ana:secret@example.org/", "shown to everybody"),
    ("http://169.254.169.254/latest", "not on the public net"),
])  # fmt: skip
def test_an_address_that_may_not_be_asked_is_refused_at_its_field(site: Site, typed: str, fault: str):
    announced(site)
    answer = site.press(site.page("/photos"), "Ask it every 15 minutes", feed=typed)
    assert answer.status_code == 422 and fault in answer.text
    assert 'aria-describedby="schedule-feed-error"' in answer.text


def test_a_host_that_a_setting_names_may_be_scheduled(tmp_path: Path):
    from tests.ledgers import prepare

    site = Site(tmp_path / "var", feed_hosts_allowed="127.0.0.1:8000")
    prepare(site.engine)
    announced(site)
    assert site.press(site.page("/photos"), "Ask it every 15 minutes", feed="http://127.0.0.1:8000/").status_code == 303
    site.close()


def test_photos_stand_newest_first_with_who_made_them_and_load_when_they_are_seen(site: Site):
    for name in ("pier", "quay"):
        shown(site, name)
    tiles = site.page("/photos").select(".photos li")
    assert [text(tile.b) for tile in tiles] == ["The quay", "The pier"]
    image = tiles[0].img
    assert (image["loading"], image["width"], image["height"], image["alt"]) == ("lazy", "480", "360", "The quay")
    assert text(tiles[0].span).startswith("Ana · CC BY-SA 4.0 ·")
    (link,) = tiles[0].select("span a")
    assert link["href"] == LICENCE and {"noopener", "license"} <= set(link["rel"])


def test_photos_of_one_feed_are_shown_alone_with_how_it_stands(site: Site):
    shown(site, "pier")
    shown(site, "quay", url="https://example.org/other")
    noted(site.engine, title="Piers", not_before=2**52)
    noted(site.engine, "https://example.org/other", error="example.org is too slow")
    page = site.page("/photos")
    assert "example.org is too slow" in text(page.select_one(".alert"))
    address = next(each["value"] for each in page.select("option") if text(each) == "Piers")
    own = site.page(f"/photos?feed={address}")
    assert [text(tile.b) for tile in own.select(".photos li")] == ["The pier"]
    assert "asked us to wait" in text(own.select_one(".asked")) and not own.select(".alert")


def test_a_page_that_is_open_counts_new_photos_and_moves_nothing(site: Site):
    shown(site, "pier")
    page = site.page("/photos")
    shown(site, "quay")
    polled = site.poll(page).text
    assert "1 new photo – show" in polled and "The pier" in polled and "The quay" not in polled


def test_a_photo_has_a_page_with_its_facts_and_its_run(site: Site):
    photo_id = shown(site, "pier", published=1_793_520_000_000_000, source="https://cdn.example.org/pier.jpg")
    page = site.page(f"/photos/{photo_id}")
    facts = text(page.select_one("dl"))
    told = ("Author Ana", "Licence CC BY-SA 4.0", "Its page example.org", "900 × 600 pixels, JPEG", "cdn.example.org")
    for said in told:
        assert said in facts
    assert page.select_one(f"img[src='/photos/{photo_id}/picture']")
    run = page.select_one("dl a[href^='/runs/']")["href"]
    assert site.page(run).select_one(f"a[href='/photos/{photo_id}']")


def test_words_of_strangers_are_words_and_their_links_lead_to_the_web_alone(site: Site):
    script = "javascript:alert(1)"
    evil = {"title": "<script>alert(1)</script>", "author": '"><img src=x>', "link": script, "licence": script}
    photo_id = shown(site, "pier", **evil)
    for path in ("/photos", f"/photos/{photo_id}", f"/photos/{photo_id}/deletion"):
        page = site.page(path)
        assert (
            not page.select("[href^=javascript]") and not page.select("main script") and not page.select("img[src=x]")
        )


def test_pictures_are_served_as_pictures_in_a_box(site: Site):
    photo_id = shown(site, "pier")
    for name in ("picture", "thumbnail"):
        answer = site.client.get(f"/photos/{photo_id}/{name}")
        assert answer.status_code == 200 and answer.mimetype == "image/jpeg"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "private" in answer.headers["Cache-Control"]


def test_a_photo_is_deleted_for_good(site: Site):
    photo_id = shown(site, "pier")
    assert site.press(site.page(f"/photos/{photo_id}/deletion"), "Delete this photo").status_code == 303
    assert "No photos yet" in site.page("/photos").text
    assert not (site.settings.photos / photo_id).exists()
    for path in ("", "/picture", "/deletion"):
        site.page(f"/photos/{photo_id}{path}", 404)
    site.page("/photos/nothing", 404)


def test_licences_are_named_as_people_know_them():
    assert licence_of("https://creativecommons.org/publicdomain/zero/1.0/") == Licence(
        "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"
    )
    assert licence_of("https://example.org/terms").words == "example.org"
    assert licence_of("All rights reserved") == Licence("All rights reserved", "")
    assert licence_of("") is None
