"""Puts together what people have said of a set of clusters, from the versions in the store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylens.analyses import NETWORK
from polylens.annotation import clusters_digest
from polylens.errors import UsageError, listed, nearest
from polylens.records import LabelRecord, Labels
from polylens.store import Annotations
from polylens.study.people.said import RANDOM, Judgement, People

if TYPE_CHECKING:
    from polylens.study.readable import ReadableRun


def people_of(run: ReadableRun, asked: str | None = None) -> People:
    """What people have said of the clusters of one analysis of a run.

    Args:
        run: at hand, or a past one.
        asked: name of the analysis; the only one that gives clusters, or has labels, if not given.

    Raises:
        UsageError: there is no such analysis, or several are meant.
        StoreError: the store no longer has the clusters.
    """
    of = analysis_meant(run, asked)
    stored = run.stored
    partition = stored.partition(of)
    meant = {name for name, label in run.label_kinds.items() if label.of == of}
    return gather(
        stored.store.root,
        clusters_digest(stored.rows(), partition),
        run=stored.name,
        of=of,
        n_clusters=partition.n_clusters,
        labels={name: stored.labels(name) for name in meant},
    )


def analysis_meant(run: ReadableRun, asked: str | None) -> str:
    """The analysis whose clusters people judge: the one that is asked for, or else the only one there is.

    Raises:
        UsageError: there is no such analysis, or several are meant.
    """
    known = [name for name, analysis in run.analyses.items() if analysis.gives_partition]
    labelled = [name for name in known if any(label.of == name for label in run.label_kinds.values())]
    name = run.stored.name
    if asked is None and len(labelled or known) == 1:
        return (labelled or known)[0]
    if asked is None:
        what = f"clusters of {listed(known)}" if known else "no clusters"
        raise UsageError(f"the run '{name}' has {what}", hint="say which: --of ANALYSIS" if known else None)
    if asked not in known:
        near = nearest(asked, known)
        hint = f"did you mean '{near}'?" if near else f"it has {listed(known) or 'none'}"
        raise UsageError(f"the run '{name}' has no clusters of '{asked}'", hint=hint)
    return asked


def gather(
    root: Path, clusters: str, *, run: str, of: str, n_clusters: int, labels: Mapping[str, Labels]
) -> People:
    """What people have said of clusters.

    Args:
        root: the store.
        clusters: digest of the clusters.
        run: name of the run.
        of: the analysis.
        n_clusters: how many clusters there are.
        labels: those of the spec; what they say of how many meanings there are is held against people.
    """
    versions = Annotations(root, clusters).versions()
    records: dict[tuple[int, str], LabelRecord] = {}
    judgements: dict[tuple[str, str, str], Judgement] = {}
    for version in versions:
        for line in version["lines"]:
            record = _record(line, version)
            records[record.cluster, record.by] = record
        for line in version["others"] + (version["lines"] if version["blind"] else []):
            judged = _judgement(line, version)
            judgements[judged.side, judged.group, judged.author] = judged
    return People(
        run=run,
        of=of,
        n_clusters=n_clusters,
        n_versions=len(versions),
        records=tuple(records[key] for key in sorted(records)),
        judgements=tuple(judgements[key] for key in sorted(judgements)),
        judges={name: meant for name, each in labels.items() if (meant := _meant(each))},
    )


def _record(line: Mapping[str, Any], version: Mapping[str, Any]) -> LabelRecord:
    return LabelRecord(
        cluster=line["cluster"],
        text=line["label"],
        labeler=version["sheet"],
        kind="given",
        meanings=line["verdict"],
        note=line["note"],
        by=line["author"],
        at=line["date"],
    )


def _judgement(line: Mapping[str, Any], version: Mapping[str, Any]) -> Judgement:
    side, draw = line.get("side", NETWORK), line.get("draw", 1)
    # Sets of random rows are those of their sheet; clusters are the same on all.
    of_sheet = f"{version['sheet']}/" if side == RANDOM else ""
    return Judgement(side, f"{of_sheet}{draw}/{line['cluster']}", line["author"], line["verdict"])


def _meant(labels: Labels) -> dict[int, str]:
    """How many meanings a judge of the spec sees in each cluster; empty where nobody said."""
    return {each.cluster: each.meanings for each in labels.written if each.meanings and each.kind != "given"}
