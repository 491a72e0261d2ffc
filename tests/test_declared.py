"""Schedules that code or a file declares: they follow it, edits stay, and what is gone is never kept in silence."""

import json
from dataclasses import replace

import pytest

from ledger import clock, declared, fleet, recurrence, schedules
from ledger.declared import StillDeclared
from ledger.engine import writing
from tests.declared_steps import (
    code,
    deploy,
    end,
    file,
    follow,
    obstacles,
    process,
    put_back,
    row,
    said,
)
from tests.schedule_steps import (
    every_minute,
    fire,
    job,
    with_jobs,  # noqa: F401
)


def edit(engine, **changes) -> None:
    found = row(engine)
    rule = recurrence.parse("cron", found.rule) if found.kind == "cron" else recurrence.parse("interval", found.rule)
    own = {"name": "nightly", "job": found.job, "rule": rule, "args": {"month": "2026-01"}}
    with writing(engine) as connection:
        schedules.change(connection, found.id, schedules.NewSchedule(**own | changes))


def act(engine, step, name: str = "nightly", *more) -> None:
    with writing(engine) as connection:
        step(connection, row(engine, name).id, *more)


HOURLY = recurrence.parse("cron", "0 * * * *")


def test_what_code_declares_is_a_schedule_as_soon_as_a_worker_announces_it(engine):
    before = clock.now()
    process(engine, code(said(timezone="Europe/Madrid", overlap="queue", jitter="5 min", keep=7, queue="night")))
    found = row(engine)
    assert (found.origin, found.declared_as) == ("code", "nightly")
    assert (found.rule, found.timezone) == ("0 3 * * *", "Europe/Madrid")
    assert (found.overlap, found.catchup, found.jitter, found.keep_runs) == ("queue", "latest", 300 * clock.SECOND, 7)
    assert (found.queue, found.args, found.paused_at) == ("night", '{"month":"2026-01"}', None)
    assert found.watermark >= before and found.created_by is None


def test_many_workers_of_the_same_code_make_it_once_and_change_nothing(engine):
    process(engine, code(said()))
    before = row(engine)
    for _ in range(3):
        process(engine, code(said()))
    follow(engine)
    assert row(engine) == before


def test_one_that_nobody_edited_follows_the_code_and_a_new_rule_begins_now(engine):
    worker = deploy(engine, None, code(said()))
    old = put_back(engine, 100)
    worker = deploy(engine, worker, code(said(overlap="allow")))
    assert (row(engine).overlap, row(engine).watermark) == ("allow", old), "the same rule keeps what is due"
    deploy(engine, worker, code(said(cron="0 4 * * *", overlap="allow")))
    assert row(engine).rule == "0 4 * * *" and row(engine).watermark > old


def test_an_edit_outlives_every_deploy_and_the_code_is_kept_beside_it(engine):
    worker = deploy(engine, None, code(said()))
    edit(engine, rule=HOURLY)
    worker = deploy(engine, worker, code(said()))
    assert row(engine).rule == "0 * * * *"
    deploy(engine, worker, code(said(cron="0 5 * * *")))
    assert row(engine).rule == "0 * * * *" and '"0 5 * * *"' in row(engine).declared
    act(engine, declared.reset)
    assert row(engine).rule == "0 5 * * *"


def test_an_edit_that_the_code_takes_over_is_none_any_more(engine):
    worker = deploy(engine, None, code(said()))
    edit(engine, rule=HOURLY)
    worker = deploy(engine, worker, code(said(cron="0 * * * *")))
    deploy(engine, worker, code(said(cron="0 6 * * *")))
    assert row(engine).rule == "0 6 * * *", "it follows again"


def test_a_schedule_that_was_renamed_here_stays_the_same_one(engine):
    worker = deploy(engine, None, code(said()))
    edit(engine, name="every night")
    deploy(engine, worker, code(said(cron="0 5 * * *")))
    assert row(engine) is None and row(engine, "every night").declared_as == "nightly"
    act(engine, declared.reset, "every night")
    assert row(engine).rule == "0 5 * * *"


def test_arguments_that_only_spell_out_the_jobs_defaults_are_no_edit(engine):
    process(engine, code(said()))
    edit(engine, args={"month": "2026-01", "copies": 1})
    found = row(engine)
    parameters = {"properties": {"month": {}, "copies": {"default": 1}}}
    assert not declared.is_edited(found, json.loads(found.declared), parameters)
    assert declared.is_edited(found, json.loads(found.declared), {})


def test_a_pause_is_no_edit_and_a_deploy_does_not_end_it(engine):
    worker = deploy(engine, None, code(said()))
    act(engine, schedules.pause, "nightly", "ana")
    deploy(engine, worker, code(said(cron="0 5 * * *")))
    assert (row(engine).rule, row(engine).paused_by) == ("0 5 * * *", "ana")


def test_what_the_code_does_not_declare_any_more_stops_and_is_marked(engine):
    worker = deploy(engine, None, code(said(every="60")))
    deploy(engine, worker, code())
    found = row(engine)
    assert found.undeclared_at and found.paused_at == found.undeclared_at and found.paused_by == "code"
    assert fire(engine, found.id, clock.now() + 10 * 60 * clock.SECOND) == []


def test_declared_again_it_goes_on_and_makes_up_for_what_passed(engine):
    worker = deploy(engine, None, code(said(every="60", catchup="all", overlap="allow")))
    worker = deploy(engine, worker, code())
    put_back(engine, 3)
    deploy(engine, worker, code(said(every="60", catchup="all", overlap="allow")))
    found = row(engine)
    assert (found.undeclared_at, found.paused_at, found.paused_by) == (None, None, None)
    assert len(fire(engine, found.id, clock.now())) == 3


def test_a_persons_pause_stays_whatever_the_code_does(engine):
    worker = deploy(engine, None, code(said()))
    act(engine, schedules.pause, "nightly", "ana")
    worker = deploy(engine, worker, code())
    assert row(engine).undeclared_at and row(engine).paused_by == "ana"
    deploy(engine, worker, code(said()))
    assert row(engine).undeclared_at is None and row(engine).paused_by == "ana"


def test_kept_it_is_the_sites_own_and_ticks_from_now_on(engine):
    worker = deploy(engine, None, code(said(every="60")))
    worker = deploy(engine, worker, code())
    old = put_back(engine, 100)
    act(engine, declared.keep)
    found = row(engine)
    assert (found.origin, found.declared_as, found.declared, found.undeclared_at) == ("site", None, None, None)
    assert found.paused_at is None and found.watermark > old
    deploy(engine, worker, code(said(every="90")))
    assert row(engine).rule == "60" and "was made or renamed here" in obstacles(engine)[0]


def test_what_is_declared_cannot_be_deleted_and_what_is_not_can(engine):
    worker = deploy(engine, None, code(said()))
    with pytest.raises(StillDeclared, match="shop/tasks.py:7"):
        act(engine, declared.remove)
    act(engine, declared.keep)
    assert row(engine).origin == "code", "there is nothing to decide yet"
    deploy(engine, worker, code())
    act(engine, declared.remove)
    assert row(engine) is None


def test_what_no_living_process_declares_can_be_deleted(engine):
    end(engine, process(engine, code(said())))
    assert row(engine).undeclared_at is None, "a fleet that is down says nothing"
    act(engine, declared.remove)
    assert row(engine) is None


def test_old_and_new_code_side_by_side_do_not_undo_each_other(engine):
    old, new = code(said()), code(said(cron="0 5 * * *"), said("weekly", cron="@weekly"))
    first = process(engine, old)
    process(engine, new)
    changed = row(engine)
    for _ in range(2):
        process(engine, old)  # a worker of the old code is restarted
        assert row(engine) == changed and row(engine, "weekly").undeclared_at is None
    end(engine, first)
    assert row(engine) == changed


def test_older_code_is_right_again_when_the_newer_has_gone(engine):
    old, new = code(said()), code(said(cron="0 5 * * *"), said("weekly", cron="@weekly"))
    process(engine, old)
    worker = process(engine, new)
    end(engine, worker)
    assert row(engine).rule == "0 3 * * *" and row(engine, "weekly").undeclared_at
    process(engine, new)
    assert row(engine).rule == "0 5 * * *" and row(engine, "weekly").paused_at is None


def test_a_worker_speaks_only_for_its_own_jobs_and_modules(engine):
    process(engine, code(said()))
    process(engine, code(jobs=("mail",), modules=("mailing",)))
    assert row(engine).undeclared_at is None
    process(engine, code(jobs=("mail",), modules=("shop",)))
    assert row(engine).undeclared_at, "the job went with its schedule, but the module was looked at"


def test_an_entry_that_is_wrong_now_keeps_what_was_declared_before(engine):
    worker = deploy(engine, None, code(said()))
    deploy(engine, worker, code(wrong=("nightly",)))
    assert (row(engine).rule, row(engine).undeclared_at) == ("0 3 * * *", None)
    with pytest.raises(StillDeclared):
        act(engine, declared.remove)


def test_a_file_declares_too_and_takes_it_back(engine):
    scheduler = deploy(engine, None, file(said()))
    assert (row(engine).origin, row(engine).rule) == ("file", "0 3 * * *")
    process(engine, replace(file(), is_broken=True))
    assert row(engine).undeclared_at is None
    process(engine, replace(file(), is_absent=True))
    assert row(engine).undeclared_at is None, "another scheduler has the file"
    deploy(engine, scheduler, file(said("other")))
    assert row(engine).undeclared_at and row(engine).paused_by == "schedules.toml"


def test_workers_do_not_speak_for_the_file(engine):
    process(engine, file(said()))
    process(engine, code())
    assert row(engine).undeclared_at is None


def test_what_both_declare_is_the_codes_and_moves_from_one_to_the_other(engine):
    scheduler = process(engine, file(said(cron="0 1 * * *")))
    worker = deploy(engine, None, code(said()))
    assert (row(engine).origin, row(engine).rule) == ("code", "0 3 * * *")
    assert "declared in the code too" in obstacles(engine)[0]
    deploy(engine, worker, code())
    assert (row(engine).origin, row(engine).rule, row(engine).paused_at) == ("file", "0 1 * * *", None)
    end(engine, scheduler)


def test_a_job_that_nobody_announced_yet_is_waited_for(engine):
    process(engine, replace(file(said(job="unheard")), faults=({"place": "x", "template": "wrong", "values": {}},)))
    assert row(engine) is None and "ever announced" in obstacles(engine)[0]
    fleet.register(engine, fleet.NewProcess(kind="worker"), [job("unheard", "default", 0)])
    follow(engine)
    assert row(engine).job == "unheard" and obstacles(engine) == []


def test_arguments_that_the_job_does_not_take_are_told(engine):
    parameters = {"type": "object", "properties": {"month": {}, "region": {}}, "required": ["region"]}
    told = fleet.Job("report", "reports", 5, parameters, "", "", {}, "")
    fleet.register(engine, fleet.NewProcess(kind="worker"), [told])
    worker = deploy(engine, None, file(said()))
    assert row(engine) is None and "needs a value for" in obstacles(engine)[0]
    worker = deploy(engine, worker, file(said(args={"region": "EU", "colour": "red"})))
    assert row(engine) is None and any("colour" in each for each in obstacles(engine))
    deploy(engine, worker, file(said(args={"region": "EU"})))
    assert row(engine).args == '{"region":"EU"}'


def test_a_name_that_the_site_gave_away_is_told_and_free_again_when_it_is_renamed(engine):
    with writing(engine) as connection:
        mine = schedules.create(connection, every_minute(), "ana")
    process(engine, code(said()))
    assert row(engine).id == mine and row(engine).origin == "site" and len(obstacles(engine)) == 1
    edit(engine, name="mine", rule=HOURLY)
    follow(engine)
    assert row(engine).origin == "code" and obstacles(engine) == []


def test_an_interval_that_is_declared_counts_from_1970_whoever_reads_it(engine):
    process(engine, code(said(every="15 min")))
    found = row(engine)
    assert (found.kind, found.rule, found.anchor_at) == ("interval", "900", 0)
