"""What browser tests of several pages do: sizes and themes of the window, and what axe-core finds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

_AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"


def emulate(browser: Chrome, width: int, *, dark: bool = False) -> None:
    """A window of this width, a phone's where it is narrow, of one who likes dark pages or light ones."""
    size: dict[str, Any] = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def barriers(browser: Chrome) -> list[str]:
    """What axe-core calls serious or critical on the page at hand: the rule and the first element of each.

    Without axe-core it skips; with `CI=true` it fails.
    """
    if not _AXE.exists():
        message = "axe-core is missing: npm ci --prefix tests/axe"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    browser.execute_script(_AXE.read_text(encoding="utf-8"))
    violations = browser.execute_async_script(
        "const done = arguments[arguments.length - 1]; axe.run().then(result => done(result.violations))"
    )
    return [
        f"{each['id']} ({len(each['nodes'])}): {each['nodes'][0]['html'][:120]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
