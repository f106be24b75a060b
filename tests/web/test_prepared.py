"""A click's prepared answer is the answer that the same click gets in the ordinary way."""

import asyncio

import pytest

WAIT_S = 10
BODY = b'{"url": "https://a.example/"}'


def click(token: str, version: str = "1.1", *more: str) -> bytes:
    lines = [
        f"POST /api/v1/flattrs HTTP/{version}", "Host: x", f"Authorization: Bearer {token}",
        "Content-Type: application/json", f"Content-Length: {len(BODY)}", *more, "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + BODY


async def ask(url: str, sent: bytes) -> bytes:
    """All that comes until the server hangs up, or until nothing more comes."""
    host, _, port = url.rpartition("/")[2].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(sent)
        async with asyncio.timeout(WAIT_S):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def told(answer: bytes) -> tuple[str, dict[str, str], bytes]:
    """Status, headers, body of the answers' first."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return status, headers, rest[: int(headers["Content-Length"])]


@pytest.fixture
async def place(world):
    alice = await world.join("alice")
    return world.url, alice.token


async def test_prepared_and_ordinary_say_the_same(place):
    url, token = place
    end = click(token, "1.1", "Connection: close")
    both = await ask(url, click(token) + end)
    status, headers, body = told(both)
    rest = both[both.index(body) + len(body) :]
    ordinary, its_headers, its_body = told(rest)
    assert (status, body) == (ordinary, its_body) == ("HTTP/1.1 200 OK", body)
    assert its_headers.pop("Connection") == "close"
    assert {**headers, "Date": ""} == {**its_headers, "Date": ""}
    assert headers["Date"].endswith(" GMT")


async def test_clicks_sent_at_once_are_answered_in_order(place):
    url, token = place
    undo = (
        "DELETE /api/v1/flattrs?url=https://a.example/ HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()
    answers = await ask(url, click(token) + undo + click(token, "1.1", "Connection: close"))
    said = [b'"flattred":true' in part for part in answers.split(b"HTTP/1.1 200 OK")[1:]]
    assert said == [True, False, True]


@pytest.mark.parametrize(("more", "kept"), [((), False), (("Connection: keep-alive",), True)])
async def test_older_http_is_answered_in_its_own_way(place, more, kept):
    url, token = place
    answer = await ask(url, click(token, "1.0", *more) + (click(token, "1.0") if kept else b""))
    status, headers, _ = told(answer)
    assert status == "HTTP/1.0 200 OK"
    assert (headers.get("Connection") == "keep-alive") is kept


async def test_who_waits_to_be_told_to_go_on_is_told(place):
    url, token = place
    more = ("Expect: 100-continue", "Connection: close")
    answer = await ask(url, click(token, "1.1", *more))
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
