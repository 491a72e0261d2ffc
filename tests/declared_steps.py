"""What tests of declared schedules say: processes that declare this and that, and what stands in the ledger then."""

from typing import Any

from sqlalchemy import select

from ledger import clock, declarations, declared, fleet
from ledger.engine import reading, writing
from ledger.statements import CODE, FILE, Statement
from ledger.tables import schedules as schedules_table
from ledger.tables import statements as statements_table
from tests.schedule_steps import set_watermark

MODULE = "shop.tasks"
NIGHTLY = {"job": "report", "cron": "0 3 * * *", "args": {"month": "2026-01"}}


def said(name: str = "nightly", place: str = "shop/tasks.py:7", module: str = MODULE, **changes: Any) -> dict[str, Any]:
    rule = {} if {"every", "once"} & changes.keys() else {"cron": NIGHTLY["cron"]}
    own = {"name": name, "job": "report", "args": NIGHTLY["args"], **rule} | changes
    return declarations.read(own) | {"place": place, "module": module}


def code(*all_said: dict, jobs: tuple = ("mail", "report"), modules: tuple = (MODULE,), wrong: tuple = ()) -> Statement:
    return Statement(CODE, {each["name"]: each for each in all_said}, wrong, jobs, modules)


def file(*all_said: dict, **more: Any) -> Statement:
    found = {each["name"]: each | {"place": f"schedules.toml, “{each['name']}”", "module": ""} for each in all_said}
    return Statement(FILE, found, **more)


def process(engine, statement: Statement) -> str:
    """A living process that says this: its id."""
    started = fleet.NewProcess(kind="worker" if statement.source == CODE else "scheduler")
    fleet.register(engine, started)
    declared.announce(engine, started.id, statement)
    return started.id


def end(engine, process_id: str) -> None:
    with writing(engine) as connection:
        fleet.stop(connection, process_id)
    follow(engine)


def follow(engine) -> None:
    """As a scheduler does every now and then."""
    declared.follow_if_changed(engine, None)


def deploy(engine, old: str | None, statement: Statement) -> str:
    """The new code's worker comes before the old one's goes."""
    new = process(engine, statement)
    if old is not None:
        end(engine, old)
    return new


def row(engine, name: str = "nightly") -> Any:
    with reading(engine) as connection:
        return connection.execute(select(schedules_table).where(schedules_table.c.name == name)).one_or_none()


def obstacles(engine) -> list[str]:
    with reading(engine) as connection:
        return [text for text in connection.scalars(select(statements_table.c.obstacles)) if text != "[]"]


def put_back(engine, minutes: int, name: str = "nightly") -> int:
    """Lets so many minutes of the schedule be unaccounted for: the new watermark."""
    at = clock.now() - minutes * 60 * clock.SECOND
    set_watermark(engine, row(engine, name).id, at)
    return at
