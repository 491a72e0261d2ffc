"""Signing in, and what lies behind it."""

from collections.abc import Iterator

import pytest

from tests.ledger_steps import dispatch, row
from tests.ledgers import prepare
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)
from web import session
from web.addresses import local_path
from web.throttle import Throttle

PASSWORD = "correct horse"


@pytest.fixture
def locked(tmp_path, monkeypatch) -> Iterator[Site]:
    monkeypatch.setattr(session, "throttle", Throttle(tries=5, seconds=60))
    made = Site(tmp_path / "var", waybill_password=PASSWORD)
    prepare(made.engine)
    yield made
    made.close()


def sign_in(site: Site, password: str = PASSWORD, path: str = "/sign-in"):
    return site.press(site.page(path), "Sign in", name="ana", password=password)


def test_everything_is_behind_the_sign_in(locked: Site):
    open_ones = {"static", "session.sign_in", "session.create", "health.healthz", "health.readyz"}
    open_ones |= {"metrics.show"}  # has a token of its own: see test_web_metrics
    rules = [rule for rule in locked.app.url_map.iter_rules() if rule.endpoint not in open_ones]
    assert len(rules) > 15
    for rule in rules:
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<path:{name}>", "x").replace(f"<{name}>", "x")
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            response = locked.client.open(path, method=method)
            assert response.status_code in (303, 400), f"{method} {path}"
            assert response.status_code == 400 or "/sign-in" in response.location


def test_static_files_and_health_are_open(locked: Site):
    assert locked.client.get("/static/app.css").status_code == 200
    assert locked.client.get("/healthz").json == {"ok": True}
    assert locked.client.get("/readyz").status_code == 503


def test_the_password_opens_the_page_that_was_asked_for(locked: Site):
    asked = locked.client.get("/runs?tab=failed")
    response = sign_in(locked, path=asked.location)
    assert (response.status_code, response.location) == (303, "/runs?tab=failed")
    locked.page("/runs?tab=failed")


def test_what_is_started_carries_the_name(locked: Site):
    sign_in(locked)
    run_id = dispatch(locked.engine)
    locked.press(locked.page(f"/runs/{run_id}"), "Cancel")
    assert row(locked.engine, run_id).canceled_by == "ana"


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(locked: Site):
    cookie = sign_in(locked).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_a_wrong_password_is_said_and_keeps_the_name(locked: Site):
    response = sign_in(locked, "wrong")
    assert response.status_code == 422
    assert "This is not the password." in response.text and 'value="ana"' in response.text
    assert locked.client.get("/").status_code == 303


def test_after_a_few_wrong_tries_even_the_right_password_has_to_wait(locked: Site):
    for _ in range(5):
        assert sign_in(locked, "wrong").status_code == 422
    response = sign_in(locked)
    assert response.status_code == 429 and 0 < int(response.headers["Retry-After"]) <= 60


def test_wrong_tries_are_forgotten_after_a_while():
    throttle = Throttle(tries=1, seconds=0)
    throttle.note("here")
    assert throttle.wait("here") == 0


def test_tries_of_one_address_do_not_stop_another():
    throttle = Throttle(tries=1, seconds=60)
    throttle.note("here")
    assert throttle.wait("here") and not throttle.wait("there")


def test_signing_out_ends_it(locked: Site):
    sign_in(locked)
    assert locked.press(locked.page("/"), "Sign out").status_code == 303
    assert locked.client.get("/").status_code == 303


def test_another_password_signs_everybody_out(locked: Site, tmp_path):
    sign_in(locked)
    cookie = locked.client.get_cookie("waybill")
    other = Site(tmp_path / "var", waybill_password="another")
    other.client.set_cookie("waybill", cookie.value)
    assert other.client.get("/").status_code == 303
    other.close()


def test_a_poll_after_the_session_ended_brings_the_sign_in_page(locked: Site):
    response = locked.client.get("/strip", headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Refresh"]) == (401, "true")


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "https://evil.test/",
        "/\\evil.test",
        "\\\\evil.test",
        "javascript:alert(1)",
        "evil",
        "",
        "/\n/evil",
    ],
)
def test_a_redirect_stays_on_this_site(site: Site, target: str):
    with site.app.test_request_context():
        assert local_path(target) == "/"


def test_a_local_redirect_is_kept(site: Site):
    with site.app.test_request_context():
        assert local_path("/runs?tab=failed#x") == "/runs?tab=failed#x"


def test_without_a_password_there_is_nothing_to_sign_in_to(site: Site):
    assert site.client.get("/sign-in").location == "/"
    assert site.client.post("/sign-in", data={"password": ""}).status_code == 400
    assert "Sign out" not in text(site.page("/"))
