"""Specs in pages: whole ones are read, and pieces are laid over shipped ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.pages.blocks import REPOSITORY

from polylens.errors import PolylensError
from polylens.reading import read
from polylens.spec import load, loads

_BASES = ("digits/mlp-clusters", "digits/cnn-position", "minilm/mlp-clusters")
_ANALYSES = {"clusters": {"kind": "hdbscan", "on": "activation", "min_cluster_size": 5}}
_KEYS = {
    *("model", "layer", "dataset", "sampling", "code", "controls", "analyses", "labels", "scores"),
    *("sweep", "seed"),
    "refuted_if",
}


def check_spec(text: str) -> None:
    """Reads a spec, or each alternative of a piece of one.

    Raises:
        PolylensError: something in it is wrong.
    """
    if text.startswith("extends:") or re.search(r"^about:", text, re.MULTILINE):
        beside = REPOSITORY / "experiments" / "digits" / "mlp-clusters.yaml"
        whole = text.replace("extends: mlp-clusters.yaml", f"extends: {beside}")
        value: Any = read(whole.encode(), file="page").value
        if "extends" in value:
            Path("piece.yaml").write_text(whole, encoding="utf-8")
            load(Path("piece.yaml"))
        else:
            loads(value)
        return
    for piece in _alternatives(text):
        _check_piece(piece)


def _alternatives(text: str) -> list[str]:
    """The text where each key stands in it once, else each of its keys alone."""
    starts = re.findall(r"^(\w+):", text, re.MULTILINE)
    if len(starts) == len(set(starts)):
        return [text]
    return [piece for piece in re.split(r"^(?=\w+:)", text, flags=re.MULTILINE) if piece.strip()]


def _check_piece(text: str) -> None:
    value: Any = read(text.encode(), file="page").value
    unknown = set(value) - _KEYS
    if unknown:
        raise AssertionError(f"a piece of a spec has no {sorted(unknown)}")
    troubles = []
    for name in _BASES:
        given: Any = read((REPOSITORY / "experiments" / f"{name}.yaml").read_bytes(), file=name).value
        base = given | {"labels": {}, "controls": [], "analyses": _ANALYSES, "refuted_if": []}
        if "refuted_if" in value:  # a rule is read beside what it names
            base |= {key: given[key] for key in ("labels", "controls", "analyses")}
        if "model" in value:
            base["layer"] = "output"
        try:
            loads(base | value)
        except PolylensError as error:
            troubles.append(str(error))
        else:
            return
    raise AssertionError(f"{text}\n" + "\n".join(troubles))
