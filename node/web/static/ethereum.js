// The wallets of this browser (EIP-6963) fill the sign-in forms in: the address, then the signature.

const CHOSEN = "flattr-wallet";
const box = document.querySelector("[data-wallets]");
const form = box?.parentElement.querySelector("form");

async function use(wallet) {
  try {
    const [address] = await wallet.provider.request({ method: "eth_requestAccounts" });
    sessionStorage.setItem(CHOSEN, wallet.info.rdns);
    if (box.dataset.wallets === "address") {
      form.elements.address.value = address;
    } else {
      const text = form.elements.text.value;
      const bytes = new TextEncoder().encode(text);
      const hex = "0x" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      const params = [hex, text.split("\n")[1]];
      form.elements.signature.value = await wallet.provider.request({ method: "personal_sign", params });
    }
    form.requestSubmit();
  } catch {
    sessionStorage.removeItem(CHOSEN); // refused in the wallet: the list stays, and can be asked again
  }
}

function show(wallet) {
  const row = document.createElement("li");
  const button = document.createElement("button");
  const icon = new Image(28, 28);
  icon.alt = "";
  if (wallet.info.icon?.startsWith("data:image/")) icon.src = wallet.info.icon;
  button.type = "button";
  button.className = "secondary";
  button.append(icon, " ", wallet.info.name);
  button.addEventListener("click", () => use(wallet));
  row.append(button);
  box.querySelector("ul").append(row);
  box.hidden = false;
}

if (box) {
  const seen = new Set();
  addEventListener("eip6963:announceProvider", ({ detail }) => {
    if (seen.has(detail.info.uuid)) return;
    seen.add(detail.info.uuid);
    show(detail);
    if (box.dataset.wallets === "signature" && sessionStorage.getItem(CHOSEN) === detail.info.rdns) use(detail);
  });
  dispatchEvent(new Event("eip6963:requestProvider"));
}
