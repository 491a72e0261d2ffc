"""Statements that run thousands of times a second: compiled once, and given plain values from then on.

SQLAlchemy arranges and converts the parameters of each row anew, which costs as much as SQLite's own work. What is
executed here takes text, whole numbers and None, and is otherwise an ordinary statement of its connection.
"""

from collections.abc import Callable
from enum import Enum
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Dialect, bindparam
from sqlalchemy.ext.compiler import compiles

from ledger import texts


class OneOf(ColumnElement):
    """``column IN (...)`` for a list in one parameter, so that the statement is the same for lists of any length."""

    inherit_cache = True

    def __init__(self, column: ColumnElement, name: str):
        self.column, self.values = column, bindparam(name)


@compiles(OneOf, "sqlite")
def _in_json(element: OneOf, compiler, **options) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(OneOf, "postgresql")
def _in_array(element: OneOf, compiler, **options) -> str:
    return f"{compiler.process(element.column, **options)} = ANY({compiler.process(element.values, **options)})"


class Prepared:
    """A Core statement with named parameters, or what makes it for a connection's database. A list among the
    parameters belongs to ``OneOf``."""

    def __init__(self, statement: Any):
        self._statement = statement
        self._compiled: dict[str, tuple[str, Callable[[dict], Any]]] = {}

    def run(self, connection: Connection, values: dict[str, Any]) -> CursorResult:
        text, arranged = self._for(connection)
        return connection.exec_driver_sql(text, arranged(values))

    def run_many(self, connection: Connection, rows: list[dict[str, Any]]) -> int:
        """Once for each row; how many rows of the ledger were touched."""
        text, arranged = self._for(connection)
        return connection.exec_driver_sql(text, [arranged(values) for values in rows]).rowcount

    def _for(self, connection: Connection) -> tuple[str, Callable[[dict], Any]]:
        dialect = connection.dialect
        if dialect.name not in self._compiled:
            statement = self._statement(connection) if callable(self._statement) else self._statement
            self._compiled[dialect.name] = _compiled(statement, dialect)
        return self._compiled[dialect.name]


def _compiled(statement: Any, dialect: Dialect) -> tuple[str, Callable[[dict], Any]]:
    """Its text, and how the driver wants a row's values."""
    compiled = statement.compile(dialect=dialect)
    constants = {name: plain(bind.effective_value) for name, bind in compiled.binds.items() if not bind.required}
    if not compiled.positional:
        return compiled.string, lambda values: constants | values
    in_order = itemgetter(*compiled.positiontup, "", "")  # two names more: fewer would not give a tuple
    return compiled.string, lambda values: in_order(constants | _listless(values) | {"": None})[:-2]


def plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _listless(values: dict[str, Any]) -> dict[str, Any]:
    return {name: texts.to_json(value) if isinstance(value, list) else value for name, value in values.items()}
