"""Pictures of clusters beside directions: how well each is named, and by how much clusters lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from polylens.figures import family_scores
from polylens.records import Figure, Findings, Number

_LEAST, _DIRECTIONS = "least_lead", "directions."
"""How names of numbers begin, before the name of the label or the family."""
_SHOWN = {"random": "random directions"}
"""What families are called beside random rows."""


def beside_pictures(
    kind: str, outcomes: Mapping[str, tuple[Findings, ...]], *, subject: str
) -> tuple[Figure, ...]:
    """One picture a label: the scores of clusters and of each family, and the clusters' lead over each.

    Args:
        kind: of the score, which its number is called by.
        outcomes: what was found, draw by draw, by variant.
        subject: the sentence every caption ends with.
    """
    return tuple(_pictures(kind, outcomes, subject=subject))


def _pictures(kind: str, outcomes: Mapping[str, tuple[Findings, ...]], *, subject: str) -> Iterator[Figure]:
    for ending in _names(outcomes, starting=_LEAST):
        label = ending.removeprefix(".")
        about = f"Labels: {label}. " if label else ""
        yield Figure(
            name=f"directions{ending.replace('.', '-')}",
            title=f"Clusters and directions, named alike{': ' * bool(label)}{label}",
            caption=(
                f"{about}The score `{kind}` of clusters, of as many row sets of each family of directions, "
                "each with as many rows as a cluster, and of sets of random rows; and by how much clusters "
                f"lead over each family. {subject}"
            ),
            png=family_scores(
                _panels(kind, outcomes, ending),
                title="Are clusters better named than directions?",
                note=f"{about}Each family has as many row sets as there are clusters, and as large.",
            ),
            alt="A panel of scores, one of leads; one band a family: the network's dot beside its controls'.",
        )


def _names(outcomes: Mapping[str, tuple[Findings, ...]], *, starting: str, ending: str = "") -> list[str]:
    """What stands between the two in names of numbers of any draw."""
    names = [name for draws in outcomes.values() for each in draws for name in each.numbers]
    fitting = [name for name in names if name.startswith(starting) and name.endswith(ending)]
    return list(dict.fromkeys(name.removeprefix(starting).removesuffix(ending) for name in fitting))


def _panels(
    kind: str, outcomes: Mapping[str, tuple[Findings, ...]], ending: str
) -> dict[str, dict[str, dict[str, list[Number]]]]:
    """The numbers of every draw, by panel, family and variant."""
    families = _names(outcomes, starting=_DIRECTIONS, ending=ending)

    def drawn(*names: str) -> dict[str, list[Number]]:
        """Of each draw the first of these numbers that it has."""
        return {
            variant: [
                number
                for each in draws
                if (number := next((each.numbers[name] for name in names if name in each.numbers), None))
            ]
            for variant, draws in outcomes.items()
        }

    shown = {name: _SHOWN.get(name, name) for name in families}
    return {
        kind: {
            "clusters": drawn(f"compared_clusters{ending}", f"{kind}{ending}"),
            **{shown[name]: drawn(f"{_DIRECTIONS}{name}{ending}") for name in families},
            "random rows": drawn(f"random_rows{ending}"),
        },
        "lead of clusters": {shown[name]: drawn(f"lead_over_{name}{ending}") for name in families},
    }
