"""Bits that differ between every row of one tile and every row of another.

A tile holds 64 rows, word by word: `words[tile, word, row]`. Eight rows of one tile meet eight of the
other at a time: the 64 counts then stay in eight vector registers over all words, each word is read once, and
one vector population count (AVX-512 VPOPCNTDQ, or what LLVM makes of it elsewhere) serves eight pairs.
Written in LLVM's own language, because what Numba makes of loops keeps the counts in memory and is half as
fast.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from polylens.kernels.compiling import compiled

TILE = 64
"""Rows of a tile."""
_SIDE = 8
"""Rows of either tile whose counts are in registers at once."""

_INT64 = ir.IntType(64)
_COUNTS = ir.VectorType(_INT64, _SIDE)
_FLOATS = ir.VectorType(ir.FloatType(), _SIDE)


@intrinsic  # type: ignore[untyped-decorator]
def _count_side(
    context: Any, left: Any, at_a: Any, right: Any, at_b: Any, n_words: Any, out: Any, at_out: Any
) -> tuple[Any, Any]:
    """`out[at_out + 64 r + c]` = differing bits of the r-th left row from `at_a` and the c-th right one from
    `at_b`.

    Positions are flat; `n_words` is at least 1.
    """
    signature = types.void(left, at_a, right, at_b, n_words, out, at_out)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, a, right, b, count, target, at_target = arguments
        # The bare pointers: an array's own indexing would check and count at every word.
        data = [
            context.make_array(kind)(context, builder, array).data
            for kind, array in zip(signature.args[:3:2], (left, right), strict=True)
        ]
        place = context.make_array(signature.args[5])(context, builder, target).data
        population = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_COUNTS, [_COUNTS]), f"llvm.ctpop.v{_SIDE}i64"
        )
        rows, columns = builder.gep(data[0], [a]), builder.gep(data[1], [b])
        before = builder.block
        loop, after = builder.append_basic_block("words"), builder.append_basic_block("counted")
        builder.branch(loop)

        builder.position_at_end(loop)
        # One turn a word; the counts are carried from turn to turn as values, so that they stay in registers.
        word = builder.phi(_INT64)
        word.add_incoming(_INT64(0), before)
        counts = [builder.phi(_COUNTS) for _ in range(_SIDE)]
        offset = builder.mul(word, _INT64(TILE))
        eight = builder.load(builder.bitcast(builder.gep(columns, [offset]), _COUNTS.as_pointer()))
        # An array begins at any multiple of a word: no vector's alignment may be promised.
        eight.align = 8
        for row, held in enumerate(counts):
            held.add_incoming(ir.Constant(_COUNTS, [0] * _SIDE), before)
            one = builder.load(builder.gep(rows, [builder.add(offset, _INT64(row))]))
            differing = builder.xor(_spread(builder, one), eight)
            held.add_incoming(builder.add(held, builder.call(population, [differing])), loop)
        following = builder.add(word, _INT64(1))
        word.add_incoming(following, loop)
        builder.cbranch(builder.icmp_unsigned("<", following, count), loop, after)

        builder.position_at_end(after)
        start = builder.gep(place, [at_target])
        # What the last turn made, not what it began with: the value that the loop hands to itself.
        for row, held in enumerate(counts):
            summed = next(value for value, block in held.incomings if block is loop)
            line = builder.gep(start, [_INT64(row * TILE)])
            stored = builder.store(
                builder.uitofp(summed, _FLOATS), builder.bitcast(line, _FLOATS.as_pointer())
            )
            stored.align = 4  # as float32 lie
        return context.get_dummy_value()

    return signature, generate


def _spread(builder: Any, value: Any) -> Any:
    """The value in every lane."""
    # Put in lane 0 and copied from there: LLVM makes one broadcast of the two.
    empty = ir.Constant(_COUNTS, ir.Undefined)
    one = builder.insert_element(empty, value, ir.IntType(32)(0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), _SIDE), [0] * _SIDE)
    return builder.shuffle_vector(one, empty, lanes)


@compiled
def differing_tile(left: np.ndarray, a: int, right: np.ndarray, b: int, out: np.ndarray) -> None:
    """Fills `out` (64 by 64, float32) with the bits that differ between rows of tile `a` and rows of tile
    `b`.

    `left` and `right` are `tiles words 64` of uint64, contiguous. Counts are exact: float32 holds integers to
    2^24.
    """
    # Words are the innermost loop, in `_count_side`: counts are written once, when all words are through.
    n_words = left.shape[1]
    for row in range(0, TILE, _SIDE):
        for column in range(0, TILE, _SIDE):
            _count_side(
                left,
                a * n_words * TILE + row,
                right,
                b * n_words * TILE + column,
                n_words,
                out,
                row * TILE + column,
            )
