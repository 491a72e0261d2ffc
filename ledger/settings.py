"""The environment, read and checked once. No other module reads it.

Every fault is reported at once (``SettingsError``), in words that name the variable. ``.env`` in the working
directory is read too; the environment wins.
"""

from functools import cache
from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from ledger import failpoints, volume_address
from ledger.errors import N_
from ledger.feed_addresses import hosts_of
from ledger.volume_address import Address


class SettingsError(Exception):
    """One or more settings cannot be used; raised at boot, before anything else is done."""

    def __init__(self, faults: list[str]):
        self.faults = faults
        super().__init__("These settings need a change:\n" + "\n".join(f"  {fault}" for fault in faults))


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field(
        "", description=N_("The ledger. Unset: SQLite in `WAYBILL_VAR`. `postgresql+psycopg://…`: PostgreSQL.")
    )
    broker_url: str = Field(
        "", description=N_("The broker. Unset: the embedded one, nothing to install. `amqp://…`: RabbitMQ.")
    )
    broker_quorum: bool = Field(False, description=N_("Declare RabbitMQ queues as quorum queues."))
    jobs: str = Field(
        "workers.jobs", description=N_("The modules whose Dramatiq actors are the jobs, separated by commas.")
    )
    schedules_file: Path = Field(
        Path("schedules.toml"), description=N_("Schedules declared in a file, read by the scheduler. Not there: none.")
    )
    worker_processes: int = Field(2, ge=1, le=256, description=N_("Worker processes per supervisor."))
    worker_threads: int = Field(8, ge=1, le=256, description=N_("Slots (threads) per worker process."))
    worker_grace: float = Field(3, ge=0, description=N_("Seconds that a stopping worker lets its runs finish."))
    crash_limit: int = Field(3, ge=1, description=N_("A run that killed its worker, or its own process, so often is dead."))
    web_host: str = Field(
        "127.0.0.1", description=N_("Address the site binds to. Not loopback: only with `WAYBILL_PASSWORD`.")
    )
    port: int = Field(8000, ge=1, le=65535, description=N_("Port of the site."))
    trusted_proxy: str = Field(
        "", description=N_("Address of the proxy in front of the site, whose `X-Forwarded-For` is believed.")
    )
    web_threads: int = Field(16, ge=1, le=256, description=N_("Requests answered at the same time."))
    waybill_password: SecretStr = Field(
        SecretStr(""), validate_default=True, description=N_("Puts a sign-in page in front of the site.")
    )
    waybill_secret_key: SecretStr = Field(
        SecretStr(""), description=N_("Signs cookies. Unset: made at first start, kept in `WAYBILL_VAR`.")
    )
    waybill_var: Path = Field(
        Path("var"), description=N_("Folder of the ledger (SQLite), artifacts, uploads, volumes, photos and the secret key.")
    )
    waybill_volumes: SecretStr = Field(
        SecretStr(""),
        description=N_(
            "Address of kept volumes, for hosts that share no disk, like `s3://bucket/volumes`. "
            "Unset: `volumes` in `WAYBILL_VAR`."
        ),
    )
    waybill_files: Path | None = Field(
        None, description=N_("Folder of server-side files that jobs may read. Unset: `files` in `WAYBILL_VAR`.")
    )
    subject_path: str = Field(
        "{subject}.mpv", description=N_("Where the volume of a subject lies, below the folder of server-side files.")
    )
    upload_limit_mb: int = Field(2048, ge=1, description=N_("Largest upload, in megabytes."))
    keep_patient_names: bool = Field(
        False, description=N_("Keep the patient's name with a volume. Not set: it is dropped when the file is read.")
    )
    feed_hosts_allowed: str = Field(
        "",
        description=N_("Hosts that feeds may come from although they are not public: names, separated by commas, like `intranet:8080`."),
    )
    retention_days: int = Field(
        30, ge=1, description=N_("Days after which finished runs, with their logs and artifacts, are pruned.")
    )
    retention_runs_per_job: int = Field(
        0, ge=0, description=N_("Finished runs kept of each job that does not say `keep=N` itself; `0` is no limit.")
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description=N_("With `WAYBILL_PASSWORD`: opens `/metrics` to who sends it as `Bearer`.")
    )
    display_timezone: str = Field("UTC", description=N_("Time zone of the times on the pages, an IANA name."))
    log_level: str = Field("INFO", description=N_("Level of the processes' own log."))
    waybill_fail_at: str = Field(
        "", description=N_("For tests: the step at which a process fails, like `claim.after_commit:kill:3`.")
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:", "postgresql+psycopg:")):
            raise ValueError("is neither sqlite:///… nor postgresql+psycopg://…")
        try:
            return url and make_url(url).render_as_string(hide_password=False)
        except ArgumentError:
            raise ValueError("is not a database URL, like postgresql+psycopg://user@host/name") from None

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, url: str) -> str:
        if url and not url.startswith(("amqp://", "amqps://")):
            raise ValueError("does not start with amqp:// or amqps://; leave it out for the embedded broker")
        return url

    @field_validator("trusted_proxy")
    @classmethod
    def _address_of_a_machine(cls, address: str) -> str:
        try:
            return address and str(ip_address(address))
        except ValueError:
            raise ValueError(f"{address!r} is not an IP address, like 127.0.0.1") from None

    @field_validator("waybill_volumes")
    @classmethod
    def _known_storage(cls, address: SecretStr) -> SecretStr:
        if text := address.get_secret_value():
            volume_address.parsed(text)
        return address

    @field_validator("subject_path")
    @classmethod
    def _names_subject(cls, path: str) -> str:
        if "{subject}" not in path:
            raise ValueError("does not say where the subject's name goes, like {subject}.mpv")
        return path

    @field_validator("feed_hosts_allowed")
    @classmethod
    def _known_hosts(cls, text: str) -> str:
        hosts_of(text)
        return text

    @field_validator("display_timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(name)
        except Exception:
            raise ValueError(f"{name!r} is not an IANA time zone, like Europe/Madrid") from None
        return name

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, name: str) -> str:
        if name.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("is none of DEBUG, INFO, WARNING, ERROR")
        return name.upper()

    @field_validator("waybill_fail_at")
    @classmethod
    def _known_step(cls, text: str) -> str:
        failpoints.parse(text)
        return text

    @field_validator("waybill_password")
    @classmethod
    def _guards_address(cls, password: SecretStr, found: ValidationInfo) -> SecretStr:
        host = found.data.get("web_host")
        if host is not None and not password.get_secret_value() and not is_loopback(host):
            raise ValueError(f"must be set: others can reach WEB_HOST {host!r}. Or bind to 127.0.0.1")
        return password

    @property
    def var(self) -> Path:
        return self.waybill_var.resolve()

    @property
    def files(self) -> Path:
        return (self.waybill_files or self.var / "files").resolve()

    @property
    def uploads(self) -> Path:
        return self.var / "uploads"

    @property
    def artifacts(self) -> Path:
        return self.var / "artifacts"

    @property
    def volumes(self) -> Path:
        """The folder on this disk; where volumes are kept is ``volume_place``."""
        return self.var / "volumes"

    @property
    def volume_place(self) -> Path | Address:
        address = self.waybill_volumes.get_secret_value()
        return volume_address.parsed(address) if address else self.volumes

    @property
    def photos(self) -> Path:
        return self.var / "photos"

    @property
    def feed_hosts(self) -> frozenset[tuple[str, int]]:
        return hosts_of(self.feed_hosts_allowed)

    @property
    def ledger_url(self) -> str:
        return self.database_url or f"sqlite:///{self.var / 'ledger.db'}"

    @property
    def embedded(self) -> bool:
        return not self.broker_url

    @property
    def job_modules(self) -> list[str]:
        return [name.strip() for name in self.jobs.split(",") if name.strip()]


@cache
def settings() -> Settings:
    """The settings of this process, which from now on fails where they say; SettingsError names every fault."""
    chosen = load()
    failpoints.arm(chosen.waybill_fail_at)
    return chosen


def load(**overrides) -> Settings:
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError([describe(fault) for fault in error.errors()]) from None


def describe(fault: dict) -> str:
    name = "".join(str(part) for part in fault["loc"]).upper()
    message = fault["msg"].removeprefix("Value error, ")
    return f"{name} {message}" if name else message


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
