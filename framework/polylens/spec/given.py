"""`model: given`: a spec whose network is one's own module, handed over from Python."""

from __future__ import annotations

from polylens.errors import Problem
from polylens.models import Model
from polylens.spec.ledger import Ledger, Value, items_of

GIVEN = "given"
WITHOUT_MODULE = "the model is given from Python, and no module came with this spec"
"""The complaint about a spec that is right, and needs a module to be run."""
_NOTE = "polylens.run(SPEC, model=my_module, input_shape=(...)) runs it; docs/guide/own-modules.md says more"


def is_given(value: Value | None, *, ledger: Ledger) -> bool:
    """Whether a spec's `model` is `given`, or a map of `kind: given`."""
    if value is None:
        return False
    text = value if isinstance(value, int) else value.get("kind")
    return ledger.text(text) == GIVEN


def name_of(value: Value | None, model: Model, *, ledger: Ledger) -> str:
    """What people call a module from Python: as the spec names it, or else its class."""
    written = None if value is None or isinstance(value, int) else ledger.text(value.get("name"))
    named = written if is_given(value, ledger=ledger) else None
    return named or type(getattr(model, "module", model)).__name__


def problems_with_given(value: Value, *, has_module: bool, ledger: Ledger) -> list[Problem]:
    """What is wrong with a model that is given: a missing module, or keys that it does not have."""
    problems = []
    if not isinstance(value, int):
        for key, item in items_of(value):
            if key not in ("kind", "name"):
                notes = ("allowed: kind, name",)
                place = ledger.place(item, key=True)
                problems.append(
                    Problem(f"unknown key '{key}' in model (given)", place, f"model.{key}", None, notes)
                )
            elif not ledger.text(item):
                place = ledger.place(item)
                problems.append(Problem(f"model.{key} must be a text", place, f"model.{key}"))
    if not has_module:
        problems.append(Problem(WITHOUT_MODULE, ledger.place(value), "model", None, (_NOTE,)))
    return problems
