"""The table of consents: on which sites a member flattrs with one click, without being asked."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel

from node.store.tables import big, key


class ConsentRow(SQLModel, table=True):
    """A member's click on this site flattrs at once. `origin`: https://host, or with a port."""

    __tablename__: ClassVar[Any] = "consent"
    __table_args__ = ({"sqlite_with_rowid": False},)
    member: int = Field(
        primary_key=True, foreign_key="member.id", sa_column_kwargs={"autoincrement": False}
    )
    origin: str = key()
    since_us: int = big()
