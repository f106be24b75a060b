"""Half of the creators hold what they are sent, and the others are paid: a sample."""

from tests.hostile import hold


async def test_who_holds_what_is_sent_delays_nobody_else(tmp_path):
    figures = await hold.run(tmp_path, 80, 1)
    assert hold.fine(figures), hold.printed(figures)
    assert figures.most_held > hold.IN_FLIGHT_MAX, "too few to show anything"
