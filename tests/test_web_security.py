"""What every answer carries, and whom the site answers."""

import stat

import pytest

from tests.web_steps import (
    Site,
    visited,  # noqa: F401
)
from web.security import secret_key


@pytest.mark.parametrize("path", ["/", "/runs", "/nowhere", "/static/app.css", "/sign-in", "/healthz"])
def test_every_answer_carries_the_headers(site: Site, path: str):
    headers = site.client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_pages_are_kept_by_no_cache(site: Site):
    assert site.client.get("/").headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1.evil.test", "192.168.0.7:8000", "localhost@evil.test"]
)
def test_without_a_password_only_names_of_this_machine_are_answered(site: Site, host: str):
    """Or a page of anybody could start jobs here, through a name that it lets point to 127.0.0.1."""
    response = site.client.get("/", headers={"Host": host})
    assert response.status_code == 400 and "WAYBILL_PASSWORD" in response.text
    assert site.client.get("/static/app.css", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_names_of_this_machine_are_answered(site: Site, host: str):
    assert site.client.get("/", headers={"Host": host}).status_code == 200


def test_with_a_password_any_name_will_do(tmp_path):
    site = Site(tmp_path / "var", waybill_password="x")
    assert (
        site.client.get("/sign-in", headers={"Host": "jobs.example.test"}).status_code == 503
    )  # no tables yet
    site.close()


def test_the_secret_key_is_made_once_and_only_its_owner_may_read_it(site: Site):
    file = site.settings.var / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text()) == 64
    assert secret_key(site.settings) == file.read_text() == site.app.secret_key


def test_a_key_that_was_set_is_not_written_anywhere(tmp_path):
    site = Site(tmp_path / "var", waybill_secret_key="given")
    assert site.app.secret_key == "given" and not (tmp_path / "var" / "secret_key").exists()
    site.close()


def test_every_form_that_posts_has_a_key(site: Site):
    from tests.ledger_steps import brought_to

    for run in (brought_to(site.engine, "queued"), brought_to(site.engine, "failed")):
        for form in site.page(f"/runs/{run.id}").select("form[method=post]"):
            assert form.select_one("input[name=csrf_token]")["value"]
