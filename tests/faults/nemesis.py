"""Everything at random, for minutes, by seed: what no single fault meets, their combination may."""

import signal
import time

from tests.faults.field import LEASE_SECONDS, Field, kill
from tests.faults.scenario import POSTGRESQL, Fault
from tests.faults.stalls import freeze, thaw


class Nemesis(Fault):
    number = 41
    title = "minutes of random 1, 9, 14, 24, 31, 36 by seed"
    proxied = ("rabbitmq",)
    loaded = False
    minutes = 10.0

    def prepare(self, field: Field) -> None:
        field.start_workers(1)
        field.start_scheduler()
        super().prepare(field)

    def inject(self, field: Field) -> None:
        seconds = field.seconds(self.minutes * 60)
        load = field.load(int(seconds * 8), per_second=8, seconds=0.5)
        until = time.monotonic() + seconds
        acts = [self.kill_child, self.freeze_scheduler, self.freeze_worker]
        if field.on == POSTGRESQL:
            acts += [self.stop_rabbitmq, self.cut_rabbitmq, self.restart_postgresql]
        while time.monotonic() < until:
            field.chance.choice(acts)(field)
            field.pause(field.chance.uniform(0.5, 4))
        load.stopping.set()
        load.join(60)

    def kill_child(self, field: Field) -> None:
        if children := field.children():
            kill(field.chance.choice(children))

    def freeze_scheduler(self, field: Field) -> None:
        frozen = field.chance.choice(field.schedulers)
        frozen.send(signal.SIGSTOP)
        field.pause(field.chance.uniform(1, 10))
        frozen.send(signal.SIGCONT)

    def freeze_worker(self, field: Field) -> None:
        host = field.chance.choice(field.supervisors)
        freeze(host)
        field.pause(field.chance.uniform(1, 2 * LEASE_SECONDS))
        thaw(host)

    def stop_rabbitmq(self, field: Field) -> None:
        field.ground.rabbitmq.stop()
        field.pause(field.chance.uniform(1, 8))
        field.ground.rabbitmq.revive()

    def cut_rabbitmq(self, field: Field) -> None:
        for _ in range(3):
            field.proxies["rabbitmq"].cut()
            field.pause(2)

    def restart_postgresql(self, field: Field) -> None:
        field.ground.postgresql.restart(field.chance.choice(("fast", "immediate")))
