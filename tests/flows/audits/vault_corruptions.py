"""Ways to break the books of the stablecoin: the line that must find it, and the statements.

They run in one transaction, on a copy without triggers; the last must touch a row. Whoever adds a
way to lose stablecoins adds it here.
"""

from __future__ import annotations

from node.devnet.evm import local_key

THIEF = local_key("thief").address
BATCH = "reference LIKE 'vault%'"
TRANSFER = "reference LIKE 'transfer:%'"
OF_TRANSFER = f"id IN (SELECT payout FROM leg JOIN attempt ON id = attempt WHERE {TRANSFER})"
CREATORS = "asset = 'usd' AND kind = 'creator'"
TENTH = "asset = 'usd' AND kind = 'commission'"
CHARGE = "(SELECT tx_hash FROM chain_transaction WHERE purpose LIKE '%:charge:%')"
NEWEST_GAS = "(SELECT max(number) FROM entry WHERE kind = 'gas')"

BY_SQL = {
    "an event of the vault is forgotten": (
        "I10",
        "DELETE FROM chain_event WHERE kind = 'deposited'",
    ),
    "an event of the vault is said to be not booked": (
        "I10",
        "UPDATE chain_event SET state = 'seen' WHERE kind = 'deposited'",
    ),
    "an event of the vault is said to be of another sum": (
        "I10",
        "UPDATE chain_event SET units = units + 1 WHERE kind = 'deposited'",
    ),
    "a member has more in the books": (
        "V1",
        "UPDATE account SET balance = balance + 5 WHERE kind = 'available' AND asset = 'usd'",
    ),
    "a member's pot is said to be another": (
        "V1",
        "UPDATE chain_address SET pot_units = pot_units - 1",
    ),
    "an address is somebody else's": (
        "V1",
        "UPDATE chain_address SET member = (SELECT max(id) FROM member) WHERE pot_units = 9000000",
    ),
    "the wallet is said to hold more": (
        "V2",
        "UPDATE account SET balance = balance + 1 WHERE name = 'wallet:stablecoin'",
    ),
    "more was charged by the books": ("I8", "UPDATE vault_month SET gross = gross + 10"),
    "the close distributed more": (
        "I8",
        "UPDATE close SET distributed = distributed + 10 WHERE asset = 'usd'",
    ),
    "the close took more commission": (
        "I8",
        "UPDATE close SET commission = commission + 1 WHERE asset = 'usd'",
    ),
    "the close is gone": ("I8", "DELETE FROM close WHERE asset = 'usd'"),
    "another file was planned": ("I8", f"UPDATE vault_month SET data_hash = '{'ab' * 32}'"),
    "nothing was planned": ("I8", "UPDATE vault_month SET data_hash = NULL"),
    "nothing was charged by the books": ("I8", "UPDATE vault_month SET gross = NULL"),
    "the published file is gone": ("I8", "DELETE FROM close_part WHERE kind = 'file'"),
    "the published file is no file": (
        "I8",
        "UPDATE close_part SET rows = CAST('{}' AS blob) WHERE kind = 'file'",
    ),
    "the month is another month of the vault": ("I8", "UPDATE vault_month SET number = 2"),
    "a batch is stored with another word": (
        "I8",
        f"UPDATE attempt SET message = '00' || substr(message, 3) WHERE {BATCH}",
    ),
    "a batch is gone": (
        "I8",
        f"DELETE FROM leg WHERE attempt IN (SELECT id FROM attempt WHERE {BATCH})",
        f"DELETE FROM attempt WHERE {BATCH}",
    ),
    "a batch was paid by another transaction": (
        "I8",
        f"UPDATE attempt SET proof = {CHARGE} WHERE {BATCH}",
    ),
    "a batch was paid by no transaction": (
        "I8",
        f"UPDATE attempt SET proof = NULL WHERE {BATCH}",
    ),
    "a batch was sealed by another transaction": (
        "I8",
        f"UPDATE chain_transaction SET tx_hash = {CHARGE} WHERE purpose LIKE '%:seal'",
    ),
    "a transfer was another transaction": (
        "V3",
        f"UPDATE attempt SET proof = {CHARGE} WHERE {TRANSFER}",
    ),
    "a transfer was no transaction": (
        "V3",
        f"UPDATE attempt SET proof = NULL WHERE {TRANSFER}",
    ),
    "a transfer was of another sum": (
        "V3",
        f"UPDATE payout SET units = units + 1 WHERE {OF_TRANSFER}",
    ),
    "a transfer went to another address": (
        "V3",
        f"UPDATE payout SET target = '{THIEF}' WHERE {OF_TRANSFER}",
    ),
    "a transfer pays nobody's payout": (
        "V3",
        f"DELETE FROM leg WHERE attempt IN (SELECT id FROM attempt WHERE {TRANSFER})",
    ),
    "a payout is larger than its word": (
        "I8",
        f"UPDATE payout SET units = units + 1 WHERE {CREATORS}",
    ),
    "a payout went to another address": (
        "I8",
        f"UPDATE payout SET target = '{THIEF}' WHERE {CREATORS}",
    ),
    "a payout of a batch is due again": (
        "I8",
        f"UPDATE payout SET state = 'due' WHERE {CREATORS}",
    ),
    "a payout is in no batch": (
        "I8",
        f"DELETE FROM leg WHERE payout IN (SELECT id FROM payout WHERE {CREATORS})",
    ),
    "the commission was another": (
        "I8",
        f"UPDATE payout SET units = units - 1 WHERE {TENTH}",
    ),
    "the commission is in no batch": (
        "I8",
        f"DELETE FROM leg WHERE payout IN (SELECT id FROM payout WHERE {TENTH})",
    ),
    "gas was cheaper by the books": (
        "I13",
        "UPDATE account SET balance = balance - 1 WHERE name = 'expense:gas'",
    ),
    "an entry about gas is smaller": (
        "I13",
        f"UPDATE posting SET units = units - 1 WHERE entry = {NEWEST_GAS}",
    ),
    "a transaction cost more": (
        "I13",
        "UPDATE chain_transaction SET cost_wei = cost_wei + 1 WHERE purpose LIKE '%:seal'",
    ),
    "a transaction's gas is not booked": (
        "I13",
        f"DELETE FROM posting WHERE entry = {NEWEST_GAS}",
        f"DELETE FROM entry WHERE number = {NEWEST_GAS}",
    ),
    "gas is booked of what was never signed": (
        "I13",
        "DELETE FROM signed_transaction WHERE purpose LIKE '%:seal'",
    ),
}
