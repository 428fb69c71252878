"""The spec files that a command names: files, and folders of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from polylens.errors import UsageError, shown_path


def spec_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Every path once, each folder replaced by the specs that lie in it, by name.

    Raises:
        UsageError: a folder has no specs.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(file for file in path.iterdir() if file.suffix in (".yaml", ".yml"))
        if not inside:
            raise UsageError(
                f"there are no specs in the folder {shown_path(path)}",
                hint="specs end in .yaml; folders within a folder are not looked into",
            )
        files += inside
    return tuple(dict.fromkeys(files))
