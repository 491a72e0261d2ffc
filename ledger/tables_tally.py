"""Tables of ``tally``: what finished, counted once, in numbers that outlive the runs."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from ledger.tables_kin import Id, Instant, metadata

tallies = Table(
    "tallies",
    metadata,
    Column("step", Instant, primary_key=True, comment="how long a row covers: see tally.STEPS"),
    Column("at", Instant, primary_key=True, comment="when they begin"),
    Column("job", String(200), primary_key=True),
    Column("queue", String(200), primary_key=True),
    Column("state", String(12), primary_key=True, comment="terminal"),
    Column("number", BigInteger, nullable=False, comment="runs that finished so in this time"),
)

totals = Table(
    "totals",
    metadata,
    Column("job", String(200), primary_key=True, comment="or tally.OTHER, once there are too many"),
    Column("state", String(12), primary_key=True, comment="terminal"),
    Column("name", String(20), primary_key=True, comment="what is counted: runs, waited, wait:3, ...; see tally"),
    Column("number", BigInteger, nullable=False, comment="since the ledger was made; outlives the runs, only grows"),
)

tally_marks = Table(
    "tally_marks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="1: there is one row"),
    Column("counted_to", Instant, nullable=False, comment="runs that finished up to here are counted"),
    Column("closed_to", Instant, nullable=False, comment="a run that ends later, but up to here, is a straggler"),
    Column("closed_at", Instant, nullable=False, comment="when closed_to was moved last"),
)

stragglers = Table(
    "stragglers",
    metadata,
    Column("run_id", Id, primary_key=True, comment="ended behind closed_to, as a trigger saw; not counted yet"),
)
