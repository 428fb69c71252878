"""Shards are bounded by examples and by bytes."""

from __future__ import annotations

import numpy as np
import torch
from tests.analyses.probing import Points, dense

from polylens.codes.sign import Sign
from polylens.devices import Options
from polylens.harvest import Take, harvest, load_rows
from polylens.harvest import shard as shard_module
from polylens.harvest import writing as writing_module
from polylens.harvest.shard import shard_size
from polylens.records import ImageFormat, Network
from polylens.store import Store
from polylens.streams import Streams


def test_a_shard_holds_so_many_examples_that_their_rows_fit() -> None:
    bound = shard_module.SHARD_BYTES
    for example_bytes in (1, 1000, bound // 256, bound // 256 + 1, bound // 3, bound, 10 * bound):
        size = shard_size(example_bytes)
        assert 1 <= size <= shard_module.SHARD
        assert size == 1 or size * example_bytes <= bound
        assert size == shard_module.SHARD or 2 * size * example_bytes > bound


def test_wide_rows_make_smaller_shards_and_the_same_stage(tmp_path, monkeypatch) -> None:
    module = dense(8, 16, 4)
    inputs = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    network = Network("tiny", module, ImageFormat(channels=1, flatten=True), example_input=inputs[:1])
    takes = (
        Take("a", "1", "activations"),
        Take("c", "input", "codes", None, Sign(units="downstream", positions="all"), whole=True),
    )
    written: list[int] = []
    write = writing_module.write_shard
    monkeypatch.setattr(
        writing_module,
        "write_shard",
        lambda folder, shard, rows: (written.append(len(shard)), write(folder, shard, rows)),
    )
    found = []
    # An example has 16 numbers of 4 bytes and 16 bits: 66 bytes.
    for number, bound in enumerate((1 << 27, 66 * 10)):
        monkeypatch.setattr(shard_module, "SHARD_BYTES", bound)
        store = Store(tmp_path / str(number))
        harvest(
            network,
            Points(inputs, None),
            takes,
            streams=Streams(0),
            store=store,
            options=Options(accelerator="cpu", batch_size=8),
        )
        found.append(load_rows(store, activations="a", codes="c"))
    assert written == [40, 40, *[8] * 10]
    one, other = found
    np.testing.assert_array_equal(one.codes.packed, other.codes.packed)
    np.testing.assert_allclose(one.activations, other.activations, atol=1e-6)
