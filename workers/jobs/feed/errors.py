"""What can be wrong with a feed or a picture; each error says its own sentence to people.

The facts are positional arguments: ``BaseException`` keeps those in ``args``, and so the errors survive pickling.
"""

from dataclasses import dataclass


class FeedError(Exception):
    """Raised, as one of its kinds, when a feed or its picture cannot be had. A schedule asks again at its next tick."""


@dataclass(eq=False)
class BadAddress(FeedError):
    """Raised when what was typed, or what a server redirects to, is no address of the web."""

    address: str
    why: str

    def __str__(self) -> str:
        return f"“{self.address[:200]}” cannot be asked. {self.why}"


@dataclass(eq=False)
class HostRefused(FeedError):
    """Raised before any connection when a host is not on the public net, and no setting allows it."""

    host: str

    def __str__(self) -> str:
        return (
            f"{self.host} is not on the public net, so it was not asked. If feeds may come from there, whoever runs "
            "the workers has to name it in FEED_HOSTS_ALLOWED."
        )


@dataclass(eq=False)
class Unreachable(FeedError):
    """Raised when no connection comes about, or when one breaks."""

    host: str
    why: str

    def __str__(self) -> str:
        return f"{self.host} cannot be reached: {self.why}."


@dataclass(eq=False)
class TooSlow(FeedError):
    """Raised when an answer is not there in time, whether nothing comes or little by little."""

    host: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.host} is too slow: its answer has to be there within {self.seconds:g} seconds."


@dataclass(eq=False)
class TooLarge(FeedError):
    """Raised as soon as an answer, packed or unpacked, passes the limit; the rest is not read."""

    host: str
    limit: int

    def __str__(self) -> str:
        return f"The answer of {self.host} is larger than {self.limit / 1e6:g} MB; no more of it was read."


@dataclass(eq=False)
class TooManyRedirects(FeedError):
    """Raised when one address leads to the next, and that to another, and so on."""

    address: str
    most: int

    def __str__(self) -> str:
        return f"{self.address[:200]} leads to ever new addresses; {self.most} were followed."


@dataclass(eq=False)
class BadStatus(FeedError):
    """Raised when a server answers with an error of its own or of ours."""

    host: str
    status: int

    def __str__(self) -> str:
        return f"{self.host} answered with status {self.status}."


@dataclass(eq=False)
class BadAnswer(FeedError):
    """Raised when what comes back is no HTTP, or is packed in a way that nobody asked for."""

    host: str
    why: str

    def __str__(self) -> str:
        return f"The answer of {self.host} cannot be read: {self.why}."


@dataclass(eq=False)
class NotAFeed(FeedError):
    """Raised when the answer is neither RSS nor Atom nor what Flickr writes as JSON."""

    why: str

    def __str__(self) -> str:
        return f"This is no feed that can be read: {self.why}."


@dataclass(eq=False)
class NoPicture(FeedError):
    """Raised when no entry of a feed has a picture."""

    entries: int

    def __str__(self) -> str:
        return f"The feed can be read, but none of its {self.entries} entries has a picture."


@dataclass(eq=False)
class NotAPicture(FeedError):
    """Raised when what was downloaded is no picture of a kind that is kept, or a broken one."""

    why: str

    def __str__(self) -> str:
        return f"What the newest entry shows is no picture that can be kept: {self.why}."


@dataclass(eq=False)
class TooManyPixels(NotAPicture):
    """Raised before a picture is decoded that would fill the memory."""

    def __str__(self) -> str:
        return f"The newest picture is too large to be decoded: {self.why}."
