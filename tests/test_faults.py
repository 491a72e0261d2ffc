"""The short form of the fault suite: some faults once each, on both stacks. ``make faults`` does all of them."""

from pathlib import Path

import pytest

from tests.faults.catalogue import FAULTS
from tests.faults.ground import Ground
from tests.faults.scenario import POSTGRESQL, SQLITE, run
from tests.servers import PostgreSQL, RabbitMQ

RUNS = 30
SHORT = (
    (1, SQLITE), (3, POSTGRESQL), (4, SQLITE), (5, POSTGRESQL), (21, POSTGRESQL), (22, POSTGRESQL), (33, SQLITE),
    (37, SQLITE), (42, POSTGRESQL),
)  # fmt: skip


@pytest.mark.parametrize(("number", "on"), SHORT)
def test_promises_are_kept(number: int, on: str, rabbitmq: RabbitMQ, postgresql: PostgreSQL, tmp_path: Path):
    with Ground(rabbitmq, postgresql) as ground:
        outcome = run(FAULTS[number](), ground, on, 1, RUNS, True, tmp_path)
    logs = "\n".join(path.read_text() for path in tmp_path.iterdir())
    assert outcome.violations == [], logs
    assert not outcome.left_out
    assert outcome.runs >= RUNS
    assert (outcome.lost, outcome.doubled) == (0, 0)
