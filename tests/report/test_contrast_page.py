"""The page and the terminal of runs side by side: nothing of the data as markup, and honest words."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from selenium.webdriver import Chrome
from tests.report.test_report_page import emulate

from polylens.cli.contrast import show_contrast
from polylens.records import Comparison, Number, Pair
from polylens.report import (
    Contrast,
    ContrastSide,
    EqualTerms,
    Flow,
    Group,
    NumberDifference,
    SpecDifference,
)
from polylens.report.page import render_contrast
from polylens.statistics import difference

HOSTILE = "<script>alert(1)</script>\x1b[31m" + "W" * 60
FIRST, SECOND = Number(0.5, 0.4, 0.6, "90 %"), Number(0.9, 0.85, 0.95, "90 %")


def contrast(text: str = "label") -> Contrast:
    purity = NumberDifference("q/purity", True, (FIRST, SECOND), (difference(FIRST, SECOND),))
    same = NumberDifference("q/coverage", True, (FIRST, FIRST), (difference(FIRST, FIRST),))
    bare = NumberDifference("q/clusters", True, (Number(3), Number(5)), (difference(Number(3), Number(5)),))
    lone = NumberDifference("q/gap", False, (None, FIRST), (None,))
    terms = Comparison(text, (Pair(0.9, 0.6, 0.5),), Number(0.3, 0.1, 0.5, "90 %", chance=0.01))
    flow = Flow(
        letter="B",
        analyses=("clusters", "clusters"),
        matched="by example",
        n_rows=10,
        n_left_out=(0, 2),
        agreement={"adjusted_mutual_information": Number(0.5, 0.4, 0.6, "80 %", range_is="stability")},
        counts=np.array([[4, 1], [0, 5]]),
        first=(Group("0", text, 5), Group("noise", "", 5)),
        second=(Group("0", text, 4), Group("1", "", 6)),
    )
    sides = (
        ContrastSide("A", text, "a" * 32, "2026-11-29"),
        ContrastSide("B", text, "b" * 32, "2026-11-29", text),
    )
    spec = (SpecDifference("layer", (text, None), ("spec.yaml:4:3", "")),)
    return Contrast(
        sides, spec, (purity, same, bare, lone), (EqualTerms("q/purity", "B", terms),), (flow,), (text,)
    )


def squeezed(page: str) -> str:
    return " ".join(page.split())


def test_differences_are_called_by_what_their_intervals_say() -> None:
    page = squeezed(render_contrast(contrast()))
    assert page.count("<strong>B higher</strong>") == 2  # purity, and purity on equal terms
    assert page.count(">may be 0<") == 1
    assert page.count(">no interval<") == 1
    assert "1 of 2 differences with an interval leave 0 out" in page
    assert "2 of B are not in both" in page
    assert "0 (label) <strong>80 %</strong>, 1 <strong>20 %</strong>" in page


def printed(shown: Contrast, *, width: int) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width)
    show_contrast(shown, show_all=False, page=None, logged=None, console=console)
    return out.getvalue().splitlines()


def test_the_terminal_says_the_same_and_keeps_within_its_width() -> None:
    assert max(map(len, printed(contrast(), width=80))) <= 80
    lines = printed(contrast(), width=110)
    purity = next(line.split() for line in lines if line.startswith("  q: purity"))
    # 0.4, less hypot(0.05, 0.1) = 0.11, and more by as much
    assert purity[-4:] == ["0.40", "0.29–0.51", "b", "higher"]
    assert "  A 0 (label)      5  to B  0 (label) 80 %, 1 20 %" in lines


def test_text_from_data_is_never_markup_and_no_command_to_a_terminal() -> None:
    page = render_contrast(contrast(HOSTILE))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page
    assert "\x1b" not in "\n".join(printed(contrast(HOSTILE), width=80))


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_of_a_comparison_is_wider_than_its_window(
    width: int, browser: Chrome, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(render_contrast(contrast(HOSTILE)), encoding="utf-8")
    emulate(browser, width)
    browser.get(path.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script("return document.scripts.length") == 0
