"""JSON Schema -> fields, and what people type into them -> arguments, or words about what is wrong."""

import enum
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Optional
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, NaiveDatetime
from werkzeug.datastructures import FileStorage, MultiDict

from ledger.ids import new_id
from ledger.settings import load
from tests.as_sent import as_a_browser_sends
from web.forms import by_name, filled_in, form_of
from web.forms import read as read_form
from workers.signature import signature_of
from workers.uploads import UploadFile

ZONE = "Europe/Madrid"


class Region(enum.Enum):
    EUROPE = "EU"
    AMERICA = "US"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(BaseModel):
    x: int
    y: int = 0


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


@pytest.fixture
def here(tmp_path):
    return load(waybill_var=tmp_path, display_timezone=ZONE)


NOWHERE = load(waybill_var=Path("/nonexistent"), display_timezone=ZONE)


def parameters_of(**annotations) -> dict:
    """The schema of a job with these parameters; a tuple is an annotation and a default."""

    def job(): ...

    signature = [
        (name, *(each if isinstance(each, tuple) else (each,))) for name, each in annotations.items()
    ]
    lines = ", ".join(
        f"{name}: T['{name}']" + (f" = D['{name}']" if more else "") for name, _, *more in signature
    )
    names = {
        "T": {name: annotation for name, annotation, *_ in signature},
        "D": {name: more[0] for name, _, *more in signature if more},
    }
    exec(f"def job({lines}): ...", names)
    return signature_of(names["job"]).schema


def field(annotation, *default, **values):
    parameters = parameters_of(it=(annotation, *default))
    return form_of(parameters, values or None, settings=NOWHERE).fields[0]


def read(parameters, texts: dict | MultiDict, files: dict | None = None, here=NOWHERE, original=None):
    texts = MultiDict({f"arg-{name}": text for name, text in texts.items()})
    return read_form(parameters, texts, MultiDict(files or {}), original, settings=here)


def typed(annotation, text, *default):
    """The value, or the message at the field."""
    form = read(parameters_of(it=(annotation, *default)), {"it": text})
    return form.kwargs.get("it", "left out") if form.kwargs is not None else form.fields[0].error


KINDS = [
    (int, "integer"),
    (float, "number"),
    (Decimal, "number"),
    (str, "text"),
    (bool, "boolean"),
    (date, "date"),
    (datetime, "datetime"),
    (NaiveDatetime, "datetime"),
    (time, "text"),
    (timedelta, "text"),
    (UUID, "text"),
    (Region, "choice"),
    (Level, "choice"),
    (Literal["a", 2, None], "choice"),
    (Optional[bool], "choice"),
    (Optional[int], "integer"),
    (Optional[Region], "choice"),
    (int | str, "text"),
    (int | float, "number"),
    (date | str, "text"),
    (list[int], "list"),
    (list[date], "list"),
    (set[str], "list"),
    (list[Region], "choices"),
    (Optional[list[int]], "list"),
    (list[list[int]], "json"),
    (list[Point], "json"),
    (list[int | None], "json"),
    (list, "json"),
    (tuple[int, str], "json"),
    (dict[str, int], "json"),
    (dict, "json"),
    (Point, "json"),
    (Tree, "json"),
    (Point | int, "json"),
    (Any, "json"),
    (UploadFile, "upload"),
    (Optional[UploadFile], "upload"),
    (list[UploadFile], "upload"),
    (Path, "text"),
    (bytes, "text"),
]


@pytest.mark.parametrize(("annotation", "kind"), KINDS, ids=str)
def test_a_type_has_its_kind_of_field(annotation, kind):
    assert field(annotation).kind == kind


def test_fields_keep_the_order_and_labels_of_the_parameters():
    form = form_of(
        parameters_of(last_month=int, also=Annotated[str, Field(title="As well")]), settings=NOWHERE
    )
    assert [(each.name, each.label) for each in form.fields] == [
        ("last_month", "Last month"),
        ("also", "As well"),
    ]


def test_blank_is_refused_only_where_a_value_is_needed():
    assert field(int).required and field(Region).required and field(UploadFile).required
    assert not field(int, 3).required and not field(Optional[int]).required and not field(bool).required
    assert not field(Any, None).required and not field(list[int]).required


DEFAULTS = [
    (int, 3, "3"),
    (int, 2**60, str(2**60)),
    (float, 1e-3, "0.001"),
    (str, "abc", "abc"),
    (bool, True, "true"),
    (date, date(2026, 10, 31), "2026-10-31"),
    (Decimal, Decimal("0.10"), "0.10"),
    (Optional[int], None, ""),
    (datetime, datetime(2026, 10, 31, 2, tzinfo=UTC), "2026-10-31T03:00"),
    (list[int], [1, 2], "1\n2"),
    (datetime, datetime(2026, 10, 31, 2, 0, 5, tzinfo=UTC), "2026-10-31T03:00:05"),
    (dict, {"a": 1}, '{"a": 1}'),
    (Region, Region.AMERICA, "US"),
    (str | int, "5", '"5"'),
    (str | int, 5, "5"),
    (str, "a\nb", "a\nb"),
    (Any, None, ""),
    (Any, "x", '"x"'),
]


@pytest.mark.parametrize(("annotation", "default", "text"), DEFAULTS, ids=str)
def test_a_default_stands_in_its_field(annotation, default, text):
    assert field(annotation, default).value == text


READ = [
    (int, " 42 ", 42),
    (int, "-7", -7),
    (int, str(2**70), 2**70),
    (int, "+1", 1),
    (int, "10,000,000,000", 10**10),
    (int, "-6\u202f013", -6013),
    (int, "10_000", 10_000),
    (Optional[int], "12 000", 12_000),
    (int | str, "1,000", "1,000"),
    (float, "1e-3", 1e-3),
    (float, "3", 3),
    (float, ".5", 0.5),
    (float, str(2**60), 2**60),
    (Decimal, "0.10", "0.10"),
    (str, " a ", " a "),
    (bool, "true", True),
    (bool, "false", False),
    (bool, "on", True),
    (date, "2026-10-31", "2026-10-31"),
    (date, "2026-1-5", "2026-01-05"),
    (datetime, "2026-10-31T03:00", "2026-10-31T03:00:00+01:00"),
    (datetime, "2026-07-01 03:00:30", "2026-07-01T03:00:30+02:00"),
    (datetime, "2026-07-01", "2026-07-01T00:00:00+02:00"),
    (datetime, "2026-07-01T03:00Z", "2026-07-01T03:00:00+00:00"),
    (NaiveDatetime, "2026-07-01T03:00", "2026-07-01T03:00:00"),
    (time, "3:30", "03:30"),
    (timedelta, "1:30:00", "1:30:00"),
    (timedelta, "PT90S", "PT90S"),
    (Region, "EU", "EU"),
    (Level, "2", 2),
    (Literal["a", 2], "2", 2),
    (Literal["2", 2], '"2"', "2"),
    (Optional[int], "", None),
    (Optional[str], "", None),
    (Optional[str], '""', ""),
    (Optional[str], '""""', '""'),
    (Optional[bool], "", None),
    (Optional[bool], "false", False),
    (Optional[Region], "", None),
    (int | str, "5", 5),
    (int | str, '"5"', "5"),
    (int | str, "abc", "abc"),
    (bool | str, "true", True),
    (date | int, "2026-10-31", "2026-10-31"),
    (list[int], "1\r\n\r\n 2 ", [1, 2]),
    (list[int], "", []),
    (Optional[list[int]], "", None),
    (list[str], "a b\nc", ["a b", "c"]),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (Any, "[1, null]", [1, None]),
    (Any, '"x"', "x"),
    (Point, '{"x": 1}', {"x": 1}),
    (str, "a\r\nb", "a\nb"),
    (dict, '{"a": 1.5e3}', {"a": 1500.0}),
    (Optional[dict], " ", None),
]


@pytest.mark.parametrize(("annotation", "text", "value"), READ, ids=str)
def test_what_is_typed_becomes_a_value(annotation, text, value):
    found = typed(annotation, text)
    assert json.dumps(found) == json.dumps(value)


WRONG = [
    (int, "abc", "“abc” is not a whole number. Write it like 42."),
    (int, "1.500", "“1.500” is not a whole number. Write it like 42."),
    (int, "10,00", "“10,00” is not a whole number. Write it like 42."),
    (int, "1,000 000", "“1,000 000” is not a whole number. Write it like 42."),
    (list[int], "1,200", "Line 1: “1,200” is not a whole number. Write it like 42."),
    (int, "1.5", "“1.5” is not a whole number. Write it like 42."),
    (int, "9" * 2000, "This number has more than 1,000 digits."),
    (int, "", "This needs a value."),
    (float, "abc", "“abc” is not a number. Write it like 3.14."),
    (float, "1,5", "“1,5” has a comma. Write it with a point, like 1.5."),
    (float, "1e999", "“1e999” is too large for a number with a point."),
    (float, "nan", "“nan” is not a number. Write it like 3.14."),
    (date, "2026-13-01", "13 is not a month. Write it like 2026-10-31."),
    (date, "2026-02-30", "February 2026 has no day 30. Its last day is 28."),
    (date, "tomorrow", "“tomorrow” is not a date. Write it like 2026-10-31."),
    (date, "0000-01-01", "0000 is not a year. Write it like 2026-10-31."),
    (datetime, "2026-10-31 25:00", "25 is not an hour. Write it like 2026-10-31 14:30."),
    (datetime, "2026-03-29T02:30", "02:30 does not exist on 2026-03-29: clocks in Europe/Madrid skip it."),
    (
        datetime,
        "2026-10-31T03:00+99:00",
        "“2026-10-31T03:00+99:00” has no such time zone offset. Write it like +02:00.",
    ),
    (NaiveDatetime, "2026-10-31T03:00Z", "“2026-10-31T03:00Z” names a time zone. Leave out Z."),
    (time, "24:00", "24 is not an hour. Write it like 14:30."),
    (timedelta, "soon", "“soon” is not a duration. Write it like 1:30:00 (hours first) or PT90S."),
    (UUID, "x", "“x” is not a UUID. Write it like 0198c0de-0000-7000-8000-000000000000."),
    (Region, "", "Choose one of these."),
    (Region, "UK", "“UK” is not one of EUROPE, AMERICA."),
    (bool, "maybe", "“maybe” is neither yes nor no."),
    (int | bool, "x", "“x” is not a whole number or true or false."),
    (list[int], "1\nx", "Line 2: “x” is not a whole number. Write it like 42."),
    (list[Annotated[int, Field(ge=2)]], "2\n\n1", "Line 3: “1” is too small. It has to be 2 or more."),
    (set[int], "1\n1", "The same value stands here twice."),
    (Annotated[list[int], Field(min_length=2)], "1", "This has 1 item, but at least 2 are asked for."),
    (Annotated[int, Field(ge=1)], "0", "“0” is too small. It has to be 1 or more."),
    (Annotated[int, Field(lt=9)], "9", "“9” is too large. It has to be less than 9."),
    (Annotated[Decimal, Field(ge=0)], "-1", "“-1” is too small. It has to be 0 or more."),
    (Annotated[int, Field(multiple_of=5)], "7", "“7” is none of these. It has to be a multiple of 5."),
    (Annotated[str, Field(max_length=2)], "abc", "This has 3 characters, but at most 2 are asked for."),
    (
        Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-10"])],
        "2026-13",
        "“2026-13” is not written as asked. Write it like 2026-10.",
    ),
    (dict, "{'a': 1}", "This is not JSON: line 1 has ' where a double quote is needed."),
    (
        dict,
        "{",
        "This is not JSON: expecting property name enclosed in double quotes at line 1, character 2.",
    ),
    (dict, "[1]", '“[1]” is not an object. Write it like {"name": 1}.'),
    (Any, "abc", '“abc” is not JSON. Text needs double quotes, like "abc".'),
    (Any, "NaN", "NaN is no JSON number. Leave it out, or write null."),
    (Any, "[" * 5000, "This is nested too deeply."),
    (Any, "[" * 80 + "]" * 80, "This is nested too deeply."),
    (Any, "9" * 5000, "A number in this has too many digits."),
    (Any, "[1e999]", "“1e999” is too large for a number with a point."),
    (Any, '"\\ud800"', "\\ud800 is only half of a character."),
    (Point, '{"y": 1}', "“x” is missing."),
    (Point, '{"x": "a"}', "x: “a” is not a whole number. Write it like 42."),
    (dict[str, int], '{"a": "b"}', "a: “b” is not a whole number. Write it like 42."),
    (list[Point], '[{"x": 1}, {"x": null}]', "item 2, x: “null” is not a whole number. Write it like 42."),
    (
        Tree,
        '{"name": "a", "children": [{"name": 1}]}',
        'children, item 1, name: “1” is not text. Write it like "abc".',
    ),
]


@pytest.mark.parametrize(("annotation", "text", "message"), WRONG, ids=lambda each: str(each)[:40])
def test_what_does_not_fit_is_told_in_plain_words(annotation, text, message):
    assert typed(annotation, text) == message


def test_all_faults_are_told_at_once_and_nothing_typed_is_lost():
    form = read(parameters_of(count=int, since=date, name=str), {"count": "x", "since": "y", "name": "z"})
    assert form.kwargs is None
    assert [each.name for each in form.wrong] == ["count", "since"]
    assert [each.value for each in form.fields] == ["x", "y", "z"]


def test_a_date_that_is_none_is_shown_in_a_plain_field():
    form = read(parameters_of(since=date, at=datetime), {"since": "2026-13-01", "at": "2026-10-31T03:00"})
    assert [each.attributes["type"] for each in form.fields] == ["text", "datetime-local"]


def test_a_cleared_field_takes_the_default():
    assert typed(int, "", 3) == 3
    assert typed(str, "", "abc") == ""
    assert typed(Optional[int], "", 5) is None
    assert typed(list[int], "", [1]) == []
    assert typed(Any, "", object()) == "left out"


def test_fields_that_were_not_sent_take_their_defaults():
    form = read(parameters_of(count=(int, 3), flag=(bool, True), name=(str, "x")), {})
    assert form.kwargs == {"count": 3, "flag": True, "name": "x"}
    assert read(parameters_of(count=int), {}).fields[0].error == "This needs a value."


def test_an_untouched_default_is_sent_as_it_is():
    naive = datetime(2026, 1, 1, 3)
    assert typed(datetime, field(datetime, naive).value, naive) == "2026-01-01T03:00:00"


def test_choices_are_named_by_the_members_of_an_enumeration():
    choices = field(Region, Region.AMERICA).choices
    assert [(each.key, each.label, each.chosen) for each in choices] == [
        ("EU", "EUROPE", False), ("US", "AMERICA", True)
    ]  # fmt: skip
    assert [each.label for each in field(Region).choices] == ["Choose…", "EUROPE", "AMERICA"]
    assert [each.label for each in field(Optional[bool]).choices] == ["Not set", "Yes", "No"]


def test_a_choice_that_is_none_any_more_is_shown_and_refused():
    shown = field(Region, it="UK").choices[-1]
    assert (shown.key, shown.label, shown.chosen) == ("UK", "UK (no choice any more)", True)


HELP = [
    (Annotated[int, Field(ge=1, le=9, description="How many")], "How many. 1 to 9."),
    (Annotated[int, Field(ge=0, le=10**10)], "0 to 10,000,000,000."),
    (Annotated[float, Field(ge=0, le=10**10)], "0 to 10000000000."),
    (Annotated[float, Field(gt=0)], "More than 0."),
    (datetime, "Time in Europe/Madrid."),
    (NaiveDatetime, "Without a time zone."),
    (list[int], "One whole number per line."),
    (Annotated[list[int], Field(description="Ids")], "Ids. One per line."),
    (dict, "As JSON."),
    (Point, "As JSON, with x, y (optional)."),
    (
        int | str,
        'A whole number or text. Put text in quotes where it could be taken for something else: "5".',
    ),
    (Annotated[str, Field(max_length=9, examples=["abc"])], "9 characters at most. Like abc."),
    (str, ""),
]


@pytest.mark.parametrize(("annotation", "sentence"), HELP, ids=str)
def test_the_help_says_what_the_field_takes(annotation, sentence):
    assert field(annotation).help == sentence


def test_a_nested_object_starts_with_a_template_that_is_not_accepted_as_it_is():
    found = field(Point)
    assert json.loads(found.value) == {"x": None, "y": 0}
    assert typed(Point, found.value) == "x: “null” is not a whole number. Write it like 42."


def test_a_link_fills_the_form_in_without_judging():
    parameters = parameters_of(count=(int, 3), flag=(bool, True), name=(str, "x"))
    form = filled_in(parameters, MultiDict({"arg-count": "many", "arg-flag": "false"}), settings=NOWHERE)
    assert [each.value for each in form.fields] == ["many", "false", "x"]
    assert not form.wrong


def test_fields_that_differ_from_the_original_say_what_was_there():
    parameters = parameters_of(count=int, region=Region, name=str)
    original = {"count": 1, "region": "EU", "name": "a"}
    form = read(parameters, {"count": "x", "region": "US", "name": "a"}, original=original)
    assert [(each.changed, each.was) for each in form.fields] == [(True, "1"), (True, "EUROPE"), (False, "a")]


def test_a_value_that_does_not_fit_its_field_is_shown_as_it_is():
    assert field(int, it="abc").value == "abc"
    assert (field(int, it=[1]).kind, json.loads(field(int, it=[1]).value)) == ("json", [1])
    assert (field(bool, it="yes").kind, field(bool, it="yes").as_json) == ("json", True)
    assert field(str, it="\ud800").value == '"\\ud800"'


STRANGE = [
    {},
    {"properties": {}},
    {"properties": {"it": True}},
    {"properties": {"it": {"$ref": "elsewhere"}}},
    {"properties": {"it": {"enum": 3}}},
    {"properties": {"it": {"type": "what"}}},
    {"properties": {"it": {"anyOf": 1}}},
    {"properties": {"it": {"type": "string", "pattern": "("}}},
    {"properties": {"it": {"type": "integer", "minimum": "x"}}},
    {"properties": {"it": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"$ref": "#/$defs/A"}}},
    {
        "properties": {"it": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {"type": "array", "items": {"$ref": "#/$defs/A"}}},
    },
]


@pytest.mark.parametrize("parameters", STRANGE, ids=str)
def test_a_schema_of_another_making_still_has_a_form(parameters):
    form_of(parameters, {"it": 1}, settings=NOWHERE)
    read(parameters, {"it": "1"})


def a_file(name: str, content: bytes = b"voxels") -> FileStorage:
    from io import BytesIO

    return FileStorage(BytesIO(content), filename=name)


def test_an_upload_is_saved_and_its_reference_is_the_argument(here):
    form = read(parameters_of(file=UploadFile), {}, {"arg-file": a_file("Scan 1.nii")}, here)
    prefix, name = form.kwargs["file"].rsplit("/", 1)
    assert name == "Scan 1.nii"
    assert (here.uploads / prefix.removeprefix("upload:") / name).read_bytes() == b"voxels"


def test_a_saved_file_is_carried_along_when_another_field_is_wrong(here):
    parameters = parameters_of(file=UploadFile, count=int)
    first = read(parameters, {"count": "x"}, {"arg-file": a_file("a.txt")}, here)
    (kept,) = first.fields[0].kept
    assert (kept.name, kept.size) == ("a.txt", 6)
    second = read(parameters, {"count": "1", "file": kept.reference}, {}, here)
    assert second.kwargs == {"file": kept.reference, "count": 1}


def test_another_file_takes_the_place_of_the_kept_one(here):
    parameters = parameters_of(file=UploadFile)
    first = read(parameters, {}, {"arg-file": a_file("a.txt")}, here).kwargs["file"]
    second = read(parameters, {"file": first}, {"arg-file": a_file("b.txt")}, here).kwargs["file"]
    assert second.endswith("/b.txt")


def test_several_files_go_to_a_list(here):
    parameters = parameters_of(files=list[UploadFile])
    files = MultiDict([("arg-files", a_file("a.txt")), ("arg-files", a_file("b.txt"))])
    first = read_form(parameters, MultiDict({"arg-files": ""}), files, settings=here).kwargs["files"]
    assert [each.rpartition("/")[2] for each in first] == ["a.txt", "b.txt"]
    assert read(parameters, {"files": ""}, {}, here).kwargs == {"files": []}


def test_a_file_that_is_needed_is_asked_for(here):
    assert read(parameters_of(file=UploadFile), {"file": ""}, {}, here).fields[0].error == "Choose a file."
    assert read(parameters_of(file=(Optional[UploadFile], None)), {"file": ""}, {}, here).kwargs == {
        "file": None
    }


@pytest.mark.parametrize(
    "reference", ["/etc/passwd", "upload:../x", "upload:{id}/../x", "upload:{id}/\0", "x"]
)
def test_a_reference_that_leaves_the_folder_is_refused(here, reference):
    form = read(parameters_of(file=UploadFile), {"file": reference.format(id=new_id())}, {}, here)
    assert form.fields[0].error == "This is not a file that was uploaded here. Choose it again."


def test_a_file_that_is_gone_is_asked_for_again(here):
    shown = form_of(parameters_of(file=UploadFile), {"file": f"upload:{new_id()}/a.txt"}, settings=here)
    assert shown.fields[0].error == "“a.txt” is not on the server any more. Choose it again."
    assert shown.fields[0].kept == ()


NAMES = [
    ("../../etc/passwd", "passwd"),
    ("C:\\docs\\报告 1.csv", "报告 1.csv"),
    ("", "file"),
    ("..", "file"),
    ("\0", "file"),
    (".hidden", "hidden"),
    ("a" * 300 + ".nii.gz", "a" * 197 + ".gz"),
    ("报" * 100, "报" * 66),
    ("x." + "y" * 300, "file"),
    ("a\nb.txt", "ab.txt"),
    ("\ud800.txt", "txt"),
]


@pytest.mark.parametrize(("sent", "name"), NAMES, ids=lambda each: ascii(each)[:20])
def test_a_file_keeps_the_harmless_part_of_its_name(here, sent, name):
    file = FileStorage(a_file("x").stream)
    file.filename = sent or None
    from web.forms.uploads import save

    assert save(file, here.uploads).reference.rpartition("/")[2] == name


def test_the_digest_is_that_of_all_that_was_sent(here):
    parameters = parameters_of(file=UploadFile, count=int)

    def digest(content, count):
        return read(parameters, {"count": count}, {"arg-file": a_file("a", content)}, here).digest

    assert digest(b"1", "1") == digest(b"1", "1")
    assert len({digest(b"1", "1"), digest(b"2", "1"), digest(b"1", "2")}) == 3


def test_positional_arguments_go_to_parameters_in_order():
    def job(a, b=2, *args, c=3, **kwargs): ...

    schema = signature_of(job).schema
    named = by_name(schema, [1, 2, 3, 4], {"c": 5, "d": 6}, typed=False)
    assert named.values == {"a": 1, "b": 2, "args": [3, 4], "c": 5, "kwargs": {"d": 6}}
    assert by_name(schema, [], named.values, typed=True) == named


def test_arguments_without_a_parameter_are_named():
    def job(a): ...

    named = by_name(signature_of(job).schema, [1, "two"], {"old": 3}, typed=False)
    assert (named.values, named.homeless) == ({"a": 1}, ("'two'", "old"))


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ["", '""', '""""', "5", "null", "true", " a ", "a\nb", "a\rb", "\n", "\0", "[1]", '"x"', "1\x85 2", "\t"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers()
DATES = st.dates().map(date.isoformat)
INSTANTS = st.datetimes(
    datetime(1950, 1, 1),
    datetime(9999, 12, 30),
    timezones=st.sampled_from([UTC, ZoneInfo(ZONE), ZoneInfo("Asia/Kolkata")]),
).map(datetime.isoformat)
VALID = [
    (int, st.integers()),
    (float, NUMBERS),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)),
    (str, TEXT),
    (bool, st.booleans()),
    (date, DATES),
    (time, st.times().map(time.isoformat)),
    (UUID, st.uuids().map(str)),
    (NaiveDatetime, st.datetimes().map(datetime.isoformat)),
    (Region, st.sampled_from(["EU", "US"])),
    (Level, st.sampled_from([1, 2])),
    (Literal["", "1", 1, "a"], st.sampled_from(["", "1", 1, "a"])),
    (Optional[int], st.none() | st.integers()),
    (Optional[str], st.none() | TEXT),
    (Optional[bool], st.none() | st.booleans()),
    (Optional[Region], st.none() | st.sampled_from(["EU", "US"])),
    (int | str, st.integers() | TEXT),
    (int | str | bool | None, st.none() | st.integers() | st.booleans() | TEXT),
    (date | str, DATES | TEXT),
    (list[int], st.lists(st.integers(), max_size=4)),
    (list[str], st.lists(TEXT, max_size=4)),
    (Optional[list[str]], st.none() | st.lists(TEXT, max_size=4)),
    (list[Region], st.lists(st.sampled_from(["EU", "US"]), max_size=4)),
    (list[int | str], st.lists(st.integers() | TEXT, max_size=4)),
    (dict[str, int], st.dictionaries(TEXT, st.integers(), max_size=3)),
    (Optional[dict], st.none() | st.dictionaries(TEXT, JSON, max_size=3)),
    (Point, st.fixed_dictionaries({"x": st.integers()}, optional={"y": st.integers()})),
    (Any, JSON),
]


@pytest.mark.parametrize(("annotation", "values"), VALID, ids=lambda each: str(each)[:30])
@pytest.mark.parametrize("default", [(), (None,)], ids=["required", "default None"])
def test_a_valid_value_survives_its_field(annotation, values, default):
    parameters = parameters_of(it=(annotation, *default))

    @settings(max_examples=40, deadline=None)
    @given(values)
    def survives(value):
        form = form_of(parameters, {"it": value}, settings=NOWHERE)
        again = read_form(parameters, as_a_browser_sends(form), MultiDict(), settings=NOWHERE)
        assert not again.wrong
        assert json.dumps(again.kwargs) == json.dumps({"it": value})

    survives()


@settings(max_examples=150, deadline=None)
@given(INSTANTS)
def test_an_instant_survives_its_field(value):
    parameters = parameters_of(it=datetime)
    form = form_of(parameters, {"it": value}, settings=NOWHERE)
    again = read_form(parameters, as_a_browser_sends(form), MultiDict(), settings=NOWHERE)
    assert not again.wrong
    assert datetime.fromisoformat(again.kwargs["it"]) == datetime.fromisoformat(value)


EVERYTHING = parameters_of(**{f"p{index}": annotation for index, (annotation, _) in enumerate(KINDS)})


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_text_makes_reading_raise(data):
    anything = st.text(st.characters(), max_size=30) | st.sampled_from(
        ["1e9999", "[" * 3000, "9" * 5000, "-", "0x1", "٣", "1_0", "2026-02-31", "9999-12-31T23:59",
         "0001-01-01T00:00", "P", "upload:", "{", '{"a":', "\0", "\ud800", '"\\ud800"', "1\n\r2", "Infinity",
         "-0", "1e-400", "T", "::"]
    )  # fmt: skip
    texts = MultiDict([(f"arg-{name}", data.draw(anything)) for name in EVERYTHING["properties"]])
    for name in data.draw(st.lists(st.sampled_from(sorted(EVERYTHING["properties"])), max_size=5)):
        texts[f"arg-{name}.json"] = "1"
    form = read_form(EVERYTHING, texts, MultiDict(), settings=NOWHERE)
    again = as_a_browser_sends(form)
    assert again.keys() >= {f"arg-{name}" for name in EVERYTHING["properties"]}
    json.dumps(form.kwargs)
    if form.kwargs is not None:
        json.dumps(form.kwargs, allow_nan=False)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_any_value_of_any_run_can_be_shown(value):
    form = form_of(EVERYTHING, dict.fromkeys(EVERYTHING["properties"], value), settings=NOWHERE)
    "".join(each.value for each in form.fields).encode()
