"""How fast this machine can be at all: population counts from the first cache, products of matrices."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

LANES, CHAINS = 8, 8
"""Words a vector, and sums kept apart so that no addition waits for the one before."""
_WORDS, _SWEEPS, _TURNS = 1024, 300_000, 5


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def one_pass(way: str, *, rows: int, units: int) -> float:
    """Seconds that all pairs of rows take at least: codes by population counts, activations by products."""
    pairs = rows * (rows - 1) / 2
    if way == "activations":
        return pairs * 2 * units / product_flops(units)
    return pairs * (units / 64) / popcount_words()


def popcount_words() -> float:
    """Words of 64 bits a second that all cores together xor, count and add, from buffers of 8 KB."""
    sweep = _compiled()
    generators = [np.random.default_rng(core) for core in range(cores())]
    buffers = [rng.integers(2**63, size=_WORDS, dtype=np.uint64) for rng in generators]
    assert sweep(buffers[0], 1) == np.bitwise_count(buffers[0]).sum()
    best = 0.0
    with ThreadPoolExecutor(cores()) as pool:
        for _ in range(_TURNS):
            start = time.perf_counter()
            list(pool.map(sweep, buffers, [_SWEEPS] * cores()))
            best = max(best, cores() * _WORDS * _SWEEPS / (time.perf_counter() - start))
    return best


def product_flops(width: int) -> float:
    """Float32 operations a second of a product of 2,048 rows with 2,048 rows, all cores."""
    import torch

    rows = torch.rand(2048, width)
    best = 0.0
    for _ in range(_TURNS):
        start = time.perf_counter()
        rows @ rows.T
        best = max(best, 2 * 2048**2 * width / (time.perf_counter() - start))
    return best


@cache
def _compiled() -> Callable[[np.ndarray, int], int]:
    """A loop that does nothing but load, xor, count and add, written for the compiler as vectors."""
    from llvmlite import ir
    from numba import njit, types
    from numba.core import cgutils
    from numba.extending import intrinsic

    word, vector = ir.IntType(64), ir.VectorType(ir.IntType(64), LANES)
    undefined = ir.Constant(vector, ir.Undefined)

    @intrinsic  # type: ignore[untyped-decorator]
    def counted(typing: Any, words: Any, flip: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            of_type = ir.FunctionType(vector, [vector])
            count = cgutils.get_or_insert_function(builder.module, of_type, f"llvm.ctpop.v{LANES}i64")
            single = builder.insert_element(undefined, arguments[1], ir.Constant(ir.IntType(32), 0))
            everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            flips = builder.shuffle_vector(single, undefined, everywhere)
            before = builder.block
            loop, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
            builder.branch(loop)
            builder.position_at_end(loop)
            position = builder.phi(word)
            position.add_incoming(ir.Constant(word, 0), before)
            sums = [builder.phi(vector) for _ in range(CHAINS)]
            grown = []
            for chain, total in enumerate(sums):
                total.add_incoming(ir.Constant(vector, [0] * LANES), before)
                place = builder.gep(array.data, [builder.add(position, ir.Constant(word, chain * LANES))])
                loaded = builder.load(builder.bitcast(place, vector.as_pointer()), align=8)
                grown.append(builder.add(total, builder.call(count, [builder.xor(loaded, flips)])))
                total.add_incoming(grown[-1], loop)
            following = builder.add(position, ir.Constant(word, CHAINS * LANES))
            position.add_incoming(following, loop)
            builder.cbranch(builder.icmp_unsigned("<", following, array.nitems), loop, after)
            builder.position_at_end(after)
            lanes = grown[0]
            for total in grown[1:]:
                lanes = builder.add(lanes, total)
            found = ir.Constant(word, 0)
            for lane in range(LANES):
                found = builder.add(found, builder.extract_element(lanes, ir.Constant(ir.IntType(32), lane)))
            return found

        return types.uint64(words, types.uint64), build

    @njit(nogil=True)  # type: ignore[untyped-decorator]
    def sweep(words: Any, sweeps: Any) -> Any:
        found = np.uint64(0)
        for turn in range(sweeps):
            found += counted(words, np.uint64(turn))
        return found

    return sweep  # type: ignore[no-any-return]
