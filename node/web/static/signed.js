// The sign-in page goes on by itself when a wallet has signed: it sends the form "I have signed".

for (const form of document.querySelectorAll("form[data-signed]")) {
  const events = new EventSource(form.dataset.signed);
  events.addEventListener("changed", () => {
    events.close();
    form.requestSubmit();
  });
}
