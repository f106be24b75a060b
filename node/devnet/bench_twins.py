"""What one would write first: the naive twins that the node is measured against.

Both do their work right, by SQLModel, one row per flattr. The close loops over members and their
flattrs in sessions; the click looks its token and its thing up and commits one row per request.
They are here to be slow in the usual way, and nothing else uses them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar, Final

from aiohttp import web
from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import registry
from sqlmodel import Field, Session, SQLModel, col, create_engine, select
from sqlmodel.ext.asyncio.session import AsyncSession

from node.devnet.bench_month import MONTH, MonthPlan, marks
from node.ids import MemberId
from node.store.tables import ThingRow, TokenRow

POT_MSAT: Final = 10_000_000
_COMMISSION: Final = 10
_MEMBERS_A_COMMIT: Final = 100


class Twin(SQLModel, registry=registry()):
    """The twins' tables; not among the node's."""


class TwinFlattr(Twin, table=True):
    """One flattr, one row."""

    __tablename__: ClassVar[Any] = "twin_flattr"
    __table_args__ = (UniqueConstraint("month", "member", "thing"),)
    id: int | None = Field(default=None, primary_key=True)
    month: int
    member: int
    thing: int


class TwinThing(Twin, table=True):
    """A thing and its owner."""

    __tablename__: ClassVar[Any] = "twin_thing"
    id: int = Field(primary_key=True)
    owner: int


class TwinPot(Twin, table=True):
    """A member's pot."""

    __tablename__: ClassVar[Any] = "twin_pot"
    member: int = Field(primary_key=True)
    units: int = Field(sa_type=BigInteger)


class TwinPayout(Twin, table=True):
    """What a creator is due."""

    __tablename__: ClassVar[Any] = "twin_payout"
    member: int = Field(primary_key=True)
    units: int = Field(sa_type=BigInteger)


def close_naively(path: Path, plan: MonthPlan) -> dict[str, Any]:
    """Close a month by an ORM loop on a new SQLite file; flattrs and seconds."""
    engine = create_engine(f"sqlite:///{path}")
    Twin.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(
            TwinThing(id=thing, owner=1 + thing % plan.creators)
            for thing in range(1, plan.things + 1)
        )
        for reader, liked in marks(range(plan.readers), plan.things):
            session.add(TwinPot(member=reader, units=POT_MSAT))
            session.add_all(
                TwinFlattr(month=MONTH.ordinal, member=reader, thing=thing)
                for thing in liked.tolist()
            )
        session.commit()
    began = perf_counter()
    with Session(engine) as session:
        pots = session.exec(select(TwinPot)).all()
        for number, pot in enumerate(pots, 1):
            _split_pot(session, pot)
            if number % _MEMBERS_A_COMMIT == 0:
                session.commit()
        session.commit()
    seconds = perf_counter() - began
    engine.dispose()
    path.unlink()
    return {"flattrs": plan.flattrs, "seconds": seconds}


def _split_pot(session: Session, pot: TwinPot) -> None:
    mine = select(TwinFlattr).where(
        TwinFlattr.month == MONTH.ordinal, TwinFlattr.member == pot.member
    )
    flattrs = session.exec(mine).all()
    share = (pot.units - pot.units // _COMMISSION) // max(1, len(flattrs))
    for flattr in flattrs:
        thing = session.get_one(TwinThing, flattr.thing)
        payout = session.get(TwinPayout, thing.owner)
        if payout is None:
            payout = TwinPayout(member=thing.owner, units=0)
            session.add(payout)
        payout.units += share


class NaiveClicks:
    """A click as a first version writes it: two lookups and one commit, by the ORM."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def make_tables(self) -> None:
        """Its own table, in the node's database."""
        async with self._engine.begin() as connection:
            await connection.run_sync(Twin.metadata.create_all)

    async def flattr(self, request: web.Request) -> web.Response:
        """POST: who asks, what thing, one row, one commit."""
        secret = request.headers["Authorization"].removeprefix("Bearer ")
        asked = json.loads(await request.read())
        async with AsyncSession(self._engine) as session:
            hashed = hashlib.sha256(secret.encode()).hexdigest()
            token = (await session.exec(select(TokenRow).where(col(TokenRow.hash) == hashed))).one()
            thing = await session.get_one(ThingRow, asked["thing"])
            assert thing.id is not None, "it is stored"
            member = MemberId(token.member)
            session.add(TwinFlattr(month=MONTH.ordinal, member=member, thing=thing.id))
            try:
                await session.commit()
            except IntegrityError:
                await session.rollback()
        return web.json_response({"thing": asked["thing"], "flattred": True})
