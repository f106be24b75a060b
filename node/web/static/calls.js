// Send a call of the vault with one of this browser's wallets (EIP-6963, or EIP-1193 without it).

const found = [];
const buttons = document.querySelectorAll("button[data-sends]");
const choice = document.querySelector("select[data-senders]");

function show() {
  if (!found.length && !window.ethereum) return;
  for (const button of buttons) button.hidden = false;
  if (!choice || found.length < 2) return;
  choice.replaceChildren(...found.map((one, place) => new Option(one.info.name, String(place))));
  choice.closest("label").hidden = false;
}

async function send(button) {
  const { to, data, from, chain } = button.dataset;
  const wallet = found.length ? found[Number(choice?.value || 0)].provider : window.ethereum;
  const chainId = "0x" + Number(chain).toString(16);
  const accounts = await wallet.request({ method: "eth_requestAccounts" });
  await wallet.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  const call = { from: from || accounts[0], to, data, chainId };
  await wallet.request({ method: "eth_sendTransaction", params: [call] });
  button.textContent = button.dataset.done;
  button.disabled = true;
}

for (const button of buttons) {
  button.addEventListener("click", async () => {
    const told = button.parentElement.querySelector("[data-told]");
    told.textContent = "";
    try {
      await send(button);
    } catch (error) {
      told.textContent = error.message;
    }
  });
}
addEventListener("eip6963:announceProvider", ({ detail }) => {
  if (!found.some((one) => one.info.uuid === detail.info.uuid)) found.push(detail);
  show();
});
dispatchEvent(new Event("eip6963:requestProvider"));
addEventListener("load", show);
