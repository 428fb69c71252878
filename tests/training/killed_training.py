"""A program for a test: a training that is killed, one that goes on from what it kept, and a whole one.

Prints the killed one's exit code and the step that the second went on from.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.killing import exit_code, forked
from tests.training.test_fit_language import VOCABULARY, train

from polylens.imports import lightning
from polylens.models.gpt import Gpt
from polylens.store import KeptArrays, Store
from polylens.training import language_learner
from polylens.training.language_learner import LanguageLearner

KILLED_AFTER = 23


def train_until_killed(folder: Path, keeper: KeptArrays) -> None:
    step = LanguageLearner.on_train_batch_end

    def end(self: LanguageLearner, *args: Any) -> None:
        step(self, *args)
        if self.step == KILLED_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)

    LanguageLearner.on_train_batch_end = end  # type: ignore[method-assign]
    train(folder, keeper=keeper)


def go_on(folder: Path, keeper: KeptArrays) -> None:
    kept = keeper.load("training")
    assert kept is not None
    print(int(kept["step"][0]), flush=True)
    train(folder, keeper=keeper)


def main(root: Path) -> None:
    """Each training in a process of its own."""
    Gpt._vocabulary = lambda self: VOCABULARY  # type: ignore[method-assign]
    language_learner.PIECE = 5
    keeper = KeptArrays(Store(root / "store"), "training", "0" * 64)
    lightning()
    print(exit_code(forked(lambda: train_until_killed(root / "killed", keeper))))
    assert exit_code(forked(lambda: go_on(root / "resumed", keeper))) == 0
    assert exit_code(forked(lambda: train(root / "whole"))) == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
