"""Pictures that runs left, and messages that nobody could read."""

import io
from math import cos, sin
from pathlib import Path

import numpy as np
from PIL import Image

from bench.demo.paint import Painting
from bench.demo.times import HOUR, MINUTE, id_at

MOST_WITH_PICTURES = 24
SIDE = 160
UNREADABLE = (
    ("default", "it is not JSON", b"\x80\x04\x95#\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04task\x94\x8c\x06charge\x94"),
    ("mail", "its actor_name is missing", b'{"queue_name":"mail","args":[1],"kwargs":{},"options":{}}'),
    ("imaging", "its queue is “scans”, but it lay in “imaging”", b'{"queue_name":"scans","actor_name":"segment"}'),
)


def pictures(painting: Painting, folder: Path | None) -> list[dict]:
    """Rows of artifacts of the newest measurements; the files themselves, if there is a ``folder`` for them."""
    measured = [row for row in painting.runs if row["job"] == "imaging.measure" and row["state"] == "succeeded"]
    found = []
    for number, row in enumerate(measured[-MOST_WITH_PICTURES:]):
        for name, title, phase in (("axial.png", "Axial", 0.0), ("coronal.png", "Coronal", 1.1)):
            found.append(_artifact(painting, row, name, title, _png(phase + number / 5), folder))
    return found


def _artifact(painting: Painting, row: dict, name: str, title: str, data: bytes, folder: Path | None) -> dict:
    path = f"{row['id']}/1/{name}"
    if folder is not None:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return {
        "id": id_at(painting.rng, row["finished_at"]), "run_id": row["id"], "attempt": row["attempt"], "name": name,
        "title": title, "media_type": "image/png", "size": len(data), "path": path, "created_at": row["finished_at"],
    }  # fmt: skip


def _png(phase: float) -> bytes:
    """Two warm spots in a grey body."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    heat = np.where((x - 0.5) ** 2 / 0.16 + (y - 0.5) ** 2 / 0.2 < 1, 60.0, 0.0)
    for across, down, radius in ((0.38 + 0.08 * sin(phase), 0.45, 0.12), (0.62, 0.55 + 0.08 * cos(phase), 0.08)):
        heat += 190 * np.exp(-((x - across) ** 2 + (y - down) ** 2) / radius**2)
    written = io.BytesIO()
    Image.fromarray(heat.clip(0, 255).astype(np.uint8)).save(written, "PNG")
    return written.getvalue()


def rejected(painting: Painting) -> list[dict]:
    return [
        {"id": id_at(painting.rng, at), "queue": queue, "reason": reason, "body": body, "size": len(body),
         "received_at": at}
        for number, (queue, reason, body) in enumerate(UNREADABLE)
        for at in (painting.now - (5 + 31 * number) * HOUR, painting.now - (5 + 31 * number) * HOUR - 3 * MINUTE)
    ]  # fmt: skip
