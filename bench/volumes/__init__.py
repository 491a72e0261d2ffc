"""How fast volumes are loaded, as ratios to what the machine can do at best: see ``__main__``."""

import dramatiq
from dramatiq.brokers.stub import StubBroker

from workers.options import ActorOptions

# Job modules, whose plain functions are measured, declare actors; they are never sent here.
dramatiq.set_broker(StubBroker(middleware=[ActorOptions()]))
