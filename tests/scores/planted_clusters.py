"""Clusters that mean something, planted: every row says in its text what its cluster means."""

from __future__ import annotations

from typing import Any

import numpy as np

from polylens.labels import Label
from polylens.labels.class_enrichment import ClassEnrichment
from polylens.records import Labels, Origins, Partition, Rows, TokenContext
from polylens.scores import Labeler, Subject
from polylens.streams import Streams
from polylens.work import Work

CLASSES = ("ape", "bee", "cat", "dog", "eel", "fox")
PER_CLASS = 60


def planted_rows(*, per_class: int = PER_CLASS) -> Rows:
    """One row an example, `per_class` of each class, which lie far apart."""
    targets = np.repeat(np.arange(len(CLASSES)), per_class)
    count = len(targets)
    points = np.zeros((count, 2), np.float32)
    points[:, 0] = targets * 10 + np.linspace(0, 1, count)
    ids = tuple(f"example-{index}" for index in range(count))
    origins = Origins(np.arange(count), np.zeros(count, np.int64), (), ids)
    return Rows("layer", origins, activations=points, targets=targets, classes=CLASSES)


def partition_of(labels: np.ndarray) -> Partition:
    first = [int(np.flatnonzero(labels == k)[0]) for k in range(int(labels.max(initial=-1)) + 1)]
    return Partition(labels, (labels >= 0).astype(np.float32), np.array(first, dtype=np.int64))


class Told(Label):
    """Labels in words: those of classes, of which nobody says that they are rules."""

    def label(self, rows: Rows, partition: Partition, work: Work) -> Labels:
        return ClassEnrichment(of=self.of, permutations=100).label(rows, partition, work)

    def held_out(self, rows: Rows, streams: Streams) -> np.ndarray:
        return ClassEnrichment(of=self.of).held_out(rows, streams)


def labeler(label: Label, rows: Rows, partition: Partition, *, name: str, seed: int = 0) -> Labeler:
    streams = Streams(seed).child(label.kind())
    return Labeler(name, label, label.label(rows, partition, Work(streams)), rows, streams)


def subject(rows: Rows, labels: np.ndarray, *, in_words: bool = False, seed: int = 0) -> Subject:
    partition = partition_of(labels)
    label = Told(of="clusters") if in_words else ClassEnrichment(of="clusters", permutations=100)
    own = labeler(label, rows, partition, name="words", seed=seed)

    def shown(row: int) -> TokenContext:
        return TokenContext(f"row {row}", "the ", rows.classes[rows.targets[row]], f" of {row}")

    return Subject(rows, partition, {"words": own}, shown)


def honest(instructions: str, data: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Answers from what stands in the row; draws where nothing tells it."""
    options = schema["properties"]["answer"]["enum"]
    if "label" in data:
        return {"answer": "yes" if data["label"] == data["row"]["token"] else "no"}
    if "labels" in data:
        token, labels = data["row"]["token"], data["labels"]
        fitting = [letter for letter, label in labels.items() if label == token]
        number = sum(map(ord, data["row"]["after"]))
        return {"answer": fitting[0] if fitting else options[number % len(options)]}
    tokens = {letter: row["token"] for letter, row in data["rows"].items()}
    common = max(tokens.values(), key=list(tokens.values()).count)
    odd = [letter for letter, token in tokens.items() if token != common]
    number = sum(ord(letter) for row in data["rows"].values() for letter in row["after"])
    return {"answer": odd[number % len(odd)] if odd else options[number % len(options)]}


def always_yes(instructions: str, data: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    options = schema["properties"]["answer"]["enum"]
    return {"answer": "yes" if "yes" in options else options[0]}
