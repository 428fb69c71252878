"""All tables of one run, by the names they are logged by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from polylens.study.label_tables import label_tables
from polylens.study.metrics import comparisons_table, draws_table
from polylens.study.results import Result
from polylens.study.walk import Walk

if TYPE_CHECKING:
    import pandas as pd


def tables_of(walk: Walk, results: Sequence[Result]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Draws and comparisons where there are any, the training's history, then what each variant found.

    Tables of a control lie in a folder of its name: `random_init.2/clusters.sizes` is of its second draw.
    """
    make: Sequence[tuple[str, Callable[[Sequence[Result]], pd.DataFrame]]] = (
        ("draws", draws_table),
        ("comparisons", comparisons_table),
    )
    for name, table_of in make:
        table = table_of(results)
        if len(table):
            yield name, table
    history = walk.learning.history()
    if history is not None:
        yield "training", history
    for variant in walk.plan.variants:
        # No name in a spec has a dot in it: `random_init.2` is the second draw and nothing else.
        title = variant.title.replace("#", ".")
        folder = "" if variant.is_own else f"{title}/"
        for name, table in label_tables(walk, variant):
            yield f"{folder}{name}.all_labels", table
        for name in variant.analyses:
            for table_name, table in walk.findings(variant, name).tables.items():
                yield f"{folder}{name}.{table_name}", table
        for name in variant.scores:
            for table_name, table in walk.naming.scored(variant, name).tables.items():
                yield f"{folder}{name}.{table_name}", table
        for name in variant.labels:
            for table_name, table in walk.naming.labels(variant, name).tables.items():
                yield f"{folder}{name}.{table_name}", table
