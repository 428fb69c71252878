"""The experiments that polylens ships, to be read, run and started from."""

from __future__ import annotations

from pathlib import Path

from polylens.catalog.lookup import shipped_folder
from polylens.reading import read


def shipped_experiments() -> dict[str, Path]:
    """Spec files by name, such as `digits/mlp-clusters`."""
    folder = shipped_folder("experiments")
    files = sorted(folder.rglob("*.yaml")) if folder is not None else []
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in files if folder is not None}


def about_experiment(file: Path) -> str:
    """What a spec says of itself."""
    value = read(file.read_bytes(), file=str(file)).value
    about = value.get("about") if isinstance(value, dict) else None
    return about if isinstance(about, str) else ""
