"""``/metrics``: readable by Prometheus, bounded, never going back, and closed to strangers."""

import json
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ledger import retention, tally
from tests.ledger_steps import cancel, dispatch, failed, finish, running, succeeded, worker
from tests.ledgers import prepare
from tests.processes import ROOT
from tests.web_steps import (
    Site,
    visited,  # noqa: F401
)
from web import metrics


@pytest.fixture
def always_fresh(site: Site) -> Site:
    site.app.extensions["waybill_metrics"] = metrics.Kept(0.0)
    return site


def families(site: Site) -> dict:
    response = site.client.get("/metrics")
    assert response.status_code == 200, response.text
    return {each.name: each for each in text_string_to_metric_families(response.text)}


def value(site: Site, family: str, sample: str = "", **labels: str) -> float:
    named = [each for each in families(site)[family].samples if each.name == (sample or family)]
    return sum(each.value for each in named if labels.items() <= each.labels.items())


def lived(site: Site) -> list[str]:
    by, ids = worker(site.engine), []
    for end in (succeeded, succeeded, failed):
        claimed = running(site.engine, by)
        finish(site.engine, end(claimed))
        ids.append(claimed.id)
    cancel(site.engine, dispatch(site.engine))
    dispatch(site.engine, queue="mail")
    running(site.engine, by)
    tally.catch_up(site.engine)
    return ids


def test_what_ended_waits_and_runs_is_told(always_fresh: Site):
    site = always_fresh
    lived(site)
    finished = "waybill_runs_finished"
    assert value(site, finished, f"{finished}_total", job="add", outcome="succeeded") == 2
    assert value(site, finished, f"{finished}_total") == 4
    assert value(site, "waybill_run_wait_seconds", "waybill_run_wait_seconds_count", job="add") == 3
    assert value(site, "waybill_run_duration_seconds", "waybill_run_duration_seconds_bucket", le="+Inf") == 3
    assert value(site, "waybill_queue_waiting", queue="mail") == 1
    assert value(site, "waybill_queue_served", queue="mail") == 0
    assert value(site, "waybill_queue_running") == 1
    assert value(site, "waybill_processes", kind="worker") == 1


def test_buckets_grow_up_to_the_count(always_fresh: Site):
    lived(always_fresh)
    family = families(always_fresh)["waybill_run_duration_seconds"]
    buckets = [each.value for each in family.samples if each.name.endswith("_bucket")]
    assert buckets == sorted(buckets) and buckets[-1] == 3


def test_counters_never_go_back_by_pruning_or_by_another_site(always_fresh: Site, tmp_path):
    site = always_fresh
    ids = lived(site)
    before = value(site, "waybill_runs_finished", "waybill_runs_finished_total")
    retention.forget(site.engine, ids)
    tally.catch_up(site.engine)
    other = Site(tmp_path / "var")
    assert value(other, "waybill_runs_finished", "waybill_runs_finished_total") == before == 4
    other.close()


def test_a_second_scrape_at_once_asks_the_ledger_nothing(site: Site):
    site.app.extensions["waybill_metrics"] = metrics.Kept(60.0)
    first = site.client.get("/metrics").text
    lived(site)
    assert site.client.get("/metrics").text == first


def test_series_are_bounded(always_fresh: Site, monkeypatch):
    monkeypatch.setattr(tally, "MOST_JOBS", 2)
    for number in range(4):
        cancel(always_fresh.engine, dispatch(always_fresh.engine, job=f"job{number}"))
        tally.catch_up(always_fresh.engine)
    found = families(always_fresh)["waybill_runs_finished"].samples
    assert {each.labels["job"]: each.value for each in found} == {"job0": 1, "job1": 1, tally.OTHER: 2}


def test_nothing_of_this_process_is_told(always_fresh: Site):
    assert {name.partition("_")[0] for name in families(always_fresh)} == {"waybill"}


def test_with_a_password_it_needs_the_token_or_a_session(tmp_path):
    site = Site(tmp_path / "var", waybill_password="secret", metrics_token="let-me-scrape")
    prepare(site.engine)
    assert site.client.get("/metrics").status_code == 401
    assert site.client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    scraped = site.client.get("/metrics", headers={"Authorization": "Bearer let-me-scrape"})
    assert scraped.status_code == 200 and "waybill_slots" in scraped.text
    site.press(site.page("/sign-in"), "Sign in", password="secret", name="ana")
    assert site.client.get("/metrics").status_code == 200
    site.close()


def test_without_a_token_set_an_empty_one_opens_nothing(tmp_path):
    site = Site(tmp_path / "var", waybill_password="secret")
    prepare(site.engine)
    assert site.client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401
    site.close()


def exported() -> set[str]:
    """The names that the table of docs/metrics.md lists."""
    return set(re.findall(r"^\| `(waybill_\w+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))


def test_the_table_of_the_docs_is_what_is_exported(always_fresh: Site):
    lived(always_fresh)
    names = {each.name + ("_total" if each.type == "counter" else "") for each in families(always_fresh).values()}
    assert names == exported() - {"waybill_hint_lag_seconds"}  # of RabbitMQ


def test_the_dashboard_asks_only_for_what_is_exported():
    dashboard = json.loads((ROOT / "docs" / "grafana.json").read_text())
    asked = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"waybill_\w+", target["expr"])
    }
    assert asked == exported()
