"""Figures: PNG files with their titles and captions beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from polylens.records import Figure
from polylens.store.plain import read_json, write_json

_TEXTS = ("name", "title", "caption", "alt")


def save_figures(folder: Path, figures: Sequence[Figure]) -> None:
    """Writes the figures into a stage's folder, in their order."""
    plain = [{name: getattr(figure, name) for name in _TEXTS} for figure in figures]
    for index, figure in enumerate(figures):
        (folder / f"{index:03d}.png").write_bytes(figure.png)
    write_json(folder / "figures.json", plain)


def load_figures(folder: Path) -> tuple[Figure, ...]:
    """The figures that `save_figures` wrote."""
    plain = read_json(folder / "figures.json")
    return tuple(
        Figure(**texts, png=(folder / f"{index:03d}.png").read_bytes()) for index, texts in enumerate(plain)
    )
