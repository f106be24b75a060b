"""The backup's file: what it begins with, the rows, and a checksum at its end.

    flattr-node backup 1                          a line
    {"taken_us": …, "network": …, …}              a line: the header, for people and for `restore`
    {"table": …}, [row], [row], …, {"end": …}     lines of JSON, compressed by zlib
    32 bytes                                      sha256 of all that is before

It is written under another name, flushed to the disk, and renamed when it is whole: a file with the
right name is complete. Bytes are base64, as JSON has no word for them.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final

import msgspec

from node.errors import BadBackup
from node.store.dump import TableShape

FIRST_LINE: Final = b"flattr-node backup 1\n"
LINES_AT_ONCE: Final = 4096
_CHECKSUM_BYTES: Final = 32
_CHUNK: Final = 1 << 20
_LEVEL: Final = 3
_MODE: Final = 0o600
_TABLE: Final = "table"
_END: Final = "end"


@dataclass(frozen=True, slots=True)
class Header:
    """Of which node, and of when. `heads`: how far the chains of the ledger and of the log were."""

    taken_us: int
    version: str
    network: str
    vault: str
    """The stablecoin's network and vault; empty without it."""
    database: str
    schema: str
    seed: str
    """A hash of the node's seed, which is not in the file."""
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    holds: str = (
        "members, things, clicks, ledger, payouts; hashes of API tokens and public keys of wallets."
        " No seed, no key, no macaroon, no session."
    )


class Writing:
    """A backup that is being written; complete at the end of the block, or not there at all."""

    def __init__(self, path: Path, header: Header) -> None:
        if path.exists():
            raise BadBackup(f"{path} is there already: name another file")
        self._path, self._partial = path, path.with_name(f".{path.name}.partial")
        self._header = header
        self._hash = hashlib.sha256()
        self._zipped = zlib.compressobj(_LEVEL)
        self._counts: dict[str, int] = {}
        self._file: BinaryIO | None = None

    def __enter__(self) -> Writing:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        try:
            self._file = os.fdopen(os.open(self._partial, flags, _MODE), "wb")
            self._partial.chmod(_MODE)
        except OSError as error:
            raise BadBackup(f"{self._path} can't be written: {error}") from error
        self._put(FIRST_LINE + msgspec.json.encode(asdict(self._header)) + b"\n")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._file is not None, "it was opened"
        try:
            if kind is None:
                self._finish(self._file)
        finally:
            self._file.close()
            self._partial.unlink(missing_ok=True)

    def table(self, shape: TableShape) -> None:
        """The rows that follow are of this table."""
        self._counts[shape.name] = 0
        self._lines([{_TABLE: shape.name, "columns": shape.columns, "kinds": shape.kinds}])

    def rows(self, shape: TableShape, rows: Sequence[Sequence[Any]]) -> None:
        """Some rows of the table that was named last."""
        self._counts[shape.name] += len(rows)
        self._lines(rows)

    def _finish(self, file: BinaryIO) -> None:
        self._lines([{_END: self._counts}])
        self._put(self._zipped.flush())
        file.write(self._hash.digest())
        file.flush()
        os.fsync(file.fileno())
        self._partial.replace(self._path)
        _sync_folder(self._path.parent)

    def _lines(self, lines: Sequence[Sequence[Any] | dict[str, Any]]) -> None:
        self._put(self._zipped.compress(msgspec.json.Encoder().encode_lines(lines)))

    def _put(self, octets: bytes) -> None:
        assert self._file is not None, "it was opened"
        self._hash.update(octets)
        self._file.write(octets)


def read_header(path: Path) -> Header:
    """What a backup is of. Raises BadBackup for a file that is none."""
    try:
        with path.open("rb") as file:
            return _header(file, path)
    except OSError as error:
        raise BadBackup(f"{path} can't be read: {error}") from error


def demand_whole(path: Path) -> None:
    """Read all of it, and compare the checksum. Raises BadBackup when a byte is another."""
    hashed, left = hashlib.sha256(), path.stat().st_size - _CHECKSUM_BYTES
    with path.open("rb") as file:
        while left > 0 and (octets := file.read(min(_CHUNK, left))):
            hashed.update(octets)
            left -= len(octets)
        if left or file.read() != hashed.digest():
            raise BadBackup(f"{path} is damaged: its checksum is not that of its content")


def read_tables(path: Path) -> Iterator[tuple[TableShape, list[list[Any]]]]:
    """A whole backup's rows, some thousand at a time, in order. Raises BadBackup.

    A table without rows comes once, with none.
    """
    reading = _Reading(path)
    for lines in _pages(path):
        yield from reading.take(lines)
    if not reading.ended:
        raise BadBackup(f"{path} ends in the middle")


@dataclass(slots=True)
class _Reading:
    """How far a backup was read, and how many rows of each table there were."""

    path: Path
    shape: TableShape | None = None
    counts: dict[str, int] = field(default_factory=dict)
    ended: bool = False

    def take(self, lines: Sequence[Any]) -> Iterator[tuple[TableShape, list[list[Any]]]]:
        rows: list[list[Any]] = []
        for line in lines:
            if isinstance(line, list):
                rows.append(line)
                continue
            yield from self._some(rows)
            rows = []
            yield from self._turn(line)
        yield from self._some(rows)

    def _some(self, rows: list[list[Any]]) -> Iterator[tuple[TableShape, list[list[Any]]]]:
        if not rows:
            return
        if self.shape is None:
            raise BadBackup(f"{self.path} has rows of no table")
        self.counts[self.shape.name] += len(rows)
        yield self.shape, rows

    def _turn(self, line: dict[str, Any]) -> Iterator[tuple[TableShape, list[list[Any]]]]:
        """The next table begins, or all have been."""
        if _END in line:
            if line[_END] != self.counts:
                raise BadBackup(f"{self.path} has other rows than it says")
            self.ended = True
            return
        self.shape = TableShape(line[_TABLE], tuple(line["columns"]), tuple(line["kinds"]))
        self.counts[self.shape.name] = 0
        yield self.shape, []


def _pages(path: Path) -> Iterator[list[Any]]:
    """The compressed lines, decoded, as many at a time as a chunk of the file has."""
    decoder, unzipped, begun = msgspec.json.Decoder(), zlib.decompressobj(), b""
    left = path.stat().st_size - _CHECKSUM_BYTES
    with path.open("rb") as file:
        _header(file, path)
        left -= file.tell()
        while left > 0 and (octets := file.read(min(_CHUNK // 4, left))):
            left -= len(octets)
            whole, _, begun = (begun + unzipped.decompress(octets)).rpartition(b"\n")
            lines = decoder.decode_lines(whole)
            for first in range(0, len(lines), LINES_AT_ONCE):
                yield lines[first : first + LINES_AT_ONCE]
    if begun or not unzipped.eof:
        raise BadBackup(f"{path} ends in the middle")


def _header(file: BinaryIO, path: Path) -> Header:
    if file.readline(len(FIRST_LINE)) != FIRST_LINE:
        raise BadBackup(f"{path} is no backup of flattr-node, or a newer one's")
    try:
        return msgspec.json.decode(file.readline(_CHUNK), type=Header)
    except msgspec.MsgspecError as error:
        raise BadBackup(f"{path} is damaged: its header can't be read") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
