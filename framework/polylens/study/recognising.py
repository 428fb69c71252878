"""Networks that only their behaviour tells apart, known again by what the store remembers of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from polylens.models import Model
from polylens.records import Examples
from polylens.spec import Child
from polylens.store import DamagedError, Store, load_array, read_json, save_array, write_json
from polylens.study.stages import Stage

if TYPE_CHECKING:
    import torch

    from polylens.modules import Behaviour

_EXAMPLES = 8
"""Examples that a network is known again by, evenly over the dataset."""


class Recognition:
    """Settles models for the children of one study; each module is copied, named and tried once.

    What networks of one content did with the same examples is remembered in the store, one stage each,
    numbered from 0. A network that does the same up to rounding is the one remembered, and has its name: so
    another processor's rounding makes no other network of it, and another behaviour always does. The name is
    by the bytes of the behaviour, so that two stores never call two networks the same.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._settled: dict[tuple[int, str, tuple[str, ...]], tuple[Model, Model]] = {}

    def settle(self, child: Child, examples: Examples) -> Model:
        """The child's model, under a name that its rows can be stored by.

        Raises:
            UsageError: a control asks for fresh weights that this network cannot have.
        """
        model = child.experiment.model
        controls = [named.control for named in child.experiment.controls]
        weights = ("own", "fresh") if any(not control.has_learnt for control in controls) else ("own",)
        key = (id(getattr(model, "module", model)), examples.fingerprint, weights)
        if key not in self._settled:

            def inputs() -> torch.Tensor:
                if not len(examples):
                    return model.example_input()
                chosen = np.unique(np.linspace(0, len(examples) - 1, _EXAMPLES).round().astype(int))
                return examples.batch(chosen.tolist())

            def recognise(contents: str, behaviour: Behaviour) -> str:
                return self._name(contents, behaviour, examples=examples.fingerprint)

            # The model is kept beside what became of it, so that its id stays its own.
            self._settled[key] = model, model.settle(inputs, recognise=recognise, weights=weights)
        return self._settled[key][1]

    def _name(self, contents: str, behaviour: Behaviour, *, examples: str) -> str:
        number = 0
        while True:
            identity = {"contents": contents, "examples": examples, "number": number}
            stage = Stage("behaviour", "behaviour", identity, path="model")
            with self._store.write_stage(stage.kind, stage.digest, about=stage.about()) as folder:
                if folder is not None:
                    _save(folder, behaviour)
                    return behaviour.digest
            try:
                known = _load(self._store.open(stage.kind, stage.digest))
            except DamagedError:  # put aside: it is written anew in the next round
                continue
            if known.agrees(behaviour):
                return known.digest
            number += 1


def _save(folder: Path, behaviour: Behaviour) -> None:
    write_json(folder / "behaviour.json", {"parts": list(behaviour.parts), "failure": behaviour.failure})
    save_array(folder / "numbers.npy", behaviour.numbers)


def _load(folder: Path) -> Behaviour:
    from polylens.modules import Behaviour

    plain = read_json(folder / "behaviour.json")
    return Behaviour(tuple(plain["parts"]), load_array(folder / "numbers.npy"), plain["failure"])
