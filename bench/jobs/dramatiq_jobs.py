"""The measured job for plain Dramatiq."""

import os

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bench import witness

broker = RabbitmqBroker(url=os.environ["BROKER_URL"], confirm_delivery=True)
dramatiq.set_broker(broker)


@dramatiq.actor
def noop(number: int) -> None:
    witness.note(number)
