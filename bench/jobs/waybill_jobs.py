"""The measured job for Waybill: a plain actor, as anybody would write it."""

import dramatiq

from bench import witness


@dramatiq.actor
def noop(number: int) -> None:
    witness.note(number)
