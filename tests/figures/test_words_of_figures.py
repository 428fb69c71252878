"""Text from data, made fit for a figure."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from polylens.figures.placing import spread
from polylens.figures.words import MISSING, fit_line, inches, lines, plain
from polylens.wording import percent, short


@given(st.text())
def test_any_text_becomes_one_drawable_line(text: str) -> None:
    line = plain(text, limit=20)
    assert len(line) <= 20
    assert "\n" not in line
    assert plain(line, limit=20) == line


def test_a_letter_that_the_font_lacks_becomes_a_white_square() -> None:
    assert plain("漢a") == f"{MISSING}a"


def test_marks_that_turn_the_direction_of_writing_are_left_out() -> None:
    assert plain("a\u202eb\u200fc") == "abc"


@given(st.text(min_size=1), st.floats(0.3, 3.0))
def test_a_fitted_text_is_no_wider_than_its_place(text: str, width: float) -> None:
    assert inches(fit_line(text, width=width, size=9.0), size=9.0) <= width


@given(st.text(), st.floats(0.8, 3.0))
def test_no_line_is_wider_than_its_place(text: str, width: float) -> None:
    found = lines(text, width=width, size=9.0, most=3)
    assert len(found) <= 3
    assert all(inches(line, size=9.0) <= width for line in found)


def test_a_text_with_room_keeps_all_its_words() -> None:
    assert " ".join(lines("one two three four five", width=0.7, size=9.0)) == "one two three four five"


@given(st.floats(0, 1))
def test_a_share_is_never_rounded_to_none_or_all(share: float) -> None:
    assert (percent(share) == "0 %") == (share == 0)
    assert (percent(share) == "100 %") == (share == 1)


@given(st.floats(1e-6, 1e6))
def test_a_short_number_is_within_five_percent(value: float) -> None:
    assert abs(float(short(value).replace(",", "")) - value) <= 0.05 * value + 1e-12


@given(st.lists(st.floats(-3, 13), max_size=12), st.floats(0.1, 2.0))
def test_spread_labels_keep_their_order_their_distance_and_their_range(
    wanted: list[float], gap: float
) -> None:
    places = spread(wanted, gap=gap, low=0.0, high=10.0)
    assert len(places) == len(wanted)
    assert all(-1e-9 <= place <= 10 + 1e-9 for place in places)
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    ordered = [places[index] for index in order]
    least = min(gap, 10 / max(len(wanted) - 1, 1))
    assert all(b - a >= least - 1e-6 for a, b in pairwise(ordered))


def test_labels_with_room_stay_where_they_want_to_be() -> None:
    assert spread([7.0, 1.0, 4.0], gap=1.0, low=0.0, high=10.0) == [7.0, 1.0, 4.0]


def test_processes_that_were_forked_measure_texts_at_once() -> None:
    program = """
import os
from polylens.figures.words import inches
expected = [inches(str(number), size=8) for number in range(500)]
inches.cache_clear()
children = []
for _ in range(3):
    children.append(os.fork())
    if not children[-1]:
        os._exit([inches(str(number), size=8) for number in range(500)] != expected)
print([os.waitpid(child, 0)[1] for child in children])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[0, 0, 0]\n", "")
