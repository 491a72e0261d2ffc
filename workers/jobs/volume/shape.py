"""Shapes as people write them and as numpy keeps them.

A text is X x Y x Z, with X varying fastest in the file; a ``Shape`` is numpy's (z, y, x) for the same bytes
in C order.
"""

import re

Shape = tuple[int, int, int]

_SEPARATOR = r"\s*[x×*,;\s]\s*"
_WRITTEN = re.compile(_SEPARATOR.join(["([0-9]{1,6})"] * 3), re.IGNORECASE)
_IN_A_NAME = re.compile(r"(?<![0-9])([0-9]{1,6})[x×]([0-9]{1,6})[x×]([0-9]{1,6})(?![0-9])", re.IGNORECASE)


def parsed(text: str) -> Shape | None:
    """The shape in a text such as "110x110x187" or "110, 110, 187", or None if it is none."""
    return _shape(_WRITTEN.fullmatch(text.strip()))


def in_name(name: str) -> Shape | None:
    """The shape that a file name such as "brain_256x256x128.raw" tells, or None."""
    return _shape(_IN_A_NAME.search(name))


def _shape(match: re.Match[str] | None) -> Shape | None:
    x, y, z = map(int, match.groups()) if match else (0, 0, 0)
    return (z, y, x) if x and y and z else None


def written(shape: Shape) -> str:
    """As the form takes it: (187, 110, 110) is "110x110x187"."""
    return "x".join(map(str, reversed(shape)))


def spoken(shape: Shape) -> str:
    """As a sentence says it: (187, 110, 110) is "110 x 110 x 187"."""
    return " x ".join(map(str, reversed(shape)))
