"""Screenshots as small PNG files, of 64 colours: a page of text and lines looks the same.

The browser decodes its own picture and hands over the pixels; rare colours become the nearest of
the frequent ones. The file is written here, as PNG (third edition) says, with a palette.
"""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from playwright.async_api import Page

COLOURS_MAX = 64
SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE_TYPE = 3
PIXELS = """async (picture) => {
  const bytes = Uint8Array.from(atob(picture), (one) => one.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const drawing = canvas.getContext("2d");
  drawing.drawImage(image, 0, 0);
  const {data} = drawing.getImageData(0, 0, image.width, image.height);
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(new Blob([data]));
  });
  return [image.width, image.height, url.slice(url.indexOf(",") + 1)];
}"""


async def shrink(easel: Page, picture: bytes) -> bytes:
    """The same picture with a palette. `easel` is a page without a policy, such as about:blank."""
    width, height, pixels = await easel.evaluate(PIXELS, base64.b64encode(picture).decode())
    flat = np.frombuffer(base64.b64decode(pixels), dtype=np.uint8).reshape(-1, 4)[:, :3]
    palette, indices = _palette(flat.astype(np.uint32))
    return _png(width, height, palette, indices.reshape(height, width))


def _palette(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(colours, the colour of each pixel): the most frequent ones, and the nearest of them."""
    packed = flat[:, 0] << 16 | flat[:, 1] << 8 | flat[:, 2]
    colours, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
    kept = np.sort(np.argsort(counts)[::-1][:COLOURS_MAX])
    channels = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.int32)
    palette = channels[kept]
    nearest = np.empty(len(colours), dtype=np.uint8)
    for first in range(0, len(colours), 1024):
        some = channels[first : first + 1024, None, :] - palette[None, :, :]
        nearest[first : first + 1024] = np.argmin((some**2).sum(axis=2), axis=1)
    return palette.astype(np.uint8), nearest[where.reshape(-1)]


def _png(width: int, height: int, palette: np.ndarray, rows: np.ndarray) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, PALETTE_TYPE, 0, 0, 0)
    lines = np.zeros((height, width + 1), dtype=np.uint8)  # each begins with its filter: none
    lines[:, 1:] = rows
    return SIGNATURE + b"".join(
        _chunk(kind, body)
        for kind, body in (
            (b"IHDR", head),
            (b"PLTE", palette.tobytes()),
            (b"IDAT", zlib.compress(lines.tobytes(), 9)),
            (b"IEND", b""),
        )
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)
