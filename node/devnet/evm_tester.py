"""eth-tester behind web3's provider, with the manners of a real RPC.

eth-tester raises Python's exceptions where an RPC answers with an error. Here they become such
errors, a refusal with the bytes that a node gives with it (code 3), so that whoever asks needs to
know one kind only. Import this where a chain is opened: it takes two seconds.
"""

from __future__ import annotations

from typing import Any, Final

from eth.exceptions import PyEVMError
from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import TransactionFailed, ValidationError
from eth_utils import ValidationError as EvmValidationError
from web3 import AsyncEthereumTesterProvider

from node.errors import DaemonError

_PURSE_WEI: Final = 10**30
_REVERTED: Final = "execution reverted"


class TesterProvider(AsyncEthereumTesterProvider):  # type: ignore[misc] # read as Any here
    """The provider, with errors as answers."""

    async def make_request(self, method: Any, params: Any) -> Any:
        """One call. What eth-tester raises is answered."""
        try:
            return await super().make_request(method, params)
        except TransactionFailed as error:
            text = str(error).removesuffix(": b''")  # It was refused without a word.
            return self._error(3, text if text.startswith(_REVERTED) else f"{_REVERTED}: {text}")
        except (ValidationError, EvmValidationError, PyEVMError) as error:
            return self._error(-32000, str(error))

    def _error(self, code: int, message: str) -> dict[str, Any]:
        return {"id": 0, "jsonrpc": "2.0", "error": {"code": code, "message": message}}


def tester_provider(starts_s: int | None) -> TesterProvider:
    """A provider with a new chain.

    `starts_s`: the time of its first block, and then each is a second later than the last; None:
    the machine's clock.
    """
    overrides = {} if starts_s is None else {"timestamp": starts_s}
    backend = PyEVMBackend(
        genesis_parameters=PyEVMBackend.generate_genesis_params(overrides),
        genesis_state=PyEVMBackend.generate_genesis_state({"balance": _PURSE_WEI}, 1),
    )
    if starts_s is not None:
        chain = backend.chain
        chain.__class__ = _paced(type(chain))
        chain.header = chain.create_header_from_parent(chain.get_canonical_head())
    provider = TesterProvider()
    provider.ethereum_tester = EthereumTester(backend)
    return provider


def mine_at(provider: TesterProvider, time_s: int) -> None:
    """Mine a block of exactly that time. Raise DaemonError when it is not after the last one's."""
    tester = provider.ethereum_tester
    chain = tester.backend.chain
    last_s = chain.get_canonical_head().timestamp
    if time_s <= last_s:
        raise DaemonError(f"the last block is of {last_s}, and time goes on: not {time_s}")
    chain.header = chain.header.copy(timestamp=time_s)
    tester.mine_blocks(1)


def _paced(chain: Any) -> Any:
    """The same class of chains, but with a second a block, and without the machine's clock."""

    def create_header_from_parent(self: Any, parent: Any, **parts: Any) -> Any:
        parts.setdefault("timestamp", parent.timestamp + 1)
        return chain.create_header_from_parent(self, parent, **parts)

    members = {"create_header_from_parent": create_header_from_parent}
    return type("PacedChain", (chain,), members)
