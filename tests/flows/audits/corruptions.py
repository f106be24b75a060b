"""Ways to break the books: the invariant that must find it, and the statements that do it.

They run in one transaction, on a copy without triggers; the last must touch a row. Whoever adds a
way to lose money adds it here.
"""

import hashlib

PREIMAGE = b"\x07" * 32


def other_digits(column: str) -> str:
    """SQL for the hex digits of a column with the first two changed, whatever they are."""
    return f"CASE substr({column}, 1, 2) WHEN '00' THEN '01' ELSE '00' END || substr({column}, 3)"


BY_SQL = {
    "a balance is raised": (
        "I1", "UPDATE account SET balance = balance + 1 WHERE kind = 'available'"),
    "wallet and member are raised alike": (
        "I1", ("UPDATE account SET balance = balance + 7 WHERE kind = 'wallet' OR (kind ="
        " 'available' AND id = (SELECT min(id) FROM account WHERE kind = 'available'))")),
    "a balance is negative": (
        "I2", "PRAGMA ignore_check_constraints = ON",
        "UPDATE account SET balance = -5 WHERE kind = 'available'"),
    "a transfer is raised, and its balances with it": (
        "I11",
        "UPDATE posting SET units = units + 1 WHERE entry = (SELECT min(entry) FROM posting)",
        ("UPDATE account SET balance = balance + 1 WHERE id IN (SELECT debit FROM posting WHERE"
        " entry = (SELECT min(entry) FROM posting) UNION SELECT credit FROM posting WHERE"
        " entry = (SELECT min(entry) FROM posting))")),
    "a transfer is deleted": (
        "I1", "DELETE FROM posting WHERE entry = (SELECT max(entry) FROM posting)"),
    "a transfer goes to another account": (
        "I11", ("UPDATE posting SET credit = (SELECT id FROM account WHERE kind = 'commission')"
        " WHERE credit IN (SELECT id FROM account WHERE kind = 'earned')")),
    "an entry's hash is changed": (
        "I11", f"UPDATE entry SET hash = {other_digits('hash')} WHERE seq = 2"),
    "an entry's time is changed": ("I11", "UPDATE entry SET at_us = at_us - 1 WHERE seq = 2"),
    "an entry says that it is of another month": (
        "I11", "UPDATE entry SET month = month - 1 WHERE kind = 'close'"),
    "the last entry is deleted": (
        "I11", "DELETE FROM posting WHERE entry = (SELECT max(number) FROM entry)",
        "DELETE FROM entry WHERE number = (SELECT max(number) FROM entry)"),
    "the head of the chain is set back": ("I11", "UPDATE chain SET seq = seq - 1"),
    "an account is renamed": (
        "I11", "UPDATE account SET name = name || '0' WHERE kind = 'available'"),
    "a leg is deleted": ("I5", "DELETE FROM leg WHERE payout = (SELECT min(payout) FROM leg)"),
    "a paid payout is due again": (
        "I5", "UPDATE payout SET state = 'due' WHERE id = (SELECT min(id) FROM payout)"),
    "a payment is forgotten": (
        "I5", "UPDATE attempt SET state = 'dead' WHERE number = 1"),
    "a payout has a second live attempt": (
        "I5", "DROP INDEX one_live",
        ("INSERT INTO attempt SELECT 'other', rail, 999, 'sent', 'other', message, asset, units,"
        " fee_limit, expires_s, sender, seen, epoch, created_us, sent_s, NULL, NULL, NULL"
        " FROM attempt WHERE number = 1"),
        "INSERT INTO used_hash VALUES ('other', 'attempt:other')",
        ("INSERT INTO leg SELECT 'other', payout, false FROM leg JOIN attempt"
        " ON attempt.id = leg.attempt WHERE number = 1")),
    "a used hash is forgotten": (
        "I5", "DELETE FROM used_hash WHERE hash = (SELECT min(reference) FROM attempt)"),
    "a proof is altered": (
        "I6", f"UPDATE attempt SET proof = {other_digits('proof')} WHERE number = 1"),
    "a proof is no number": ("I6", "UPDATE attempt SET proof = 'paid, trust me' WHERE number = 1"),
    "a proof is gone": ("I6", "UPDATE attempt SET proof = NULL WHERE number = 1"),
    "a payout that is paid is made larger": (
        "I6", "UPDATE payout SET units = units + 1000 WHERE id = (SELECT min(id) FROM payout)"),
    "a payment is invented with a preimage of its own": (
        "I6", (f"UPDATE attempt SET proof = '{PREIMAGE.hex()}', reference ="
        f" '{hashlib.sha256(PREIMAGE).hexdigest()}' WHERE number = 1"),
        (f"UPDATE payout SET proof = '{PREIMAGE.hex()}' WHERE id = (SELECT payout FROM leg JOIN"
        " attempt ON attempt.id = leg.attempt WHERE number = 1)")),
    "a payment of lnd is forgotten with its payout": (
        "I7", "DELETE FROM leg WHERE attempt = (SELECT id FROM attempt WHERE number = 1)",
        "DELETE FROM attempt WHERE number = 1"),
    "a commission is lowered": ("I9", "UPDATE close SET commission = commission - 1"),
    "a month is said to have distributed more": (
        "I9", "UPDATE close SET distributed = distributed + 1, carried = carried - 1"),
    "a digest is changed": ("I9", f"UPDATE close SET digest = {other_digits('digest')}"),
    "a close is bent after the fact": (
        "I9", "UPDATE close SET commission_bps = 900"),
    "a flattr is taken out of a closed month": (
        "I9", "UPDATE flattr_month SET things = substr(things, 5)"),
    "a part of a close is deleted": ("I9", "DELETE FROM close_part WHERE kind = 'thing'"),
    "a deposit is said to be larger": (
        "I10", "UPDATE deposit SET paid_units = paid_units + 1 WHERE to_pot"),
    "a credited deposit is open again": (
        "I10", "UPDATE deposit SET state = 'open' WHERE to_pot"),
    "a deposit is deleted": ("I10", "DELETE FROM deposit WHERE to_pot"),
    "a fee is hidden": (
        "I13", "UPDATE attempt SET fee = 0 WHERE number = 1",
        ("UPDATE payout SET fee = 0 WHERE id = (SELECT payout FROM leg JOIN attempt"
        " ON attempt.id = leg.attempt WHERE number = 1)")),
    "a payment cost more than its limit": (
        "I14", "UPDATE attempt SET fee_limit = 0 WHERE fee > 0"),
    "a transfer belongs to no entry": (
        "I11", ("INSERT INTO posting SELECT 999999, 0, debit, credit, 5 FROM posting WHERE entry ="
        " (SELECT min(entry) FROM posting) AND line = 0"),
        ("UPDATE account SET balance = balance + 5 * side WHERE id = (SELECT debit FROM posting"
         " WHERE entry = 999999)"),
        ("UPDATE account SET balance = balance - 5 * side WHERE id = (SELECT credit FROM posting"
         " WHERE entry = 999999)")),
    "an account is said to be another member's": (
        "I1", ("UPDATE account SET member = member + 1 WHERE kind = 'available' AND id ="
        " (SELECT max(id) FROM account WHERE kind = 'available')")),
    "a pot is said to be of another month": (
        "I1", "UPDATE account SET month = month + 1 WHERE kind = 'pot'"),
    "an account is turned over": (
        "I1", "UPDATE account SET side = -side WHERE kind = 'available'"),
    "a month is held for a creator who has nothing held": (
        "I1", ("INSERT INTO tranche SELECT max(id), 'sat', 24321, 5, 5, 0 FROM member")),
    "a payout is in flight and nobody sends it": (
        "I5", "UPDATE payout SET state = 'in_flight' WHERE id = (SELECT max(id) FROM payout)"),
    "a payout is doubled": (
        "I5", ("INSERT INTO payout (id, kind, member, asset, month, units, fee_limit, target,"
        " state, tries, next_try_s, created_us) SELECT id || '2', kind, member, asset, month,"
        " units, fee_limit, target, 'due', 0, 0, created_us FROM payout WHERE id ="
        " (SELECT min(id) FROM payout)")),
    "a payout is somebody else's": (
        "I5", "UPDATE payout SET member = member + 1 WHERE kind = 'creator'"),
    "a payout is of another month": (
        "I5", "UPDATE payout SET month = month - 1 WHERE kind = 'creator'"),
    "a payout is deleted": (
        "I5", "DELETE FROM leg WHERE payout = (SELECT min(id) FROM payout)",
        "DELETE FROM payout WHERE id = (SELECT min(id) FROM payout)"),
    "the hash of a deposit is forgotten": (
        "I5", "DELETE FROM used_hash WHERE hash = (SELECT min(payment_hash) FROM deposit)"),
    "the guard against a second live attempt is gone": ("I17", "DROP INDEX one_live"),
    "the triggers of the ledger are gone": ("I17", "DELETE FROM kept_trigger"),
    "a member is deleted": (
        "I17", "DELETE FROM member WHERE id = (SELECT max(id) FROM member)"),
    "a payment is said to be another lnd's": (
        "I6", f"UPDATE attempt SET sender = {other_digits('sender')} WHERE number = 1"),
    "a close is forgotten": ("I9", "DELETE FROM close"),
    "the readers of a close are deleted": ("I9", "DELETE FROM close_part WHERE kind = 'reader'"),
    "a deposit is said to be another member's": (
        "I10", "UPDATE deposit SET member = member + 1 WHERE to_pot"),
    "an act of the operator is altered": (
        "I16", "UPDATE operator_log SET words = 'nothing' WHERE number = 1"),
    "an act of the operator is deleted": ("I16", "DELETE FROM operator_log WHERE number = 2"),
    "the operator's log is cut off": (
        "I16", "DELETE FROM operator_log WHERE number = 2",
        "UPDATE operator_log_head SET number = 1"),
    "a click is put into a closed month": (
        "I15", ("INSERT INTO flattr_inbox (month, at_us, clicks)"
        " SELECT month, 0, things FROM flattr_month")),
}  # fmt: skip
