// The browser's Nostr extension (NIP-07) signs the event of this page, as of now, and the form is sent.

const button = document.querySelector("[data-nostr]");
if (button && window.nostr) {
  const field = document.getElementById("event");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const event = JSON.parse(button.dataset.nostr);
    event.created_at = Math.floor(Date.now() / 1000);
    try {
      field.value = JSON.stringify(await window.nostr.signEvent(event));
    } catch {
      return; // refused in the extension: the button stays, and can be pressed again
    }
    field.form.requestSubmit();
  });
}
