"""What the example blog says. Made up, like its author."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Post:
    """One post. `cover`: the name of its picture, beside the templates."""

    path: str
    title: str
    date: str
    day: str
    minutes: int
    cover: str
    cover_words: str
    quote: str
    text: str

    @property
    def paragraphs(self) -> list[str]:
        """The text, paragraph by paragraph."""
        return [" ".join(one.split()) for one in self.text.strip().split("\n\n")]


_TRAIN: Final = """
Between the last station with a name and the first one with a bakery there are six hours in which
nobody expects anything of you. I have come to think that this is what the ticket is for.

The man in the lower berth peels an orange so slowly that the compartment has time to become
friends. By the border we know about his sister, her boat, and why one should never paint a boat on
a Sunday.

In the morning the window is a film about fields. I drink tea out of a glass that was made for
trains and will outlive all of us.
"""
_BICYCLE: Final = """
You have had three saddles, eleven chains and one heart, which squeaks. We both know that I could
have bought a new one. We both know that I would have been insufferable.

Thank you for the hill behind the dairy, for the winter of the wrong tyres, and for waiting,
unlocked, in front of the library, for four days.

I have oiled what can be oiled. The rest of us will have to manage.
"""
_BREAD: Final = """
Every recipe says: let it rise in a warm place. My kitchen has never been one. So here is a loaf
that takes a night, a cloth and no hurry: 500 grams of flour, 350 of water, ten of salt, and as much
yeast as sits on the tip of a small knife.

Stir it in the evening, fold it when you think of it, and go to bed. Cold dough is patient. It does
at eleven degrees what others do at thirty, and it does it with more taste.

Bake it in the hottest oven that you can stand next to, in a pot with a lid, and take the lid off
when the smell makes you.
"""
POSTS: Final = (
    Post(
        path="/night-train",
        title="Notes from the night train",
        date="2026-10-28",
        day="28 October 2026",
        minutes=4,
        cover="train",
        cover_words="A red train with lit windows under a moon",
        quote="Arriving is only what travelling does when it is tired.",
        text=_TRAIN,
    ),
    Post(
        path="/letter-to-my-bicycle",
        title="A letter to my bicycle, on its twentieth birthday",
        date="2026-09-14",
        day="14 September 2026",
        minutes=3,
        cover="bicycle",
        cover_words="A red bicycle in front of green hills",
        quote="Nobody was ever late on a bicycle; they were elsewhere.",
        text=_BICYCLE,
    ),
    Post(
        path="/cold-kitchen-bread",
        title="Bread for a cold kitchen",
        date="2026-08-02",
        day="2 August 2026",
        minutes=5,
        cover="bread",
        cover_words="A round loaf on a table",
        quote="Most things rise by themselves if you leave the room.",
        text=_BREAD,
    ),
)
