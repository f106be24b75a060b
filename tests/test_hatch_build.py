"""What the build brings from npm: the pinned file, or a notice; never another file."""

from __future__ import annotations

import hashlib
import io
import stat
import sys
import tarfile

import pytest

import hatch_build

PLACE = "node/web/static/vendor/pico.min.css"


def _tarball(css: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        entry = tarfile.TarInfo(hatch_build.INSIDE)
        entry.size = len(css)
        packed.addfile(entry, io.BytesIO(css))
    return out.getvalue()


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Puts an npm on PATH that packs these bytes, and no other."""

    def put(tarball: bytes | None) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        if tarball is not None:
            (folder / "packed").write_bytes(tarball)
            script = folder / "npm"
            script.write_text(
                f"#!{sys.executable}\nimport shutil, sys\n"
                f"shutil.copy({str(folder / 'packed')!r}, sys.argv[-1] + '/pico.tgz')\n"
            )
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(folder))

    (tmp_path / "root/node/web/static").mkdir(parents=True)
    return put


def test_without_npm_the_build_goes_on_and_says_so(tmp_path, npm) -> None:
    npm(None)
    assert "npm is not installed" in hatch_build.bring(tmp_path / "root")
    assert not (tmp_path / "root" / PLACE).exists()


def test_a_file_that_is_not_the_pinned_one_is_not_taken(tmp_path, npm) -> None:
    npm(_tarball(b"body { display: none }"))
    assert "is not what it was" in hatch_build.bring(tmp_path / "root")
    assert not (tmp_path / "root" / PLACE).exists()


def test_the_pinned_file_is_brought_once(tmp_path, npm, monkeypatch) -> None:
    tarball = _tarball(b"body {}")
    npm(tarball)
    monkeypatch.setattr(hatch_build, "SHA256", hashlib.sha256(tarball).hexdigest())
    assert hatch_build.bring(tmp_path / "root") == ""
    assert (tmp_path / "root" / PLACE).read_bytes() == b"body {}"
    monkeypatch.setenv("PATH", "")
    assert hatch_build.bring(tmp_path / "root") == ""
