"""The report of a study that ran, in a browser: digits, two clusterings' cards, a control."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.browsing import barriers, emulate
from tests.projects import Project

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def page(undisturbed: Project, browser: Chrome) -> Chrome:
    """The report of the small study, opened."""
    (report,) = (undisturbed.folder / ".polylens").rglob("report.html")
    emulate(browser, 1280)
    browser.get(report.as_uri())
    return browser


def test_a_card_opens_with_what_the_study_found(page: Chrome) -> None:
    page.find_element("css selector", "#p1-0 summary").click()
    card = page.find_element("css selector", "#p1-0").text
    assert "Nearest medoids (Euclidean distance)" in card
    assert "clusters reach it (median" in card, "those of random weights"
    assert "of 16 bits on" in card
    nearest = page.find_element("css selector", "#p1-0 .nearest a")
    target = (nearest.get_property("hash") or "").removeprefix("#")
    nearest.click()
    assert page.find_element("id", target).find_element("css selector", "details").get_property("open")


def test_clusters_of_one_digit_are_found_by_its_label(page: Chrome) -> None:
    everything = page.find_element("css selector", ".tools output").text
    page.find_element("css selector", ".tools [name=verdict]").send_keys("above chance, with")
    chosen = page.find_element("css selector", ".tools output").text
    assert chosen != everything
    assert all(
        card.get_attribute("data-verdict") == "fits"
        for card in page.find_elements("css selector", ".cards .card")
    )


def test_nobody_is_kept_out_of_it(page: Chrome) -> None:
    page.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    assert barriers(page) == []
    emulate(page, 390, dark=True)
    assert barriers(page) == []
    assert page.get_log("browser") == []  # type: ignore[no-untyped-call]
