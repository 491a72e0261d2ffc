"""As every tutorial begins: a broker of its own, set at import."""

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

broker = RabbitmqBroker(host="127.0.0.1", port=1)  # never reached: its actors are taken over
dramatiq.set_broker(broker)


@dramatiq.actor(max_retries=1)
def count_words(text: str) -> int:
    return len(text.split())


@dramatiq.actor(broker=broker, actor_name="shout")
def named_broker(text: str) -> str:
    return text.upper()
