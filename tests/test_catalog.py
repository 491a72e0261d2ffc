"""Any actor -> what a worker announces about it, and a form's JSON arguments back into typed values."""

import asyncio
import enum
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, TypedDict
from uuid import UUID

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, NaiveDatetime

from ledger import texts
from ledger.ids import new_id
from ledger.settings import settings
from workers.catalog import ArgumentsDoNotFit, announce, bound, code_version, coerce
from workers.options import ActorOptions
from workers.uploads import UploadFile

if TYPE_CHECKING:
    from somewhere import Unknown  # noqa: F401 - named in an annotation below


class Region(enum.Enum):
    EUROPE = "EU"
    AMERICA = "US"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(BaseModel):
    x: int
    y: int = 0


@dataclass
class Box:
    width: float
    label: str = "box"


class Row(TypedDict):
    a: int


class Foreign:
    """A class that pydantic knows nothing about."""


def announced(fn, **options):
    return announce(dramatiq.actor(fn, broker=StubBroker(), actor_name="it", **options))


def properties(fn) -> dict[str, dict]:
    return announced(fn).parameters["properties"]


def the_property(annotation: Any, *default: Any) -> dict:
    def job(it): ...

    job.__annotations__["it"] = annotation
    job.__defaults__ = default or None
    return properties(job)["it"]


def test_an_actor_announces_its_name_queue_priority_and_place():
    @dramatiq.actor(broker=StubBroker(), actor_name="report.build", queue_name="reports", priority=5)
    def build():
        """Build the report.

        It takes a while.
        """

    job = announce(build)
    assert (job.name, job.queue, job.priority) == ("report.build", "reports", 5)
    assert job.doc == "Build the report.\n\nIt takes a while."
    assert job.source == f"tests/test_catalog.py:{build.fn.__code__.co_firstlineno}"
    assert job.version == code_version() and len(job.version) == 10


def test_parameters_keep_their_order_and_the_required_ones_are_named():
    def job(zeta: int, alpha: str, mid: bool = True, *, last: float = 0.5): ...

    schema = announced(job).parameters
    assert list(schema["properties"]) == ["zeta", "alpha", "mid", "last"]
    assert schema["required"] == ["zeta", "alpha"]


def test_a_job_without_parameters_is_an_empty_object():
    assert announced(lambda: None).parameters["properties"] == {}


TYPES = [
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (str, {"type": "string"}),
    (date, {"type": "string", "format": "date"}),
    (datetime, {"type": "string", "format": "date-time"}),
    (time, {"type": "string", "format": "time"}),
    (timedelta, {"type": "string", "format": "duration"}),
    (UUID, {"type": "string", "format": "uuid"}),
    (Decimal, {"type": "string", "format": "decimal"}),
    (Annotated[Decimal, Field(ge=0)], {"type": "string", "format": "decimal", "minimum": 0}),
    (NaiveDatetime, {"type": "string", "format": "date-time", "x-zone": "none"}),
    (Path, {"type": "string", "format": "path"}),
    (UploadFile, {"type": "string", "format": "upload"}),
    (Literal["a", 1, None], {"enum": ["a", 1, None]}),
    (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (Region, {"$ref": "#/$defs/Region"}),
    (Point, {"$ref": "#/$defs/Point"}),
    (Box, {"$ref": "#/$defs/Box"}),
    (Annotated[int, Field(ge=1, le=9)], {"type": "integer", "minimum": 1, "maximum": 9}),
    (Any, {}),
    (Foreign, {}),
    (Callable[[int], int], {}),
    (Row, {}),
    ("Unknown", {}),
    ("int | None", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    ("this is no type", {}),
    (42, {}),
]


@pytest.mark.parametrize(("annotation", "expected"), TYPES, ids=[str(annotation) for annotation, _ in TYPES])
def test_an_annotation_becomes_json_schema(annotation, expected):
    assert the_property(annotation) == expected | {"title": "It"}


DEFAULTS = [
    (Region, Region.AMERICA, "US"),
    (Level, Level.HIGH, 2),
    (date, date(2026, 10, 31), "2026-10-31"),
    (datetime, datetime(2026, 10, 31, 3, tzinfo=UTC), "2026-10-31T03:00:00Z"),
    (Path, Path("a/b"), "a/b"),
    (Decimal, Decimal("0.10"), "0.10"),
    (set[int], {3}, [3]),
    (Point, Point(x=1), {"x": 1, "y": 0}),
    (Box, Box(2.5), {"width": 2.5, "label": "box"}),
    (int, 2**70, 2**70),
    (Any, None, None),
]


@pytest.mark.parametrize(("annotation", "default", "expected"), DEFAULTS)
def test_a_default_is_announced_as_json(annotation, default, expected):
    assert the_property(annotation, default)["default"] == expected


@pytest.mark.parametrize("default", [float("nan"), object(), "\ud800", print, Foreign()])
def test_a_default_that_is_no_json_is_left_out_and_the_parameter_stays_optional(default):
    def job(it=default): ...

    schema = announced(job).parameters
    assert "default" not in schema["properties"]["it"]
    assert "required" not in schema


def test_an_enumeration_keeps_the_names_of_its_members():
    def job(region: Region): ...

    assert announced(job).parameters["$defs"]["Region"]["x-enumNames"] == ["EUROPE", "AMERICA"]


def test_a_type_is_widened_to_admit_its_own_default():
    assert the_property(int, None)["anyOf"] == [{"type": "integer"}, {"type": "null"}]
    assert the_property(int, "auto")["anyOf"] == [{"type": "integer"}, {"type": "string"}]


def test_an_unannotated_parameter_is_any_json_or_what_its_default_tells():
    def job(anything, count=3, name="x", flag=False, since=date(2026, 1, 1), things=(), nothing=None): ...

    found = properties(job)
    assert found["anything"] == {"title": "Anything"}
    assert found["count"]["anyOf"] == [{"type": "integer"}, {"type": "number"}]
    assert [found[name]["type"] for name in ("name", "flag", "since")] == ["string", "boolean", "string"]
    assert found["since"]["format"] == "date"
    assert found["things"] == {"title": "Things", "default": []}
    assert found["nothing"] == {"title": "Nothing", "default": None}


def google(first: int, second: str = "", *args: int, **kwargs: str):
    """Does a thing
    over two lines.

    More about it.

    Args:
        first: The first one,
            over two lines.
        second (str): The second.
        *args: The rest.
        **kwargs: The named rest.

    Returns:
        Nothing.

    Raises:
        ValueError: Never.
    """


def sphinx(first: int, second: str = ""):
    """Does a thing
    over two lines.

    More about it.

    :param first: The first one,
        over two lines.
    :param str second: The second.
    :returns: Nothing.
    """


@pytest.mark.parametrize("fn", [google, sphinx])
def test_the_docstring_describes_the_job_and_its_parameters(fn):
    job = announced(fn)
    assert job.doc == "Does a thing\nover two lines.\n\nMore about it."
    assert job.parameters["properties"]["first"]["description"] == "The first one, over two lines."
    assert job.parameters["properties"]["second"]["description"] == "The second."


def test_a_description_in_the_annotation_wins():
    def job(it: Annotated[int, Field(description="Mine", title="My title")]):
        """Does it.

        Args:
            it: Theirs.
        """

    assert properties(job)["it"] == {"type": "integer", "description": "Mine", "title": "My title"}


def test_args_and_kwargs_are_a_list_and_an_object():
    found = properties(google)
    assert found["args"]["items"] == {"type": "integer"}
    assert (found["args"]["x-rest"], found["args"]["default"]) == ("positional", [])
    assert found["kwargs"]["additionalProperties"] == {"type": "string"}
    assert (found["kwargs"]["x-rest"], found["kwargs"]["description"]) == ("named", "The named rest.")


def test_names_that_mean_something_to_pydantic_are_only_names():
    def job(schema: int, model_config: int, _hidden: int, copy: int, self: int, json: int = 1): ...

    assert list(properties(job)) == ["schema", "model_config", "_hidden", "copy", "self", "json"]
    given = dict(schema=1, model_config=2, _hidden=3, copy=4, self=5)
    assert coerce(job, given) == given


def test_wrapped_functions_are_seen_through():
    def work(it: int):
        """Works."""

    @functools.wraps(work)
    def wrapper(*args, **kwargs): ...

    assert announced(wrapper).doc == "Works."
    assert list(properties(wrapper)) == ["it"]


def test_an_async_actor_shows_its_own_signature():
    async def work(it: int): ...

    assert list(properties(work)) == ["it"]
    assert not asyncio.iscoroutinefunction(dramatiq.actor(work, broker=StubBroker(), actor_name="a").fn)


def test_a_class_based_actor_shows_its_perform():
    class Work(dramatiq.GenericActor):
        """Works."""

        class Meta:
            broker = StubBroker()

        def perform(self, it: int): ...

    job = announce(Work.__actor__)
    assert (job.doc, list(job.parameters["properties"])) == ("Works.", ["it"])


class Unhelpful:
    """A callable that refuses to be looked into."""

    __name__ = "unhelpful"
    __signature__ = "nonsense"

    def __call__(self, **kwargs): ...


ODD = [print, dict, functools.partial(google, 1), Unhelpful(), lambda it=[]: it, "".join, type("C", (), {})]


@pytest.mark.parametrize("fn", ODD, ids=lambda fn: type(fn).__name__)
def test_an_odd_callable_still_has_a_schema(fn):
    job = announced(fn)
    Draft202012Validator.check_schema(job.parameters)
    texts.to_json(job.parameters)


def test_what_cannot_be_looked_into_has_one_json_field():
    assert properties(Unhelpful())["kwargs"]["x-rest"] == "named"
    assert bound(Unhelpful(), {"kwargs": {"a": [1]}}) == ([], {"a": [1]})


def test_options_are_dramatiqs_where_the_actor_says_nothing():
    options = announced(lambda: None).options
    assert options == {
        "max_retries": 20,
        "min_backoff": 15_000,
        "max_backoff": 604_800_000,
        "time_limit": 600_000,
        "max_age": None,
        "throws": [],
        "retry_when": False,
        "isolation": "thread",
        "on_crash": "retry",
    }


def test_options_of_the_actor_are_announced_as_json():
    options = announced(
        lambda: None,
        max_retries=None,
        min_backoff=100,
        max_age=timedelta(minutes=1),
        time_limit=float("inf"),
        throws=(ValueError, KeyError),
        retry_when=lambda retries, error: True,
    ).options
    assert (options["max_retries"], options["time_limit"]) == (None, None)
    assert (options["min_backoff"], options["max_age"]) == (100, 60_000)
    assert (options["throws"], options["retry_when"]) == (["ValueError", "KeyError"], True)
    assert announced(lambda: None, throws=ValueError).options["throws"] == ["ValueError"]


TYPED = [
    (int, 2**70, 2**70),
    (float, 3, 3.0),
    (date, "2026-10-31", date(2026, 10, 31)),
    (datetime, "2026-10-31T03:00:00Z", datetime(2026, 10, 31, 3, tzinfo=UTC)),
    (time, "03:30:00", time(3, 30)),
    (timedelta, "PT90S", timedelta(seconds=90)),
    (Decimal, "0.10", Decimal("0.10")),
    (UUID, "0198c0de-0000-7000-8000-000000000000", UUID("0198c0de-0000-7000-8000-000000000000")),
    (Path, "a/b", Path("a/b")),
    (Region, "EU", Region.EUROPE),
    (Level, 2, Level.HIGH),
    (Optional[Region], None, None),
    (Optional[Region], "US", Region.AMERICA),
    (int | str, "5", "5"),
    (int | str, 5, 5),
    (date | str, "2026-10-31", date(2026, 10, 31)),
    (list[date], ["2026-10-31"], [date(2026, 10, 31)]),
    (tuple[int, str], [1, "a"], (1, "a")),
    (set[int], [1, 2], {1, 2}),
    (dict[str, Region], {"a": "EU"}, {"a": Region.EUROPE}),
    (Point, {"x": 1}, Point(x=1)),
    (Box, {"width": 2}, Box(2.0)),
    (bytes, "abc", b"abc"),
    (Any, {"a": [1, None]}, {"a": [1, None]}),
    (Foreign, [1], [1]),
]


@pytest.mark.parametrize(("annotation", "given", "expected"), TYPED)
def test_json_arguments_become_typed_values(annotation, given, expected):
    def job(it): ...

    job.__annotations__["it"] = annotation
    (value,) = coerce(job, json.loads(json.dumps({"it": given}))).values()
    assert value == expected and type(value) is type(expected)


def test_left_out_parameters_stay_out():
    def job(a: int, b: Region = Region.EUROPE): ...

    assert coerce(job, {"a": 1}) == {"a": 1}


def test_arguments_that_do_not_fit_are_refused_with_every_fault():
    def job(month: date, count: int): ...

    with pytest.raises(ArgumentsDoNotFit) as refused:
        coerce(job, {"month": "2026-13-01", "old": 1})
    assert str(refused.value) == (
        "The arguments do not fit job(): month: input should be a valid date or datetime, "
        "month value is outside expected range of 1-12; count is missing; it has no parameter old. "
        "Perhaps its code changed after this run was made."
    )


def test_bound_is_a_call_that_the_signature_takes():
    def job(a, b=2, /, c=3, *args, d=4, **kwargs):
        return a, b, c, args, d, kwargs

    def call(**given):
        args, kwargs = bound(job, given)
        return job(*args, **kwargs)

    assert call(a=1) == (1, 2, 3, (), 4, {})
    assert call(a=1, args=[7, 8]) == (1, 2, 3, (7, 8), 4, {})
    assert call(a=1, c=5, args=[7], d=6, kwargs={"e": 9}) == (1, 2, 5, (7,), 6, {"e": 9})


def test_a_name_given_twice_is_refused():
    def job(a, **kwargs): ...

    with pytest.raises(ArgumentsDoNotFit, match="a is given twice"):
        bound(job, {"a": 1, "kwargs": {"a": 2}})


@pytest.fixture
def uploads_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WAYBILL_VAR", str(tmp_path))
    settings.cache_clear()
    yield settings().uploads
    settings.cache_clear()


def an_upload(folder: Path, name: str = "scan.nii", content: bytes = b"voxels") -> str:
    upload_id = new_id()
    (folder / upload_id).mkdir(parents=True)
    (folder / upload_id / name).write_bytes(content)
    return f"upload:{upload_id}/{name}"


def test_an_upload_reaches_the_body_as_a_file(uploads_folder):
    def job(file: UploadFile | None = None, more: list[UploadFile] = ()): ...

    reference = an_upload(uploads_folder)
    typed = coerce(job, {"file": reference, "more": [reference]})
    file = typed["file"]
    assert (file.name, file.size, file.path.read_bytes()) == ("scan.nii", 6, b"voxels")
    assert typed["more"] == [file] and file.reference == reference
    assert coerce(job, {"file": None}) == {"file": None}


@pytest.mark.parametrize(
    "reference",
    ["", "x", "upload:", "upload:../../etc/passwd", "upload:{id}/../../x", "upload:{id}/..",
     "upload:{id}/a/b", "upload:{id}/a\\b", "upload:{id}/\0", "upload:{id}",
     "upload:not-an-id/x", "{id}/scan.nii"],
)  # fmt: skip
def test_a_reference_that_leaves_the_uploads_folder_is_refused(uploads_folder, reference):
    def job(file: UploadFile): ...

    an_upload(uploads_folder)
    with pytest.raises(ArgumentsDoNotFit, match="does not name an uploaded file"):
        coerce(job, {"file": reference.format(id=new_id())})


def test_a_link_out_of_the_uploads_folder_is_refused(uploads_folder, tmp_path):
    def job(file: UploadFile): ...

    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("secret")
    upload_id = new_id()
    uploads_folder.mkdir()
    (uploads_folder / upload_id).symlink_to(tmp_path / "secret")
    with pytest.raises(ArgumentsDoNotFit, match="does not name an uploaded file"):
        coerce(job, {"file": f"upload:{upload_id}/key"})


def test_an_upload_that_was_pruned_is_missed_by_name(uploads_folder):
    def job(file: UploadFile): ...

    with pytest.raises(ArgumentsDoNotFit, match="'scan.nii' is not there any more"):
        coerce(job, {"file": f"upload:{new_id()}/scan.nii"})


def test_a_job_announces_how_many_of_its_runs_are_kept_only_when_it_says_so():
    broker = StubBroker(middleware=[ActorOptions()])
    few = announce(dramatiq.actor(lambda: None, broker=broker, actor_name="few", keep=20))
    all_ = announce(dramatiq.actor(lambda: None, broker=broker, actor_name="all"))
    assert few.options["keep"] == 20 and "keep" not in all_.options
