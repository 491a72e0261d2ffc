"""Feeds as they are written: Flickr's in both kinds, RSS and Atom with pictures, and what only looks like one."""

import json
from pathlib import Path

import pytest

from tests.feed_server import atom
from workers.jobs.feed.entry import Document, newest
from workers.jobs.feed.errors import NotAFeed
from workers.jobs.feed.read import document

BASE = "https://example.org/feeds/photos"
NOVEMBER = 1_793_520_000_000_000  # 2026-11-01 08:00 UTC
RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:cc="http://backend.userland.com/creativeCommonsRssModule" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Pictures</title><link>https://example.org/</link>{}</channel></rss>"""
FLICKR = {
    "title": "Uploads from everyone, tagged lighthouse", "link": "https://www.flickr.com/photos/tags/lighthouse/",
    "description": "", "modified": "2026-11-02T10:00:00Z", "generator": "https://www.flickr.com",
    "items": [
        {
            "title": "At <b>dusk</b>", "link": "https://www.flickr.com/photos/ana/2/",
            "media": {"m": "https://live.staticflickr.com/65535/2_abc_m.jpg"}, "date_taken": "2026-10-30T19:00:00Z",
            "description": " <p>ana posted a photo</p>", "published": "2026-11-02T10:00:00Z",
            "author": "nobody@flickr.com (\"Ana's camera\")", "author_id": "12@N00", "tags": "lighthouse",
        },
        {"title": "no picture", "link": "https://www.flickr.com/photos/ana/3/", "published": "2026-11-03T10:00:00Z"},
        "nonsense",
    ],
}  # fmt: skip


def read(text: str | bytes, content_type: str = "application/xml") -> Document:
    return document(text.encode() if isinstance(text, str) else text, content_type, BASE)


def item(inside: str, day: int = 1) -> str:
    date = f"<pubDate>{day:02} Nov 2026 08:00:00 GMT</pubDate>" if day else ""
    return f"<item><title>One</title><guid>g{day}</guid><link>https://example.org/{day}</link>{date}{inside}</item>"


def test_flickrs_atom_says_all_there_is_to_say():
    found = read(atom("https://live.staticflickr.com", "b", "a"), "application/atom+xml; charset=utf-8")
    entry = newest(found.entries)
    assert (found.title, found.number) == ("Uploads from everyone, tagged lighthouse", 2)
    assert (entry.id, entry.title, entry.author) == ("tag:flickr.com,2005:/photo/b", "The lighthouse b", "Ana & Ben")
    assert entry.licence == "https://creativecommons.org/licenses/by/2.0/deed.en"
    assert entry.link == "https://www.flickr.com/photos/ana/b/"
    assert entry.pictures == ("https://live.staticflickr.com/b_b.jpg",)
    assert entry.published == NOVEMBER + 26 * 3600 * 1_000_000


@pytest.mark.parametrize("wrap", ["{}", "jsonFlickrFeed({})"])
def test_flickrs_json_is_read_wrapped_or_not_and_asked_for_the_large_picture_first(wrap: str):
    text = wrap.replace("{}", json.dumps(FLICKR, ensure_ascii=False).replace("'", "\\'"))
    found = read(text, "application/x-javascript; charset=utf-8")
    (entry,) = found.entries
    assert (entry.title, entry.author, entry.link) == (
        "At dusk",
        "Ana's camera",
        "https://www.flickr.com/photos/ana/2/",
    )
    assert [each.rpartition("/")[2] for each in entry.pictures] == ["2_abc_b.jpg", "2_abc_m.jpg"]
    assert entry.published == NOVEMBER + 26 * 3600 * 1_000_000


def test_pictures_come_from_enclosures_then_media_content_from_the_widest_on_then_thumbnails():
    found = read(
        RSS.format(
            item("""
      <media:group><media:content url="/small.jpg" medium="image" width="100"/>
      <media:content url="/large.jpg" type="image/jpeg" width="900"/></media:group>
      <media:content url="/film.mp4" type="video/mp4" width="4000"/>
      <media:thumbnail url="thumb.png" width="75"/>
      <enclosure url="https://cdn.example.org/whole.png?x=1" type="image/png" length="1"/>
      <enclosure url="https://cdn.example.org/sound.mp3" type="audio/mpeg" length="1"/>
      <media:credit role="photographer">Ben</media:credit><cc:license>https://cc.example/by</cc:license>""")
        )
    )
    (entry,) = found.entries
    assert entry.pictures == (
        "https://cdn.example.org/whole.png?x=1", "https://example.org/large.jpg", "https://example.org/small.jpg",
        "https://example.org/feeds/thumb.png",
    )  # fmt: skip
    assert (entry.author, entry.licence) == ("Ben", "https://cc.example/by")


def test_the_newest_is_known_by_its_date_and_else_by_its_place():
    picture = '<media:content url="/{}.jpg" medium="image"/>'
    dated = read(RSS.format("".join(item(picture.format(day), day) for day in (2, 9, 5)))).entries
    assert newest(dated).pictures == ("https://example.org/9.jpg",)
    undated = read(RSS.format(item(picture.format("first"), 0) + item(picture.format("second"), 0))).entries
    assert newest(undated).pictures == ("https://example.org/first.jpg",)
    to_come = item(picture.format("future"), 8).replace("2026", "2099")
    assert newest(read(RSS.format(to_come + item(picture.format("now"), 1))).entries).pictures[0].endswith("now.jpg")
    assert newest(()) is None


def test_addresses_that_are_none_of_the_web_are_left_out():
    evil = item(
        '<enclosure url="file:///etc/passwd" type="image/png"/><enclosure url="javascript:alert(1)" type="image/png"/>'
    )
    assert read(RSS.format(evil)).entries == ()
    linked = read(
        RSS.format(
            item('<enclosure url="/a.png" type="image/png"/>').replace("https://example.org/1", "javascript:alert(1)")
        )
    )
    assert linked.entries[0].link == ""


@pytest.mark.parametrize("text, why", [
    ("", "it is empty"), ("<!DOCTYPE html><html><body>Sign in</body></html>", "it is a web page"),
    ("  <HTML>", "it is a web page"), ("hello", "neither RSS nor Atom"), ("<svg/>", "neither RSS"),
    ("{", "no JSON"), ("{}", "not as Flickr"), ('{"items": 7}', "not as Flickr"),
    ('{"items":' + "[" * 200_000, "no JSON"),
    ("\x00" * 100, "zero bytes"),
])  # fmt: skip
def test_what_is_no_feed_is_said_not_to_be_one(text: str, why: str):
    with pytest.raises(NotAFeed, match=why):
        read(text)


BOMB = '<?xml version="1.0"{}?><!DOCTYPE rss [<!ENTITY a "{}">{}]><rss><channel><title>&i;</title></channel></rss>'
LAUGHS = "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("body", [
    BOMB.format("", "ha" * 1000, LAUGHS).encode(),
    BOMB.format("", "ha", LAUGHS).encode("utf-16"),
    BOMB.format("", "x" * 100_000, "").replace("&i;", "&a;" * 1000).encode(),
    BOMB.format("", "x", "").replace("ENTITY", "entity").encode(),
    BOMB.format(' encoding="utf-7"', "ha", LAUGHS).encode("utf-7"),
    BOMB.format(' encoding="zlib"', "ha", "").encode(),
    BOMB.format(' encoding="cp037"', "ha", "").encode(),
    b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss version="2.0"/>',
])  # fmt: skip
def test_entities_that_unfold_or_read_files_are_refused_in_every_writing(body: bytes):
    with pytest.raises(NotAFeed):
        read(body, "")


def test_what_looks_like_a_files_name_is_never_opened(tmp_path: Path):
    kept = tmp_path / "feed.xml"
    kept.write_text(RSS.format(item('<enclosure url="/a.png" type="image/png"/>')))
    with pytest.raises(NotAFeed):
        read(str(kept))


def test_a_feed_in_another_writing_and_one_that_is_not_well_formed_are_read():
    latin = RSS.replace('"1.0"?', '"1.0" encoding="iso-8859-1"?').format(
        item('<enclosure url="/a.png" type="image/png"/>')
    )
    assert read(latin.replace("One", "Überfahrt").encode("latin-1"), "application/xml").entries[0].title == "Überfahrt"
    loose = RSS.format(item('<enclosure url="/a.png?a=1&b=2" type="image/png"/>')).replace("</rss>", "")
    assert read(loose).entries[0].pictures == ("https://example.org/a.png?a=1&b=2",)
