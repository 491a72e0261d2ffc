"""A disk so small that a test can fill it: a file system in memory, mounted for one fault."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def can_mount() -> bool:
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "waybill-faults", folder], check=True)
    try:
        yield folder
    finally:  # lazily: processes that are just ending may hold it a moment longer
        subprocess.run(["umount", "--lazy", folder], check=True)
