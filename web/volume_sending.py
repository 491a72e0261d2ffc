"""Files of kept volumes from an address, sent as Flask sends those on disk: tags, ranges, what is known already."""

import hashlib

from flask import Response, abort, request
from flask_babel import gettext as _

from ledger.volume_address import Address


def sent(place: Address, mimetype: str) -> Response:
    """404 if it is not there; only what was asked for is fetched."""
    try:
        size, version = place.facts()
        return _answered(place, size, Response(mimetype=mimetype), f"{place}-{size}-{version}")
    except FileNotFoundError:
        abort(404, _("A volume has no such part."))


def _answered(place: Address, size: int, response: Response, version: str) -> Response:
    response.set_etag(hashlib.sha256(version.encode()).hexdigest()[:32])
    response.make_conditional(request, accept_ranges=True, complete_length=size)
    if response.status_code == 206:
        response.set_data(place.read_bytes(response.content_range.start, response.content_range.stop))
    elif response.status_code == 200:
        response.set_data(place.read_bytes())
    return response
