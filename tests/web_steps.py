"""The site in tests: pages are read as HTML, forms are sent as a browser sends them, on a real ledger."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from jinja2.bccache import Bucket, BytecodeCache

from ledger.settings import load
from tests.ledgers import prepare
from web import create_app
from web.console import NAME


class Compiled(BytecodeCache):
    """Templates, compiled once a process: each test has a site of its own, and most of its time went into that."""

    def __init__(self):
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key + bucket.checksum in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key + bucket.checksum])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


COMPILED = Compiled()


class Site:
    """A visitor of a site of this test alone. ``follows`` redirects only where it says so."""

    def __init__(self, var: Path, **settings: Any):
        given = {"waybill_var": var, "database_url": "", "broker_url": "", "waybill_password": ""} | settings
        self.settings = load(**given, _env_file=None)
        self.app = create_app(self.settings)
        self.app.jinja_env.bytecode_cache = COMPILED
        self.client = self.app.test_client()
        self.engine = self.app.extensions[NAME].engine

    def close(self) -> None:
        self.app.extensions[NAME].close()

    def page(self, path: str, status: int = 200, **headers: str) -> BeautifulSoup:
        response = self.client.get(path, headers=headers)
        assert response.status_code == status, response.text
        return BeautifulSoup(response.text, "html.parser")

    def poll(self, page: Tag, **headers: str):
        """Asks again as htmx does for the part of ``page`` that keeps itself up to date."""
        live = page.select_one("#live")
        own = {"HX-Request": "true"} | headers
        return self.client.get(live["hx-get"], headers=own)

    def press(self, page: Tag, word: str, **changes: str):
        """Sends the form whose button says ``word``; the answer, not followed."""
        form = button(page, word).find_parent("form")
        inputs = form.select("input[name]:not([type=radio]), input[type=radio][checked]")
        fields = {field["name"]: field.get("value", "") for field in inputs} | changes
        return self.client.post(form["action"], data=fields)


def button(page: Tag, word: str) -> Tag:
    return next(each for each in page.select("form button") if text(each) == word)


def buttons(page: Tag) -> list[str]:
    """What can be done here; tags, which every run's page takes, aside."""
    return [text(each) for each in page.select("main form button:not(#tags *)")]


def text(tag: Tag) -> str:
    """As it is read: on one line."""
    return " ".join(tag.get_text(" ").split())


def cells(page: Tag, column: int) -> list[str]:
    return [text(row.select("td")[column]) for row in page.select("table.runs tbody tr")]


@pytest.fixture(name="site")
def visited(tmp_path: Path) -> Iterator[Site]:
    """On SQLite: what the databases differ in is the ledger's own business."""
    made = Site(tmp_path / "var")
    prepare(made.engine)
    yield made
    made.close()
