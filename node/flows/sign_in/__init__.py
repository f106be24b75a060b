"""Signing in with a wallet: Lightning, Ethereum, Nostr.

    ask ──▶ challenge ── the wallet signs ──▶ proof ── its browser comes ──▶ finish
            5 minutes                         10 minutes                     a session, an identity

Three ways to sign, one way before and after: `asking.py` makes and spends challenges, `finish.py`
turns a proof into a session.
"""
