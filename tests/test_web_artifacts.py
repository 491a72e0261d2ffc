"""Files that runs made are served so that none of them can act as a page of this site."""

from pathlib import Path

import pytest
from sqlalchemy import update

from ledger import notes
from ledger.engine import writing
from ledger.ids import new_id
from ledger.notes import NewArtifact
from ledger.tables import artifacts
from tests.ledger_steps import brought_to
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def attach(
    site: Site, name: str, data: bytes = b"data", media_type: str = "image/png", run_id: str | None = None
) -> str:
    """The address of a new artifact."""
    run_id = run_id or brought_to(site.engine, "succeeded").id
    new = NewArtifact(
        run_id=run_id, attempt=1, name=name, title=f"the {name}", media_type=media_type, size=len(data),
        path=f"{run_id}/{name}",
    )  # fmt: skip
    file = site.settings.artifacts / new.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    with writing(site.engine) as connection:
        notes.add_artifacts(connection, [new])
    return f"/artifacts/{new.id}/{name}"


def test_pictures_are_shown_in_the_page_with_their_titles(site: Site):
    run_id = brought_to(site.engine, "succeeded").id
    addresses = [attach(site, name, run_id=run_id) for name in ("axial.png", "coronal.png")]
    attach(site, "table.csv", media_type="text/csv", run_id=run_id)
    page = site.page(f"/runs/{run_id}")
    assert [(image["src"], image["alt"]) for image in page.select("main img")] == [
        (addresses[0], "the axial.png"),
        (addresses[1], "the coronal.png"),
    ]
    assert text(page.select_one(".files")) == "table.csv 4 B · the table.csv"


@pytest.mark.parametrize(
    ("media_type", "served", "disposition"),
    [
        ("image/png", "image/png", "inline"),
        ("image/svg+xml", "image/svg+xml; charset=utf-8", "inline"),
        ("text/plain", "text/plain; charset=utf-8", "inline"),
        ("text/csv", "text/plain; charset=utf-8", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("application/xhtml+xml", "application/octet-stream", "attachment"),
        ("application/pdf", "application/octet-stream", "attachment"),
        ("image/svg+xml\r\nX-Evil: 1", "application/octet-stream", "attachment"),
        ("", "application/octet-stream", "attachment"),
    ],
)
def test_only_known_pictures_and_text_open_in_the_browser(
    site: Site, media_type: str, served: str, disposition: str
):
    response = site.client.get(attach(site, "file", SVG, media_type))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == served
    assert response.headers.get("Content-Disposition", "inline").startswith(disposition)


@pytest.mark.parametrize("media_type", ["image/svg+xml", "text/html", "image/png"])
def test_whatever_a_file_holds_it_runs_in_a_sandbox(site: Site, media_type: str):
    headers = site.client.get(attach(site, "file", SVG, media_type)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert "sandbox" in policy and "default-src 'none'" in policy and "script-src" not in policy


@pytest.mark.parametrize("path", ["../secret_key", "/etc/passwd", "x/../../secret_key", "."])
def test_a_path_never_leaves_the_artifacts_folder(site: Site, path: str):
    address = attach(site, "file")
    with writing(site.engine) as connection:
        connection.execute(update(artifacts).values(path=path))
    assert site.client.get(address).status_code == 404


def test_a_link_out_of_the_folder_is_not_followed(site: Site, tmp_path: Path):
    address = attach(site, "file")
    file = next(site.settings.artifacts.rglob("file"))
    file.unlink()
    file.symlink_to("/etc/passwd")
    assert site.client.get(address).status_code == 404


def test_the_name_has_to_be_its_own(site: Site):
    address = attach(site, "file")
    assert site.client.get(address.replace("/file", "/other.html")).status_code == 404


@pytest.mark.parametrize("artifact_id", ["x", new_id(), "%00"], ids=["x", "unknown", "nul"])
def test_a_file_that_is_not_there(site: Site, artifact_id: str):
    assert "There is no such file" in text(site.page(f"/artifacts/{artifact_id}/file", 404).main)


def test_a_pruned_file_is_not_there(site: Site):
    address = attach(site, "file")
    next(site.settings.artifacts.rglob("file")).unlink()
    assert site.client.get(address).status_code == 404


def test_parts_can_be_had_and_what_is_known_is_not_sent_again(site: Site):
    address = attach(site, "file", b"0123456789")
    part = site.client.get(address, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.data) == (206, b"234")
    tag = site.client.get(address).headers["ETag"]
    assert site.client.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert "private" in part.headers["Cache-Control"]
