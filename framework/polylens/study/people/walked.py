"""What people have said of the clusters of a run that is at hand, and how its page shows it."""

from __future__ import annotations

from collections.abc import Iterator

from polylens.annotation import clusters_digest
from polylens.records import Number
from polylens.report import PeopleSaid, PeopleTable
from polylens.store import has_annotations
from polylens.study.people.gathering import gather
from polylens.study.people.said import People
from polylens.study.walk import Walk


def people_of_walk(walk: Walk) -> tuple[People, ...]:
    """What people have said of the network's clusters, analysis by analysis; of those they judged alone."""
    root = walk.workshop.store.root
    if not has_annotations(root):
        return ()
    return tuple(people for name in walk.own.analyses if (people := _of_analysis(walk, name)).authors)


def _of_analysis(walk: Walk, name: str) -> People:
    partition = walk.findings(walk.own, name).partition
    if partition is None:
        return People(walk.plan.name, name, n_clusters=0, n_versions=0)
    labels = {
        label: walk.naming.labels(walk.own, label)
        for label, planned in walk.own.labels.items()
        if planned.label.of == name
    }
    return gather(
        walk.workshop.store.root,
        clusters_digest(walk.rows(walk.own), partition),
        run=walk.plan.name,
        of=name,
        n_clusters=partition.n_clusters,
        labels=labels,
    )


def shown_people(people: People) -> PeopleSaid:
    """What people said, as a page shows it."""
    return PeopleSaid(people.in_words, tuple(table for table in _tables(people) if table.lines))


def _tables(people: People) -> Iterator[PeopleTable]:
    yield PeopleTable(
        "Tally",
        ("who", "clusters", "one, several, unclear", "one meaning"),
        tuple(
            ((each.who, str(each.clusters), ", ".join(map(str, each.counts.values()))), each.one)
            for each in people.tally()
        ),
    )
    yield PeopleTable(
        "Agreement",
        ("who", "clusters of both", "Cohen's kappa"),
        tuple(
            ((f"{each.first} and {each.second}", each.why or str(each.clusters)), each.kappa)
            for each in people.agreement()
        ),
    )
    sides = people.blind()
    yield PeopleTable(
        "Blind sheets",
        ("side", "groups", "one meaning"),
        tuple(((_words(each.side), str(each.groups)), each.one) for each in sides),
    )
    leads: list[tuple[str, Number]] = [(each.side, each.lead) for each in sides if each.lead is not None]
    yield PeopleTable(
        "The network's lead, blind",
        ("over", "one meaning"),
        tuple(((_words(side),), lead) for side, lead in leads),
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
