"""Settings: read once, checked at boot, every fault told at once and by the name of its variable."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from ledger.settings import Settings, SettingsError, load
from tests.processes import ROOT
from tests.servers import Processes

NAMES = [name.upper() for name in Settings.model_fields]
BAD = {
    "DATABASE_URL": "mysql://root@host/db",
    "BROKER_URL": "redis://localhost",
    "BROKER_QUORUM": "perhaps",
    "WORKER_PROCESSES": "0",
    "WORKER_THREADS": "many",
    "WORKER_GRACE": "-1",
    "CRASH_LIMIT": "0",
    "PORT": "70000",
    "UPLOAD_LIMIT_MB": "0",
    "RETENTION_DAYS": "0.5",
    "DISPLAY_TIMEZONE": "Mars/Olympus",
    "LOG_LEVEL": "LOUD",
    "WAYBILL_FAIL_AT": "claim.never:kill:1",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting is set, and there is no `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def faults(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert all(fault in str(caught.value) for fault in caught.value.faults)
    return caught.value.faults


def test_nothing_has_to_be_set():
    settings = load()
    assert settings.embedded
    assert settings.ledger_url == f"sqlite:///{Path.cwd()}/var/ledger.db"
    assert settings.job_modules == ["workers.jobs"]


def test_every_fault_is_told_at_once_by_name(monkeypatch: pytest.MonkeyPatch):
    told = faults(monkeypatch, **BAD)
    assert sorted(fault.split()[0] for fault in told) == sorted(BAD)


def test_a_fault_of_one_setting_hides_none_between_two(monkeypatch: pytest.MonkeyPatch):
    told = "\n".join(faults(monkeypatch, PORT="0", WEB_HOST="0.0.0.0"))
    assert "PORT" in told
    assert "WEB_HOST" in told


@pytest.mark.parametrize(
    "url",
    ["postgresql://user@host/name", "postgresql+psycopg:/", "sqlite", "postgresql+psycopg://host:port/name"],
)
def test_a_database_url_that_cannot_work_is_refused(monkeypatch: pytest.MonkeyPatch, url: str):
    [fault] = faults(monkeypatch, DATABASE_URL=url)
    assert fault.startswith("DATABASE_URL ")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "", "127.0.0.1.example.org"])
def test_an_address_that_others_reach_needs_a_password(monkeypatch: pytest.MonkeyPatch, host: str):
    [fault] = faults(monkeypatch, WEB_HOST=host)
    assert "WEB_HOST" in fault and "WAYBILL_PASSWORD" in fault
    monkeypatch.setenv("WAYBILL_PASSWORD", "open sesame")
    assert load().web_host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_loopback_address_needs_no_password(monkeypatch: pytest.MonkeyPatch, host: str):
    monkeypatch.setenv("WEB_HOST", host)
    assert load().web_host == host


def test_a_file_named_env_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch):
    Path(".env").write_text("# a comment\nPORT=9001\nWORKER_THREADS='3'\nNOBODY_KNOWS=this\n")
    monkeypatch.setenv("PORT", "9002")
    assert (load().port, load().worker_threads) == (9002, 3)


def test_names_may_be_written_small(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("port", "9003")
    assert load().port == 9003


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch):
    secrets = {"WAYBILL_PASSWORD": "sesame1", "WAYBILL_SECRET_KEY": "sesame2"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    assert "sesame" not in repr(load())
    url = "postgresql+psycopg://user:sesame3@host:port/name"
    assert "sesame" not in "\n".join(faults(monkeypatch, PORT="x", DATABASE_URL=url))


def test_a_password_in_the_database_url_is_kept_for_the_driver(monkeypatch: pytest.MonkeyPatch):
    url = "postgresql+psycopg://user:s%40%2Fp@host/name"
    monkeypatch.setenv("DATABASE_URL", url)
    assert load().ledger_url == url


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1


def test_a_process_with_bad_settings_says_all_faults_and_ends(processes: Processes):
    process = processes.python("-m", "ledger", PORT="x", CRASH_LIMIT="0")
    assert process.wait() == 1
    assert "PORT" in process.log_text() and "CRASH_LIMIT" in process.log_text()
    assert "Traceback" not in process.log_text()


def test_the_readme_has_a_row_for_each_setting_and_no_other():
    wanted = [
        f"| `{name.upper()}` | {default_of(name)} | {meaning_of(name)} |" for name in Settings.model_fields
    ]
    rows = re.findall(r"^\| `[A-Z_]+` \|.*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert rows == wanted


def default_of(name: str) -> str:
    default = Settings.model_fields[name].default
    text = default.get_secret_value() if isinstance(default, SecretStr) else default
    if text in ("", None):
        return "–"
    return f"`{str(text).lower() if isinstance(text, bool) else text}`"


def meaning_of(name: str) -> str:
    return Settings.model_fields[name].description


def test_the_example_names_settings_that_exist_with_values_that_work(monkeypatch: pytest.MonkeyPatch):
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = [line.removeprefix("# ").split("=", 1) for line in lines if re.match(r"(# )?[A-Z_]+=", line)]
    assert found
    assert {name for name, _ in found} <= set(NAMES)
    for name, value in found:
        monkeypatch.setenv(name, value)
    load()
