from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from polylens.bits import pack, unpack, unpack_codes
from polylens.records import CodeLayer, Codes, CodeScheme

bit_rows = st.tuples(st.integers(0, 5), st.integers(0, 70)).flatmap(lambda shape: arrays(np.bool_, shape))


@settings(deadline=None)
@given(bit_rows)
def test_packing_is_numpys_packbits(bits: np.ndarray) -> None:
    packed = pack(torch.from_numpy(bits))
    assert packed.dtype == torch.uint8
    np.testing.assert_array_equal(packed.numpy(), np.packbits(bits, axis=1))


@settings(deadline=None)
@given(bit_rows)
def test_unpacking_gives_back_what_was_packed(bits: np.ndarray) -> None:
    back = unpack(pack(torch.from_numpy(bits)).numpy(), bits.shape[1])
    assert back.dtype == np.bool_
    np.testing.assert_array_equal(back, bits)


def test_bits_that_are_a_strided_view_are_packed_in_their_own_order() -> None:
    bits = torch.arange(40).reshape(4, 10) % 3 == 0
    np.testing.assert_array_equal(pack(bits.T).numpy(), np.packbits(bits.numpy().T, axis=1))


def test_asking_for_more_bits_than_a_row_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="8 bits a row, not 9"):
        unpack(np.zeros((2, 1), dtype=np.uint8), 9)


def test_unpacked_codes_leave_out_the_padding_between_layers() -> None:
    # Two layers of 3 and 2 units: each starts on its own byte, 101|00000 and 11|000000.
    scheme = CodeScheme((CodeLayer("a", 3), CodeLayer("b", 2)), names_polytopes=False, reason="")
    codes = Codes(np.array([[0b10100000, 0b11000000]], dtype=np.uint8), scheme)
    assert unpack_codes(codes).astype(int).tolist() == [[1, 0, 1, 1, 1]]
