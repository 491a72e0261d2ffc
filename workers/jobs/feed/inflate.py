"""Bodies that travel packed, unpacked up to a limit and no byte further."""

import zlib

from workers.jobs.feed.errors import BadAnswer, TooLarge

GZIP = 16 + zlib.MAX_WBITS


class Inflater:
    """Takes a body part by part; ``encoding`` is what its header says."""

    def __init__(self, host: str, encoding: str, limit: int):
        self._host, self._room, self._limit = host, limit, limit
        self._unpack = self._unpacker(encoding.strip().lower())
        self._parts: list[bytes] = []

    def _unpacker(self, encoding: str):
        if encoding in ("", "identity"):
            return None
        if encoding in ("gzip", "x-gzip"):
            return zlib.decompressobj(GZIP)
        raise BadAnswer(self._host, f"it is packed as “{encoding[:40]}”")

    def add(self, data: bytes) -> None:
        """Raises TooLarge, BadAnswer."""
        if self._unpack is not None:
            try:
                data = self._unpack.decompress(data, self._room + 1)
            except zlib.error as error:
                raise BadAnswer(self._host, "it is not packed as it says") from error
        self._room -= len(data)
        if self._room < 0:
            raise TooLarge(self._host, self._limit)
        self._parts.append(data)

    def body(self) -> bytes:
        """All of it. Raises BadAnswer when the end is missing."""
        if self._unpack is not None and self._parts and not self._unpack.eof:
            raise BadAnswer(self._host, "its end is missing")
        return b"".join(self._parts)
