"""A sample of hostile requests at every listener; tests/web/test_fuzz.py has the document's."""

from tests.hostile import fuzz


async def test_no_form_that_can_be_filled_in_breaks_the_node(tmp_path):
    figures = await fuzz.run(tmp_path, 600, 1, lambda _: None, invent=False)
    assert figures.broken == [], fuzz.printed(figures)
    for name in ("pages", "console", "api"):
        assert figures.statuses[name, 200] > 0, "nobody got in"
