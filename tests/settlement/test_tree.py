"""The root that is sealed is the one that the vault computes from each batch and its proof.

`tests/contracts/tree.py` is the tree that the vault itself was tested with; it is written another
way (eth_abi, whole levels at once). Both must agree, and with what they said when this was written.
"""

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from node.settlement.tree import Tree, leaf
from tests.contracts.tree import plant

VAULT = "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"
CHAIN = 84_532

words = st.lists(st.integers(min_value=0, max_value=2**256 - 1), max_size=4)
batches = st.lists(words, min_size=1, max_size=20)
heads = st.tuples(
    st.integers(min_value=0, max_value=2**160 - 1).map(lambda number: f"0x{number:040x}"),
    st.integers(min_value=1, max_value=2**63),
    st.integers(min_value=1, max_value=2**32),
)


def climb(node: bytes, proof: tuple[bytes, ...]) -> bytes:
    """As the vault does it."""
    for other in proof:
        node = keccak(node + other if node < other else other + node)
    return node


def tree_of(month: int, contents: list[list[int]]) -> Tree:
    return Tree([leaf(VAULT, CHAIN, month, index, each) for index, each in enumerate(contents)])


@given(heads, batches)
def test_the_tree_is_the_one_that_the_vault_was_tested_with(head, contents):
    vault, chain_id, month = head
    tree = Tree([leaf(vault, chain_id, month, index, each) for index, each in enumerate(contents)])
    other = plant(vault, chain_id, month, contents)
    assert tree.root == other.root
    for batch in other.batches:
        assert tree.proof(batch.index) == batch.proof


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70, unique=True))
def test_every_leaf_climbs_to_the_root_and_no_other_does(leaves):
    tree = Tree(leaves)
    for index, each in enumerate(leaves):
        proof = tree.proof(index)
        assert len(proof) <= (len(leaves) - 1).bit_length()
        assert climb(each, proof) == tree.root
        assert climb(bytes(32), proof) != tree.root or each == bytes(32)


@pytest.mark.parametrize(
    ("contents", "root"),
    [
        ([[1]], "82532a951f881c50a8d701ec5a6d656a384628676bb2a2bed7363c20b0a05886"),
        ([[]], "165b56f4ebef19bb44ad07bca939cdca50283705a292d90b2985067e12b309f0"),
        ([[1], [2]], "8d85f0d2d2a0531732fa569c4b28b893cc687fa0163dff6e805f2b63d7072fe8"),
        ([[1, 2], [3], [4]], "9b11971a88ef3a4ba4add4e4c25608f8e8280ba6fbf6ddd7ca7cf0c1fb9a02f8"),
        (
            [
                [50930204793815341472647614845042490728161331526673935029629296840484478220096],
                [1],
                [2],
                [3],
                [4],
            ],
            "d268b4c852e9ccc91c77888ab0a8cfeb2b5cc5a2a39c890800b6a7d7035f680c",
        ),
    ],
)
def test_roots_that_were_once_sealed_stay_what_they_were(contents, root):
    assert tree_of(7, contents).root.hex() == root


def test_a_leaf_is_of_one_vault_chain_month_and_index():
    same = leaf(VAULT, CHAIN, 1, 0, [5])
    others = {
        leaf(VAULT[:-1] + "1", CHAIN, 1, 0, [5]),
        leaf(VAULT, CHAIN + 1, 1, 0, [5]),
        leaf(VAULT, CHAIN, 2, 0, [5]),
        leaf(VAULT, CHAIN, 1, 1, [5]),
        leaf(VAULT, CHAIN, 1, 0, [5, 0]),
    }
    assert len(others) == 5
    assert same not in others


def test_a_single_batch_is_its_own_root_and_has_an_empty_proof():
    tree = tree_of(1, [[1]])
    assert tree.root == leaf(VAULT, CHAIN, 1, 0, [1])
    assert tree.proof(0) == ()


@pytest.mark.parametrize("index", [-1, 3])
def test_a_batch_that_is_not_there_has_no_proof(index):
    with pytest.raises(IndexError):
        tree_of(1, [[1], [2], [3]]).proof(index)


def test_no_batches_have_no_root():
    with pytest.raises(ValueError, match="without batches"):
        Tree([])
