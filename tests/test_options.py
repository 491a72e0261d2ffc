"""Options on isolation: what cannot be meant is refused when the job's module is imported."""

import dramatiq
import pytest

from tests.stack import Stack
from workers.isolation import WrongOption, check

WRONG = [
    ({"isolation": "processes"}, "isolation='processes' is none of 'thread', 'process'"),
    ({"on_crash": True}, "on_crash=True is none of 'retry', 'fail'"),
    ({"isolation": "process", "memory_limit": "2 GB"}, "memory_limit='2 GB' is no whole number of bytes above 0"),
    ({"isolation": "process", "memory_limit": 1.5e9}, "memory_limit=1500000000.0 is no whole number of bytes"),
    ({"isolation": "process", "cpu_limit": 0}, "cpu_limit=0 is no whole number of seconds above 0"),
    ({"isolation": "process", "open_files_limit": True}, "open_files_limit=True is no whole number of files"),
    ({"file_size_limit": 1_000}, "file_size_limit needs isolation='process'"),
]


@pytest.mark.parametrize(("options", "fault"), WRONG)
def test_an_option_that_cannot_be_kept_is_refused_in_words(options: dict, fault: str):
    with pytest.raises(WrongOption) as refused:
        check("report", options)
    assert str(refused.value).startswith("the job 'report' cannot be declared: ") and fault in str(refused.value)


def test_options_that_can_be_kept_pass():
    check("report", {})
    check("report", {"isolation": "thread", "on_crash": "fail", "memory_limit": None})
    check("report", {"isolation": "process", "memory_limit": 10**9, "cpu_limit": 60, "file_size_limit": 1})


def test_a_job_is_refused_where_it_is_declared(embedded_stack: Stack):
    with embedded_stack.sending():
        with pytest.raises(WrongOption, match="the job 'late' cannot be declared"):
            dramatiq.actor(lambda: None, actor_name="late", cpu_limit=3)
