"""Training of a language model: it learns, the same spec gives the same weights, and a kill costs little."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Int64
from safetensors.torch import load_file

from polylens.devices import Options
from polylens.errors import DataError
from polylens.models.gpt import Gpt, LanguageTraining
from polylens.progress import Silent
from polylens.records import Examples, Network, Shown
from polylens.store import load_table
from polylens.streams import Streams
from polylens.training import fit_language, next_token_numbers

VOCABULARY, LENGTH = 12, 9
CPU = Options(accelerator="cpu")


class Counting(Examples):
    """Sequences that count upwards, with one step in ten at random: a pair of neighbours says nearly all."""

    def __init__(self, n_examples: int = 64, *, seed: int = 0, shorter: bool = False) -> None:
        rng = np.random.default_rng(seed)
        steps = np.where(
            rng.random((n_examples, LENGTH)) < 0.1, rng.integers(VOCABULARY, size=(1, LENGTH)), 1
        )
        self._inputs = torch.from_numpy(steps.cumsum(1) % VOCABULARY)
        self._lengths = np.full(n_examples, LENGTH)
        if shorter:
            self._lengths[0] -= 4
            self._inputs[0, LENGTH - 4 :] = -1
        self.ids = tuple(map(str, range(n_examples)))
        self.targets = None
        self.classes = ()
        self.fingerprint = f"counting {seed}"

    def batch(self, indices):
        return self._inputs[list(indices)]

    def lengths(self) -> Int64[np.ndarray, "examples"]:
        return self._lengths

    def context(self, index: int, position: int = 0) -> Shown:
        raise NotImplementedError


def model(**fields) -> Gpt:
    training = LanguageTraining(
        **{"epochs": 6, "batch_size": 8, "learning_rate": 1e-2, "warmup": 5, "threads": 1}
    )
    return Gpt(**{"width": 8, "depth": 1, "heads": 2, "context": LENGTH, "training": training, **fields})


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve tokens in place of the tokenizer's."""
    monkeypatch.setattr(Gpt, "_vocabulary", lambda self: VOCABULARY)


def train(folder: Path, *, seed: int = 0, examples: Examples | None = None, keeper=None, **fields) -> Network:
    folder.mkdir(parents=True, exist_ok=True)
    gpt = model(**fields)
    module = gpt.build(Streams(seed).torch_generator("weights"))
    assert gpt.training is not None
    fit_language(
        module,
        Counting() if examples is None else examples,
        training=gpt.training,
        streams=Streams(seed),
        folder=folder,
        keeper=keeper,
        options=CPU,
        progress=Silent(),
    )
    return Network("gpt", module, gpt.input_format())


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "weights.safetensors")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("norms", [True, False])
def test_a_language_model_learns_what_follows_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, norms: bool
) -> None:
    small(monkeypatch)
    training = LanguageTraining(epochs=40, batch_size=8, learning_rate=1e-2, warmup=5, threads=1)
    trained = train(tmp_path / "trained", norms=norms, training=training)
    history = load_table(tmp_path / "trained/history.parquet")
    assert list(history["epoch"]) == list(range(1, 41))
    assert history["loss"].iloc[-1] < 1.0 < 2.0 < history["loss"].iloc[0]
    scores = next_token_numbers(trained, Counting(seed=1), learnt=Counting(), options=CPU)
    fresh = model(norms=norms).build(torch.Generator().manual_seed(3))
    untrained = next_token_numbers(
        Network("gpt", fresh, trained.input_format), Counting(seed=1), learnt=Counting(), options=CPU
    )
    assert scores["next_token_loss"].value < 1.2
    # Logits are small at first: all tokens are equally likely but for little.
    assert untrained["next_token_loss"].value == pytest.approx(np.log(VOCABULARY), abs=0.05)
    assert scores["next_token_loss"].chance == scores["unigram_loss"].value
    low, high = scores["next_token_loss"].low, scores["next_token_loss"].high
    assert low is not None
    assert high is not None
    assert low < scores["next_token_loss"].value < high


def test_baselines_are_those_of_counting_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    learnt, examples = Counting(20), Counting(6, seed=2, shorter=True)
    fresh = model().build(torch.Generator().manual_seed(0))
    network = Network("gpt", fresh, model().input_format())
    scores = next_token_numbers(network, examples, learnt=learnt, options=CPU)
    texts = learnt.batch(range(20)).tolist()
    tokens = [token for text in texts for token in text]
    pairs = [(text[place], text[place + 1]) for text in texts for place in range(LENGTH - 1)]
    single, double, own = [], [], []
    for index in range(6):
        text = [token for token in examples.batch([index])[0].tolist() if token >= 0]
        logits = fresh(torch.tensor([text]))[0].log_softmax(-1)
        for place in range(len(text) - 1):
            share = (tokens.count(text[place + 1]) + 1) / (len(tokens) + VOCABULARY)
            after = [second for first, second in pairs if first == text[place]]
            kinds = len(set(after))
            single.append(-np.log(share))
            double.append(
                -np.log((after.count(text[place + 1]) + kinds * share) / (len(after) + kinds))
                if after
                else single[-1]
            )
            own.append(-float(logits[place, text[place + 1]].detach()))
    assert len(own) == 6 * (LENGTH - 1) - 4
    assert scores["unigram_loss"].value == pytest.approx(np.mean(single))
    assert scores["bigram_loss"].value == pytest.approx(np.mean(double))
    assert scores["next_token_loss"].value == pytest.approx(np.mean(own), rel=1e-5)
    assert scores["bigram_lead"].value == pytest.approx(np.mean(double) - np.mean(own), rel=1e-4)


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        train(tmp_path / name, seed=seed)
    assert same(weights(tmp_path / "one"), weights(tmp_path / "again"))
    assert not same(weights(tmp_path / "one"), weights(tmp_path / "other"))


def test_a_shorter_training_is_the_longer_one_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    shorter = model().after_epochs(2)
    assert shorter is not None
    assert shorter.training is not None
    train(tmp_path / "whole")
    train(tmp_path / "two", training=shorter.training)
    whole, two = (load_table(tmp_path / f"{name}/history.parquet") for name in ("whole", "two"))
    assert two.equals(whole.iloc[:2])


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    here = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.killed_training", str(tmp_path)],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(here / "framework")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, [str(-signal.SIGKILL), "20"]), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert same(weights(tmp_path / "resumed"), weights(tmp_path / "whole"))
    resumed, whole = (load_table(tmp_path / f"{name}/history.parquet") for name in ("resumed", "whole"))
    assert resumed.equals(whole)


def test_texts_of_several_lengths_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    with pytest.raises(DataError, match="packed into sequences of one length"):
        train(tmp_path, examples=Counting(shorter=True))
