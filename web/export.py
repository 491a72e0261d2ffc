"""A list of runs as a file, CSV or one JSON object a line: sent while it is read, a page at a time."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, abort, request

from ledger import clock
from ledger.queries.exporting import COLUMNS, export_of
from web.asked import asked
from web.console import console

blueprint = Blueprint("export", __name__, url_prefix="/runs")

#: A spreadsheet takes a text that begins so for a formula, and runs it.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


@blueprint.get("/export.<form>")
def runs(form: str) -> Response:
    writer = WRITERS.get(form) or abort(404)
    rows = export_of(console().engine, asked(request.args).wanted.anywhere())
    name = f"runs-{clock.to_datetime(clock.now()):%Y-%m-%d-%H%M%S}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(writer(rows), mimetype=TYPES[form], headers=headers)


def as_csv(pages: Iterable[list[dict]]) -> Iterator[str]:
    """With a byte order mark: without one, Excel takes UTF-8 for something else."""
    yield "\ufeff" + ",".join(COLUMNS) + "\r\n"
    for page in pages:
        text = io.StringIO()
        csv.writer(text).writerows([[harmless(row[name]) for name in COLUMNS] for row in page])
        yield text.getvalue()


def harmless(value: object) -> object:
    """The value as it is, or behind an apostrophe when a spreadsheet would run it."""
    if isinstance(value, list):
        value = " ".join(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(DANGEROUS) else value


def as_lines(pages: Iterable[list[dict]]) -> Iterator[str]:
    for page in pages:
        yield "".join(json.dumps(_with_json(row), ensure_ascii=False) + "\n" for row in page)


def _with_json(row: dict) -> dict:
    return row | {"arguments": json.loads(row["arguments"])}


WRITERS = {"csv": as_csv, "jsonl": as_lines}
TYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
