"""The files for Supervisor and systemd, ours and honcho's, say what Waybill's processes need."""

import subprocess
import sys
from configparser import ConfigParser
from getpass import getuser
from pathlib import Path

import pytest

from ledger.settings import Settings
from tests.exports import export
from tests.processes import ROOT
from workers.supervisor import LAST_SECONDS

DEPLOY = ROOT / "docs/deploy"
UNITS = ("waybill-web.service", "waybill-worker.service", "waybill-scheduler.service")
LONGEST_STOP = Settings.model_fields["worker_grace"].default + LAST_SECONDS


def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines)


def sections(path: Path) -> ConfigParser:
    read = ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=(" ;",))
    read.optionxform = str
    read.read(path)
    return read


def exported_units(folder: Path) -> list[Path]:
    export("systemd", folder, "--app-root", ROOT)
    return sorted(folder.iterdir())


def our_units(folder: Path) -> list[Path]:
    """For this machine: systemd looks whether programs and users are there."""
    for unit in (*UNITS, "waybill.target"):
        text = (DEPLOY / unit).read_text().replace("/srv/waybill/.venv/bin/python", sys.executable)
        (folder / unit).write_text(text.replace("User=waybill", f"User={getuser()}"))
    return sorted(folder.iterdir())


def test_each_command_replaces_the_shell_that_started_it():
    assert all(command.startswith("exec python ") for command in procfile().values())


@pytest.mark.parametrize("units", [exported_units, our_units])
def test_systemd_finds_no_fault_in_the_units(units, tmp_path: Path):
    command = ["systemd-analyze", "verify", "--man=no", *map(str, units(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_units_run_the_commands_of_the_procfile():
    found = [sections(DEPLOY / unit)["Service"]["ExecStart"].rpartition("/")[2] for unit in UNITS]
    assert [f"exec {command}" for command in found] == list(procfile().values())


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_stops_its_first_process_alone_and_comes_back_whatever_happens(unit: str):
    read = sections(DEPLOY / unit)
    assert (read["Service"]["KillMode"], read["Service"]["Restart"]) == ("mixed", "always")
    assert "KillSignal" not in read["Service"]
    assert read["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_unit_of_the_workers_waits_longer_than_their_grace_and_outlives_a_job_without_memory():
    service = sections(DEPLOY / "waybill-worker.service")["Service"]
    assert float(service["TimeoutStopSec"]) > LONGEST_STOP + 5
    assert service["OOMPolicy"] == "continue"


def test_exported_units_leave_the_children_of_the_workers_to_the_workers(tmp_path: Path):
    exported_units(tmp_path)
    service = sections(tmp_path / "waybill-worker-1.service")["Service"]
    assert (service["KillMode"], service["Restart"]) == ("process", "always")
    assert service["ExecStart"] == "/bin/sh -lc 'exec python -m workers'"


def test_our_programs_for_supervisor_run_the_commands_of_the_procfile():
    read = sections(DEPLOY / "supervisor.conf")
    programs = [read[f"program:waybill-{name}"] for name in procfile()]
    assert [program["command"].rpartition("/")[2] for program in programs] == [
        command.removeprefix("exec ") for command in procfile().values()
    ]
    assert all(program["autorestart"] == "true" and "stopasgroup" not in program for program in programs)
    assert float(read["program:waybill-worker"]["stopwaitsecs"]) > LONGEST_STOP + 5
