"""Pictures from strangers: checked before they are decoded, kept upright and with nothing but their pixels."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from ledger.photo_files import THUMBNAIL_SIDE
from tests.feed_server import jpeg
from workers.jobs.feed import store
from workers.jobs.feed.errors import NotAPicture, TooManyPixels
from workers.jobs.feed.picture import picture


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def written(image: Image.Image, kind: str, **how) -> bytes:
    file = BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def png_of(width: int, height: int) -> bytes:
    """The head of a picture so large, which says so in 60 bytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_picture_is_encoded_anew_with_a_small_one_beside_it():
    made = picture(jpeg(size=(1200, 800)))
    assert (made.media_type, made.picture.width, made.picture.height) == ("image/jpeg", 1200, 800)
    assert opened(made.picture.data).size == (1200, 800)
    assert opened(made.thumbnail.data).size == (made.thumbnail.width, made.thumbnail.height) == (THUMBNAIL_SIDE, 320)
    assert made.digest == picture(jpeg(size=(1200, 800))).digest != picture(jpeg("b")).digest


def test_it_stands_upright_and_says_nothing_of_where_it_was_taken():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    exif.get_ifd(0x8825)[1] = "N"
    marked = jpeg(size=(60, 40), exif=exif, comment=b"a secret") + b"<script>trailing</script>"
    made = picture(marked)
    assert (made.picture.width, made.picture.height) == (40, 60)
    kept = opened(made.picture.data)
    assert not kept.getexif() and "comment" not in kept.info and b"secret" not in made.picture.data
    assert b"A camera" not in made.picture.data and b"trailing" not in made.picture.data


def test_texts_of_a_png_are_gone_and_drawings_stay_png():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "a secret")
    made = picture(written(Image.new("RGB", (9, 9), "red"), "PNG", pnginfo=texts))
    assert made.media_type == "image/png" and b"secret" not in made.picture.data


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_a_png_can_be_kept(mode: str):
    source = (
        Image.new(mode, (8, 8), 255 if mode == "L" else None) if mode != "I;16" else Image.new(mode, (8, 8), 40_000)
    )
    made = picture(written(source, "PNG"))
    kept = opened(made.picture.data)
    assert kept.mode in ("L", "RGB", "RGBA") and opened(made.thumbnail.data).mode in ("L", "RGB")
    if mode == "I;16":
        assert abs(kept.getpixel((0, 0)) - 155) <= 1


def test_print_colours_animations_and_webp_can_be_kept():
    assert opened(picture(written(Image.new("CMYK", (8, 8)), "JPEG")).picture.data).mode == "RGB"
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    made = picture(written(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert made.media_type == "image/png" and opened(made.picture.data).convert("RGB").getpixel((0, 0)) == (255, 0, 0)
    assert picture(written(Image.new("RGB", (8, 8)), "WEBP")).media_type == "image/jpeg"
    assert picture(written(Image.new("RGBA", (8, 8), (9, 9, 9, 0)), "WEBP")).media_type == "image/png"


def test_colours_are_kept_as_they_were_meant_and_a_broken_profile_is_left_out():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for each in (profile, b"broken"):
        kept = opened(picture(jpeg(icc_profile=each)).picture.data)
        assert "icc_profile" not in kept.info and kept.mode == "RGB"


@pytest.mark.parametrize("size", [(60_000, 60_000), (30_000, 30_000), (2**31 - 1, 1), (8_000, 8_000), (100, 30_000)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int], monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(TooManyPixels):
        picture(png_of(*size))


@pytest.mark.parametrize("data, said, why", [
    (b"<!DOCTYPE html><html>", "image/jpeg", "it is a web page"), (b"{}", "text/json", "it is text/json"),
    (b"", "", "broken"), (jpeg()[:300], "image/jpeg", "broken"),
    (b"\xff\xd8\xff\xe0" + bytes(99), "image/jpeg", "broken"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "no JPEG"),
    (png_of(100, 100), "image/png", "broken"),
    (written(Image.new("RGB", (8, 8)), "TIFF"), "image/tiff", "no JPEG"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n", "image/eps", "no JPEG"),
])  # fmt: skip
def test_what_is_no_picture_is_said_not_to_be_one(data: bytes, said: str, why: str):
    with pytest.raises(NotAPicture, match=why):
        picture(data, said)


def test_a_photo_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch):
    made = picture(jpeg())
    store.write(made, tmp_path, "one")
    assert {each.name for each in (tmp_path / "one").iterdir()} == {"picture.jpg", "thumbnail.jpg"}
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("no room")))
    with pytest.raises(OSError):
        store.write(made, tmp_path, "two")
    assert [each.name for each in tmp_path.iterdir()] == ["one"]
