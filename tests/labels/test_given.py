"""Labels of people as labels of a spec: whose they are, of which clusters, and how they are scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.judge_server import judge_server
from tests.scores.planted_clusters import CLASSES, honest, labeler, partition_of, planted_rows

from polylens.annotation import Sheet, SheetLine, cluster_id, clusters_digest, csv_of
from polylens.errors import DataError, UsageError
from polylens.judges.compatible import Compatible
from polylens.labels.class_enrichment import ClassEnrichment
from polylens.labels.given import Given
from polylens.records import Labels, TokenContext
from polylens.scores import Subject
from polylens.scores.detection import Detection
from polylens.streams import Streams
from polylens.work import Judging, Server, Work

ROWS = planted_rows(per_class=24)
PARTITION = partition_of(np.asarray(ROWS.targets))
STREAMS = Streams(0).child("given")
VERDICTS = ["one", "one", "one", "several", "unclear", ""]


def sheet(folder: Path, *, authors: tuple[str, ...] = ("anna",), **changes: Any) -> Path:
    """A sheet of the planted clusters, on which each author writes the class of every cluster."""
    held_out = Given(of="clusters", file="").held_out(ROWS, STREAMS)
    clusters = clusters_digest(ROWS, PARTITION)
    names = [cluster_id(clusters, held_out, each) for each in range(len(CLASSES))]
    header, *_ = csv_of(Sheet("bdfg", "run", "clusters", (SheetLine("a", (), 0, 1),))).decode().splitlines()
    lines = [
        ",".join((*before, text, VERDICTS[number], "", who, "2026-11-30"))
        for who in authors
        for number, text in enumerate(CLASSES)
        for before in [("bdfg", changes.get(str(number), names[number]), str(number), "24")]
    ]
    path = folder / "labels.csv"
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    return path


def labels(path: Path, author: str = "", **work: Any) -> Labels:
    given = Given(of="clusters", file=path.name, author=author)
    services = Work(STREAMS, judging=Judging(root=path.parent))
    return given.label(work.get("rows", ROWS), work.get("partition", PARTITION), services)


def test_each_cluster_has_the_label_and_the_verdict_of_the_person(tmp_path):
    found = labels(sheet(tmp_path))
    assert [each.text for each in found.written] == list(CLASSES)
    assert [each.meanings for each in found.written] == VERDICTS
    assert {(each.kind, each.by, each.at) for each in found.written} == {("given", "anna", "2026-11-30")}
    assert found.numbers["labelled_fraction"].value == 1.0
    one = found.numbers["one_meaning"]  # 3 of the 5 that were judged
    assert one.value == pytest.approx(0.6)
    assert 0 < one.low < 0.6 < one.high < 1
    assert found.tables["clusters"]["size"].tolist() == [24] * len(CLASSES)


def test_of_several_people_one_must_be_named(tmp_path):
    path = sheet(tmp_path, authors=("anna", "ben"))
    with pytest.raises(DataError, match=r"several people filled the sheet 'labels\.csv': anna, ben"):
        labels(path)
    assert {each.by for each in labels(path, "ben").written} == {"ben"}
    with pytest.raises(DataError, match="'bean' filled nothing"):
        labels(path, "bean")


def test_a_sheet_of_other_clusters_or_of_another_split_is_refused(tmp_path):
    path = sheet(tmp_path)
    moved = np.roll(PARTITION.labels, 1)
    with pytest.raises(DataError, match=r"is of other clusters: line 2 "):
        labels(path, partition=replace(PARTITION, labels=moved))
    other = Work(Streams(1).child("given"), judging=Judging(root=tmp_path))
    with pytest.raises(DataError, match="is of other clusters"):
        Given(of="clusters", file=path.name).label(ROWS, PARTITION, other)
    with pytest.raises(DataError, match=r"line 4 "):
        labels(sheet(tmp_path, **{"2": "kkkkkkkkkk"}))


def test_a_sheet_that_is_not_there_or_not_filled_is_said(tmp_path):
    with pytest.raises(DataError, match=r"there is no sheet 'labels\.csv'"):
        labels(tmp_path / "labels.csv")
    with pytest.raises(DataError, match="nothing is filled"):
        labels(sheet(tmp_path, authors=()))
    with pytest.raises(UsageError, match=r"6 mistakes in labels\.csv; its labels cannot be used"):
        labels(sheet(tmp_path, authors=("",)))


def test_what_the_sheet_holds_is_part_of_the_digest(tmp_path):
    given = Given(of="clusters", file="labels.csv")
    sheet(tmp_path)
    first = given.contents_digest(root=tmp_path)
    sheet(tmp_path, authors=("ben",))
    assert given.contents_digest(root=tmp_path) != first


def test_people_are_scored_on_the_same_rows_as_rules_and_not_on_random_rows(tmp_path):
    own = labels(sheet(tmp_path))
    person = replace(
        labeler(ClassEnrichment(of="clusters", permutations=100), ROWS, PARTITION, name="person"),
        label=Given(of="clusters", file="labels.csv"),
        labels=own,
        streams=STREAMS,
    )
    rule = labeler(ClassEnrichment(of="clusters", permutations=100), ROWS, PARTITION, name="rule")

    def shown(row: int) -> TokenContext:
        return TokenContext(f"row {row}", "the ", CLASSES[ROWS.targets[row]], "")

    subject = Subject(ROWS, PARTITION, {"person": person, "rule": rule}, shown)
    with judge_server(honest) as server:
        work = Work(Streams(0).child("score"), judging=Judging({"default": Server(server.address)}))
        judge = Compatible(model="m", at_once=8, tries=1)
        found = Detection(of="clusters", judge=judge, members=3, permutations=0).score(subject, work)
    assert found.numbers["detection.person"].value == found.numbers["detection.rule"].value == 1.0
    assert found.undefined["random_rows.person"] == "nobody labelled random rows"
    assert "random_rows.rule" in found.numbers
    items = found.tables["items"].query("group == 'clusters'")
    by_labeler = {name: list(part["example"]) for name, part in items.groupby("labeler")}
    assert by_labeler["person"] == by_labeler["rule"]
