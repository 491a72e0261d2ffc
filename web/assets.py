"""Addresses of static files carry a checksum of the content, so that browsers may keep them for a year."""

from functools import cache
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from flask import Flask, Response, request

from ledger.settings import Settings

YEAR = 365 * 24 * 3600


def init_app(app: Flask, settings: Settings) -> None:
    @app.template_global()
    def asset(name: str) -> str:
        version = checksum(Path(app.static_folder) / name)
        return f"{request.script_root}{app.static_url_path}/{name}?v={version}"

    icon = quote((Path(app.static_folder) / "favicon.svg").read_text(), safe=" /:='<>")
    app.jinja_env.globals["icon"] = f"data:image/svg+xml,{icon}"  # in the page: smaller than a request for it
    app.after_request(keep_for_long)


@cache
def checksum(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=6).hexdigest()


def keep_for_long(response: Response) -> Response:
    if request.endpoint != "static" or response.status_code != 200:
        return response
    response.direct_passthrough = False
    response.set_data(response.get_data())  # what streams is not compressed for everybody
    if "v" in request.args:
        response.cache_control.public = True
        response.cache_control.immutable = True
        response.cache_control.max_age = YEAR
        response.cache_control.no_cache = None
    return response
