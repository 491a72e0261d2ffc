"""What was left aside, in words: nothing disappears without being said."""

from collections import Counter

# (one, several), in the order in which they are said.
KINDS = {
    "index": ("DICOMDIR", "DICOMDIRs"),
    "copy": ("exact copy of another file", "exact copies of other files"),
    "colour": ("picture in colour", "pictures in colour"),
    "other": ("DICOM file without a picture", "DICOM files without a picture"),
    "archive": ("archive inside, not opened", "archives inside, not opened"),
    "foreign": ("file that is not DICOM", "files that are not DICOM"),
    "empty": ("empty file", "empty files"),
}


def spoken(counts: Counter[str]) -> str:
    """A sentence such as "Left aside: 1 DICOMDIR, 2 files that are not DICOM.", or "" for nothing."""
    said = [f"{counts[kind]:,} {names[counts[kind] != 1]}" for kind, names in KINDS.items() if counts[kind]]
    return f"Left aside: {', '.join(said)}." if said else ""
