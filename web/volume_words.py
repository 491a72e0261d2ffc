"""What the scripts of the volume page say, in the page's language: they have no table of words themselves."""

import json

from web.language import Later as _l

WORDS = {
    "axial": _l("Axial"),
    "coronal": _l("Coronal"),
    "sagittal": _l("Sagittal"),
    "mip": _l("MIP"),
    "outside": _l("outside"),
    "noNumber": _l("not a number"),
    "custom": _l("as set by hand"),
    "slice": _l("{plane}, slice {slice} of {count}. {values}"),
    "turned": _l("Maximum intensity projection, turned by {} degrees"),
    "upTo": _l("what is above {} is drawn like it"),
    "loading": _l("Full resolution: {done} of {total} parts"),
    "preview": _l("Fetching the preview…"),
    "loaded": _l("Full resolution"),
    "faulty": _l("{part} of {name} could not be loaded: {reason}"),
    "faultyAlone": _l("{part} could not be loaded: {reason}"),
    "part": _l("Slices {first} to {last}"),
    "partPreview": _l("The preview"),
    "partMip": _l("The rotating projection"),
    "partPalettes": _l("The table of colours"),
    "noAnswer": _l("the site did not answer"),
    "answered": _l("the site answered {}"),
    "signedOut": _l("you are no longer signed in"),
    "tooShort": _l("it has {found} values, not {wanted}"),
    "broken": _l("its data are damaged"),
    "play": _l("Turn"),
    "pause": _l("Stop"),
    "enlarge": _l("Enlarge"),
    "all": _l("Show all"),
    "left": _l("L"),
    "right": _l("R"),
    "anterior": _l("A"),
    "posterior": _l("P"),
    "head": _l("H"),
    "foot": _l("F"),
    "map-grey": _l("Grey"),
    "map-grey-inverted": _l("Inverted grey"),
    "map-hot-iron": _l("Hot iron"),
    "map-pet": _l("PET"),
    "map-pet-20-step": _l("PET, 20 steps"),
    "map-viridis": _l("Viridis, for any colour vision"),
}

#: Names that sidecars give, as people read them; one that is not here is shown as it is.
WINDOWS = {
    "Soft tissue": _l("Soft tissue"),
    "Lung": _l("Lung"),
    "Bone": _l("Bone"),
    "Brain": _l("Brain"),
    "Most values": _l("Most values"),
    "Whole range": _l("Whole range"),
}


def window_word(name: str) -> str:
    return str(WINDOWS.get(name, name))


def volume_words() -> str:
    """JSON, for an attribute of the viewer."""
    return json.dumps({name: str(word) for name, word in WORDS.items()}, ensure_ascii=False)
