# pragma version 0.4.3
# pragma evm-version prague
# pragma optimize gas
# pragma nonreentrancy on
"""
@title  PayoutVault
@license MIT
@notice Keeps the money of a node's members, in one asset, each in an account of their own, and pays
        creators.
@dev    This file only puts the parts together; each part is one idea, and uses those above it:

          roles         who may do what: owner, operator, guardian, treasury; the pause
          asset         the one token, and the only ways in which it moves
          accounts      members: deposit, pot, exit, withdraw, claim
          collection    the operator: open, charge, seal; the guardian: veto
          distribution  pay batches; or abandon and reclaim

        There is no proxy and no upgrade: a new version is a new vault. Every external function
        holds one lock, also the views of what can change, so nothing can be read half-way through
        a batch either.
"""
from ethereum.ercs import IERC20

from vault import roles
from vault import asset
from vault import accounts
from vault import collection
from vault import distribution

initializes: roles
initializes: asset[roles := roles]
initializes: accounts[roles := roles, asset := asset]
initializes: collection[roles := roles, accounts := accounts]
initializes: distribution[
    roles := roles, asset := asset, accounts := accounts, collection := collection
]

exports: roles.__interface__
exports: accounts.__interface__
exports: collection.__interface__
exports: distribution.__interface__
exports: (asset.token, asset.sweep)


@deploy
def __init__(
    token: IERC20,
    owner: address,
    operator: address,
    guardian: address,
    treasury: address,
    delay: uint64,
):
    """
    @param token    the asset; for real money only one without hooks, whose issuer is trusted
    @param owner    replaces the other keys; a multi-signature wallet
    @param operator charges, seals and pays; a key of the node
    @param guardian vetoes and pauses; a key that is not on the node's machine; may be nobody
    @param treasury receives the commission
    @param delay    seconds between the seal of a month and its first payment, in which it can be
             vetoed
    """
    roles.__init__(owner, operator, guardian, treasury)
    asset.__init__(token)
    accounts.__init__()
    collection.__init__(delay)
