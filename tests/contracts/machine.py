"""All the rules together: what hypothesis walks through."""

from __future__ import annotations

from tests.contracts.key_rules import KeyRules
from tests.contracts.member_rules import MemberRules
from tests.contracts.month_rules import MonthRules


class VaultMachine(MemberRules, MonthRules, KeyRules):
    """Whatever anybody can do."""
