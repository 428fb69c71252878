"""`python -m tests.architectures HEAD [NAME ...]`: a table of what comes of each architecture.

HEAD is `causal`, `masked`, `base` or `torchvision`; without names, all of it is tried, which takes minutes.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch
from tests.architectures.comparing import Outcome, outcome
from tests.architectures.images import outcome_of_images
from tests.architectures.tiny import mappings
from tests.text_models import tiny_tokenizer

from polylens import imports

_PIXELS = 64
_OTHER_PIXELS = {"maxvit_t": 224, "inception_v3": 80, "vit_h_14": 56}
"""Sides that windows, patches and pools of some networks go into."""


def main(head: str, names: list[str]) -> int:
    """Prints the table; 1 where an outcome is not equal rows or words of our own."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    counts: Counter[str] = Counter()
    for name, found in _images(names) if head == "torchvision" else _texts(head, names):
        counts[found.kind] += 1
        print(f"{head}\t{name}\t{found.kind}\t{found.layers}\t{found.why}", flush=True)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    return int(any(counts[kind] for kind in ("wrong", "foreign")))


def _images(names: list[str]) -> Iterator[tuple[str, Outcome]]:
    models = imports.torchvision().models
    for name in names or models.list_models(module=models):
        size = _OTHER_PIXELS.get(name, _PIXELS)
        yield name, outcome_of_images(name, size=size)


def _texts(head: str, names: list[str]) -> Iterator[tuple[str, Outcome]]:
    imports.transformers().logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = tiny_tokenizer(Path(folder))
        for name in names or sorted(mappings()[head]):
            found = outcome(name, head=head, tokenizer=tokenizer)
            yield name, found
            if "attention: eager" in found.why:
                yield f"{name} (eager)", outcome(name, head=head, tokenizer=tokenizer, attention="eager")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
