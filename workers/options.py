"""What an actor may say of itself here. A job's own tests need this middleware on their broker to import the job."""

from dramatiq.middleware import Middleware

from workers import admission, isolation


class ActorOptions(Middleware):
    """The options of Dramatiq's default middleware, whose meaning the ledger keeps; ours on isolation and limits;
    ``keep``, how many finished runs of the job are kept; and ``tags``."""

    actor_options = isolation.OPTIONS | admission.OPTIONS | {
        "max_retries", "min_backoff", "max_backoff", "retry_when", "throws", "on_retry_exhausted",
        "time_limit", "max_age", "on_failure", "on_success", "pipe_ignore", "pipe_target", "notify_shutdown",
        "keep", "tags",
    }  # fmt: skip
