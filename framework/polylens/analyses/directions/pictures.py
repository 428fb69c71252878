"""Pictures of directions beside clusters."""

from __future__ import annotations

import numpy as np

from polylens.analyses import NETWORK, Outcome, Outcomes
from polylens.analyses.directions.scores import CLUSTERS
from polylens.analyses.directions.tables import OTHERS
from polylens.figures import Along, Ridge, family_scores, stretches
from polylens.records import Figure, Number
from polylens.statistics import metric_name
from polylens.wording import percent

_MEANING = ("purity", "adjusted_mutual_information", "held_out_share")
_TOPS = ("top_purity", "top_coverage", "distinct_meanings")
_OVERLAP = ("overlap", "top_overlap")


def direction_pictures(outcomes: Outcomes, *, of: str, subject: str) -> tuple[Figure, ...]:
    """Scores of the families beside the clusters', and clusters along the first direction of each."""
    own = outcomes[NETWORK][0]
    if "directions" not in own.findings.tables:
        return ()
    families = list(dict.fromkeys(own.findings.tables["directions"]["family"]))
    compared = round(own.findings.numbers["compared_clusters"].value)
    covered = own.findings.numbers["coverage"].value
    method = "" if (partition := own.upstream[of].partition) is None else f"{partition.method}. "
    return (
        Figure(
            name="meaning",
            title="Clusters and directions with as many members",
            caption=(
                f"{compared} clusters ({percent(covered)} of the rows) and as many directions of each "
                f"family, each with as many members as the cluster it is paired with. {method}{subject}"
            ),
            png=family_scores(
                _numbers(outcomes, _MEANING, families),
                title="Do clusters and directions mean one thing?",
                note="All families at the clusters' coverage and member counts.",
            ),
            alt="One panel a score, one band a family: the clusters' dots beside those of each family.",
        ),
        Figure(
            name="top-rows",
            title="Plain top rows, and how many meanings there are",
            caption=(
                "Purity and coverage of as many plain top rows of each direction, which directions may "
                "share, and how many different meanings are a group's most common, rows not shared. "
                f"{method}{subject}"
            ),
            png=family_scores(
                _numbers(outcomes, _TOPS, families),
                title="Do directions mean different things?",
                note="Plain top rows may be of several directions, which then cover fewer rows.",
            ),
            alt="One panel a score, one band a family: the clusters' dots beside those of each family.",
        ),
        Figure(
            name="overlap",
            title="Clusters on the same stretch of a direction",
            caption=(
                "How many clusters' middle 80 % a row's place along a direction lies in, over all clustered "
                f"rows and over the direction's top rows. Chance: random directions. {method}{subject}"
            ),
            png=family_scores(
                _numbers(outcomes, _OVERLAP, [name for name in families if name != CLUSTERS]),
                title="How many clusters lie on the same stretch of a direction?",
            ),
            alt="One panel for all rows and one for top rows, one band a family of directions.",
        ),
        _stretches(own, method=method, subject=subject),
    )


def _numbers(
    outcomes: Outcomes, names: tuple[str, ...], families: list[str]
) -> dict[str, dict[str, dict[str, list[Number]]]]:
    """The numbers of every draw, by score, family and variant."""

    def numbers_of(draws: tuple[Outcome, ...], name: str) -> list[Number]:
        numbers = [each.findings.numbers.get(name) for each in draws]
        return [number for number in numbers if number is not None]

    return {
        name: {
            family: {
                variant: numbers_of(draws, metric_name(name, family)) for variant, draws in outcomes.items()
            }
            for family in families
        }
        for name in names
    }


def _stretches(own: Outcome, *, method: str, subject: str) -> Figure:
    along = []
    for family, lines in own.findings.tables["histograms"].groupby("family", sort=False):
        ridges = []
        for cluster, part in lines.groupby("cluster", sort=False):
            meaning, share = str(part["meaning"].iloc[0]), float(part["share"].iloc[0])
            number = int(str(cluster))
            name = meaning if number == OTHERS else f"{number}: {meaning} ({percent(share)})"
            ridges.append(Ridge(name, part["rows"].to_numpy(dtype=np.int64), number))
        edges = np.append(part["low"].to_numpy(dtype=np.float64), float(part["high"].iloc[-1]))
        along.append(Along(f"{family} {int(lines['unit'].iloc[0])}", edges, ridges))
    return Figure(
        name="stretches",
        title="Clusters along directions",
        caption=(
            "The first direction of each family: the six clusters furthest along it, each with its most "
            "common meaning and that meaning's share, and all rows. Heights are each histogram's own. "
            f"{method}{subject}"
        ),
        png=stretches(
            along,
            title="Clusters along the first direction of each family",
            note=(
                "Across: place along the direction. Down: the six clusters furthest along, each with its "
                "most common meaning and that meaning's share, each to its own height; and all rows, grey."
            ),
        ),
        alt="One panel a family: histograms of six clusters along its first direction, and of all rows.",
    )
