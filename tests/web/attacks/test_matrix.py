"""The matrix of attacks: each is refused, and of what is in the database nothing has changed."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.web.attacks import markup, operators, others, passkeys, roads
from tests.web.attacks.matrix import ATTACKS, KINDS, PAGE, page
from tests.web.attacks.scene import open_scene

LEAST = 60
OPERATORS = {*operators.ATTACKS, *passkeys.ATTACKS, *markup.ATTACKS, *roads.ATTACKS}
"""Those in which the operator's browser must be signed in."""
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("attacks")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory):
    async with open_scene(tmp_path_factory.mktemp("attacks")) as opened:
        yield opened


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_refused(scene, attack):
    await scene.renew(operator=attack in OPERATORS)
    attack.demand_refused(await attack.answers(scene))
    await scene.demand_unchanged(attack.stores)


@pytest.mark.parametrize(
    "attack",
    [one for one in others.READS if not one.sends.endswith("/events")],
    ids=lambda attack: attack.name,
)
async def test_the_owner_is_not_refused(scene, attack):
    """What the matrix asks for by id is there."""
    await scene.renew()
    [shown] = await attack.answers(scene, mallory="alice")
    assert shown.status == 200


async def test_there_are_as_many_as_promised_and_each_has_a_name_of_its_own():
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= LEAST
    assert sum(len(rows) for rows in KINDS.values()) == len(ATTACKS)


async def test_the_page_about_them_is_as_the_table_says():
    assert PAGE.read_text(encoding="utf-8") == page()
