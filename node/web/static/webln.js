// Pay the invoice with the browser's own Lightning wallet, if there is one (WebLN).

const button = document.querySelector("[data-webln]");
if (button && window.webln) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await window.webln.enable();
      await window.webln.sendPayment(button.dataset.webln);
    } catch {
      button.disabled = false; // refused in the wallet: it can be asked again
    }
  });
}
