"""What stands in a line of the log, and what never does."""

from __future__ import annotations

import json

import pytest
import structlog

from node import log

TOKEN = "flattr_" + "aB3-_" * 8 + "xyz"


@pytest.fixture
def said(capsys):
    """Write a line, and read what came of it."""
    before = structlog.get_config()

    def write(**event):
        log.set_up(json=True)
        structlog.get_logger().error("it happened", **event)
        return json.loads(capsys.readouterr().err)

    yield write
    structlog.configure(**before)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at lndconnect://host?macaroon=ab now", "at lndconnect://… now"),
        ("macaroon=abc, and more", "macaroon=… and more"),
        (f"Bearer {TOKEN}.", "Bearer flattr_…."),
        (f"GET /feeds/{TOKEN}/payments.atom", "GET /feeds/…/payments.atom"),
        (f"GET /feeds/flattr%5F{TOKEN[7:]}/payments.atom", "GET /feeds/…/payments.atom"),
        (f"GET https://node.example/feeds/{TOKEN}", "GET https://node.example/feeds/…"),
        ("the table flattr_inbox, the month of flattr_2026", None),
    ],
)
def test_a_secret_is_blanked_wherever_it_stands(said, text, told):
    assert said(words=text)["words"] == (told or text)


def test_the_value_of_a_secret_is_blanked_by_its_name(said):
    line = said(token="x", preimage="y", number=1)
    assert (line["token"], line["preimage"], line["number"]) == ("…", "…", 1)


def test_what_an_exception_says_is_blanked_too(said):
    try:
        raise RuntimeError(f"no route for /feeds/{TOKEN}/payments.atom")
    except RuntimeError as error:
        line = said(exc_info=error)
    assert TOKEN not in str(line)
    assert TOKEN[7:] not in str(line)
    assert "no route for /feeds/…/payments.atom" in line["exception"]
