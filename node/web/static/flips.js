// A page that waits for something loads itself anew when the node says that it has happened.

for (const waits of document.querySelectorAll("[data-events]")) {
  const events = new EventSource(waits.dataset.events);
  events.addEventListener("changed", () => {
    events.close();
    location.reload();
  });
}
