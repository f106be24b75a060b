"""JSON from strangers: one reading, or none."""

from __future__ import annotations

import json

import pytest

from node.errors import FetchRefused
from node.wallet.strict_json import read_object

JSONS = [
    b"",
    b"<html>",
    b"[]",
    b'"a"',
    b"null",
    b"{",
    b"{} {}",
    b'{"a":1,"a":1}',
    b'{"a":{"b":1,"b":2}}',
    b'{"a":1.0}',
    b'{"a":1e3}',
    b'{"a":1e400}',
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":-Infinity}',
    b'{"a":9223372036854775808}',
    b'{"a":-9223372036854775808}',
    b'{"a":' + b"9" * 5000 + b"}",
    b'{"a":' + b"[" * 16 + b"]" * 16 + b"}",
    b'{"a":' * 9000,
    b"[" * 60_000,
    b'{"a":"\\ud800"}',
    b'{"a":"\x01"}',
    b"\xef\xbb\xbf{}",
    b"{'a':1}",
    b'{"a":01}',
    b'{"a":1,}',
]


@pytest.mark.parametrize("body", JSONS, ids=range(len(JSONS)))
def test_json_with_more_than_one_reading_is_refused(body: bytes) -> None:
    with pytest.raises(FetchRefused) as caught:
        read_object(body.decode())
    assert str(caught.value).isprintable()


def test_whole_numbers_of_64_bits_are_read() -> None:
    text = '{"a":[9223372036854775807,-9223372036854775807,0,-0],"b":true,"c":null}'
    assert read_object(text) == json.loads(text)


def test_brackets_in_strings_are_no_nesting() -> None:
    text = json.dumps({"a": "[" * 99 + '"' + "{" * 99 + "\\"})
    assert read_object(text) == json.loads(text)
    assert read_object('{"a":' + "[" * 15 + "]" * 15 + "}")


def test_unclosed_strings_cost_no_more_than_their_length() -> None:
    for text in ('"\\' * 32_000, '"' * 65_535, "\\" * 65_535):
        with pytest.raises(FetchRefused):
            read_object(text)
