"""Which of Pillow's readers are used, and for which endings."""

from __future__ import annotations

from functools import lru_cache

_SIGNED = (
    *("AVIF", "BLP", "BMP", "CUR", "DCX", "DDS", "DIB", "FITS", "FLI", "FTEX", "GBR", "GIF", "ICNS", "ICO"),
    *("JPEG", "JPEG2000", "MSP", "PCX", "PIXAR", "PNG", "PPM", "PSD", "QOI", "SGI", "SUN", "TIFF", "WEBP"),
    *("XBM", "XPM"),
)
"""Formats whose files begin with a mark of their own. EPS and WMF stay shut, as reading them starts other
programs; BUFR, GRIB, HDF5, MPEG and IPTC, as Pillow has no decoder for them; IM, as Pillow gives it up."""
_UNSIGNED = ("PCD", "TGA")
"""Formats that anything might be taken for: only files with one of their endings are."""
_ALSO = {".mpo": "JPEG"}
"""Endings that Pillow has for writing alone."""


@lru_cache(maxsize=1)
def image_endings() -> dict[str, str]:
    """The format of each ending that is read, as far as the installed Pillow has its decoder."""
    from PIL import Image

    known = Image.registered_extensions() | _ALSO
    return {
        ending: image_format
        for ending, image_format in sorted(known.items())
        if image_format in (*_SIGNED, *_UNSIGNED) and image_format in Image.OPEN
    }


def formats_of(ending: str) -> tuple[str, ...]:
    """The formats that a file with an ending may have: all that tell themselves, as names are often wrong."""
    named = image_endings().get(ending.lower())
    signed = tuple(sorted({found for found in image_endings().values() if found not in _UNSIGNED}))
    return (*signed, named) if named in _UNSIGNED else signed
