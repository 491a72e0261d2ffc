"""``feeds.save_latest``, a server on loopback, a real ledger: each picture once, and hostile feeds end clearly."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger import clock, photos
from ledger.claims import Claim
from ledger.photos import Facts, Feed, Kept, NewPhoto, Visit
from ledger.queries import photos as queries
from ledger.queries.photos import Wanted
from ledger.settings import settings
from tests.feed_server import FeedServer, atom, jpeg, serving_feeds
from tests.ledger_steps import opened, running, written
from tests.test_feeds_pictures import png_of
from tests.test_feeds_reading import BOMB, LAUGHS, RSS, item
from workers import context
from workers.catalog import announce
from workers.jobs.feed import errors, fetch
from workers.jobs.feeds import FIRST_WAIT, LONGEST_WAIT, save_latest


@dataclass
class Running:
    """A run for ``context.current`` that writes to the ledger as a worker does."""

    engine: Engine
    claim: Claim

    @property
    def run_id(self) -> str:
        return self.claim.id

    def canceled(self) -> bool:
        return False

    def undisturbed(self):
        return nullcontext()

    def progress(self, done, total, note) -> None:
        pass

    def feed(self, url: str) -> Feed:
        return written(self.engine, photos.feeds_of, url)

    def feed_visited(self, url: str, feed: Feed) -> None:
        written(
            self.engine, photos.note_visit, Visit(run_id=self.run_id, claim_token=self.claim.token, url=url, feed=feed)
        )

    def photo(self, url: str, facts: Facts, most: int) -> Kept:
        new = NewPhoto(run_id=self.run_id, claim_token=self.claim.token, url=url, facts=facts, most=most)
        return written(self.engine, photos.keep, new)


@pytest.fixture(name="server")
def served() -> Iterator[FeedServer]:
    with serving_feeds() as server:
        yield server


@pytest.fixture(name="engine")
def ledger(sqlite_url: str) -> Iterator[Engine]:
    with opened(sqlite_url) as engine:
        yield engine


@pytest.fixture(autouse=True)
def allowed(server: FeedServer, tmp_path: Path, monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("WAYBILL_VAR", str(tmp_path))
    with allowing(monkeypatch, server.place):
        yield


@contextmanager
def allowing(monkeypatch, places: str) -> Iterator[None]:
    monkeypatch.setenv("FEED_HOSTS_ALLOWED", places)
    settings.cache_clear()
    yield
    settings.cache_clear()


def saved(engine: Engine, url: str, **said) -> dict:
    token = context.current.set(Running(engine, running(engine)))
    try:
        return save_latest(url, **said)
    finally:
        context.current.reset(token)


def titles(engine: Engine) -> list[str]:
    return [each.title for each in queries.page(engine, Wanted()).rows]


def folders() -> set[str]:
    return {each.name for each in context.photos_dir().iterdir()}


def standing(engine: Engine, url: str) -> Feed:
    return written(engine, photos.feeds_of, url)


def test_every_new_picture_of_a_feed_is_kept_once(engine: Engine, server: FeedServer):
    url = server.feed("a")
    told = saved(engine, url)
    assert told["outcome"] == "kept" and told["author"] == "Ana & Ben"
    assert [saved(engine, url)["outcome"] for _ in range(2)] == ["known", "known"]
    assert server.asked["/a_b.jpg"] == 1
    server.feed("b", "a")
    assert saved(engine, url)["outcome"] == "kept"
    server.feed("a")
    assert saved(engine, url)["outcome"] == "known"
    assert titles(engine) == ["The lighthouse b", "The lighthouse a"]
    assert folders() == {each.id for each in queries.page(engine, Wanted()).rows}


def test_what_is_kept_says_whose_it_is_and_where_it_is_from(engine: Engine, server: FeedServer):
    saved(engine, server.feed("a"))
    (photo,) = queries.page(engine, Wanted()).rows
    assert photo.licence == "https://creativecommons.org/licenses/by/2.0/deed.en"
    assert photo.link == "https://www.flickr.com/photos/ana/a/" and photo.source == server.url("/a_b.jpg")
    assert (photo.feed_title, photo.width, photo.media_type) == (
        "Uploads from everyone, tagged lighthouse",
        64,
        "image/jpeg",
    )


def test_the_same_picture_under_another_entry_or_in_another_feed_is_kept_once(engine: Engine, server: FeedServer):
    saved(engine, server.feed("a"))
    server.serve("/z_b.jpg", jpeg("a"), "image/jpeg").serve("/other", atom(server.url(""), "z"))
    assert saved(engine, server.url("/other"))["outcome"] == "known"
    assert len(titles(engine)) == len(folders()) == 1


def test_an_unchanged_feed_is_asked_with_what_it_said_and_not_read_again(engine: Engine, server: FeedServer):
    url = server.feed("a", ETag='"7"', Last_Modified="Sun, 01 Nov 2026 10:00:00 GMT")
    saved(engine, url)
    server.serve("/feed", b"", status=304)
    assert saved(engine, url)["outcome"] == "unchanged"
    sent = server.headers["/feed"]
    assert (sent["if-none-match"], sent["if-modified-since"]) == ('"7"', "Sun, 01 Nov 2026 10:00:00 GMT")


def test_a_picture_that_could_not_be_had_is_asked_for_again(engine: Engine, server: FeedServer):
    url = server.feed("a", ETag='"7"')
    server.serve("/a_b.jpg", "busy", status=500)
    with pytest.raises(errors.BadStatus, match="status 500"):
        saved(engine, url)
    assert "status 500" in standing(engine, url).error
    server.feed("a")
    assert saved(engine, url)["outcome"] == "kept"
    assert "if-none-match" not in server.headers["/feed"] and standing(engine, url).error == ""


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("path", ["/feed", "/a_b.jpg"])
def test_a_server_that_is_asked_too_much_is_left_alone_for_as_long_as_it_says(
    engine: Engine, server: FeedServer, status: int, path: str
):
    url = server.feed("a")
    server.serve(path, "slow down", status=status, Retry_After="3600")
    began = clock.now()
    assert saved(engine, url)["outcome"] == "waiting"
    assert 3590 < (standing(engine, url).not_before - began) / clock.SECOND < 3700
    asked = sum(server.asked.values())
    assert "nothing is asked again before" in saved(engine, url)["says"]
    assert sum(server.asked.values()) == asked


def test_without_such_a_word_the_wait_grows_to_a_day_and_ends_with_an_answer(engine: Engine, server: FeedServer):
    url, waits = server.feed("a"), []
    server.serve("/feed", "slow down", status=503)
    for _ in range(9):
        saved(engine, url)
        feed = standing(engine, url)
        waits.append(round((feed.not_before - clock.now()) / FIRST_WAIT))
        Running(engine, running(engine)).feed_visited(url, Feed(refusals=feed.refusals))
    assert waits == [1, 2, 4, 8, 16, 32, 64, LONGEST_WAIT // FIRST_WAIT, LONGEST_WAIT // FIRST_WAIT]
    server.feed("a")
    assert saved(engine, url)["outcome"] == "kept" and standing(engine, url).refusals == 0


def test_only_the_newest_few_are_kept_where_a_number_is_said(engine: Engine, server: FeedServer):
    for names in ("a", "ba", "cba"):
        saved(engine, server.feed(*names), keep=2)
    assert titles(engine) == ["The lighthouse c", "The lighthouse b"] and len(folders()) == 2


def test_of_several_addresses_of_a_picture_the_first_that_has_one_is_taken(engine: Engine, server: FeedServer):
    media = '<media:content url="/gone.jpg" medium="image" width="900"/><media:thumbnail url="/small.jpg"/>'
    server.serve("/small.jpg", jpeg(), "image/jpeg").serve("/feed", RSS.format(item(media)))
    assert saved(engine, server.url("/feed"))["outcome"] == "kept"
    assert (server.asked["/gone.jpg"], server.asked["/small.jpg"]) == (1, 1)


HOSTILE = {
    "a bomb for a picture": ({"/a_b.jpg": png_of(60_000, 60_000)}, errors.TooManyPixels, "at most 40 million pixels"),
    "a page for a picture": ({"/a_b.jpg": b"<!DOCTYPE html>"}, errors.NotAPicture, "it is a web page"),
    "a broken picture": ({"/a_b.jpg": jpeg()[:200]}, errors.NotAPicture, "it is broken"),
    "a page for a feed": ({"/feed": b"<html><body>Sign in"}, errors.NotAFeed, "it is a web page"),
    "an entity bomb": ({"/feed": BOMB.format("", "ha", LAUGHS).encode()}, errors.NotAFeed, "unfold to any size"),
    "a feed without pictures": ({"/feed": RSS.format(item("")).encode()}, errors.NoPicture, "none of its 1 entries"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_feeds_end_as_clear_errors_and_leave_nothing(engine: Engine, server: FeedServer, name: str):
    answers, kind, why = HOSTILE[name]
    url = server.feed("a")
    for path, body in answers.items():
        server.serve(path, body, "image/jpeg")
    with pytest.raises(kind, match=why) as ended:
        saved(engine, url)
    assert standing(engine, url).error == str(ended.value) and folders() == set() and titles(engine) == []


def test_a_picture_without_end_or_inside_is_not_fetched(engine: Engine, server: FeedServer, monkeypatch):
    url = server.feed("a")
    server.stream("/a_b.jpg", bytes(65_536), 16_384)
    with pytest.raises(errors.TooLarge, match="larger than 25 MB"):
        saved(engine, url)
    server.redirect("/a_b.jpg", "/a_b.jpg")
    with pytest.raises(errors.TooManyRedirects):
        saved(engine, url)
    for place in ("http://169.254.169.254/latest.jpg", "http://localhost:1/a.jpg"):
        server.serve("/feed", RSS.format(item(f'<enclosure url="{place}" type="image/jpeg"/>')))
        with pytest.raises(errors.HostRefused):
            saved(engine, url)
    assert folders() == set()


def test_without_the_setting_nothing_on_loopback_is_asked_or_remembered(
    engine: Engine, server: FeedServer, monkeypatch
):
    url = server.feed("a")
    with allowing(monkeypatch, ""), pytest.raises(errors.HostRefused, match="FEED_HOSTS_ALLOWED"):
        saved(engine, url)
    assert not server.asked and queries.all_feeds(engine) == ()


def test_the_form_explains_its_fields_and_the_job_is_held_within_limits():
    fields = announce(save_latest).parameters["properties"]
    assert all(field.get("description") for field in fields.values())
    options = save_latest.options
    assert (
        options["isolation"] == "process" and options["memory_limit"] and options["cpu_limit"] and options["time_limit"]
    )
    assert options["throws"] is errors.FeedError and options["max_retries"] == 0
    assert fetch.FEED.seconds + 4 * fetch.PICTURE.seconds > options["time_limit"] / 1000 > fetch.PICTURE.seconds
