"""polylens: declarative experiments for the polytope lens.

From Python:

    import polylens

    study = polylens.load_spec("experiments/digits/mlp-clusters.yaml")
    result = polylens.run(study)
    rows = polylens.load_rows(result)
    partition = polylens.load_partition(result, "clusters")
    labels = polylens.load_labels(result, "digits")
    numbers = result.numbers()  # a pandas table; .table(name) and .figure(name) give the rest

    past = polylens.open_run("7f3a")  # by MLflow's id or its start, by name, or by its spec
    past.numbers(), past.figure("quality-scores"), past.latex()

One's own network: `polylens.run(spec, model=my_module, input_shape=(64,))`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polylens.leaving  # noqa: F401  (before what registers something for the end of the process)

if TYPE_CHECKING:
    from polylens.devices import Options
    from polylens.notebooks import (
        layers,
        load_labels,
        load_partition,
        load_rows,
        load_spec,
        open_run,
        plan,
        run,
    )
    from polylens.progress import Silent
    from polylens.records import ImageFormat

__all__ = [
    "ImageFormat",
    "Options",
    "Silent",
    "layers",
    "load_labels",
    "load_partition",
    "load_rows",
    "load_spec",
    "open_run",
    "plan",
    "run",
]

_ROOMS = {
    "ImageFormat": "polylens.records",
    "Options": "polylens.devices",
    "Silent": "polylens.progress",
}


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first used, so that the command line starts at once."""
    if name not in __all__:
        raise AttributeError(f"module 'polylens' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_ROOMS.get(name, "polylens.notebooks")), name)


def __dir__() -> list[str]:
    dunder = [name for name in globals() if name.startswith("__")]
    return sorted({*dunder, *__all__})
