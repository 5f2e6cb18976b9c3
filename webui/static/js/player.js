// A sound player with a picture of both sides: click or slide to go somewhere, space to play, arrows for 5 s; events stand as marks.
import { texts, clockOf } from "./page.js";

const SIDE_COLOURS = ["#0b7285", "#7048e8"];
const MARK_COLOURS = { DigitPressed: "#1c7ed6", CallFailed: "#e03131", RecordingGapped: "#e03131" };
const STEP_S = 5;

class Player {
  constructor(root) {
    this.root = root;
    this.sound = new Audio();
    this.sound.preload = "metadata";
    this.sound.src = root.dataset.sound;
    this.canvas = root.querySelector("canvas");
    this.marks = JSON.parse(root.querySelector(".marks").textContent);
    this.sides = [];
    this.lengthMs = 0;
    this.button = root.querySelector(".player-play");
    this.seeker = root.querySelector(".player-seek");
    this.listen();
    this.fetchOutline();
  }

  listen() {
    this.button.addEventListener("click", () => this.toggle());
    this.seeker.addEventListener("input", () => this.goTo((this.seeker.value / 1000) * this.lengthMs));
    this.root.querySelector(".player-speed").addEventListener("change", (event) => { this.sound.playbackRate = Number(event.target.value); });
    this.canvas.addEventListener("click", (event) => this.goTo((event.offsetX / this.canvas.clientWidth) * this.lengthMs));
    this.root.addEventListener("play-part", (event) => this.playPart(event.detail));
    this.root.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["timeupdate", "seeked", "loadedmetadata"]) this.sound.addEventListener(name, () => this.show());
    for (const name of ["play", "pause", "ended"]) this.sound.addEventListener(name, () => this.showButton());
    this.sound.addEventListener("error", () => this.fault());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    for (const jump of document.querySelectorAll("[data-seek-ms]")) {
      jump.addEventListener("click", () => { this.goTo(Number(jump.dataset.seekMs)); this.sound.play(); });
    }
  }

  async fetchOutline() {
    const answer = await fetch(this.root.dataset.outline, { headers: { Accept: "application/json" } });
    if (!answer.ok) { this.fault(); return; }
    const outline = await answer.json();
    this.sides = outline.sides;
    this.lengthMs = outline.duration_ms;
    this.show();
  }

  toggle() { if (this.sound.paused) this.sound.play(); else this.sound.pause(); }

  goTo(ms) { this.sound.currentTime = Math.min(Math.max(0, ms), this.lengthMs) / 1000; this.show(); }

  playPart({ startMs, endMs }) {
    this.untilMs = endMs;
    this.goTo(startMs);
    this.sound.play();
  }

  key(event) {
    if (event.target.matches("select, button, input") && event.key === " ") return;
    const by = { ArrowLeft: -STEP_S, ArrowRight: STEP_S }[event.key];
    if (by) { event.preventDefault(); this.goTo((this.sound.currentTime + by) * 1000); }
    if (event.key === " ") { event.preventDefault(); this.toggle(); }
  }

  show() {
    const ms = this.sound.currentTime * 1000;
    this.root.querySelector(".player-time").textContent = `${clockOf(ms)} / ${clockOf(this.lengthMs)}`;
    this.seeker.value = this.lengthMs ? (ms / this.lengthMs) * 1000 : 0;
    this.seeker.setAttribute("aria-valuetext", clockOf(ms));
    this.root.dataset.positionMs = Math.round(ms);
    this.draw();
  }

  showButton() {
    const playing = !this.sound.paused;
    this.button.querySelector("i").className = playing ? "ti ti-player-pause" : "ti ti-player-play";
    this.button.setAttribute("aria-label", playing ? texts.pause : texts.play);
    this.root.dataset.playing = playing ? "1" : "";
    if (playing) this.follow();
  }

  follow() {
    if (this.sound.paused) return;
    if (this.untilMs && this.sound.currentTime * 1000 >= this.untilMs) { this.sound.pause(); this.untilMs = 0; return; }
    this.show();
    requestAnimationFrame(() => this.follow());
  }

  fault() {
    const note = this.root.querySelector(".player-fault");
    note.textContent = texts.sound_fault;
    note.hidden = false;
  }

  draw() {
    const scale = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    if (this.canvas.width !== Math.round(width * scale)) { this.canvas.width = Math.round(width * scale); this.canvas.height = Math.round(height * scale); }
    const paint = this.canvas.getContext("2d");
    paint.setTransform(scale, 0, 0, scale, 0, 0);
    paint.clearRect(0, 0, width, height);
    const lane = height / Math.max(1, this.sides.length);
    this.sides.forEach((levels, side) => this.drawSide(paint, levels, side * lane, lane, width, SIDE_COLOURS[side]));
    this.drawMarks(paint, width, height);
    this.drawPosition(paint, width, height);
  }

  drawSide(paint, levels, top, lane, width, colour) {
    const middle = top + lane / 2;
    paint.fillStyle = colour;
    for (let x = 0; x < width; x += 2) {
      const from = Math.floor((x / width) * levels.length);
      const to = Math.max(from + 1, Math.floor(((x + 2) / width) * levels.length));
      let loudest = 0;
      for (let at = from; at < to && at < levels.length; at += 1) loudest = Math.max(loudest, levels[at]);
      const half = Math.max(0.5, Math.sqrt(loudest / 255) * (lane / 2 - 3));
      paint.fillRect(x, middle - half, 1.4, half * 2);
    }
  }

  drawMarks(paint, width, height) {
    if (!this.lengthMs) return;
    for (const [ms, , kind] of this.marks) {
      const x = Math.round((ms / this.lengthMs) * width);
      paint.fillStyle = MARK_COLOURS[kind] || "#f08c00";
      paint.fillRect(x, 0, 1.5, height);
      paint.beginPath();
      paint.arc(x + 0.75, height / 2, 4, 0, 2 * Math.PI);
      paint.fill();
    }
  }

  drawPosition(paint, width, height) {
    if (!this.lengthMs) return;
    paint.fillStyle = "#c92a2a";
    paint.fillRect((this.sound.currentTime * 1000 / this.lengthMs) * width - 1, 0, 2, height);
  }
}

for (const root of document.querySelectorAll(".player")) new Player(root);
