"""What honcho makes of our Procfile for those who keep processes running."""

import subprocess
import sys
from getpass import getuser
from pathlib import Path

from tests.processes import ROOT


def export(form: str, folder: Path, *options: object) -> None:
    """Writes the files of ``form`` into ``folder``, as docs/deploy.md tells; no `.env` has a part in it."""
    paths = folder.parent / "path.env"
    paths.write_text(f"PATH={Path(sys.executable).parent}:/usr/bin:/bin\n")
    given = ("--procfile", ROOT / "Procfile", "--env", paths, "--app", "waybill", "--user", getuser())
    command = [sys.executable, "-m", "honcho", "export", form, folder, *given, *options]
    subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=60)
