"""The house keeps its own rules: who may import what, who reads the environment, how large things get."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.processes import ROOT

ROOMS = ("ledger", "web", "workers", "scheduler.py", "bench")

#: What each room may import of the others.
ARROWS = {
    "ledger": (),
    "web": ("ledger", "workers.publisher"),
    "workers": ("ledger",),
    "scheduler.py": ("ledger", "workers.publisher"),
}

#: Libraries that only these rooms may import.
LIBRARIES = {
    "sqlalchemy": ("ledger",),
    "alembic": ("ledger",),
    "psycopg": ("ledger",),
    "fsspec": ("ledger",),
    "sqlite3": ("ledger", "bench"),
    "flask": ("web",),
    "werkzeug": ("web",),
    "jinja2": ("web",),
    "waitress": ("web",),
    "apscheduler": ("scheduler.py",),
    "dramatiq": ("workers", "bench"),
    "pika": ("workers", "bench"),
    "pytest": (),
    "tests": ("bench",),
}

LONGEST_MODULE, LONGEST_FUNCTION = 400, 60


def modules(room: str) -> list[Path]:
    """The room's files; a migration is a generated list of columns and no module of the room."""
    path = ROOT / room
    return (
        [path]
        if path.is_file()
        else sorted(each for each in path.rglob("*.py") if "versions" not in each.parts)
    )


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports_of(path: Path) -> Iterator[str]:
    """Dotted names of all that it imports, wherever it does: `from a import b` is `a.b`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_in(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def everywhere() -> Iterator[tuple[str, Path]]:
    return ((room, path) for room in ROOMS for path in modules(room))


@pytest.mark.parametrize("room", ARROWS)
def test_a_room_imports_only_what_its_arrows_allow(room: str):
    others = [other.removesuffix(".py") for other in ARROWS if other != room]
    for path in modules(room):
        for name in imports_of(path):
            if any(is_in(name, other) for other in others):
                assert any(is_in(name, allowed) for allowed in ARROWS[room]), f"{path}: {name}"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_imported_only_in_its_room(library: str):
    found = {room for room, path in everywhere() if any(is_in(name, library) for name in imports_of(path))}
    assert found <= set(LIBRARIES[library])


def test_only_the_settings_read_the_environment():
    readers = [path for _, path in everywhere() if "bench" not in path.parts and reads_environment(path)]
    assert set(readers) <= {ROOT / "ledger" / "settings.py"}


def reads_environment(path: Path) -> bool:
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "load_dotenv"}
    attributes = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
    return bool(names & (attributes | {name.rpartition(".")[2] for name in imports_of(path)}))


def test_every_module_says_what_it_is_for():
    for _, path in [*everywhere(), *((None, each) for each in modules("tests") if each.stat().st_size)]:
        assert ast.get_docstring(tree_of(path)), path


def test_no_module_outgrows_a_reader():
    too_long = {path for _, path in everywhere() if len(path.read_text().splitlines()) > LONGEST_MODULE}
    assert too_long == set()


def test_no_function_outgrows_a_screen():
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for _, path in everywhere():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, functions):
                assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{path}: {node.name}"


def test_nothing_is_called_after_nothing():
    empty_words = {"utils", "util", "common", "helpers", "helper", "services", "manager", "misc"}
    for _, path in everywhere():
        assert path.stem not in empty_words, path
