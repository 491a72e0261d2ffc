"""Declared schedules with real processes: a worker and a scheduler start, and what stands in code and file ticks."""

import pytest

from tests.stack import Stack

FILE = """
[[schedule]]
name = "from the file"
job = "tick"
every = "1 s"
args = { key = "filed" }
overlap = "allow"

[[schedule]]
job = "tick"
cron = "0 3 * * *"
timezone = "Europe/Madird"
"""


@pytest.fixture
def stack(embedded_stack: Stack) -> Stack:
    embedded_stack.processes.environment["JOBS"] = "tests.jobs.scheduled"
    return embedded_stack


def test_what_code_and_file_declare_ticks_and_a_deploy_takes_back_what_is_gone(stack: Stack):
    folder = stack.processes.folder
    (folder / "schedules.toml").write_text(FILE)
    scheduler, workers = stack.scheduler(), stack.workers(1, 2)
    stack.processes.wait_until(lambda: len(stack.witnessed("tick")) == 2, 40, "both tick")
    assert set(stack.witnessed("tick")) == {"decorated", "filed"}
    scheduler.wait_for_log("did you mean Europe/Madrid?")
    workers.wait_for_log("@schedule “wrong”: The minute “61” is not possible")
    assert undeclared(stack) == []

    (folder / "next-version").touch()
    (folder / "schedules.toml").write_text(FILE.replace('"1 s"', '"2 s"'))
    stack.workers(1, 2)  # the new code's come first
    workers.stop()
    stack.processes.wait_until(lambda: undeclared(stack) == ["in the old code only"], 20, "it is marked")
    stack.processes.wait_until(lambda: rule(stack, "from the file") == "2", 20, "the file is read again")
    (folder / "schedules.toml").unlink()
    stack.processes.wait_until(lambda: "from the file" in undeclared(stack), 20, "it is marked")


def undeclared(stack: Stack) -> list[str]:
    marked = "SELECT name FROM schedules WHERE undeclared_at IS NOT NULL ORDER BY name"
    return [row.name for row in stack.rows(marked)]


def rule(stack: Stack, name: str) -> str:
    return stack.ask("SELECT rule FROM schedules WHERE name = :name", name=name)
