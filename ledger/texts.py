"""Text and JSON that both databases accept. Pure.

PostgreSQL refuses NUL and lone surrogates in text; JSON is escaped to ASCII before it is stored, so only plain
text needs cleaning.
"""

import json
from typing import Any

ERROR_LIMIT = 2_000
TRACEBACK_LIMIT = 64_000
RESULT_LIMIT = 8 * 1024 * 1024


class ResultTooLarge(Exception):
    """Raised when a result, as JSON, is larger than the ledger keeps; large results belong into artifacts."""

    def __init__(self, size: int):
        self.size = size
        super().__init__(
            f"the result is {size:,} bytes of JSON, the ledger keeps at most {RESULT_LIMIT:,}: attach it as an artifact"
        )


def clean(text: str, limit: int = ERROR_LIMIT) -> str:
    """``text`` without NUL and lone surrogates, cut in its middle to ``limit`` characters."""
    text = text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def to_json(value: Any) -> str:
    """Compact ASCII JSON. TypeError or ValueError (a cycle) when ``value`` cannot be written so."""
    return json.dumps(value, separators=(",", ":"))


def result_to_json(value: Any) -> str:
    """``to_json`` with the size limit of results: ResultTooLarge beyond it."""
    text = to_json(value)
    if len(text) > RESULT_LIMIT:
        raise ResultTooLarge(len(text))
    return text


def from_json(text: str | None) -> Any:
    return None if text is None else json.loads(text)
