// The browser's own Ethereum wallets (EIP-6963, and EIP-1193 without it): sign a text, send a call.

const found = [];
addEventListener("eip6963:announceProvider", (event) => {
  if (!found.some((one) => one.info.uuid === event.detail.info.uuid)) found.push(event.detail);
  show();
});
dispatchEvent(new Event("eip6963:requestProvider"));
addEventListener("load", show);

const buttons = document.querySelectorAll("[data-signs], [data-sends]");
const choice = document.querySelector("[data-wallets]");

function show() {
  if (!found.length && !window.ethereum) return;
  for (const button of buttons) button.hidden = false;
  if (!choice || found.length < 2) return;
  choice.replaceChildren(...found.map((one, place) => new Option(one.info.name, String(place))));
  choice.closest("label").hidden = false;
}

export function wallet() {
  return found.length ? found[Number(choice?.value || 0)].provider : window.ethereum;
}

async function sign(button) {
  const text = document.getElementById(button.dataset.signs).value;
  await wallet().request({ method: "eth_requestAccounts" });
  const signature = await wallet().request({ method: "personal_sign", params: [text, button.dataset.address] });
  const form = button.closest("form");
  form.elements.signature.value = signature;
  form.requestSubmit();
}

async function send(button) {
  const { to, data, from, chain } = button.dataset;
  const chainId = "0x" + Number(chain).toString(16);
  await wallet().request({ method: "eth_requestAccounts" });
  await wallet().request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  await wallet().request({ method: "eth_sendTransaction", params: [{ from, to, data, chainId }] });
  button.textContent = button.dataset.done;
  button.disabled = true;
}

for (const button of buttons) {
  button.addEventListener("click", async () => {
    const told = button.parentElement.querySelector("[data-told]");
    try {
      if (told) told.textContent = "";
      await (button.dataset.signs ? sign(button) : send(button));
    } catch (error) {
      if (told) told.textContent = error.message;
    }
  });
}
show();
