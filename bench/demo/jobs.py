"""The jobs of the made-up shop. They can be started: each pretends to work for a moment, and fails now and then."""

import logging
import random
import time
from typing import Annotated, Literal

import dramatiq
from pydantic import Field

from workers import context
from workers.schedules import schedule

logger = logging.getLogger(__name__)

Region = Literal["EU", "US", "APAC"]
Warehouse = Literal["north", "south", "harbour"]


class CardDeclined(Exception):
    """The bank said no: trying again would not help."""


@dramatiq.actor(actor_name="billing.charge", throws=CardDeclined, max_retries=3, min_backoff=4_000)
def charge(order_id: int, amount: Annotated[float, Field(gt=0)]) -> dict:
    """Charge the card of an order.

    Args:
        order_id: The number of the order.
        amount: What to charge, in euro.
    """
    time.sleep(random.uniform(0.02, 0.2))
    if random.random() < 0.02:
        raise CardDeclined(f"card declined for order {order_id}: insufficient funds")
    return {"order_id": order_id, "charged": amount}


@dramatiq.actor(actor_name="mail.receipt", queue_name="mail", max_retries=3, min_backoff=15_000, max_age=86_400_000)
def receipt(order_id: int, address: str) -> dict:
    """Mail the receipt of an order.

    Args:
        order_id: The number of the order.
        address: Where to send it.
    """
    time.sleep(0.05)
    return {"sent": address}


@dramatiq.actor(actor_name="media.thumbnail", max_retries=1)
def thumbnail(path: str, width: Annotated[int, Field(ge=1, le=10_000)] = 320) -> dict:
    """Make a small picture of an uploaded one.

    Args:
        path: The uploaded picture.
        width: Its new width in pixels.
    """
    time.sleep(0.01)
    return {"path": path, "width": width, "bytes": width * 61}


@dramatiq.actor(actor_name="reports.build", queue_name="reports", max_retries=1, time_limit=3_600_000)
def report(month: str, region: Region = "EU") -> dict:
    """Build the monthly report of a region.

    Args:
        month: Like 2026-10.
        region: Whose orders.
    """
    for step in range(1, 41):
        context.progress(step, 40, f"{region}, day {step // 2 + 1}")
        time.sleep(0.5)
    return {"month": month, "region": region, "pages": 42}


@dramatiq.actor(actor_name="imaging.segment", queue_name="imaging", max_retries=2, min_backoff=30_000)
def segment(subject: int, scan: str = "PET", threshold: Annotated[float, Field(ge=0, le=1)] = 0.5) -> dict:
    """Find the contours in a scan of a subject.

    Args:
        subject: The number of the subject.
        scan: Which scan: PET or CT.
        threshold: From which share of the maximum a voxel belongs to it.
    """
    for slice_ in range(1, 101):
        context.progress(slice_, 100, f"slice {slice_} of 100")
        time.sleep(0.02)
    logger.info("subject %d: 3 contours", subject)
    return {"subject": subject, "contours": 3, "threshold": threshold}


@dramatiq.actor(actor_name="imaging.measure", queue_name="imaging", max_retries=0)
def measure(subject: int, region: str = "liver") -> dict:
    """Measure a region of a subject's scan.

    Args:
        subject: The number of the subject.
        region: The organ.
    """
    time.sleep(0.5)
    return {"subject": subject, "region": region, "suv_max": round(random.uniform(1, 9), 2)}


@schedule("5 * * * *", name="stock, every hour", args={"warehouse": "north"}, catchup="none")
@schedule("*/2 * * * *", name="harbour stock", args={"warehouse": "harbour"}, jitter="20 s", keep=50)
@dramatiq.actor(actor_name="stock.sync", max_retries=2)
def sync(warehouse: Warehouse = "north") -> dict:
    """Fetch the stock of a warehouse.

    Args:
        warehouse: Which one.
    """
    time.sleep(0.3)
    return {"warehouse": warehouse, "articles": 1_204}


@dramatiq.actor(actor_name="stock.extract", max_retries=1)
def extract(warehouse: Warehouse = "north") -> list[int]:
    """Take the day's movements out of a warehouse: the first of three steps."""
    return [len(warehouse), 7]


@dramatiq.actor(actor_name="stock.transform", max_retries=1)
def transform(movements: list[int], currency: str = "EUR") -> list[int]:
    """Value the movements: the second of three steps."""
    return [each * 2 for each in movements]


@dramatiq.actor(actor_name="stock.load", max_retries=1)
def load(values: list[int], book: str = "ledger") -> dict:
    """Book the values: the last of three steps."""
    return {"book": book, "booked": len(values)}


@dramatiq.actor(actor_name="letters.send", max_retries=0)
def letter(chapter: int, address: str) -> dict:
    """Send one newsletter: a member of a group."""
    time.sleep(0.02)
    return {"chapter": chapter, "sent": address}


@dramatiq.actor(actor_name="letters.count", max_retries=0)
def count_letters(chapter: int) -> dict:
    """Say that a newsletter went out: started when its group is complete."""
    return {"chapter": chapter, "complete": True}


@schedule("0 2 * * *", name="nightly cleanup", timezone="Europe/Madrid", args={"days": 30})
@dramatiq.actor(actor_name="night.cleanup", max_retries=0)
def cleanup(days: Annotated[int, Field(ge=1)] = 30) -> dict:
    """Delete carts that nobody came back to.

    Args:
        days: How old a cart must be.
    """
    time.sleep(1)
    return {"deleted": 318}
