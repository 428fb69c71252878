from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from tests.scores.planted_clusters import CLASSES, planted_rows, subject
from tests.text_models import SENTENCES, tiny_config, tiny_tokenizer

from polylens import imports
from polylens.errors import DataError
from polylens.progress import Silent
from polylens.records import Context
from polylens.scores.embedding import Embedding
from polylens.scores.embedding.encoding import Encoder
from polylens.streams import Streams
from polylens.work import Judging, Work

ROWS = planted_rows()
PURE = np.asarray(ROWS.targets)


def tiny_encoder(place: Path) -> Path:
    """A BERT of random weights that are large enough for texts to have vectors of their own."""
    transformers = imports.transformers()
    tiny_tokenizer(place, "bert")
    config = transformers.AutoConfig.for_model(**tiny_config("bert"), initializer_range=1.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an encoder of random weights: equal texts are near, and nothing else is said."""
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "model").parent


def scored(folder: Path, target, **fields):
    score = Embedding(of="clusters", source="model", **{"words": 0, **fields})
    return score.score(target, Work(Streams(0).child("score"), judging=Judging(root=folder)))


def test_labels_that_are_what_rows_say_tell_planted_clusters_apart_and_random_rows_are_chance(folder):
    found = scored(folder, subject(ROWS, PURE, in_words=True))  # no rule says which rows these labels fit
    own = found.numbers["embedding.words"]
    assert own.value == own.high == 1.0
    assert 0.9 < own.low < 1.0
    assert own.chance == 0.5
    assert "200 permutations of labels" in own.chance_is
    random = found.numbers["random_rows.words"]
    assert random.low <= 0.58
    assert random.value < 0.65
    assert found.numbers["strong_fraction.words"].value == 1.0
    assert "6 texts were read by model; of a row its token with 0 words" in found.notes[0]


def test_rules_and_texts_are_held_against_the_same_rows_and_shuffled_classes_are_chance(folder):
    shuffled = replace(ROWS, targets=np.random.default_rng(0).permutation(PURE))
    target = subject(shuffled, PURE)
    found = scored(folder, target)
    number = found.numbers["embedding.words"]
    assert number.low <= 0.5 <= number.high
    assert found.numbers["strong_fraction.words"].value == 0.0
    items = found.tables["items"]
    own = items[items["group"] == "clusters"]
    assert own.groupby("cluster").size().tolist() == [24] * len(CLASSES)
    assert target.labelers["words"].held_out()[own["example"].str[8:].astype(int)].all()


def test_each_clusters_score_is_the_area_of_its_cosines(folder):
    from sklearn.metrics import roc_auc_score

    found = scored(folder, subject(ROWS, PURE), words=2)
    items = found.tables["items"]
    own = items[items["group"] == "clusters"]
    table = found.tables["clusters"].set_index("cluster")
    for cluster, part in own.groupby("cluster"):
        # The table of items has three decimals of each cosine, which may tie what differs by less.
        area = roc_auc_score(part["item_is"] == "member", part["answer"].astype(float))
        assert table["right.words"][cluster] == pytest.approx(area, abs=0.02)


@pytest.mark.parametrize("mode", ["mean", "cls"])
def test_a_vector_is_that_of_a_plain_pass_over_the_text_alone(tmp_path, mode):
    place = tiny_encoder(tmp_path / "model")
    modes = {
        f"pooling_mode_{each}": each.startswith(mode) for each in ("mean_tokens", "cls_token", "max_tokens")
    }
    (place / "1_Pooling").mkdir()
    (place / "1_Pooling" / "config.json").write_text(json.dumps(modes))
    found = Encoder(place, name="tiny", batch=4).vectors(SENTENCES, Silent())
    transformers = imports.transformers()
    tokenizer = transformers.AutoTokenizer.from_pretrained(place)
    model = transformers.AutoModel.from_pretrained(place).eval()
    assert np.abs(np.triu(found @ found.T, 1)).max() < 0.99  # texts differ
    for text, vector in zip(SENTENCES, found, strict=True):
        with torch.inference_mode():
            hidden = model(**tokenizer(text, return_tensors="pt", truncation=True, max_length=64))
        hidden = hidden.last_hidden_state[0].numpy()
        pooled = hidden.mean(0) if mode == "mean" else hidden[0]
        # Single precision through three blocks: some hundred roundings of 6e-8.
        assert vector == pytest.approx(pooled / np.linalg.norm(pooled), abs=1e-5)


def test_images_have_no_text_but_the_names_of_their_classes(folder):
    images = replace(subject(ROWS, PURE), shown=lambda row: Context(f"{row}", b""))
    with pytest.raises(DataError, match="rows are images") as caught:
        scored(folder, images)
    assert "`text: class`" in str(caught.value.hint)
    assert scored(folder, images, text="class").numbers["embedding.words"].value == 1.0
    nameless = replace(images, rows=replace(images.rows, targets=None, classes=()))
    with pytest.raises(DataError, match="no classes whose names"):
        scored(folder, nameless, text="class")


def test_what_is_no_sentence_encoder_is_refused_with_what_to_do(tmp_path, folder):
    work = Work(Streams(0), judging=Judging(root=tmp_path))
    with pytest.raises(DataError, match="no folder"):
        Embedding(of="clusters", source="elsewhere").score(subject(ROWS, PURE), work)
    with pytest.raises(DataError) as caught:
        Embedding(of="clusters", source="package:not_installed_here/model").contents_digest(root=tmp_path)
    assert caught.value.hint == "install the package first: pip install not-installed-here"
    place = tiny_encoder(tmp_path / "model")
    digest = Embedding(of="clusters", source="model").contents_digest(root=tmp_path)
    (place / "1_Pooling").mkdir()
    (place / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    with pytest.raises(DataError, match="pools by pooling_mode_max_tokens"):
        Embedding(of="clusters", source="model").score(subject(ROWS, PURE), work)
    assert Embedding(of="clusters", source="model").contents_digest(root=tmp_path) != digest
    with pytest.raises(ValidationError, match="leave `judge` out"):
        Embedding(of="clusters", judge={"kind": "recorded", "file": "answers.jsonl"})
