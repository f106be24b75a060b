"""How soon a page follows, in the browser's own milliseconds.

A test prints the figures and asserts none of them, since a machine under load is slow for reasons
of its own; `make screenshots` compares them with what is promised.
"""

from __future__ import annotations

from playwright.async_api import Locator

FLIP_MAX_MS = 1000
"""From the paid invoice to the page that says so."""
COUNT_MAX_MS = 300
"""From the click on a button to its new count."""

WATCH = """(button) => {
  const root = button.shadowRoot;
  const count = root.querySelector(".count");
  const before = count.textContent;
  root.addEventListener("click", () => { button.dataset.pressed = performance.now(); }, true);
  new MutationObserver((_, watching) => {
    if (count.textContent === before || !button.dataset.pressed) return;
    button.dataset.took = performance.now() - button.dataset.pressed;
    watching.disconnect();
  }).observe(root, {subtree: true, childList: true, characterData: true});
}"""


async def watch_count(button: Locator) -> None:
    """Measure the next click on this `<flattr-button>`."""
    await button.evaluate(WATCH)


async def took_ms(button: Locator) -> float:
    """From that click to the new count, which must be there."""
    took = await button.get_attribute("data-took")
    assert took is not None, "the count has not changed since the click"
    return float(took)
