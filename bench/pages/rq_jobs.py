"""Jobs of RQ: ``fill URL COUNT`` leaves so many finished ones, ``arrive URL RATE SECONDS`` enqueues new ones."""

import sys
import time
from datetime import UTC, datetime

import redis
import rq
from rq.job import Job, JobStatus
from rq.registry import FinishedJobRegistry

from bench.pages.arrivals import paced

BATCH = 1_000
WEEK = 7 * 24 * 3_600
SEGMENT = "bench.pages.rq_jobs.segment"


def segment(subject: int, scan: str = "PET") -> dict:
    return {"subject": subject, "contours": 3}


def fill(url: str, count: int) -> None:
    connection = redis.Redis.from_url(url)
    queue, finished = rq.Queue(connection=connection), FinishedJobRegistry("default", connection=connection)
    connection.sadd(queue.redis_queues_keys, queue.key)
    began = time.time()
    for start in range(0, count, BATCH):
        with connection.pipeline(transaction=False) as pipeline:
            for number in range(start, min(count, start + BATCH)):
                job = finished_job(number, began - WEEK * (count - number) / count, connection)
                job.save(pipeline=pipeline)
                pipeline.zadd(finished.key, {job.id: began + WEEK + number})
            pipeline.execute()


def finished_job(number: int, at: float, connection: redis.Redis) -> Job:
    job = Job.create(SEGMENT, kwargs={"subject": number % 120}, id=f"job-{number:08}", connection=connection,
                     status=JobStatus.FINISHED, origin="default")  # fmt: skip
    job.created_at = job.enqueued_at = job.started_at = job.ended_at = datetime.fromtimestamp(at, UTC)
    return job


def arrive(url: str, rate: int, seconds: int) -> None:
    queue = rq.Queue(connection=redis.Redis.from_url(url))
    paced(rate, seconds, lambda number: queue.enqueue(SEGMENT, number % 120))


if __name__ == "__main__":
    command, url, *numbers = sys.argv[1:]
    {"fill": fill, "arrive": arrive}[command](url, *map(int, numbers))
