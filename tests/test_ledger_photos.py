"""Kept photos in the ledger: once by picture and by entry, by the attempt that holds its run; deleted, they stay so."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger import files, photos
from ledger.engine import reading
from ledger.errors import PhotoNotFound
from ledger.ids import new_id
from ledger.photos import Facts, Feed, Kept, NewPhoto, Visit
from ledger.queries import photos as queries
from ledger.queries.photos import Wanted, photo_of
from ledger.settings import load
from tests.feed_server import hash_of
from tests.ledger_steps import migrated, running, written  # noqa: F401

URL = "https://example.org/feed"


def facts(name: str, **said) -> Facts:
    sizes = {"width": 640, "height": 480, "thumbnail_width": 480, "thumbnail_height": 360, "size": 1000}
    own = {"id": new_id(), "entry": hash_of(name).hex(), "digest": hash_of(name).hex(), "media_type": "image/jpeg"}
    return Facts(**own | sizes | {"title": f"The {name}", "link": "https://example.org/a"} | said)


def new_photo(engine: Engine, name: str, url: str = URL, most: int = 0, **said) -> NewPhoto:
    held = running(engine)
    return NewPhoto(run_id=held.id, claim_token=held.token, url=url, facts=facts(name, **said), most=most)


def kept(engine: Engine, name: str, **said) -> Kept:
    return written(engine, photos.keep, new_photo(engine, name, **said))


def visited(engine: Engine, **said) -> bool:
    held = running(engine)
    visit = Visit(run_id=held.id, claim_token=held.token, url=URL, feed=Feed(**said))
    return written(engine, photos.note_visit, visit)


def feed(engine: Engine) -> Feed:
    return written(engine, photos.feeds_of, URL)


def titles(engine: Engine, **wanted) -> list[str]:
    return [each.title for each in queries.page(engine, Wanted(**wanted)).rows]


def test_a_photo_is_kept_with_all_that_is_known_of_it(engine):
    new = new_photo(engine, "pier", author="Ana", published=7)
    assert written(engine, photos.keep, new) == Kept(True)
    found = queries.photo(engine, new.facts.id)
    assert (found.title, found.author, found.published, found.feed_url) == ("The pier", "Ana", 7, URL)
    with reading(engine) as connection:
        assert photo_of(connection, new.run_id) == new.facts.id


def test_the_same_picture_or_the_same_entry_is_kept_once(engine):
    assert kept(engine, "pier").is_new
    assert not kept(engine, "pier").is_new
    assert not kept(engine, "other", entry=hash_of("pier").hex()).is_new
    assert not kept(engine, "pier", entry=hash_of("new").hex(), url="https://example.org/other").is_new
    assert kept(engine, "quay", entry=hash_of("pier").hex(), url="https://example.org/other").is_new
    assert titles(engine) == ["The quay", "The pier"]


def test_an_attempt_that_lost_its_run_keeps_and_notes_nothing(engine):
    assert not written(engine, photos.keep, replace(new_photo(engine, "pier"), claim_token="stale")).is_new
    visit = Visit(run_id=running(engine).id, claim_token="stale", url=URL, feed=Feed(etag="x"))
    assert not written(engine, photos.note_visit, visit)
    assert titles(engine) == [] and feed(engine) == Feed()


def test_a_deleted_photo_is_gone_and_does_not_come_back(engine):
    new = new_photo(engine, "pier")
    written(engine, photos.keep, new)
    photos.forget(engine, new.facts.id)
    assert titles(engine) == [] and not kept(engine, "pier").is_new
    for act in (photos.forget, queries.photo):
        with pytest.raises(PhotoNotFound):
            act(engine, new.facts.id)


def test_only_the_newest_of_a_feed_are_kept_where_a_number_is_said(engine):
    first, _second = (new_photo(engine, name) for name in ("first", "second"))
    for each in (first, _second):
        written(engine, photos.keep, each)
    kept(engine, "elsewhere", url="https://example.org/other")
    assert kept(engine, "third", most=2) == Kept(True, (first.facts.id,))
    assert titles(engine) == ["The third", "The elsewhere", "The second"]


def test_what_a_feed_said_is_remembered(engine):
    assert feed(engine) == Feed()
    said = {"title": "Piers", "etag": '"7"', "last_modified": "yesterday", "entry": "e", "not_before": 9, "refusals": 2}
    assert visited(engine, **said, error="x" * 5000)
    assert replace(feed(engine), error="") == Feed(**said)
    assert visited(engine) and feed(engine) == Feed()


def test_words_of_strangers_fit_whatever_they_are(engine):
    assert kept(engine, "pier", title="\x00\ud800" + "ü" * 5000, licence="y" * 5000).is_new
    (found,) = queries.page(engine, Wanted()).rows
    assert len(found.title) == 200 and len(found.licence) == 400


def test_photos_are_paged_from_the_newest_on_and_newer_ones_are_counted(engine, monkeypatch):
    monkeypatch.setattr(queries, "PAGE", 2)
    for name in "abcde":
        kept(engine, name, url=URL if name != "c" else "https://example.org/other")
    first = queries.page(engine, Wanted())
    assert titles(engine) == ["The e", "The d"]
    assert titles(engine, before=first.older) == ["The c", "The b"]
    own = next(each for each in queries.all_feeds(engine) if each.url == URL)
    assert titles(engine, feed=own.id, before=first.older) == ["The b", "The a"]
    held = queries.page(engine, Wanted(up_to=first.rows[1].id))
    assert (held.newer, [each.title for each in held.rows]) == (1, ["The d", "The c"])
    middle = queries.photo(engine, first.rows[1].id)
    assert queries.neighbours(engine, middle)[0] == first.rows[0].id


def test_a_folder_that_the_ledger_does_not_know_goes_after_a_day(engine, tmp_path: Path):
    settings = load(waybill_var=tmp_path, _env_file=None)
    new, gone = new_photo(engine, "pier"), new_photo(engine, "gone")
    for each in (new, gone):
        written(engine, photos.keep, each)
    photos.forget(engine, gone.facts.id)
    names, old = (new.facts.id, gone.facts.id, new_id(), f".{new_id()}"), time.time() - 2 * 24 * 3600
    for name in names:
        (settings.photos / name).mkdir(parents=True)
        os.utime(settings.photos / name, (old, old))
    (settings.photos / new_id()).mkdir()
    files.remove_strange_photos(engine, settings)
    left = {each.name for each in settings.photos.iterdir()}
    assert names[0] in left and names[1] not in left and len(left) == 2
