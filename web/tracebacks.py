"""A traceback as blocks: our own frames stand out, those of libraries are folded. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

FRAME = re.compile(r'  File "(?P<path>.+)", line (?P<line>\d+), in (?P<name>.+)')
LIBRARY = re.compile(
    r"(?:site|dist)-packages/(\w+)|lib/python[\d.]+/(?!site-|dist-)(\w+)|<(frozen [\w.]+|string)"
)


class Kind(StrEnum):
    OWN = "own"
    LIBRARY = "library"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring frames of one kind, or text between frames; ``libraries`` says whose code it is."""

    kind: Kind
    text: str
    frames: int = 0
    libraries: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error was raised, as far as our own code goes."""

    path: str
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: Kind
    text: str
    path: str = ""


def blocks(text: str) -> tuple[Block, ...]:
    grouped = groupby(_pieces(text), key=lambda piece: piece.kind)
    return tuple(_block(kind, list(pieces)) for kind, pieces in grouped)


def _pieces(text: str) -> list[_Piece]:
    """Frames with their code lines, and all other lines one by one."""
    pieces: list[_Piece] = []
    for line in text.splitlines():
        frame = FRAME.fullmatch(line)
        if frame:
            kind = Kind.LIBRARY if LIBRARY.search(frame["path"]) else Kind.OWN
            pieces.append(_Piece(kind, line, frame["path"]))
        elif line.startswith("    ") and pieces and pieces[-1].path:
            pieces[-1] = _Piece(pieces[-1].kind, f"{pieces[-1].text}\n{line}", pieces[-1].path)
        else:
            pieces.append(_Piece(Kind.TEXT, line))
    return pieces


def _block(kind: Kind, pieces: list[_Piece]) -> Block:
    text = "\n".join(piece.text for piece in pieces)
    if kind != Kind.LIBRARY:
        return Block(kind, text, len(pieces))
    names = dict.fromkeys(_library(piece.path) for piece in pieces)
    return Block(kind, text, len(pieces), ", ".join(names))


def _library(path: str) -> str:
    found = LIBRARY.search(path)
    return next(name for name in found.groups() if name) if found else path


def place(text: str) -> Place | None:
    """The last of our own frames, or the last frame of all."""
    frames = [found for line in text.splitlines() if (found := FRAME.fullmatch(line))]
    own = [frame for frame in frames if not LIBRARY.search(frame["path"])]
    last = (own or frames)[-1:]
    return Place(last[0]["path"], int(last[0]["line"]), last[0]["name"]) if last else None
