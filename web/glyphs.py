"""A state as pages show it: a glyph, which carries its shape, and the word beside it, which is for everybody."""

from flask import Flask, g
from markupsafe import Markup, escape

from ledger.settings import Settings
from web.words import Shown

GLYPHS = {
    "circle": '<circle cx="6" cy="6" r="4.25"/>',
    "clock": '<circle cx="6" cy="6" r="4.5"/><path d="M6 3.2V6l2 1.4"/>',
    "again": '<path d="M10 6a4 4 0 1 1-1.2-2.8M10 1v3H7"/>',
    "ring": '<path class="thick" d="M6 1.5A4.5 4.5 0 1 1 1.5 6"/>',
    "ringbar": '<path d="M6 1.5A4.5 4.5 0 1 1 1.5 6M4 4l4 4"/>',
    "tick": '<path class="thick" d="M2 6.5 5 9.5 10 3"/>',
    "cross": '<path class="thick" d="m2.5 2.5 7 7m0-7-7 7"/>',
    "diamond": '<path class="full" d="M6 0 12 6 6 12 0 6z"/>',
    "slash": '<circle cx="6" cy="6" r="4.5"/><path d="m3 9 6-6"/>',
    "hourglass": '<path d="M3 1h6M3 11h6M3.5 1c0 3 5 7 5 10m0-10c0 3-5 7-5 10"/>',
}


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals["state"] = state


def state(shown: Shown) -> Markup:
    """Put together once a request: a list says few states, and each of them often."""
    known = g.setdefault("states", {})
    if id(shown) not in known:
        known[id(shown)] = (shown, _drawn(shown))  # held, so that nothing else gets its id
    return known[id(shown)][1]


def _drawn(shown: Shown) -> Markup:
    drawing = f'<svg viewBox="0 0 12 12" aria-hidden="true">{GLYPHS[shown.glyph]}</svg>'
    return Markup(f'<span class="st {shown.hue}">{drawing}{escape(shown.word)}</span>')
