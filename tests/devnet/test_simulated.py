"""The simulated network as a process: it serves, obeys, and never outlives its parent."""

import asyncio
import json
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from node.devnet.simulated import parse_balances
from node.errors import ConfigError
from node.wallet.lightning.stubs import lightning_pb2 as ln
from node.wallet.lightning.stubs import lightning_pb2_grpc as ln_grpc
from node.wallet.lightning.stubs import router_pb2 as router
from node.wallet.lightning.stubs import router_pb2_grpc as router_grpc

WAIT_S = 30


async def _tell(process, order: object):
    process.stdin.write(json.dumps(order).encode() + b"\n")
    async with asyncio.timeout(WAIT_S):
        return json.loads(await process.stdout.readline())


@asynccontextmanager
async def _open_process(folder, *options):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node.devnet.simulated", "--folder", str(folder)),
        *("--balances", "node=50000,blog=0", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        async with asyncio.timeout(WAIT_S):
            assert process.stdout is not None
            yield process, json.loads(await process.stdout.readline())["nodes"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def _channel(place: dict[str, str]):
    macaroon = Path(place["macaroon_path"]).read_bytes().hex()
    call = grpc.metadata_call_credentials(lambda _, answer: answer((("macaroon", macaroon),), None))
    tls = grpc.ssl_channel_credentials(Path(place["cert_path"]).read_bytes())
    credentials = grpc.composite_channel_credentials(tls, call)
    return grpc.aio.secure_channel(f"{place['host']}:{place['port']}", credentials)


async def test_it_pays_obeys_and_tells_the_truth(tmp_path):
    options = ("--faults", '{"no_route": {"next_count": 1}}')
    async with (
        _open_process(tmp_path, *options) as (process, nodes),
        _channel(nodes["node"]) as node,
        _channel(nodes["blog"]) as blog,
    ):
        added = await ln_grpc.LightningStub(blog).AddInvoice(ln.Invoice(value_msat=5000))
        request = router.SendPaymentRequest(
            payment_request=added.payment_request, fee_limit_msat=2000
        )
        send = router_grpc.RouterStub(node).SendPaymentV2
        assert [each.status async for each in send(request)][-1] == ln.Payment.FAILED
        assert await _tell(process, {"faults": {"late": {"next_count": 1}}}) == {"ok": True}
        last = [each async for each in send(request)][-1]
        assert last.failure_reason == ln.FAILURE_REASON_TIMEOUT
        truth = await _tell(process, {"truth": True})
        assert truth["settled"]["blog"] == [[added.r_hash.hex(), 5000]]
        assert (truth["total_msat"], truth["balances_msat"]["node"]) == (50_000, 44_000)
        wrongs: list[object] = [{"faults": {"x": 1}}, {"faults": {"late": 1}}, {"release": "00"}]
        for wrong in [*wrongs, [], "x", {"x": 1}]:
            assert "error" in await _tell(process, wrong)


@pytest.mark.parametrize("end", ["stdin", signal.SIGTERM, signal.SIGINT])
async def test_it_ends_with_its_parent_or_a_signal(tmp_path, end):
    async with _open_process(tmp_path) as (process, _):
        if end == "stdin":
            process.stdin.close()
        else:
            process.send_signal(end)
        assert await process.wait() == 0


@pytest.mark.parametrize("text", ["", "node", "node=", "node=x", "node=-1", "a=1,a=2", "/=1"])
def test_unreadable_balances_are_refused(text):
    with pytest.raises(ConfigError):
        parse_balances(text)
