"""The bytes of a feed as text. Pure.

Only codecs that leave ASCII where it is, and UTF-16, are taken: what looks harmless in one of the others could be
anything. A document that defines entities is refused, for a few lines of them can stand for gigabytes.
"""

import codecs
import re

from workers.jobs.feed.errors import NotAFeed

KNOWN = re.compile(
    r"utf-?8|us-ascii|ascii|iso-?8859-?\d{1,2}|latin-?1|windows-125\d|cp125\d|koi8-[ru]|gb2312|gbk|gb18030|big5"
    r"|shift[-_]jis|euc-(jp|kr)|utf-?16(le|be)?",
    re.IGNORECASE,
)
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DECLARATION = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.-]{1,40})[\"']", re.ASCII)
CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.-]{1,40})", re.ASCII | re.IGNORECASE)
PROLOGUE = re.compile(r"^\s*<\?xml[^>]{0,400}\?>")


def text_of(body: bytes, content_type: str) -> str:
    """Raises NotAFeed."""
    text = body.decode(_codec(body, content_type), "replace")
    if "\x00" in text:
        raise NotAFeed("there are zero bytes in it")
    if "<!entity" in text.lower():
        raise NotAFeed("it defines entities of its own, which could unfold to any size")
    return PROLOGUE.sub("", text, count=1)


def _codec(body: bytes, content_type: str) -> str:
    for mark, codec in MARKS:
        if body.startswith(mark):
            return codec
    said, declared = CHARSET.search(content_type), DECLARATION.match(body[:400])
    name = said.group(1) if said else declared.group(1).decode() if declared else "utf-8"
    if not KNOWN.fullmatch(name):
        raise NotAFeed(f"its text is written in “{name}”")
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise NotAFeed(f"its text is written in “{name}”") from None
