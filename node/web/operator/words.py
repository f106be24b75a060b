"""The words of a close's stages, for the pages and for what changes on them while one looks."""

from __future__ import annotations

from node.store.closes import Stage
from node.web.pages.language import Language


def stage_words(language: Language) -> dict[Stage, str]:
    """Each stage as its last finished step, in one language."""
    gettext = language.gettext
    return {
        Stage.FROZEN: gettext("frozen: nothing enters it any more"),
        Stage.FOLDED: gettext("the clicks are counted"),
        Stage.SPLIT: gettext("split among the creators"),
        Stage.CHARGED: gettext("charged on the vault"),
        Stage.BOOKED: gettext("booked"),
        Stage.PROVED: gettext("its digest is made"),
        Stage.OPENED: gettext("its payouts are open"),
        Stage.CHECKED: gettext("closed"),
    }
