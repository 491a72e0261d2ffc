"""The made-up jobs as they are seen in history: arguments, how long they take, how often what goes wrong. Pure."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.demo import mishaps
from bench.demo.mishaps import Mishap

SUBJECTS = 120
FIRST_ORDER = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``took``: the usual seconds. ``fails``: mishaps with the share of runs that meet them."""

    name: str
    queue: str = "default"
    share: float = 0
    took: float
    most: int = 1
    arguments: Callable[[random.Random], dict[str, Any]]
    result: Callable[[random.Random, dict[str, Any]], Any]
    fails: tuple[tuple[float, Mishap], ...] = ()
    crashes: float = 0
    says: tuple[str, ...] = field(default=())
    origin: str = "code"


def order(rng: random.Random) -> int:
    return FIRST_ORDER + int(rng.random() * 40_000)


def month(rng: random.Random) -> str:
    return f"2026-{1 + int(rng.random() * 10):02}"


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="media.thumbnail", share=46, took=0.04, most=2,
            arguments=lambda rng: {"path": f"/uploads/2026/{order(rng):05}.jpg", "width": 320},
            result=lambda rng, given: {"path": given["path"], "bytes": int(5_000 + rng.random() * 30_000)},
            fails=((0.004, mishaps.BROKEN_PICTURE),),
        ),
        Kind(
            name="billing.charge", share=26, took=0.3, most=4,
            arguments=lambda rng: {"order_id": order(rng), "amount": round(5 + rng.random() * 495, 2)},
            result=lambda rng, given: {"order_id": given["order_id"], "charged": given["amount"]},
            fails=((0.012, mishaps.DECLINED), (0.01, mishaps.GATEWAY)), origin="message",
        ),
        Kind(
            name="mail.receipt", queue="mail", share=20, took=0.15, most=4,
            arguments=lambda rng: {"order_id": order(rng), "address": f"user{int(rng.random() * 900)}@example.test"},
            result=lambda rng, given: {"sent": given["address"]},
            fails=((0.008, mishaps.SMTP), (0.002, mishaps.NO_SUCH_ADDRESS)),
        ),
        Kind(
            name="imaging.segment", queue="imaging", share=4, took=9, most=3,
            arguments=lambda rng: {"subject": 1 + int(rng.random() * SUBJECTS), "scan": "PET", "threshold": 0.5},
            result=lambda rng, given: {"subject": given["subject"], "contours": 1 + int(rng.random() * 5)},
            fails=((0.03, mishaps.NO_CONTOUR), (0.006, mishaps.NO_SCAN)), crashes=0.002,
            says=("read 187 slices", "smoothed", "3 contours"), origin="form",
        ),
        Kind(
            name="imaging.measure", queue="imaging", share=2, took=2, most=1,
            arguments=lambda rng: {"subject": 1 + int(rng.random() * SUBJECTS), "region": "liver"},
            result=lambda rng, given: {"subject": given["subject"], "suv_max": round(1 + rng.random() * 8, 2)},
            fails=((0.01, mishaps.NO_SCAN),), says=("measured 41,208 voxels",), origin="form",
        ),
        Kind(
            name="reports.build", queue="reports", share=0.5, took=240, most=2,
            arguments=lambda rng: {"month": month(rng), "region": rng.choice(("EU", "US", "APAC"))},
            result=lambda rng, given: {**given, "pages": 20 + int(rng.random() * 40)},
            fails=((0.05, mishaps.NO_DATA),), says=("orders read", "totals written"), origin="form",
        ),
        Kind(
            name="stock.sync", took=4, most=3,
            arguments=lambda rng: {"warehouse": "north"},
            result=lambda rng, given: {**given, "articles": 1_204},
            fails=((0.08, mishaps.STOCK_AWAY),), says=("connected",), origin="schedule",
        ),
        Kind(
            name="night.cleanup", took=30, arguments=lambda rng: {"days": 30},
            result=lambda rng, given: {"deleted": int(200 + rng.random() * 200)}, origin="schedule",
        ),
        Kind(
            name="stock.extract", took=3, most=2, arguments=lambda rng: {"warehouse": "harbour"},
            result=lambda rng, given: [7, int(rng.random() * 90)], fails=((0.05, mishaps.STOCK_AWAY),),
        ),
        Kind(
            name="stock.transform", took=1, most=2, arguments=lambda rng: {"currency": "EUR"},
            result=lambda rng, given: [14, int(rng.random() * 180)],
        ),
        Kind(
            name="stock.load", took=2, most=2, arguments=lambda rng: {"book": "ledger"},
            result=lambda rng, given: {"book": "ledger", "booked": 2}, fails=((0.03, mishaps.STOCK_AWAY),),
        ),
        Kind(
            name="letters.send", took=0.4,
            arguments=lambda rng: {"chapter": 1, "address": f"user{int(rng.random() * 900)}@example.test"},
            result=lambda rng, given: {"sent": given["address"]},
        ),
        Kind(
            name="letters.count", took=0.1, arguments=lambda rng: {"chapter": 1},
            result=lambda rng, given: {"chapter": given["chapter"], "complete": True},
        ),
    )
}  # fmt: skip

ALWAYS = [kind for kind in KINDS.values() if kind.share]
