"""A downloaded picture: checked before it is decoded, turned upright, and encoded anew with nothing but its pixels.

What the site shows was written by our encoder; whatever else stood in the file - EXIF with its places, comments,
profiles, a second file behind the first - is gone.
"""

import io
from dataclasses import dataclass
from hashlib import sha256

from PIL import Image, ImageCms, ImageOps

from ledger.photo_files import THUMBNAIL_SIDE
from workers.jobs.feed.errors import NotAPicture, TooManyPixels

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
DRAWN = ("PNG", "GIF")  # kept as PNG: JPEG would smear their edges
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 20_000
HIGH = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
WHITE = "#ffffff"


@dataclass(frozen=True, slots=True)
class Encoded:
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    """``digest`` is that of the file as it came."""

    media_type: str
    picture: Encoded
    thumbnail: Encoded
    digest: str


def picture(data: bytes, said_type: str = "") -> Picture:
    """Of an animation, its first frame. Raises NotAPicture, TooManyPixels."""
    try:
        image, is_drawn = _decoded(data)
    except (NotAPicture, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise TooManyPixels(f"at most {MOST_PIXELS // 10**6} million pixels are") from error
    except Exception as error:  # broken files find faults of any kind in decoders
        raise NotAPicture(_why(data, said_type)) from error
    media_type = "image/png" if is_drawn or image.mode == "RGBA" else "image/jpeg"
    return Picture(media_type, _encoded(image, media_type), _thumbnail(image), sha256(data).hexdigest())


def _why(data: bytes, said_type: str) -> str:
    start = data[:200].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "it is a web page"
    if said_type and not said_type.startswith("image/"):
        return f"it is {said_type[:60]}"
    return "it is broken, or no JPEG, PNG, GIF or WebP"


def _decoded(data: bytes) -> tuple[Image.Image, bool]:
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        _check_size(*opened.size)
        is_drawn = opened.format in DRAWN
        opened.load()
        image = ImageOps.exif_transpose(opened)
        profile = opened.info.get("icc_profile")
    return _in_srgb(_in_plain_mode(image), profile), is_drawn


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise NotAPicture("it has no pixels")
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise TooManyPixels(f"{width:,} x {height:,} pixels; at most {MOST_PIXELS // 10**6} million are")


def _in_plain_mode(image: Image.Image) -> Image.Image:
    """RGB, grey, or RGBA where it is really transparent; without what stood beside the pixels."""
    if image.mode in HIGH:
        image = image.convert("F").point(lambda value: value / 257).convert("L")
    if image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    plain = image if image.mode in ("RGB", "L", "RGBA") else image.convert("RGB")
    plain.info = {}
    return plain


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as they were meant; as they are if nobody can tell."""
    if not profile or image.mode == "L":
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode=image.mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    converted.info = {}
    return converted


def _encoded(image: Image.Image, media_type: str) -> Encoded:
    file = io.BytesIO()
    if media_type == "image/png":
        image.save(file, "PNG")
    else:
        image.save(file, "JPEG", quality=90, progressive=True)
    return Encoded(file.getvalue(), *image.size)


def _thumbnail(image: Image.Image) -> Encoded:
    """A JPEG; what is transparent, on white."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    if small.mode == "RGBA":
        flat = Image.new("RGB", small.size, WHITE)
        flat.paste(small, mask=small.getchannel("A"))
        small = flat
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return Encoded(file.getvalue(), *small.size)
