"""Commands as the documents tell them, so that what people are told to type is what the tests run.

A block is named behind its language: a fence of three backticks, then say `sh name`.
"""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.processes import ROOT


def run_documented(document: str, name: str, folder: Path, **variables: object) -> None:
    """Runs the block in a shell that ends with its first failure; what it says is in the error then."""
    environment = {key: str(value) for key, value in variables.items()}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["bash", "-euo", "pipefail", "-c", block(document, name)]
    options = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL, "timeout": 120}
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path} | environment, **options)
    if done.returncode:
        raise RuntimeError(f"{name} of {document} ended with {done.returncode}\n{done.stdout}{done.stderr}")


@cache
def block(document: str, name: str) -> str:
    text = (ROOT / document).read_text()
    (found,) = re.findall(rf"^```\w+ {re.escape(name)}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return found
