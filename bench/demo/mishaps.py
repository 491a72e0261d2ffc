"""How the made-up jobs fail: what their errors say, and the tracebacks that go with them. Pure."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LIBRARY = '  File "/usr/lib/python3/dist-packages/{}.py", line {}, in {}\n    {}\n'
OWN = '  File "/srv/shop/{}.py", line {}, in {}\n    {}\n'


@dataclass(frozen=True, slots=True)
class Mishap:
    """``says`` makes the message from the arguments; ``frames`` are (is ours, file, line, function, code)."""

    kind: str
    says: Callable[[random.Random, dict[str, Any]], str]
    frames: tuple[tuple[bool, str, int, str, str], ...]
    is_final: bool = False

    @property
    def place(self) -> str:
        """Where it happens: the last frame of the shop's own code."""
        file, _, function, _ = [rest for own, *rest in self.frames if own][-1]
        return f"{file}.py, in {function}"

    def traceback(self, message: str) -> str:
        shown = "".join((OWN if own else LIBRARY).format(*rest) for own, *rest in self.frames)
        return f"Traceback (most recent call last):\n{shown}{self.kind}: {message}\n"


DECLINED = Mishap(
    "CardDeclined",
    lambda rng, given: f"card declined for order {given['order_id']}: {rng.choice(('insufficient funds', 'expired'))}",
    (
        (True, "billing", 25, "charge", "receipt = bank.charge(order.card, amount)"),
        (True, "bank", 88, "charge", 'raise CardDeclined(f"card declined for order {order}: {reason}")'),
    ),
    is_final=True,
)
GATEWAY = Mishap(
    "ReadTimeout",
    lambda rng, given: f"HTTPSConnectionPool(host='bank.test', port=443): Read timed out after {rng.randint(5, 9)} s",
    (
        (True, "billing", 25, "charge", "receipt = bank.charge(order.card, amount)"),
        (True, "bank", 71, "charge", "answer = session.post(URL, json=body, timeout=10)"),
        (False, "requests/sessions", 637, "post", "return self.request('POST', url, data=data, json=json, **kwargs)"),
        (False, "requests/adapters", 713, "send", "raise ReadTimeout(e, request=request)"),
    ),
)
SMTP = Mishap(
    "SMTPServerDisconnected",
    lambda rng, given: "Connection unexpectedly closed: timed out",
    (
        (True, "post", 31, "send", "server.send_message(letter)"),
        (False, "smtplib", 405, "getreply", 'raise SMTPServerDisconnected("Connection unexpectedly closed: …")'),
    ),
)
NO_SUCH_ADDRESS = Mishap(
    "SMTPRecipientsRefused",
    lambda rng, given: f"{{'{given['address']}': (550, b'5.1.1 no such user')}}",
    (
        (True, "post", 31, "send", "server.send_message(letter)"),
        (False, "smtplib", 901, "sendmail", "raise SMTPRecipientsRefused(senderrs)"),
    ),
    is_final=True,
)
BROKEN_PICTURE = Mishap(
    "UnidentifiedImageError",
    lambda rng, given: f"cannot identify image file '{given['path']}'",
    (
        (True, "media", 17, "thumbnail", "with Image.open(path) as picture:"),
        (False, "PIL/Image", 3498, "open", "raise UnidentifiedImageError(msg)"),
    ),
)
NO_CONTOUR = Mishap(
    "ValueError",
    lambda rng, given: f"no contour in slice {rng.randint(90, 130)} of subject {given['subject']}",
    (
        (True, "imaging/segment", 142, "segment", "contours = [contour_of(each) for each in slices]"),
        (True, "imaging/contours", 57, "contour_of", 'raise ValueError(f"no contour in slice {n} of subject {s}")'),
    ),
)
NO_SCAN = Mishap(
    "FileNotFoundError",
    lambda rng, given: f"[Errno 2] No such file or directory: '/scans/{given['subject']:04}/PET.nii.gz'",
    (
        (True, "imaging/scans", 22, "opened", "return nibabel.load(path)"),
        (False, "nibabel/loadsave", 101, "load", "raise FileNotFoundError(f'No such file or no access: {filename}')"),
    ),
    is_final=True,
)
NO_DATA = Mishap(
    "KeyError",
    lambda rng, given: f"'{given['month']}'",
    ((True, "reports", 64, "build", "rows = totals[month]"),),
)
STOCK_AWAY = Mishap(
    "ConnectionRefusedError",
    lambda rng, given: "[Errno 111] Connection refused",
    (
        (True, "stock", 19, "fetch", "with socket.create_connection(ADDRESS[warehouse]) as link:"),
        (False, "socket", 851, "create_connection", "raise exceptions[0]"),
    ),
)
BAD_ADDRESS = Mishap(
    "UnicodeEncodeError",
    lambda rng, given: "'ascii' codec can't encode character '\\xf1' in position 3: ordinal not in range(128)",
    ((True, "letters", 40, "send", 'header = address.encode("ascii")'),),
    is_final=True,
)
