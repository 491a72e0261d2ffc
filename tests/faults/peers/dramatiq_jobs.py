"""The job for Dramatiq, with what its documentation advises: confirmed deliveries, its default middleware, retries."""

import os

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from tests.faults.peers.body import body

dramatiq.set_broker(RabbitmqBroker(url=os.environ["BROKER_URL"], confirm_delivery=True))


@dramatiq.actor(max_retries=3, min_backoff=200, max_backoff=1_000)
def mark(key: str, seconds: float = 0.0) -> None:
    body(key, seconds)
