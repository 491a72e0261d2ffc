"""Body measures by which uptake is divided, from weight (kg), height (m) and sex.

Lean body mass by Morgan 1994 (LBM), by James with 128 (LBMJAMES128) and by Janmahasatian 2005 (LBMJANMA); ideal
body weight (IBW); surface by Du Bois. Names are those of DICOM's SUV Type (0054,1006). Where the sex is neither
M nor F, the mean of both is taken.
"""

from collections.abc import Callable

Mass = Callable[[float, float], float]


def _james(weight_share: float, square_share: float) -> Mass:
    return lambda kg, m: weight_share * kg - square_share * (kg / (100 * m)) ** 2


def _janmahasatian(offset: float, share: float) -> Mass:
    return lambda kg, m: 9270 * kg / (offset + share * kg / m**2)


def _ideal(begin: float, share: float) -> Mass:
    return lambda kg, m: begin + share * (100 * m - 152)


#: SUV Type to the mass (kg) of men, and of women.
MASSES: dict[str, tuple[Mass, Mass]] = {
    "LBM": (_james(1.10, 120), _james(1.07, 148)),
    "LBMJAMES128": (_james(1.10, 128), _james(1.07, 148)),
    "LBMJANMA": (_janmahasatian(6680, 216), _janmahasatian(8780, 244)),
    "IBW": (_ideal(48.0, 1.06), _ideal(45.5, 0.91)),
}


def mass(kind: str, kg: float, m: float, sex: str) -> float:
    """In kg, of one of MASSES."""
    man, woman = (each(kg, m) for each in MASSES[kind])
    return {"M": man, "F": woman}.get(sex, (man + woman) / 2)


def surface(kg: float, m: float) -> float:
    """In square metres."""
    return 0.007184 * (100 * m) ** 0.725 * kg**0.425
