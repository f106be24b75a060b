"""I13, against lnd's channels: what they have sent is what lnd says that it has paid."""

from __future__ import annotations

from node.flows.audits.lightning import Network
from node.flows.audits.lines import Line, judge, sat


def conserved_line(network: Network) -> Line:
    """I13's third part: the channels have not sent more than lnd says that it has paid.

    A payment that somebody has made and taken out of lnd's list shows here alone. A channel that
    forwards sends for others: so it is a warning, and the operator knows which it is. The channels
    were read before the payments, so what settles meanwhile is no difference. Less is none either:
    a channel that was closed takes what it had sent with it.
    """
    sent_msat, traces = network.traces.sent_sat * 1000, network.traces
    more_msat = sent_msat - network.paid_msat
    figures = f"open channels sent {sat(sent_msat)}, lnd paid {sat(network.paid_msat)}"
    warnings = []
    if more_msat > traces.slack_msat:
        warnings.append(f"{sat(more_msat)} were forwarded, or paid and taken out of lnd's list")
    return judge("I13", "channels agree", figures, [], warnings)
