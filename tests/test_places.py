"""Where a body failed: the last function of the job's own code."""

import json

import pytest
from dramatiq.middleware.time_limit import TimeLimitExceeded

from workers import places


def inner(act):
    return act()


def outer(act):
    return inner(act)


def failing(act) -> BaseException:
    with pytest.raises(BaseException) as caught:
        outer(act)
    return caught.value


def stumble():
    raise ValueError("no")


def test_it_is_the_last_function_that_is_no_library():
    place = places.place_of(failing(lambda: json.loads("{")))
    assert place.words.startswith("tests/test_places.py, in test_it_is_the_last_function")
    assert places.place_of(failing(stumble)) == ("tests.test_places:stumble", "tests/test_places.py, in stumble")


def test_a_line_more_above_makes_no_other_place():
    code = "def fails():\n    raise ValueError('no')\n"
    found = set()
    for text in (code, f"\n\n# a comment\n{code}"):
        there = {"__name__": "jobs.mail"}
        exec(compile(text, "/srv/app/jobs/mail.py", "exec"), there)
        found.add(places.place_of(failing(there["fails"])))
    assert found == {("jobs.mail:fails", "jobs/mail.py, in fails")}


def test_another_folder_makes_no_other_place():
    keys = set()
    for folder in ("/srv/releases/1", "/srv/releases/2"):
        there = {"__name__": "jobs.mail"}
        exec(compile("def fails(): raise ValueError", f"{folder}/jobs/mail.py", "exec"), there)
        keys.add(places.place_of(failing(there["fails"])).key)
    assert keys == {"jobs.mail:fails"}


def test_what_may_strike_anywhere_is_told_by_where_the_body_began():
    def too_slow():
        raise TimeLimitExceeded

    first = failing(stumble).__traceback__.tb_frame.f_code.co_qualname
    assert places.place_of(failing(too_slow)).key == f"tests.test_places:{first}"


def test_without_a_frame_of_the_job_there_is_no_place():
    assert places.place_of(ValueError("never raised")) == places.NOWHERE
