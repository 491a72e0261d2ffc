"""Options on isolation: what cannot be meant is refused when the job's module is imported."""

import dramatiq
import pytest

from tests.stack import Stack
from workers import admission
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


def report(month: str, **more): ...


WRONG_LIMITS = [
    ({"max_concurrency": 0}, "max_concurrency=0 is no whole number of runs above 0"),
    ({"max_concurrency": "2"}, "max_concurrency='2' is no whole number of runs above 0"),
    ({"max_concurrency": True}, "max_concurrency=True is no whole number of runs above 0"),
    ({"rate_limit": "10"}, "rate_limit='10' is not like '10/min'"),
    ({"rate_limit": "0/min"}, "rate_limit='0/min' is not like '10/min'"),
    ({"rate_limit": 10}, "rate_limit=10 is not like '10/min'"),
    ({"unique": True}, "unique=True is none of 'queued', 'active', or a time like '15 min'"),
    ({"unique": "15"}, "unique='15' is none of 'queued', 'active', or a time"),
    ({"unique_by": ["month"]}, "unique_by and on_duplicate say how unique= is meant, which is not given"),
    ({"unique": "active", "on_duplicate": "drop"}, "on_duplicate='drop' is none of 'skip', 'replace'"),
    ({"unique": "active", "unique_by": "month"}, "unique_by='month' is no list of parameters"),
]


@pytest.mark.parametrize(("options", "fault"), WRONG_LIMITS)
def test_a_limit_that_cannot_be_meant_is_refused_in_words(options: dict, fault: str):
    with pytest.raises(WrongOption) as refused:
        admission.check("report", options, report)
    assert str(refused.value).startswith("the job 'report' cannot be declared: ") and fault in str(refused.value)


def test_uniqueness_by_what_is_no_parameter_is_refused():
    options = {"unique": "queued", "unique_by": ["month", "year"]}
    admission.check("report", options, report)  # which takes any
    with pytest.raises(WrongOption, match="unique_by names year, which is no parameter of it"):
        admission.check("report", options, lambda month: None)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"max_concurrency": 1}, {"max_concurrency": 1}),
        ({"rate_limit": "10/min"}, {"rate_limit": {"runs": 10, "seconds": 60}}),
        ({"rate_limit": "1 / 15 min"}, {"rate_limit": {"runs": 1, "seconds": 900}}),
        ({"rate_limit": "99/2h"}, {"rate_limit": {"runs": 99, "seconds": 7_200}}),
        (
            {"unique": "queued"},
            {"unique": {"while": "queued", "seconds": None, "by": None, "on_duplicate": "skip"}},
        ),
        (
            {"unique": "1 d", "unique_by": ("month",), "on_duplicate": "replace"},
            {"unique": {"while": "period", "seconds": 86_400, "by": ["month"], "on_duplicate": "replace"}},
        ),
        ({"max_concurrency": None, "rate_limit": None, "unique": None}, {}),
    ],
)
def test_limits_are_announced_in_numbers(said: dict, meant: dict):
    admission.check("report", said, report)
    assert admission.announced(said) == meant


def test_options_that_can_be_kept_pass():
    check("report", {})
    check("report", {"isolation": "thread", "on_crash": "fail", "memory_limit": None})
    check("report", {"isolation": "process", "memory_limit": 10**9, "cpu_limit": 60, "file_size_limit": 1})


def test_a_job_is_refused_where_it_is_declared(embedded_stack: Stack):
    with embedded_stack.sending():
        with pytest.raises(WrongOption, match="the job 'late' cannot be declared"):
            dramatiq.actor(lambda: None, actor_name="late", cpu_limit=3)
