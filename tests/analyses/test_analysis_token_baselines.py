from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polylens.analyses import Outcome
from polylens.analyses.token_baselines import TokenBaselines
from polylens.errors import DataError
from polylens.records import Findings, Partition, Rows, RowTokens
from polylens.statistics import Blocks, explain
from polylens.streams import Streams

ANALYSIS = TokenBaselines(of="clusters", permutations=100)
PER_DOCUMENT = 10


def _given(labels: np.ndarray) -> dict[str, Findings]:
    medoids = np.zeros(int(labels.max(initial=-1)) + 1, np.int64)
    return {"clusters": Findings(partition=Partition(labels, np.ones(len(labels), np.float32), medoids))}


@pytest.fixture
def words(make_rows):
    """Rows of documents of ten tokens each; the next token is a coin beside the current one."""

    def make(n: int = 1000, seed: int = 0) -> tuple[Rows, RowTokens]:
        rng = np.random.default_rng(seed)
        current, coin = rng.integers(0, 8, n), rng.integers(0, 2, n)
        tokens = RowTokens([f"w{index}" for index in range(16)], current, rng.integers(0, 8, n), 8 + coin)
        place = np.arange(n)
        rows = make_rows(np.zeros((n, 1)), example=place // PER_DOCUMENT, position=place % PER_DOCUMENT)
        return replace(rows, tokens=tokens), tokens

    return make


def test_the_partition_by_token_is_the_token_and_nothing_more(words, find):
    rows, tokens = words()
    numbers = find(ANALYSIS, rows, _given(tokens.current)).numbers
    assert numbers["token_information"].value == pytest.approx(1.0)
    assert numbers["token_rand"].value == pytest.approx(1.0)
    assert numbers["token_purity"].value == 1.0
    assert numbers["next_token_beyond"].value == pytest.approx(0.0, abs=1e-12)
    for name in ("token_information", "token_rand"):
        assert numbers[name].chance == pytest.approx(0.0, abs=0.01)
    assert 0.1 < numbers["token_purity"].chance < 0.25


def test_clusters_of_anything_say_nothing(words, find):
    rows, _ = words()
    labels = np.random.default_rng(5).integers(-1, 6, len(rows))
    numbers = find(ANALYSIS, rows, _given(labels)).numbers
    for name in ("token_information", "token_rand", "position_information"):
        assert numbers[name].value == pytest.approx(0.0, abs=0.02)
    for name in ("next_token_beyond", "previous_token_beyond"):
        assert abs(numbers[name].value) < 0.02
        assert 0 < numbers[name].chance < 0.02


def test_what_is_known_of_the_next_token_beyond_the_current_one_is_found(words, find):
    rows, tokens = words()
    # Clusters that are the coin: the next token is certain.
    numbers = find(ANALYSIS, rows, _given(tokens.after - 8)).numbers
    assert numbers["next_token_beyond"].value == pytest.approx(1.0)
    assert numbers["next_token_beyond"].chance < 0.05
    assert numbers["token_information"].value == pytest.approx(0.0, abs=0.02)
    assert abs(numbers["previous_token_beyond"].value) < 0.02


def test_a_next_token_that_follows_from_the_current_one_is_nothing_beyond(words, find):
    rows, tokens = words()
    certain = replace(rows, tokens=replace(tokens, after=8 + tokens.current % 2))
    found = find(ANALYSIS, certain, _given(tokens.current % 2))
    assert "next_token_beyond" not in found.numbers
    assert found.tables["explained"]["about"].tolist() == ["previous_token"]


def test_rows_at_the_end_of_their_text_have_no_next_token(words, find):
    rows, tokens = words()
    last = np.arange(len(rows)) % PER_DOCUMENT == PER_DOCUMENT - 1
    ended = replace(rows, tokens=replace(tokens, after=np.where(last, -1, tokens.after)))
    # The cluster of the last rows says that there is no next token; of next tokens it says nothing.
    numbers = find(ANALYSIS, ended, _given(last.astype(np.int64))).numbers
    assert abs(numbers["next_token_beyond"].value) < 0.02
    assert numbers["position_information"].value > 0.1


def test_clusters_by_position_are_found_out(words, find):
    rows, _ = words()
    numbers = find(ANALYSIS, rows, _given(rows.origins.position // 5)).numbers
    assert numbers["position_information"].value > 0.4
    assert numbers["position_information"].chance == pytest.approx(0.0, abs=0.01)


def test_rare_tokens_count_as_one(words, find):
    rows, tokens = words(200)
    # Every token once: all are rare, one class that agrees with nothing; the purity knows them apart.
    alone = replace(
        rows, tokens=RowTokens([str(i) for i in range(200)], np.arange(200), *[tokens.before] * 2)
    )
    numbers = find(ANALYSIS, alone, _given(np.arange(200) // 50)).numbers
    assert numbers["token_information"].value == pytest.approx(0.0)
    assert numbers["token_purity"].value == 4 / 200


def test_exchanges_keep_what_the_given_says():
    rng = np.random.default_rng(0)
    given, blocks = rng.integers(0, 5, 300), Blocks.of(np.repeat(np.arange(30), 10))
    # Labels and targets both are the given: whatever is exchanged, nothing is left to explain.
    assert explain(given, given, given=given, blocks=blocks, permutations=3, streams=Streams(0)) is None
    targets = 10 * given + rng.integers(0, 3, 300)
    found = explain(given, targets, given=given, blocks=blocks, permutations=20, streams=Streams(0))
    assert found is not None
    assert found.share == pytest.approx(0.0, abs=1e-12)
    assert found.null == pytest.approx(np.zeros(20), abs=1e-12)


def test_neighbours_shared_by_a_document_are_chance():
    # Each document has a next token and a cluster of its own: so do whole documents laid over others.
    example = np.repeat(np.arange(40), 10)
    blocks, given = Blocks.of(example), np.zeros(400, np.int64)
    labels, targets = np.arange(40) % 4, np.random.default_rng(0).integers(0, 4, 40)
    found = explain(
        labels[example], targets[example], given=given, blocks=blocks, permutations=200, streams=Streams(0)
    )
    assert found is not None
    assert found.share < np.quantile(found.null, 0.99)


def test_tables_show_each_clusters_token(words, find):
    rows, tokens = words()
    table = find(ANALYSIS, rows, _given(np.where(tokens.current < 2, tokens.current, -1))).tables["clusters"]
    assert table["top_token"].tolist() == ['"w0"', '"w1"']
    assert table["top_token_share"].tolist() == [1.0, 1.0]
    assert table["distinct_tokens"].tolist() == [1, 1]


def test_noise_alone_is_said(words, find):
    rows, _ = words(100)
    found = find(ANALYSIS, rows, _given(np.full(100, -1)))
    assert found.notes == ("No cluster was found: token purity is not defined.",)
    without = {"token_purity", "next_token_beyond", "previous_token_beyond"}
    assert not without & found.numbers.keys()
    assert found.undefined == dict.fromkeys(without, "no clusters")


def test_findings_repeat_for_a_seed(words, find, same_findings):
    rows, tokens = words(300)
    assert same_findings(*(find(ANALYSIS, rows, _given(tokens.current % 3)) for _ in range(2)))


def test_pictures_show_scores_and_tokens(words, find):
    rows, tokens = words()
    given = _given(np.where(tokens.current < 6, tokens.current, -1))
    outcome = Outcome(rows, find(ANALYSIS, rows, given), given)
    figures = ANALYSIS.draw({"network": (outcome,), "random_init": (outcome, outcome)}, subject="x")
    assert [figure.name for figure in figures] == ["baselines", "tokens"]


def test_missing_clusters_and_missing_tokens_are_errors_in_words(words, find, make_rows):
    rows, _ = words(100)
    with pytest.raises(DataError, match="'clusters' gives no clusters"):
        find(ANALYSIS, rows, {"clusters": Findings()})
    with pytest.raises(DataError, match="stand at no tokens"):
        find(ANALYSIS, make_rows(np.zeros((3, 1))), _given(np.zeros(3, np.int64)))
