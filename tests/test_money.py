"""Amounts: whole base units of one asset, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import MoneyError
from node.money import UNITS_MAX, Amount, Asset, format_units, msat, sats

NODE = Path(__file__).parent.parent / "node"
PURE = ("money.py", "ids.py", "month.py", "ledger", "settlement")
"""Where money is decided; below them are the flows and tables that only carry it."""
CARRIES = (
    "flows/close.py", "flows/split.py", "flows/open_payouts.py", "flows/return_held.py",
    "flows/receipts.py", "flows/outcome.py", "flows/withdraw.py", "flows/fund.py",
    "store/journal.py", "store/bulk_journal.py", "store/closes.py", "store/held.py",
    "store/payouts.py",
)  # fmt: skip
PRINTS = {("money.py", "format_units")}
"""The one place that may divide truly: Decimal, to print."""
units = st.integers(0, UNITS_MAX)


@pytest.mark.parametrize("wrong", [-1, UNITS_MAX + 1, 1.0, "1", None, True])
def test_only_whole_storable_numbers_are_amounts(wrong):
    with pytest.raises(MoneyError):
        Amount(wrong)


def test_two_assets_never_mix():
    for operation in (Amount.__add__, Amount.__sub__):
        with pytest.raises(MoneyError):
            operation(Amount(1, Asset.SAT), Amount(1, Asset.USD))
    assert Amount(1, Asset.SAT) != Amount(1, Asset.USD)


def test_nothing_can_be_taken_from_less():
    with pytest.raises(MoneyError):
        msat(1) - msat(2)
    with pytest.raises(MoneyError):
        Amount(UNITS_MAX) + msat(1)


@given(units, units)
def test_adding_and_taking_away_are_exact(one, other):
    small, large = sorted((one, other))
    assert (Amount(large) - Amount(small)) + Amount(small) == Amount(large)


@given(units, st.sampled_from(Asset))
def test_whole_coins_and_the_rest_are_the_amount(number, asset):
    whole, rest = Amount(number, asset).whole_coins()
    assert whole + rest == Amount(number, asset)
    assert whole.units % asset.units_per_coin == 0
    assert rest.units < asset.units_per_coin


@pytest.mark.parametrize(
    ("number", "asset", "text"),
    [
        (0, Asset.SAT, "0"),
        (1, Asset.SAT, "0.001"),
        (1500, Asset.SAT, "1.5"),
        (100_000, Asset.SAT, "100"),
        (1_234_567_000, Asset.SAT, "1\u2009234\u2009567"),
        (1, Asset.USD, "0.000001"),
        (2_500_000, Asset.USD, "2.5"),
        (UNITS_MAX, Asset.SAT, "9\u2009223\u2009372\u2009036\u2009854\u2009775.807"),
    ],
)
def test_amounts_are_printed_exactly(number, asset, text):
    assert format_units(number, asset) == text
    assert str(Amount(number, asset)) == f"{text} {asset}"


@given(units, st.sampled_from(Asset))
def test_what_is_printed_can_be_read_back(number, asset):
    whole, _, part = format_units(number, asset).replace("\u2009", "").partition(".")
    places = len(str(asset.units_per_coin)) - 1
    assert int(whole) * asset.units_per_coin + int(part.ljust(places, "0")) == number


def test_a_sat_is_a_thousand_millisatoshi():
    assert sats(21) == msat(21_000)
    assert not msat(0)
    assert msat(1)


def test_no_float_and_no_true_division_comes_near_the_money():
    found = [breach for path in _money_modules() for breach in _floats(path)]
    assert found == []


def test_the_walk_sees_a_float_when_there_is_one(tmp_path):
    path = tmp_path / "money.py"
    path.write_text("def share(pot):\n    rate = 0.1\n    half = pot / 2\n    half /= 2\n"
                    "    return float(half)\n")  # fmt: skip
    assert [line for _, line in _floats(path)] == [2, 3, 4, 5]


def _money_modules() -> list[Path]:
    pure = [NODE / name for name in PURE]
    files = [file for path in pure for file in ([path] if path.is_file() else path.glob("*.py"))]
    return files + [NODE / name for name in CARRIES]


def _floats(path: Path) -> list[tuple[str, int]]:
    """(file, line) of each float literal, true division and call of `float`, but to print."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    printing: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and (path.name, node.name) in PRINTS:
            assert NODE in path.parents
            printing |= set(ast.walk(node))
    bad = [node for node in ast.walk(tree) if node not in printing and _is_float(node)]
    return sorted((path.name, getattr(node, "lineno", 0)) for node in bad)


def _is_float(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=float() | complex()):
            return True
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return True
        case ast.Call(func=ast.Name(id="float")):
            return True
        case _:
            return False
