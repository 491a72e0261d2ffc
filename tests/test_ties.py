"""Finding and ending what belongs to a worker, whatever other processes of the machine are called."""

import signal
import subprocess
import sys

from tests.processes import wait_until
from workers import ties

#: Calls itself by bytes that are no text, says so, and sleeps.
ODD = """
import ctypes, time
ctypes.CDLL(None).prctl(15, b"\\xff) \\xfe", 0, 0, 0)
print("ready", flush=True)
time.sleep(60)
"""


def test_a_session_is_found_and_ended_beside_processes_with_odd_names():
    odd = subprocess.Popen([sys.executable, "-c", ODD], stdout=subprocess.PIPE, start_new_session=True)
    assert odd.stdout.readline() == b"ready\n"
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        wait_until(lambda: ties.kill_session(other.pid), 10)
        assert other.wait(5) == -signal.SIGKILL
        assert odd.poll() is None
        wait_until(lambda: ties.kill_session(odd.pid), 10)
        assert odd.wait(5) == -signal.SIGKILL
    finally:
        for process in (odd, other):
            process.kill()
            process.wait()
        odd.stdout.close()


def test_signals_without_a_name_are_called_by_their_number():
    assert ties.signal_name(signal.SIGKILL) == "SIGKILL"
    assert ties.signal_name(40) == "signal 40"
