"""Kept volumes at an address of fsspec (``WAYBILL_VOLUMES``), for workers and sites that share no disk.

An ``Address`` has the few methods of a ``Path`` that kept volumes need, so that most code does not ask which of the two
it has. What the address holds of secrets is in no message and no representation of it.
"""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ledger.errors import LedgerError

FILES_AT_ONCE = 8
#: What they say below a warning is about requests, of which some headers are secret.
TALKATIVE = ("fsspec", "s3fs", "aiobotocore", "botocore", "urllib3", "paramiko", "httpx", "gcsfs", "adlfs", "azure")
#: How kinds of storage name what changes when a file does.
VERSIONS = ("ETag", "etag", "LastModified", "last_modified", "updated", "modified", "mtime", "modify")
#: File systems that are asked over HTTP serve all threads; others are one connection, for one thread.
_shared: dict[str, Any] = {}
_mine = threading.local()


class VolumesAway(LedgerError):
    """Raised when the storage of volumes does not answer, or refuses. What is there is not known to have changed."""

    def __init__(self, said: str):
        super().__init__(f"the storage of volumes cannot be used now: {said}")


@dataclass(frozen=True, slots=True)
class Address:
    """A file or a folder. ``root`` is an address without secrets, ``names`` what lies below it."""

    root: str
    options: dict[str, str] = field(repr=False)
    names: tuple[str, ...] = ()

    def __truediv__(self, name: str) -> "Address":
        return replace(self, names=(*self.names, *name.split("/")))

    @property
    def name(self) -> str:
        return self.names[-1]

    def read_bytes(self, start: int | None = None, stop: int | None = None) -> bytes:
        """Raises FileNotFoundError or VolumesAway, as all that follow."""
        return self._ask(lambda files, path: files.cat_file(path, start=start, end=stop))

    def facts(self) -> tuple[int, str]:
        """How many bytes the file has, and a word that changes when it does."""
        told = self._ask(lambda files, path: files.info(path))
        return told["size"], "-".join(str(told[each]) for each in VERSIONS if told.get(each))

    def put(self, folder: Path, last: str, sending: Callable[[int, int], None]) -> None:
        """All files of a folder on this disk, ``last`` after all others: whoever finds that one finds all. ``sending``
        is told the number of the next file and how many there are, and may raise. Whatever goes wrong, nothing is left,
        unless another attempt has brought all of it there."""
        try:
            self._put(folder, sorted(_files_in(folder), key=lambda name: (name == last, name)), sending)
        except BaseException:
            self._remove_incomplete(last)
            raise

    def _put(self, folder: Path, names: list[str], sending: Callable[[int, int], None]) -> None:
        for parent in sorted({name.rpartition("/")[0] for name in names}):
            (self / parent if parent else self)._ask(lambda files, path: files.makedirs(path, exist_ok=True))
        for some in [*_batches(names[:-1]), names[-1:]]:
            sending(names.index(some[0]) + 1, len(names))
            self._ask(lambda files, path, some=some: files.put(*_from_and_to(folder, path, some)))

    def _remove_incomplete(self, last: str) -> None:
        with suppress(VolumesAway):  # the sweep will do it
            try:
                (self / last).facts()
            except FileNotFoundError:
                self.remove()

    def remove(self) -> None:
        """With all that is in it, if it is there."""
        try:
            self._ask(lambda files, path: files.rm(path, recursive=True))
        except FileNotFoundError:
            pass

    def listed(self) -> list[str]:
        """The names of what is in this folder; none if it is not there."""
        try:
            found = self._ask(lambda files, path: files.ls(path, detail=False))
        except FileNotFoundError:
            return []
        return [each.rstrip("/").rpartition("/")[2] for each in found]

    def _ask(self, act: Callable[[Any, str], Any]) -> Any:
        """``act`` on the file system and this path: once more on a new connection, if the old one may be the fault."""
        if (files := _mine.__dict__.pop(self._key, None)) is not None:
            try:
                return self._act(files, act)
            except Exception:  # the connection may have been closed meanwhile
                pass
        try:
            return self._act(_shared.get(self._key) or self._opened(), act)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise VolumesAway(self._told(error)) from None  # what caused it may name the secrets

    @property
    def _key(self) -> str:
        """Connections are for no forked process."""
        return f"{os.getpid()} {self.root}"

    def _act(self, files: Any, act: Callable[[Any, str], Any]) -> Any:
        """What is one connection is kept for the next one, unless this ended in the middle of something."""
        found = act(files, self._path(files))
        (_shared if files.async_impl else _mine.__dict__)[self._key] = files
        return found

    def _path(self, files: Any) -> str:
        files.invalidate_cache()  # others write there, too
        return files._strip_protocol("/".join((self.root.rstrip("/"), *self.names)))

    def _opened(self) -> Any:
        import fsspec  # 0.25 s, for those alone who use it

        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        files, _ = fsspec.url_to_fs(self.root, skip_instance_cache=True, **self.options)
        return files

    def _told(self, error: Exception) -> str:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        secrets = [value for name, value in self.options.items() if name != "username"]
        for secret in (*secrets, *(quote(secret, safe="") for secret in secrets)):
            text = text.replace(secret, "***")
        return text


def _files_in(folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]


def _batches(names: list[str]) -> list[list[str]]:
    return [names[at : at + FILES_AT_ONCE] for at in range(0, len(names), FILES_AT_ONCE)]


def _from_and_to(folder: Path, path: str, names: list[str]) -> tuple[list[str], list[str]]:
    return [str(folder / name) for name in names], [f"{path}/{name}" for name in names]


@lru_cache
def parsed(text: str) -> Address:
    """``s3://bucket/folder?endpoint_url=…``: parameters and what stands before the @ become options of the protocol.

    Raises ValueError, with words that do not repeat the address.
    """
    try:
        url = urlsplit(text)
        told = {"username": url.username, "password": url.password}
    except ValueError:
        raise ValueError("is not an address, like s3://bucket/volumes") from None
    if not url.scheme or "://" not in text:
        raise ValueError("is not an address, like s3://bucket/volumes; leave it out for a folder in WAYBILL_VAR")
    check(url.scheme)
    options = {name: unquote(value) for name, value in told.items() if value} | dict(parse_qsl(url.query))
    return Address(f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}", options)


def check(protocol: str) -> None:
    """Raises ValueError if there is no such protocol, its package is not installed, or other processes see nothing."""
    import fsspec

    if protocol == "memory":
        raise ValueError("is an address that no other process sees")
    try:
        fsspec.get_filesystem_class(protocol)
    except ImportError as error:
        raise ValueError(f"needs a package that is not installed here: {error}") from None
    except ValueError:
        raise ValueError(f"begins with {protocol}://, which fsspec does not know") from None
