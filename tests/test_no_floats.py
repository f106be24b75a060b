"""No float and no true division comes near money: read in the source, not hoped for."""

import ast
from collections.abc import Iterator
from pathlib import Path

NODE = Path(__file__).parent.parent / "node"
FORMATTING = "format_units"


def test_money_ledger_and_settlement_are_whole_numbers():
    paths = [NODE / "money.py"]
    paths += [path for room in ("ledger", "settlement") for path in (NODE / room).glob("*.py")]
    assert len(paths) > 10
    found = [fault for path in paths for fault in _faults(path.name, path.read_text("utf-8"))]
    assert found == []


def test_a_float_would_be_found():
    source = "def share(pot):\n    return pot * 0.9 / 2 + float(pot)\n"
    assert len(list(_faults("x.py", source))) == 3


def test_printing_is_the_only_division():
    divided = [
        node
        for node in ast.walk(ast.parse((NODE / "money.py").read_text("utf-8")))
        if isinstance(node, ast.Div)
    ]
    assert len(divided) == 1


def _faults(name: str, source: str) -> Iterator[str]:
    tree = ast.parse(source)
    printing = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name == FORMATTING
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float()):
                yield f"{name}:{node.lineno}: a float"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()) if node not in printing:
                yield f"{name}:{node.lineno}: a true division"
            case ast.Call(func=ast.Name(id="float")):
                yield f"{name}:{node.lineno}: a cast to float"
