"""Pictures of directions in code space."""

from __future__ import annotations

from collections.abc import Sequence

from polylens.analyses import NETWORK, Outcome, Outcomes
from polylens.analyses.code_directions.components import BITS, MAKERS
from polylens.figures import curves, family_scores
from polylens.records import Figure, Number
from polylens.statistics import metric_name

_SHOWN = ("additive_share", "same_direction", "analogies")


def code_direction_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """What components restore, and whether factors add up, beside controls."""
    own = outcomes[NETWORK][0]
    families = (BITS, *MAKERS)
    numbers = {
        name: {
            family: {
                variant: _numbers_of(draws, metric_name(name, family)) for variant, draws in outcomes.items()
            }
            for family in families
        }
        for name in _SHOWN
    }
    figures = [
        Figure(
            name="reconstruction",
            title="Held-out codes restored from components",
            caption=(
                "Share of the variance of held-out codes; dashed: the same of codes whose columns are "
                f"shuffled, each alone. ICA restores what PCA does. {subject}"
            ),
            png=curves(
                _lines(outcomes, "restored"),
                title="How much of held-out codes components restore",
                note="Dashed: codes whose columns are shuffled, each alone.",
                x="components",
                y="share of variance restored",
                dashed=_lines(outcomes, "shuffled_columns"),
                log_x=False,
                log_y=False,
            ),
            alt="One panel a family: variance restored against the number of components, a line a variant.",
        )
    ]
    if any(name.startswith(_SHOWN) for name in own.findings.numbers):
        said = next((note for note in own.findings.notes if note.startswith("The factors are")), "")
        figures.append(
            Figure(
                name="additivity",
                title="Do directions add up?",
                caption=(
                    f"{said} Chance: other factors of the same size; for analogies, shuffled columns of "
                    f"what is added. {subject}"
                ),
                png=family_scores(
                    numbers,
                    title="Do two factors add up in codes and along their components?",
                    note="A parallelogram of four mean codes has 1 and 1; four unrelated points 2/3 and 0.",
                ),
                alt="One panel a score, one band for bits and for each family of components.",
            )
        )
    return tuple(figures)


def _numbers_of(draws: Sequence[Outcome], name: str) -> list[Number]:
    numbers = [each.findings.numbers.get(name) for each in draws]
    return [number for number in numbers if number is not None]


def _lines(outcomes: Outcomes, column: str) -> dict[str, dict[str, list[list[tuple[float, float]]]]]:
    """Curves by family and variant, one a draw."""
    panels: dict[str, dict[str, list[list[tuple[float, float]]]]] = {}
    for variant, draws in outcomes.items():
        for each in draws:
            for family, lines in each.findings.tables["curve"].groupby("family", sort=False):
                points = [
                    (float(count), float(value))
                    for count, value in zip(lines["components"], lines[column], strict=True)
                ]
                panels.setdefault(str(family), {}).setdefault(variant, []).append(points)
    return panels
