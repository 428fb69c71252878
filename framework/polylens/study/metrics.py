"""The numbers of one child by the names they are logged by, and the table of every draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from polylens.analyses import NETWORK
from polylens.records import Draws, Number
from polylens.study.results import Result, answering_results

if TYPE_CHECKING:
    import pandas as pd


def metrics_of(results: Iterable[Result]) -> dict[str, Number]:
    """Numbers by metric name: `quality/purity` for the network, `quality/purity.random_init` for a control.

    Several draws of one control become their mean, with the least and greatest as its range; where a draw
    lacks the number there is no mean, and the table of draws says what the others have. The network's lead
    over a control, on equal terms, is `quality/purity_lead.random_init`, under the same condition.
    """
    return dict(_metrics(results))


def answering_metrics(results: Iterable[Result]) -> dict[str, float]:
    """The few numbers that MLflow gets as metrics: those that answer the question, then other headlines.

    They are the network's own and its leads over controls. All others, with every range, chance level and
    control, are in the table of numbers: a page with hundreds of metrics shows none.
    """
    known = list(results)
    first = answering_results(known)
    rest = [result for result in known if result.headline and result not in first]
    own = [replace(result, by_variant=_own_alone(result)) for result in (*first, *rest)]
    return {name: number.value for name, number in metrics_of(own).items()}


def draws_table(results: Iterable[Result]) -> pd.DataFrame:
    """One line for each number of each draw of each control, and why it has none where it has none."""
    import pandas as pd

    lines = [
        {
            "number": f"{result.source}/{result.name}",
            "control": control,
            "draw": draw + 1,
            "value": float("nan") if value is None else value,
            "undefined": draws.why if value is None else "",
        }
        for result in results
        for control, draws in result.controls.items()
        for draw, value in enumerate(draws.values)
    ]
    return pd.DataFrame(lines, columns=["number", "control", "draw", "value", "undefined"])


def comparisons_table(results: Iterable[Result]) -> pd.DataFrame:
    """One line for each draw of each control that a number is compared with on equal terms."""
    import pandas as pd

    lines = [
        {
            "number": f"{result.source}/{result.name}",
            "control": control,
            "draw": draw + 1,
            "coverage": None if pair is None else pair.coverage,
            "network": None if pair is None else pair.own,
            "control_value": None if pair is None else pair.other,
            "undefined": comparison.why if pair is None else "",
            "terms": comparison.terms,
        }
        for result in results
        for control, comparison in result.comparisons.items()
        for draw, pair in enumerate(comparison.pairs)
    ]
    columns = ["number", "control", "draw", "coverage", "network", "control_value", "undefined", "terms"]
    return pd.DataFrame(lines, columns=columns).astype(
        dict.fromkeys(("coverage", "network", "control_value"), "float64")
    )


def _own_alone(result: Result) -> dict[str, Draws]:
    return {variant: draws for variant, draws in result.by_variant.items() if variant == NETWORK}


def _metrics(results: Iterable[Result]) -> Iterator[tuple[str, Number]]:
    for result in results:
        name = f"{result.source}/{result.name}"
        for variant, draws in result.by_variant.items():
            number = draws.summary()
            if number is not None:
                yield name if variant == NETWORK else f"{name}.{variant}", number
        for control, comparison in result.comparisons.items():
            if comparison.lead is not None and not comparison.share:
                yield f"{name}_lead.{control}", comparison.lead
