// What a kiosk without a keyboard needs: keys on the screen, and the slip printed by the browser. The pages work without it too.
const keys = document.querySelector(".keys");
let field = document.querySelector("input[autofocus]");

function press(button) {
  if (!field) return;
  if (button.dataset.key === "all") field.value = "";
  else if (button.dataset.key === "last") field.value = field.value.slice(0, -1);
  else if (field.value.length < field.maxLength) field.value += button.textContent;
}

if (keys) {
  keys.hidden = false;
  document.addEventListener("focusin", (event) => { if (event.target.matches("input")) field = event.target; });
  keys.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  keys.addEventListener("click", (event) => { if (event.target.matches("button")) press(event.target); });
}

if (document.querySelector("[data-print]")) window.print();
