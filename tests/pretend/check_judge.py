"""A judge in this process answers on another device as on the processor."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch
from tests.text_models import tiny_tokenizer

from polylens import imports
from polylens.devices import compute_on
from polylens.judges import ask
from polylens.judges.local import Local
from polylens.progress import Silent
from polylens.records import Choice, Question, Sentence
from polylens.work import Judging


def test_answers_are_the_processors(tmp_path: Path, accelerator: str, pretend: Counter[str]) -> None:
    transformers = imports.transformers()
    tiny_tokenizer(tmp_path / "model")
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=400, n_embd=16, n_layer=2, n_head=2, n_positions=512)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path / "model", safe_serialization=True)
    questions = [
        Question("Fits?", {"row": "cat"}, Choice(("yes", "no", "perhaps"))),
        Question("What?", {"group": ["a"]}, Sentence(3)),
    ]

    def asked() -> list[object]:
        judge, judging = Local(source="model"), Judging(root=tmp_path)
        found = ask(judge, questions, judging=judging, progress=Silent(), title="judging")
        return [(answer.outcome, answer.said) for answer in found.answers]

    with compute_on("cpu"):
        expected = asked()
    assert not pretend
    assert asked() == expected
    assert pretend["addmm"] > 0
