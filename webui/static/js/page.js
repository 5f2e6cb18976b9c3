// What every page does: durations that tick, confirmation of what cannot be undone, the banner of a lost stream.
export const texts = JSON.parse(document.getElementById("texts").textContent);

export function clockOf(ms) {
  const all = Math.max(0, Math.round(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor(all / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}

function tick() {
  for (const element of document.querySelectorAll("[data-since]")) {
    element.textContent = clockOf(Date.now() - Date.parse(element.dataset.since));
  }
}

function countDown() {
  for (const element of document.querySelectorAll("[data-until]")) {
    element.textContent = clockOf(Date.parse(element.dataset.until) - Date.now());
  }
}

function askFirst(event) {
  const form = event.target;
  const dialog = document.getElementById("confirm");
  if (!form.dataset.confirm || form.dataset.confirmed) return;
  event.preventDefault();
  document.getElementById("confirm-text").textContent = form.dataset.confirm;
  dialog.returnValue = "no";
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return;
    form.dataset.confirmed = "1";
    if (!form.isConnected) { // what is pushed took its place meanwhile
      form.hidden = true;
      document.body.append(form);
    }
    form.requestSubmit();
  };
  dialog.showModal();
}

function keepFeed() {
  const feed = document.getElementById("feed");
  if (!feed) return;
  const lost = document.getElementById("lost");
  document.body.addEventListener("htmx:sseError", () => { lost.hidden = false; });
  document.body.addEventListener("htmx:sseOpen", () => { lost.hidden = true; });
  document.addEventListener("visibilitychange", () => renewFeed(document.hidden));
}

// A browser allows six connections to one server: a page nobody sees gives its stream back, and takes a new one when seen again.
function renewFeed(hidden) {
  const feed = document.getElementById("feed");
  const fresh = feed.cloneNode();
  if (hidden) fresh.removeAttribute("sse-connect");
  else fresh.setAttribute("sse-connect", feed.dataset.address);
  fresh.dataset.address = feed.getAttribute("sse-connect") || feed.dataset.address;
  window.htmx.swap(feed, fresh.outerHTML, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
}

document.addEventListener("submit", askFirst);
document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });
setInterval(tick, 1000);
setInterval(countDown, 500);
keepFeed();
