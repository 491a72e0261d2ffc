"""``python -m web`` as a process: it says where it is, ends cleanly, and names faults of its settings."""

import re

import httpx
import pytest

from ledger.engine import open_engine
from tests.ledgers import prepare
from tests.processes import Processes, free_port


def web(processes: Processes, **settings):
    port = free_port()
    return processes.python("-m", "web", name="web", PORT=port, **settings), f"http://127.0.0.1:{port}"


def test_it_prints_its_address_serves_and_ends_on_sigterm(processes: Processes):
    prepare(open_engine(f"sqlite:///{processes.folder / 'var' / 'ledger.db'}"))
    process, address = web(processes)
    process.wait_for_log(f"Waybill: {address}")
    assert httpx.get(f"{address}/healthz").json() == {"ok": True}
    assert httpx.get(address).status_code == 200
    assert process.stop() == 0
    assert "Traceback" not in process.log_text()


def test_it_starts_before_the_ledger_has_tables_and_serves_once_it_has(processes: Processes):
    process, address = web(processes)
    process.wait_for_log("Waybill: ")
    assert httpx.get(address).status_code == 503
    prepare(open_engine(f"sqlite:///{processes.folder / 'var' / 'ledger.db'}"))
    assert httpx.get(address).status_code == 200


def test_all_faults_of_the_settings_are_named_at_once(processes: Processes):
    process, _ = web(processes, DATABASE_URL="mysql://x", DISPLAY_TIMEZONE="Nowhere")
    assert process.wait() == 1
    said = process.log_text()
    assert "DATABASE_URL" in said and "DISPLAY_TIMEZONE" in said and "Traceback" not in said


def test_an_address_that_is_taken_is_a_sentence(processes: Processes):
    process, address = web(processes)
    process.wait_for_log("Waybill: ")
    second = processes.python("-m", "web", name="second", PORT=address.rpartition(":")[2])
    assert second.wait() == 1
    assert "Cannot serve on 127.0.0.1" in second.log_text() and "Traceback" not in second.log_text()


def test_what_is_too_large_is_refused_by_the_site_in_words(processes: Processes):
    prepare(open_engine(f"sqlite:///{processes.folder / 'var' / 'ledger.db'}"))
    process, address = web(processes, UPLOAD_LIMIT_MB=1)
    process.wait_for_log("Waybill: ")
    for size in (1_500_000, 3_000_000):
        response = httpx.post(f"{address}/runs/x/reruns", files={"file": b"x" * size})
        assert response.status_code == 413, size


def wrong_password(address: str, client: str) -> int:
    """Somebody behind a proxy tries a password; the status of the answer."""
    with httpx.Client(base_url=address, headers={"X-Forwarded-For": client}) as browser:
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/sign-in").text)[1]
        return browser.post("/sign-in", data={"csrf_token": token, "password": "guess"}).status_code


@pytest.mark.parametrize(("trusted", "others"), [("127.0.0.1", 422), ("192.0.2.1", 429)])
def test_only_a_trusted_proxy_tells_visitors_apart(processes: Processes, trusted: str, others: int):
    prepare(open_engine(f"sqlite:///{processes.folder / 'var' / 'ledger.db'}"))
    process, address = web(processes, WAYBILL_PASSWORD="secret", TRUSTED_PROXY=trusted)
    process.wait_for_log("Waybill: ")
    assert [wrong_password(address, "203.0.113.7") for _ in range(6)][-1] == 429
    assert wrong_password(address, "203.0.113.8") == others
