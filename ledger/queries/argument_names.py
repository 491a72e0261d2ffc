"""The names of the arguments that jobs take, as their schemas say."""

from sqlalchemy import Engine, select

from ledger import texts
from ledger.engine import reading
from ledger.queries.arguments import MOST_JOBS
from ledger.tables import jobs


def argument_names(engine: Engine) -> frozenset[str]:
    with reading(engine) as connection:
        found = connection.scalars(select(jobs.c.parameters).order_by(jobs.c.name).limit(MOST_JOBS)).all()
    return frozenset(name for each in found for name in texts.from_json(each).get("properties", {}))
