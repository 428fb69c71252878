from __future__ import annotations

import numpy as np
import pytest

from polylens.errors import DataError
from polylens.labels.token_enrichment import TokenEnrichment
from polylens.records import Labels, Origins, Partition, Rows, RowTokens
from polylens.streams import Streams
from polylens.work import Work

VOCABULARY = ("[PAD]", "the", "of", "##ing", ".", *(f"word{index}" for index in range(35)))


def _rows(current: np.ndarray, *, before: np.ndarray, after: np.ndarray, per_document: int = 10) -> Rows:
    n = len(current)
    example = np.arange(n) // per_document
    ids = tuple(f"document-{index}" for index in range(int(example.max()) + 1))
    return Rows(
        "layer",
        Origins(example, np.arange(n) % per_document, (per_document,), ids),
        tokens=RowTokens(VOCABULARY, current, before, after),
    )


def _partition(labels: np.ndarray) -> Partition:
    first = [int(np.flatnonzero(labels == k)[0]) for k in range(int(labels.max(initial=-1)) + 1)]
    return Partition(labels, (labels >= 0).astype(np.float32), np.array(first, dtype=np.int64))


def _label(rows: Rows, labels: np.ndarray, seed: int = 0, **fields) -> Labels:
    label = TokenEnrichment(of="clusters", permutations=100, **fields)
    return label.label(rows, _partition(labels), Work(Streams(seed)))


def _words(n: int = 3000, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    current, before, after = (rng.integers(1, len(VOCABULARY), n) for _ in range(3))
    return _rows(current, before=before, after=after)


@pytest.fixture(scope="module")
def planted() -> Labels:
    """0: "of" and "the"; 1: "the" after "of"; 2: before "."; 3: a third "##ing"; 4: anything."""
    rng = np.random.default_rng(1)
    rows = _words()
    tokens = rows.tokens
    assert tokens is not None
    current, before, after = (each.copy() for each in (tokens.current, tokens.before, tokens.after))
    current[:100], before[:100] = 1, 2
    shuffled = rng.permutation(len(current))
    current, before, after = current[shuffled], before[shuffled], after[shuffled]
    labels = np.full(len(current), -1)
    labels[after == 4] = 2
    labels[np.isin(current, [1, 2])] = 0
    labels[(current == 1) & (before == 2)] = 1
    ing = np.flatnonzero((labels < 0) & (current == 3))[:40]
    free = np.flatnonzero((labels < 0) & (current != 3))
    labels[ing] = 3
    labels[rng.choice(free, 80, replace=False)] = 3
    labels[rng.choice(np.flatnonzero(labels < 0), 60, replace=False)] = 4
    return _label(_rows(current, before=before, after=after), labels)


def test_clusters_are_named_by_their_tokens_and_where_they_stand(planted: Labels) -> None:
    texts = [label.text for label in planted.clusters]
    assert texts[0] in ('"of" "the"', '"the" "of"')
    assert texts[1] == '"the" · after "of"'
    assert texts[2] == 'before "."'
    assert texts[3:] == ['mixed, more "…ing"', "no name"]
    assert [label.named for label in planted.clusters] == [True, True, True, False, False]
    assert [label.above_chance for label in planted.clusters] == [True, True, True, True, False]


def test_a_label_carries_share_lift_and_chance(planted: Labels) -> None:
    whole, mixed, weak = (planted.clusters[index] for index in (1, 3, 4))
    assert whole.share == 1.0
    assert whole.lift > 10 > whole.chance_lift > 1
    assert 0.2 < mixed.share < 0.5
    assert weak.p_value > 0.05
    assert all(np.isfinite([each.share, each.lift, each.chance_lift]).all() for each in planted.clusters)


def test_numbers_sum_up_the_labels_beside_chance(planted: Labels) -> None:
    numbers = planted.numbers
    assert numbers["named_fraction"].value == pytest.approx(3 / 5)
    assert numbers["named_fraction"].chance is not None
    assert numbers["named_fraction"].chance < 0.1
    share = numbers["held_out_share"]
    assert share.low is not None
    assert share.high is not None
    assert share.chance is not None
    assert share.chance < 0.1 < share.low < share.value < share.high
    assert "tokens of whole documents" in share.chance_is


def test_tables_hold_the_evidence_and_every_token(planted: Labels) -> None:
    table = planted.tables["clusters"]
    assert table["label"].tolist() == [label.text for label in planted.clusters]
    assert table["places"].tolist()[:4] == ["current", "current before", "after", "current"]
    assert table["coverage"].tolist()[:2] == [pytest.approx(table["coverage"][0]), 1.0]
    assert (table["naming_rows"] + table["held_out_rows"]).tolist() == table["size"].tolist()
    tokens = planted.tables["tokens"]
    own = tokens[(tokens["cluster"] == 1) & tokens["in_name"]]
    assert sorted(zip(own["place"], own["token"], strict=True)) == [("before", '"of"'), ("current", '"the"')]
    assert (own["share"] == 1.0).all()
    assert (tokens["log_odds"] >= 3.0).all()


def test_noise_alone_gives_no_labels() -> None:
    found = _label(_words(100), np.full(100, -1))
    assert found.clusters == ()
    assert found.notes == ("There are no clusters to name.",)
    assert "label" in found.tables["clusters"].columns
    assert len(found.tables["tokens"]) == 0


def test_a_cluster_of_one_document_has_no_name() -> None:
    labels = np.full(200, -1)
    labels[30:40] = 0
    found = _label(_words(200), labels)
    assert not found.clusters[0].above_chance
    assert found.clusters[0].text == "no name"


def test_labels_repeat_for_a_seed() -> None:
    rows, labels = _words(400), np.arange(400) % 5
    one, other = (_label(rows, labels) for _ in range(2))
    assert one.clusters == other.clusters
    assert all(one.tables[name].equals(other.tables[name]) for name in one.tables)


def test_rows_without_tokens_are_an_error_in_words() -> None:
    rows = Rows("layer", Origins(np.arange(3), np.zeros(3, np.int64), (), ("a", "b", "c")))
    with pytest.raises(DataError, match="stand at no tokens"):
        _label(rows, np.zeros(3, np.int64))


def test_where_no_token_stands_out_no_row_fits_any_name() -> None:
    rows, label = _words(300), TokenEnrichment(of="clusters", permutations=100, surprise=50.0)
    labels = label.label(rows, _partition(np.arange(300) % 3), Work(Streams(0)))
    assert labels.tables["tokens"].empty
    fits = label.fits(labels, rows)
    assert fits.shape == (300, 3)
    assert not fits.any()
