"""The page of the settings: what is in force, how the parts are, what is forgotten; never a secret."""

from ledger import clock, fleet
from ledger.fleet import NewProcess
from ledger.retention import DAY
from tests.ledger_steps import finish, running, succeeded, worker
from tests.ledgers import prepare
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)


def values(page) -> dict[str, str]:
    return {text(row.td): text(row.select("td")[1]) for row in page.select("table.settings tbody tr")}


def words(page) -> dict[str, str]:
    return {text(each): text(each.find_next_sibling("dd")) for each in page.select("dt")}


def test_settings_are_shown_and_secrets_are_not(tmp_path):
    site = Site(
        tmp_path / "var", waybill_password="hush-hush", metrics_token="let-me-in", retention_days=7,
        broker_url="amqp://guest:not-telling@127.0.0.1:1/%2F?heartbeat=20",
    )  # fmt: skip
    prepare(site.engine)
    site.press(site.page("/sign-in"), "Sign in", password="hush-hush", name="ana")
    page = site.page("/settings")
    shown = values(page)
    assert (shown["WAYBILL_PASSWORD"], shown["METRICS_TOKEN"], shown["WAYBILL_SECRET_KEY"]) == ("set", "set", "not set")
    assert shown["BROKER_URL"] == "amqp://guest@127.0.0.1:1/%2F" and shown["RETENTION_DAYS"] == "7"
    for secret in ("hush-hush", "let-me-in", "not-telling"):
        assert secret not in str(page)
    site.close()


def test_parts_that_are_not_well_say_so(site: Site):
    said = words(site.page("/settings"))
    assert said["Scheduler"] == "Not well. None is running: python scheduler.py."
    assert said["Workers"].startswith("Not well.")
    worker(site.engine)
    fleet.register(site.engine, NewProcess(kind="scheduler"))
    said = words(site.page("/settings"))
    assert said["Scheduler"] == "It beats." and said["Workers"].startswith("1 is up")
    assert said["Broker"].startswith("Embedded") and said["SQLite"]


def test_what_is_forgotten_next_is_told(site: Site):
    finish(site.engine, succeeded(running(site.engine), at=clock.now() - 29 * DAY - DAY // 2))
    said = text(site.page("/settings").main)
    assert "Finished runs are pruned after 30 days." in said and "1 is due in the next 24 hours." in said
    assert "The oldest finished run goes in 1" in said
    assert words(site.page("/settings"))["Counting"].startswith("Not well.")


def test_a_run_that_was_pruned_says_when_it_was_made(site: Site):
    old = "01890a5d-ac96-774b-bcce-b302099a8057"
    said = text(site.page(f"/runs/{old}", 404).main)
    assert "A run of this id was made on 2023-" in said and "Finished runs are pruned after 30 days." in said
    assert "It is not so old" not in said
