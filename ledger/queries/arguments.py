"""Search by argument: ``subject = 42 amount>100 "card declined"`` -> conditions, and conditions -> SQL.

No index helps here, so this only ever looks at the runs of a window (``places``).
"""

import json
import re
from dataclasses import dataclass, replace

from sqlalchemy import Boolean, Connection, Engine, Float, Text, and_, case, cast, func, literal, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ledger import texts
from ledger.engine import reading
from ledger.tables import jobs

CONDITION = re.compile(r"""(?<!\S)([^\W\d]\w*(?:\.\w+)*)\s*(!=|>=|<=|=|>|<)\s*("(?:[^"\\]|\\.)*"|[^\s"=<>!]\S*)""")
QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*')
ODD = re.compile(r"\\u(0000|d[89a-f][0-9a-f]{2})")
MOST_CONDITIONS = 8
MOST_JOBS = 1_000


@dataclass(frozen=True, slots=True)
class Condition:
    """``name`` may be a path (``options.size``). ``places``: in which jobs it is also a positional argument."""

    name: str
    operator: str
    value: str
    is_text: bool = False
    places: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.operator} {quoted(self.value) if self.is_text else self.value}"


def parse(search: str) -> tuple[str, tuple[Condition, ...]]:
    """What is typed into the search box: the plain text, and the conditions. All in quotes is plain text."""
    if whole := QUOTED.fullmatch(search):
        return _unquoted(whole[1]), ()
    found = [_condition(*match.groups()) for match in CONDITION.finditer(search)][:MOST_CONDITIONS]
    rest = " ".join(CONDITION.sub(" ", search).split()) if found else search
    bare = QUOTED.fullmatch(rest)
    return (_unquoted(bare[1]) if bare else rest), tuple(found)


def plainly(text: str) -> str:
    """What to search for when ``text`` is to be found as it stands, whatever is in it."""
    return text if parse(text) == (text, ()) else quoted(text)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _condition(name: str, operator: str, value: str) -> Condition:
    is_text = value.startswith('"')
    return Condition(name, operator, _unquoted(value[1:-1]) if is_text else value, is_text)


def placed(connection: Connection, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """With the places where jobs take these names as positional arguments, as their schemas say."""
    if not conditions:
        return ()
    orders = {job: _in_order(schema) for job, schema in _schemas(connection).items()}
    return tuple(replace(each, places=_places(each.name, orders)) for each in conditions)


def argument_names(engine: Engine) -> frozenset[str]:
    """The names of the arguments that jobs take."""
    with reading(engine) as connection:
        return frozenset(name for each in _schemas(connection).values() for name in each.get("properties", {}))


def _schemas(connection: Connection) -> dict[str, dict]:
    rows = connection.execute(select(jobs.c.name, jobs.c.parameters).order_by(jobs.c.name).limit(MOST_JOBS))
    return {row.name: texts.from_json(row.parameters) for row in rows}


def _in_order(parameters: dict) -> list[str]:
    """Names of the positional parameters; what ``*args`` and ``**kwargs`` take has none."""
    properties = parameters.get("properties", {})
    names = list(properties)
    rest = [name for name in names if "x-rest" in properties[name]]
    return names[: names.index(rest[0])] if rest else names


def _places(name: str, orders: dict[str, list[str]]) -> tuple[tuple[str, int], ...]:
    return tuple((job, order.index(name)) for job, order in orders.items() if name in order)


def holds(column, condition: Condition):
    """The condition on the columns ``args`` and ``job``."""
    path = condition.name.split(".")
    named = and_(Contains(column.args, texts.to_json(path[0])), _compares(column.args, ["kwargs", *path], condition))
    by_place = [
        and_(column.job == job, _compares(column.args, ["args", str(place)], condition))
        for job, place in condition.places
    ]
    return or_(named, *by_place)


def _compares(args, path: list[str], condition: Condition):
    """Looking for the bare text first saves taking most of the JSON apart."""
    part, operator = Part(args, path), condition.operator
    if operator not in ("=", "!="):
        return _compares_numbers(part, operator, condition.value)
    written, bare = _written(condition), texts.to_json(condition.value)[1:-1]
    written += [ODD.sub(r"\\n", each) for each in written if ODD.search(each)]  # as ``Part`` reads it on PostgreSQL
    if operator == "!=":
        return and_(part.is_not(None), part.not_in(written))
    return and_(*[Contains(args, bare)] if all(bare in each for each in _written(condition)) else (), part.in_(written))


def _compares_numbers(part, operator: str, value: str):
    try:
        limit = float(value)
    except ValueError:
        limit = float("nan")
    if limit != limit:
        return literal(False)
    number = case((func.substr(part, 1, 1).in_(list("-0123456789")), cast(part, Float)))
    return number.op(operator)(limit)


def _written(condition: Condition) -> list[str]:
    """Every way in which JSON may hold the value: ``42`` is a number, or the text of it."""
    found = [texts.to_json(condition.value)]
    if condition.is_text:
        return found
    try:
        value = json.loads(condition.value.lower() if condition.value in ("True", "False") else condition.value)
    except ValueError:
        return found
    if isinstance(value, dict | list):
        return [*found, texts.to_json(value)]
    numbers = {value} if isinstance(value, bool) or value is None else {value, float(value)}
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        numbers = [value, int(value)]
    return [*found, *sorted({texts.to_json(each) for each in (value, *numbers)})]


class Contains(FunctionElement):
    """Whether a text has another one in it, letter by letter."""

    inherit_cache = True
    type = Boolean()
    name = "contains"

    def __init__(self, column, text: str):
        super().__init__(column, literal(text))


@compiles(Contains)
def _contains(element, compiler, **options) -> str:
    column, text = (compiler.process(each, **options) for each in element.clauses)
    return f"({'instr' if compiler.dialect.name == 'sqlite' else 'strpos'}({column}, {text}) > 0)"


class Part(FunctionElement):
    """The JSON text of a part of a JSON text; NULL where there is no such part.

    Neither database looks into JSON with a NaN in it, which Python writes, nor PostgreSQL into one with a NUL or
    half a character. SQLite finds nothing there; PostgreSQL reads null, and line ends.
    """

    inherit_cache = True
    type = Text()
    name = "part"

    def __init__(self, column, path: list[str]):
        lite = "$" + "".join(f"[{step}]" if path[0] == "args" and step != "args" else f'."{step}"' for step in path)
        super().__init__(column, literal(lite), literal("{" + ",".join(path) + "}"))


@compiles(Part, "sqlite")
def _lite(element, compiler, **options) -> str:
    column, path, _ = (compiler.process(each, **options) for each in element.clauses)
    return f"(CASE WHEN json_valid({column}) THEN {column} -> {path} END)"


@compiles(Part, "postgresql")
def _postgres(element, compiler, **options) -> str:
    column, _, path = element.clauses
    text, path = compiler.process(column, **options), compiler.process(path, **options)
    odd = " OR ".join(f"strpos({text}, '{each}') > 0" for each in ("\\u0000", "\\ud", "NaN", "Infinity"))
    whole = f"regexp_replace({text}, '\\\\u(0000|d[89a-f][0-9a-f]{{2}})', '\\\\n', 'g')"
    mended = f"regexp_replace({whole}, '(?<=[:,[])(NaN|-?Infinity)', 'null', 'g')"
    return f"CAST(CAST(CASE WHEN {odd} THEN {mended} ELSE {text} END AS JSON) #> CAST({path} AS TEXT[]) AS TEXT)"
