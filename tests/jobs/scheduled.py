"""Jobs that declare their schedules; how many, a test says in a file that stands for the code's next version."""

from pathlib import Path

import dramatiq

from tests.jobs.stock import witness
from workers.schedules import schedule


@schedule(every="1 s", name="often", args={"key": "decorated"}, overlap="allow")
@dramatiq.actor(max_retries=0)
def tick(key: str):
    witness("tick", key)


@dramatiq.actor(max_retries=0)
@schedule("61 * * * *")
def wrong():
    """Its rule is no rule."""


if not Path("next-version").exists():
    schedule("@yearly", name="in the old code only", args={"key": "old"})(tick)
