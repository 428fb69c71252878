"""Versions of the packages that can change results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

_PACKAGES = (
    "polylens",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "pyarrow",
)


@cache
def package_versions() -> Mapping[str, str]:
    """The installed version of each package that can change a result; those not installed are left out."""
    return MappingProxyType(
        {name: version for name in _PACKAGES if (version := version_of(name)) is not None}
    )


def version_of(package: str) -> str | None:
    """The installed version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
