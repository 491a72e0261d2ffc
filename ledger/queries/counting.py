"""Counts that cost the same at a thousand rows and at a billion: they stop at a cap and say so."""

from dataclasses import dataclass

from sqlalchemy import Connection, Select, func, select

CAP = 10_000


@dataclass(frozen=True, slots=True)
class Count:
    """``number``, or at least that many when ``capped``."""

    number: int = 0
    capped: bool = False

    def __bool__(self) -> bool:
        return self.number > 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.number + other.number, self.capped or other.capped)


def up_to(cap: int, found: int) -> Count:
    """``found`` was counted with a limit of ``cap + 1``."""
    return Count(min(found, cap), found > cap)


def count(connection: Connection, statement: Select, cap: int = CAP) -> Count:
    """How many rows ``statement`` has."""
    return up_to(cap, connection.scalar(number_of(statement, cap)))


def number_of(statement: Select, cap: int = CAP) -> Select:
    """``statement`` as a count that stops one above ``cap``."""
    return select(func.count()).select_from(statement.limit(cap + 1).subquery())
