"""What people have said of the clusters of one analysis: their labels, their tally, how far they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from polylens.analyses import NETWORK
from polylens.annotation import VERDICTS
from polylens.digests import digest
from polylens.records import LabelRecord, Number
from polylens.statistics import Shares, difference, kappa_number
from polylens.streams import Streams
from polylens.wording import short

if TYPE_CHECKING:
    import pandas as pd

RANDOM = "random_rows"
"""The side of sets of random rows on blind sheets, beside `network` and the controls."""
EVERYBODY = "everybody"
"""Who has said what all authors together have said."""


@dataclass(frozen=True)
class Judgement:
    """One author's verdict on one group of a blind sheet."""

    side: str
    """`network`, the name of a control, or `random_rows`."""
    group: str
    """Which group of the side; the same for all who judged it."""
    author: str
    verdict: str


@dataclass(frozen=True)
class Tally:
    """How many clusters an author, or all together, call monosemantic."""

    who: str
    clusters: int
    """Clusters with a verdict."""
    counts: Mapping[str, int]
    """Verdicts by word; of all authors together each author's verdict counts."""
    one: Number
    """Share of the verdicts that are `one`; `unclear` is none."""


@dataclass(frozen=True)
class Agreed:
    """How far two agree on what clusters mean one thing."""

    first: str
    second: str
    """An author, or a judge by the name of its label."""
    clusters: int
    """Clusters that both have judged."""
    kappa: Number | None
    why: str = ""
    """Why there is no kappa; empty where there is one."""


@dataclass(frozen=True)
class BlindShare:
    """What people said of one side of blind sheets."""

    side: str
    groups: int
    """Groups with a verdict."""
    one: Number
    """Share of the verdicts that are `one`."""
    lead: Number | None
    """The network's share less this one; None of the network itself, or where its share is not known."""


@dataclass(frozen=True, repr=False)
class People:
    """All that people have said of one analysis' clusters; of several versions the last word of each."""

    run: str
    """Name of the run."""
    of: str
    """The analysis."""
    n_clusters: int
    n_versions: int
    records: tuple[LabelRecord, ...] = ()
    """The last label of each author for each cluster, blind or not."""
    judgements: tuple[Judgement, ...] = ()
    """The last verdict of each author on each group of a blind sheet."""
    judges: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """By the name of a label of the spec that says how many meanings clusters have: what it says of each."""

    def __repr__(self) -> str:
        return f"People({self.in_words})"

    @property
    def authors(self) -> tuple[str, ...]:
        """Who has said something, by name."""
        return tuple(sorted({each.by for each in self.records} | {each.author for each in self.judgements}))

    @property
    def digest(self) -> str:
        """Digest of all that was said, and of what it is held against."""
        judges = {name: sorted(meant.items()) for name, meant in self.judges.items()}
        said = [each.to_plain() for each in self.records], [asdict(each) for each in self.judgements]
        return digest([*said, {name: list(map(list, meant)) for name, meant in judges.items()}])

    @property
    def in_words(self) -> str:
        """The tally in one sentence."""
        tallies = self.tally()
        if not tallies:
            return f"nobody has judged the clusters of '{self.of}' yet"
        whole = tallies[0]
        many = len({each.by for each in self.records if each.meanings})
        people = f"{many} people" if many > 1 else tallies[-1].who
        low, high = (short(end or 0.0, beside=1.0) for end in (whole.one.low, whole.one.high))
        return (
            f"{people} judged {whole.clusters} of {self.n_clusters} clusters of '{self.of}' and called "
            f"{short(whole.one.value)} of them monosemantic [{low}, {high}]"
        )

    def tally(self) -> tuple[Tally, ...]:
        """Of everybody and of each author, the share of judged clusters called `one`; nothing where none is.

        The 90 % interval is that of Clopper and Pearson, on as many independent verdicts as the clusters'
        are worth.
        """
        judged = [each for each in self.records if each.meanings]
        by_author = {who: [each for each in judged if each.by == who] for who in self.authors}
        named = [(EVERYBODY, judged), *by_author.items()]
        return tuple(
            Tally(
                who,
                len({each.cluster for each in records}),
                {word: count[word] for word in VERDICTS},
                _share([each.meanings for each in records], [each.cluster for each in records]),
            )
            for who, records in named
            if records and (count := Counter(each.meanings for each in records))
        )

    def verdicts(self) -> dict[int, tuple[tuple[str, str], ...]]:
        """By the number of a cluster: each author who judged it, and the verdict."""
        by_cluster: dict[int, tuple[tuple[str, str], ...]] = {}
        for each in self.records:
            if each.meanings:
                pair = (each.by, each.meanings)
                by_cluster[each.cluster] = (*by_cluster.get(each.cluster, ()), pair)
        return by_cluster

    def agreement(self) -> tuple[Agreed, ...]:
        """Cohen's kappa of each two authors, and of each author with each judge of the spec."""
        said: dict[str, dict[int, str]] = {}
        for each in self.records:
            if each.meanings:
                said.setdefault(each.by, {})[each.cluster] = each.meanings
        authors = sorted(said)
        pairs = [(one, other, said[other]) for one, other in combinations(authors, 2)]
        pairs += [(one, name, dict(meant)) for one in authors for name, meant in self.judges.items()]
        return tuple(_agreed(one, other, said[one], meant) for one, other, meant in pairs)

    def blind(self) -> tuple[BlindShare, ...]:
        """Of each side of blind sheets the share of verdicts that are `one`, and the network's lead."""
        judged_sides = {each.side for each in self.judgements if each.verdict}
        sides = sorted(judged_sides, key=lambda side: (side != NETWORK, side))
        shares: dict[str, tuple[int, Number]] = {}
        for side in sides:
            judged = [each for each in self.judgements if each.side == side and each.verdict]
            groups = {each.group: number for number, each in enumerate(judged)}
            share = _share([each.verdict for each in judged], [groups[each.group] for each in judged])
            shares[side] = (len(groups), share)
        others = [] if NETWORK not in shares else [side for side in sides if side != NETWORK]
        leads = {side: difference(shares[side][1], shares[NETWORK][1]) for side in others}
        return tuple(BlindShare(side, *shares[side], leads.get(side)) for side in sides)

    def numbers(self) -> dict[str, Number]:
        """Every number by the name that it is logged by, such as `people/clusters/one_meaning`."""
        return dict(self._numbers())

    def _numbers(self) -> Iterator[tuple[str, Number]]:
        start = f"people/{self.of}"
        for tally in self.tally():
            of_all = tally.who == EVERYBODY
            yield f"{start}/one_meaning" if of_all else f"{start}/one_meaning/{tally.who}", tally.one
        for pair in self.agreement():
            if pair.kappa is not None:
                yield f"{start}/kappa/{pair.first}/{pair.second}", pair.kappa
        for share in self.blind():
            yield f"{start}/blind_one_meaning/{share.side}", share.one
            if share.lead is not None:
                yield f"{start}/blind_lead/{share.side}", share.lead

    def labels(self) -> pd.DataFrame:
        """One line for each cluster and author: label, verdict, note, author, date."""
        import pandas as pd

        columns = {"cluster": "cluster", "text": "label", "meanings": "verdict", "note": "note"}
        columns |= {"by": "author", "at": "date"}
        lines = [[getattr(each, name) for name in columns] for each in self.records]
        return pd.DataFrame(lines, columns=list(columns.values()))

    def table(self) -> pd.DataFrame:
        """One line for each number, with its limits, or why there is none."""
        import pandas as pd

        columns = ["name", "value", "low", "high", "chance", "interval", "chance_is", "undefined"]
        lines = [
            [
                name,
                number.value,
                number.low,
                number.high,
                number.chance,
                number.interval,
                number.chance_is,
                "",
            ]
            for name, number in self.numbers().items()
        ]
        lines += [
            [f"people/{self.of}/kappa/{pair.first}/{pair.second}", None, None, None, None, "", "", pair.why]
            for pair in self.agreement()
            if pair.kappa is None
        ]
        table = pd.DataFrame(lines, columns=columns)
        return table.astype(dict.fromkeys(columns[1:5], "float64"))

    def _repr_html_(self) -> str:
        """The numbers, as notebooks show them."""
        return self.table().to_html(index=False)

    def to_plain(self) -> dict[str, Any]:
        """Plain data, as `polylens label --json` prints it."""
        return {
            "run": self.run,
            "of": self.of,
            "clusters": self.n_clusters,
            "versions": self.n_versions,
            "authors": list(self.authors),
            "labels": [each.to_plain() for each in self.records],
            "tally": [asdict(each) for each in self.tally()],
            "agreement": [asdict(each) for each in self.agreement()],
            "blind": [asdict(each) for each in self.blind()],
        }


def _share(verdicts: Sequence[str], groups: Sequence[int]) -> Number:
    """The share of verdicts that are `one`; those of one group go together in the interval."""
    hits = np.array([each == VERDICTS[0] for each in verdicts], dtype=bool)
    shares = Shares.of(hits, example=np.array(groups, dtype=np.int64))
    (low,), (high,) = shares.limits()
    worth = float(shares.effective_rows[0])
    meaning = f"90 % Clopper-Pearson interval, verdicts worth {worth:,.0f} independent ones"
    return Number(float(shares.values[0]), float(low), float(high), meaning)


def _agreed(first: str, second: str, one: Mapping[int, str], other: Mapping[int, str]) -> Agreed:
    both = sorted(set(one) & set(other))
    ratings = np.array(
        [[VERDICTS.index(one[each]), VERDICTS.index(other[each])] for each in both],
        dtype=np.int64,
    ).reshape(-1, 2)
    kappa = kappa_number(ratings, generator=Streams(0).generator("kappa", first, second))
    if isinstance(kappa, str):
        return Agreed(first, second, len(both), None, kappa)
    return Agreed(first, second, len(both), kappa)
