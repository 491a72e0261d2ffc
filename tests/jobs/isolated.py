"""Jobs that run in processes of their own, and what goes wrong with them; and threads that will not stop."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback

import dramatiq
from dramatiq.middleware import CurrentMessage
from dramatiq.worker import ConsumerThread, WorkerThread

from tests.jobs.stock import add, witness
from workers import context

log = logging.getLogger(__name__)

#: Calls C code without giving the GIL back: no other thread of the process runs meanwhile.
_libc_with_gil = ctypes.PyDLL(None)

isolated = {"isolation": "process", "max_retries": 0}


@dramatiq.actor(**isolated)
def whereabouts():
    is_main = threading.current_thread() is threading.main_thread()
    return {"pid": os.getpid(), "parent": os.getppid(), "is_main": is_main}


@dramatiq.actor(**isolated)
def tell():
    """Progress, a log line and artifacts from inside."""
    context.progress(3, 7, "counting")
    log.warning("from inside of run %s", context.run_id())
    context.artifact("note.txt", b"kept", title="A note")
    return {"attempt": context.attempt()}


@dramatiq.actor(**isolated)
async def double_later(n: int):
    return n * 2


@dramatiq.actor(**isolated)
def call_others(n: int):
    return [add.send(i, i).message_id for i in range(n)]


@dramatiq.actor(**isolated)
def wait_for_other():
    return add.send(20, 22).get_result(block=True, timeout=10_000)


@dramatiq.actor(**isolated)
def double(n: int):
    return 2 * n


@dramatiq.actor(isolation="process", max_retries=2, min_backoff=50, max_backoff=100)
def stumble(succeed_at: int = 3):
    if context.attempt() < succeed_at:
        raise ValueError("not yet")
    return "at last"


@dramatiq.actor(isolation="process", max_retries=1)
def retry_soon():
    if context.attempt() == 1:
        raise dramatiq.errors.Retry(delay=200)
    return "later"


@dramatiq.actor(**isolated, time_limit=60_000)
def sleep(seconds: float):
    """One blocking call, which an exception in a thread could not end."""
    witness("sleep", context.run_id())
    time.sleep(seconds)


@dramatiq.actor(**isolated, time_limit=250)
def brief():
    """Ends within a limit that is shorter than the start of a process."""
    time.sleep(0.1)


@dramatiq.actor(**isolated, time_limit=500)
def sleep_too_long():
    time.sleep(60)


@dramatiq.actor(**isolated, time_limit=500)
def hang_in_c():
    """Holds the GIL in C code: nothing in its process but the kernel can end it."""
    witness("hang_in_c", context.run_id())
    _libc_with_gil.sleep(60)


@dramatiq.actor(**isolated)
def hang_in_c_for_long():
    witness("hang_in_c_for_long", context.run_id())
    _libc_with_gil.sleep(60)


@dramatiq.actor(**isolated)
def work_until_canceled():
    """Stops in its own way."""
    while not context.canceled():
        time.sleep(0.01)
    context.progress(1)


@dramatiq.actor(**isolated)
def crash(how: str = "SIGSEGV"):
    witness("crash", context.run_id())
    if how == "fork" and os.fork() == 0:
        time.sleep(60)  # holds open what its parent had open
    if how in ("exit", "fork"):
        os._exit(7)
    os.kill(os.getpid(), signal.Signals[how])
    time.sleep(60)


@dramatiq.actor(isolation="process", max_retries=5, on_crash="fail")
def crash_once():
    witness("crash_once", context.run_id())
    ctypes.string_at(0)


@dramatiq.actor(max_retries=5, on_crash="fail")
def crash_worker_once():
    witness("crash_worker_once", context.run_id())
    os.kill(os.getpid(), signal.SIGKILL)


@dramatiq.actor(**isolated, memory_limit=200_000_000)
def fill_memory(megabytes: int):
    return len(bytearray(megabytes * 1_000_000))


@dramatiq.actor(**isolated, cpu_limit=1)
def burn():
    while True:
        pass


@dramatiq.actor(**isolated, file_size_limit=1_000_000, open_files_limit=40)
def write_file(size: int, count: int = 1):
    path = f"{os.environ['WITNESS']}.{context.run_id()}"
    files = [open(path, "wb") for _ in range(count)]
    files[0].write(b"x" * size)
    files[0].flush()
    context.artifact("small.txt", b"fits")
    return add.send(size).message_id


@dramatiq.actor(**isolated)
def leave_program_running():
    """Starts a program and crashes; the program must not go on."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    witness("program", str(program.pid))
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


@dramatiq.actor(**isolated)
def wait_for_program():
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    witness("program", str(program.pid))
    program.wait()


@dramatiq.actor(max_retries=0, time_limit=300)
def deaf():
    """In a thread, in C code that gives the GIL back: the exception waits for it."""
    witness("deaf", context.run_id())
    time.sleep(60)


@dramatiq.actor(max_retries=0)
def deaf_to_cancel():
    time.sleep(60)


@dramatiq.actor(max_retries=0)
def long_at_first():
    """Would take a minute, but not when it is started again."""
    while context.attempt() == 1:
        time.sleep(0.01)


@dramatiq.actor(max_retries=0)
def kill_thread(kind: str):
    """Kills one idle thread of the worker process, as a bug in a library might."""
    wanted = {"worker": WorkerThread, "consumer": ConsumerThread}[kind]
    victim = next(each for each in threading.enumerate() if isinstance(each, wanted) and is_idle(each))
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(victim.ident), ctypes.py_object(SystemExit))
    witness("kill_thread", CurrentMessage.get_current_message().message_id)


def is_idle(thread: threading.Thread) -> bool:
    """Whether it executes no body, nor anything that a body called."""
    called = traceback.walk_stack(sys._current_frames()[thread.ident])
    return all(frame.f_code.co_filename != __file__ for frame, _line in called)
