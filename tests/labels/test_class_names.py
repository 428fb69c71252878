"""Images told in words to judges that are shown none."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.judge_server import judge_server
from tests.scores import planted_clusters

from polylens.errors import DataError
from polylens.judges.compatible import Compatible
from polylens.labels._class_names import teller
from polylens.labels.written import Written
from polylens.records import CodeLayer, Codes, CodeScheme, Context, Described, TokenContext
from polylens.scores.detection import Detection
from polylens.streams import Streams
from polylens.work import Judging, Server, Work

ROWS = planted_clusters.planted_rows(per_class=12)
PARTITION = planted_clusters.partition_of(np.asarray(ROWS.targets))
BLIND, SEEING = Compatible(model="m", tries=1), Compatible(model="m", tries=1, images=True)


def picture(row: int) -> Context:
    return Context(f"row {row}", f"png {row}".encode())


def by_hand(values: np.ndarray, row: int, targets: np.ndarray) -> tuple[str, ...]:
    """Classes by the distance of their means over all other rows."""
    others = np.arange(len(values)) != row
    apart = {
        name: float(np.linalg.norm(values[others & (targets == number)].mean(0) - values[row]))
        for number, name in enumerate(planted_clusters.CLASSES)
        if (others & (targets == number)).any()
    }
    return tuple(sorted(apart, key=apart.__getitem__)[:3])


def test_an_image_is_told_by_the_classes_whose_other_members_are_nearest():
    told = teller(BLIND, picture, ROWS, PARTITION)
    assert told(0) == Described(("ape", "bee", "cat"))
    targets = np.asarray(ROWS.targets)
    for row in (0, 13, 40, 71):
        assert told(row).classes == by_hand(np.asarray(ROWS.activations, np.float64), row, targets)


def test_the_only_row_of_a_class_is_not_told_by_it():
    targets = np.asarray(ROWS.targets).copy()
    targets[:11] = 1  # one ape is left
    told = teller(BLIND, picture, replace(ROWS, targets=targets), PARTITION)
    assert told(11).classes == ("bee", "cat", "dog")


def test_codes_are_compared_where_codes_were_clustered():
    bits = np.random.default_rng(0).integers(0, 2, (len(ROWS), 16)).astype(np.uint8)
    layer = CodeLayer("layer", 16)
    codes = Codes(np.packbits(bits, axis=1), CodeScheme((layer,), False, "made up"))
    rows = replace(ROWS, codes=codes)
    told = teller(BLIND, picture, rows, replace(PARTITION, space="code"))
    for row in (0, 30, 71):
        assert told(row).classes == by_hand(bits.astype(np.float64), row, np.asarray(ROWS.targets))


def test_others_are_shown_what_they_can_see():
    assert teller(SEEING, picture, ROWS, PARTITION)(3) == picture(3)
    words = TokenContext("", "", "cat", "")
    assert teller(BLIND, lambda row: words, ROWS, PARTITION)(3) == words
    nameless = replace(ROWS, targets=None, classes=())
    assert teller(BLIND, picture, nameless, PARTITION)(3) == picture(3)


@pytest.mark.slow
def test_a_judge_without_eyes_names_and_scores_clusters_of_images():
    def nearest(instructions, data, schema):
        if "group" in data:
            first = [row["image_near_classes"][0] for row in data["group"]]
            return {"label": max(set(first), key=first.count), "meanings": "one", "why": ""}
        return {"answer": "yes" if data["row"]["image_near_classes"][0] == data["label"] else "no"}

    label = Written(of="clusters", judge=BLIND, draws=1)
    with judge_server(nearest) as server:
        judging = Judging({"default": Server(server.address)})
        work = Work(Streams(0).child("written"), judging=judging, shown=picture)
        found = label.label(ROWS, PARTITION, work)
        labeler = planted_clusters.Labeler("words", label, found, ROWS, work.streams)
        subject = planted_clusters.Subject(ROWS, PARTITION, {"words": labeler}, picture)
        score = Detection(of="clusters", judge=BLIND, random_rows=False)
        numbers = score.score(subject, work).numbers
        contents = [body["messages"][1]["content"] for body in server.bodies]
        nameless = replace(ROWS, targets=None, classes=())
        with pytest.raises(DataError, match="is shown none"):
            label.label(nameless, PARTITION, work)
    assert [each.text for each in found.written] == list(planted_clusters.CLASSES)
    assert numbers["detection.words"].value == 1.0
    # No image leaves for a judge that would not see it.
    assert all(isinstance(json.loads(each), dict) for each in contents)
