"""What ties processes together, so that no body goes on when the process that answers for it is gone."""

import ctypes
import os
import signal
import sys
from pathlib import Path

#: What a worker process tells its supervisor by its exit code, besides 0.
EXIT_GONE = 3  # it was declared gone, or cannot even write endings: start another one
EXIT_RECYCLED = 4  # it ended in order, because a thread hangs or has died: start another one at once

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Lets the kernel kill this process when ``parent`` ends, whatever code it is in then. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we said so
        os._exit(1)


def kill_group(leader: int) -> None:
    """SIGKILL to a process that leads a group, and to all that it started in that group."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def has_ended(child: int) -> bool:
    """Whether a child of ours has ended; it stays a zombie, so that its id names nobody else meanwhile."""
    try:
        return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def kill_session(leader: int) -> bool:
    """SIGKILL to all that are left of a session; True when nobody is left. Ask until it is."""
    left = _session_of(leader)
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return not left


def _session_of(leader: int) -> list[int]:
    """The session's processes that are no zombies. Without /proc, its first group is ended and taken for all."""
    if not Path("/proc/self/stat").exists():
        kill_group(leader)
        return []
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and _lives_in(int(entry), leader)]


def _lives_in(pid: int, session: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()  # a name in it may be no text
    except OSError:
        return False
    state, _parent, _group, of_session = stat.rpartition(b")")[2].split()[:4]
    return int(of_session) == session and state not in b"ZX"


def signal_name(number: int) -> str:
    """``SIGKILL``; those for which Python has no name are called by their number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
