// The cutter of a prompt: sliders and numbers say the same, what is cut away is shaded, the part that stays can be heard.
const LEAST_MS = 100;

class Cutter {
  constructor(root) {
    this.form = root.querySelector("[data-length-ms]");
    this.player = root.querySelector(".player");
    if (!this.form) return;
    this.lengthMs = Number(this.form.dataset.lengthMs);
    this.shades = ["start", "end"].map((end) => this.shade(end));
    for (const end of ["start", "end"]) {
      this.slider(end).addEventListener("input", () => this.move(end, Number(this.slider(end).value)));
      this.number(end).addEventListener("change", () => { if (this.number(end).value) this.move(end, Number(this.number(end).value) * 1000); });
    }
    const hear = this.form.querySelector("[data-hear-part]");
    hear.hidden = false;
    hear.addEventListener("click", () => this.hear());
  }

  slider(end) { return this.form.querySelector(`[data-end="${end}"]`); }

  number(end) { return this.form.elements[end]; }

  ms(end) { return Math.round(Number(this.number(end).value) * 1000); }

  shade(end) {
    const shade = document.createElement("div");
    shade.className = `prompt-shade prompt-shade-${end}`;
    shade.style.width = "0";
    this.player.querySelector(".player-picture").append(shade);
    return shade;
  }

  move(end, wanted) {
    const start = end === "start";
    const least = start ? 0 : this.ms("start") + LEAST_MS;
    const most = start ? this.ms("end") - LEAST_MS : this.lengthMs;
    const ms = Math.max(0, Math.min(Math.max(Number.isFinite(wanted) ? wanted : least, least), most));
    this.number(end).value = (ms / 1000).toFixed(3);
    this.slider(end).value = ms;
    this.slider(end).setAttribute("aria-valuetext", `${(ms / 1000).toFixed(2)} s`);
    const away = start ? ms : this.lengthMs - ms;
    this.shades[start ? 0 : 1].style.width = `${(away / this.lengthMs) * 100}%`;
  }

  hear() {
    this.player.dispatchEvent(new CustomEvent("play-part", { detail: { startMs: this.ms("start"), endMs: this.ms("end") } }));
  }
}

for (const root of document.querySelectorAll("[data-cutter]")) new Cutter(root);
