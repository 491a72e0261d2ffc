"""Work on pieces of a volume side by side: numpy, gzip and the disk let go of the interpreter's lock."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

THREADS = 2


def side_by_side(work: Callable, items: Iterable) -> Iterator:
    """The results of ``work(item)`` in the order of ``items``, made by THREADS threads.

    Whoever stops listening, or the first piece that raises, ends the rest: nothing is begun after that.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        futures = deque(pool.submit(work, item) for item in items)
        try:
            while futures:
                yield futures.popleft().result()
        finally:
            for future in futures:
                future.cancel()
