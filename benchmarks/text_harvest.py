"""Harvesting a language model beside other ways: `python benchmarks/text_harvest.py [--sequences N] ...`.

With `--ways polylens needed hook full` there are no peers, and so no environment of its own.

The work: signs of the MLP units of layer 5 of GPT-2 small, before their nonlinearity, at 6 evenly spaced
tokens after position 100 of sequences of 1,024, packed to bits. Weights are random, the same for all ways;
tokens too. All ways must give equal codes before anything is timed. Each peer runs as most people use it, and
as well as it can: stopped after the layer.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from own_environment import enter

LAYER, COUNT, AFTER, CONTEXT = 5, 6, 100, 1024
SEVERAL = (1, 3, 5)
PATH = "transformer.h.{}.mlp.c_fc"
WAYS = {
    "polylens": "polylens, from nothing to verified rows in the store",
    "needed": "the operations that are needed, by hand, and nothing else",
    "full": "the whole model and a hook",
    "hook": "a hook that stops the pass",
    "nnsight": "nnsight",
    "nnsight_stopped": "nnsight, stopped",
    "lens": "transformer-lens",
    "lens_stopped": "transformer-lens, stopped",
    "captum": "captum",
    "one_pass": "three layers, one pass",
    "pass_per_layer": "three layers, one pass each",
}


def _positions() -> list[int]:
    step = (CONTEXT - AFTER) // COUNT
    return [AFTER + k * step for k in range(COUNT)]


class Ways:
    """The same packed signs, got in different ways; `last` holds the activations, where a way has them."""

    def __init__(self, folder: Path, n_sequences: int, batch: int) -> None:
        import torch
        from given_sequences import tokens

        from polylens.imports import lightning, transformers

        self.folder, self.batch, self.n_sequences = folder, batch, n_sequences
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tokens, self.last = tokens(n_sequences, CONTEXT), None
        library = transformers()
        if not (folder / "config.json").is_file():
            torch.manual_seed(0)
            library.GPT2LMHeadModel(library.GPT2Config(architectures=["GPT2LMHeadModel"])).save_pretrained(
                folder
            )
        self.module = library.GPT2LMHeadModel.from_pretrained(folder, attn_implementation="sdpa").eval()
        self.module.requires_grad_(requires_grad=False)
        lightning()

    def polylens(self, layers: Sequence[int] = (LAYER,)) -> Any:
        """polylens, from the first step to rows in the store."""
        import numpy as np
        import torch
        from given_sequences import sequences

        from polylens.codes.sign import Sign
        from polylens.devices import Options
        from polylens.harvest import Take, harvest, load_rows
        from polylens.records import Network, TextFormat
        from polylens.sampling.evenly_spaced import EvenlySpaced
        from polylens.store import Store
        from polylens.streams import Streams

        network = Network(
            "gpt2",
            self.module,
            TextFormat("", "", CONTEXT),
            example_input=torch.zeros(1, CONTEXT, dtype=torch.int64),
            is_causal=True,
        )
        even, signs = EvenlySpaced(count=COUNT, after=AFTER), Sign(units="own", positions="same")
        takes = [Take(f"{layer:064x}", PATH.format(layer), "codes", even, signs) for layer in layers]
        with tempfile.TemporaryDirectory() as name:
            store = Store(Path(name))
            examples, options = sequences(self.n_sequences, CONTEXT), Options(batch_size=self.batch)
            harvest(network, examples, takes, streams=Streams(0), store=store, options=options)
            codes = load_rows(store, codes=takes[-1].digest).codes
            assert codes is not None
            return np.array(codes.packed)

    def one_pass(self) -> Any:
        """Three layers in one pass."""
        return self.polylens(SEVERAL)

    def pass_per_layer(self) -> Any:
        """Three layers, one after the other."""
        for layer in SEVERAL[:-1]:
            self.polylens((layer,))
        return self.polylens((SEVERAL[-1],))

    def full(self) -> Any:
        """The whole model with its logits; a hook keeps the layer's output."""
        with self._hooked(stop=False) as kept:
            return self._packed(lambda ids: (self.module(ids, use_cache=False), kept.pop())[1])

    def hook(self) -> Any:
        """What one writes by hand: a hook that takes the positions and stops the pass with an exception."""
        with self._hooked(stop=True) as kept:

            def stopped(ids: Any) -> Any:
                try:
                    self.module(ids, use_cache=False)
                except _StopError:
                    return kept.pop()
                raise AssertionError("the hook was not reached")

            return self._packed(stopped)

    def needed(self) -> Any:
        """What no way can do without: the last block's keys and values, and its chosen tokens alone."""
        from needed_operations import needed_rows

        return self._packed(
            lambda ids: needed_rows(self.module.transformer, ids, layer=LAYER, positions=_positions())
        )

    def nnsight(self, *, stop: bool = False) -> Any:
        """nnsight on the same module."""
        import nnsight

        model = nnsight.NNsight(self.module)

        def rows(ids: Any) -> Any:
            with model.trace(ids, use_cache=False) as tracer:
                saved = model.transformer.h[LAYER].mlp.c_fc.output[:, _positions()].save()
                if stop:
                    tracer.stop()
            return saved

        return self._packed(rows)

    def nnsight_stopped(self) -> Any:
        """nnsight, ended after the layer."""
        return self.nnsight(stop=True)

    def lens(self, *, stop: bool = False) -> Any:
        """transformer-lens on the same module."""
        bridge, name = self._bridge(), f"blocks.{LAYER}.mlp.in.hook_out"

        def rows(ids: Any) -> Any:
            kept: list[Any] = []

            def keep(tensor: Any, hook: Any) -> None:
                kept.append(tensor[:, _positions()].clone())

            options = {"stop_at_layer": LAYER + 1} if stop else {}
            bridge.run_with_hooks(ids, fwd_hooks=[(name, keep)], **options)
            return kept.pop()

        return self._packed(rows)

    def lens_stopped(self) -> Any:
        """transformer-lens, ended after the layer."""
        return self.lens(stop=True)

    def captum(self) -> Any:
        """captum's layer activation."""
        from captum.attr import LayerActivation

        layer = self.module.get_submodule(PATH.format(LAYER))
        attribution = LayerActivation(lambda ids: self.module(ids, use_cache=False).logits, layer)
        return self._packed(lambda ids: attribution.attribute(ids)[:, _positions()])

    def _bridge(self) -> Any:
        from transformer_lens.model_bridge.sources.transformers.source import boot

        if not hasattr(self, "_booted"):
            self._booted = boot(str(self.folder), device=str(self.device), tokenizer=None)
        return self._booted

    @contextmanager
    def _hooked(self, *, stop: bool) -> Iterator[list[Any]]:
        kept: list[Any] = []

        def take(module: Any, args: Any, output: Any) -> None:
            kept.append(output[:, _positions()].clone())
            if stop:
                raise _StopError

        handle = self.module.get_submodule(PATH.format(LAYER)).register_forward_hook(take)
        try:
            yield kept
        finally:
            handle.remove()

    def _packed(self, rows: Callable[[Any], Any]) -> Any:
        import numpy as np
        import torch

        from polylens.devices import exact_float32

        self.module.to(self.device)
        try:
            with torch.no_grad(), exact_float32():
                parts = [rows(ids.to(self.device)).cpu() for ids in self.tokens.split(self.batch)]
        finally:
            self.module.cpu()
        self.last = torch.cat(parts).flatten(0, 1).numpy()
        return np.packbits(self.last > 0, axis=1)


class _StopError(Exception):
    pass


PEERS = ("nnsight", "nnsight_stopped", "lens", "lens_stopped", "captum")
SINGLE, SEVERAL_WAYS = tuple(WAYS)[:9], tuple(WAYS)[9:]


def check(ways: Ways, names: Sequence[str]) -> None:
    """Equal codes, before anything is timed; units within rounding of zero may differ."""
    import numpy as np

    ways.hook()
    ours, numbers = ways.polylens(), ways.last
    assert numbers is not None
    for name in names:
        if name == "polylens":
            continue
        codes = getattr(ways, name)()
        near = np.packbits(np.abs(numbers) < 2e-5, axis=1)
        unequal = int(np.bitwise_count((codes ^ ours) & ~near).sum())
        assert codes.shape == ours.shape, name
        assert unequal == 0, f"{name}: {unequal} bits differ"
    bytes_each = ours.nbytes // ways.n_sequences
    near = float((np.abs(numbers) < 2e-5).mean())
    print(
        f"codes equal, {bytes_each:,} bytes a sequence; {near:.1e} of the units within 2e-5 of zero",
        flush=True,
    )


def peak_memory(name: str, arguments: argparse.Namespace, folder: Path) -> int:
    """Peak resident megabytes of a fresh process that does the work once in one way."""
    sizes = ["--sequences", str(arguments.sequences), "--batch", str(arguments.batch)]
    command = [sys.executable, __file__, *sizes, "--only", name, "--folder", str(folder)]
    return int(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def main() -> None:
    """Checks, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=16)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", help="do the work once in this way and print the peak memory")
    parser.add_argument("--folder", type=Path, help="where the model's weights lie")
    parser.add_argument("--here", action="store_true", help="no environment of its own, but this one")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="these alone")
    arguments = parser.parse_args()
    if not arguments.here and not arguments.only and set(arguments.ways) & set(PEERS):
        enter(__file__, requirements="text-harvest-requirements.txt")
    os.environ["HF_HUB_OFFLINE"] = "1"
    from measuring import alternated, peak_megabytes, report, ways

    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name)
        every = Ways(folder, arguments.sequences, arguments.batch)
        if arguments.only:
            getattr(every, arguments.only)()
            print(peak_megabytes())
            return
        start = time.perf_counter()
        check(every, arguments.ways)
        print(f"checked in {time.perf_counter() - start:.0f} s; {every.device}, {arguments}", flush=True)
        for title, known in ((f"layer {LAYER}", SINGLE), (f"layers {SEVERAL}", SEVERAL_WAYS)):
            names = [name for name in known if name in arguments.ways]
            if not names:
                continue
            seconds = alternated(ways(every, names), turns=arguments.turns)
            memory = {name: peak_memory(name, arguments, folder) for name in names}
            report(title, seconds, against=names[0], work=arguments.sequences, unit="seq", memory=memory)


if __name__ == "__main__":
    main()
