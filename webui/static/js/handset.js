// A telephone in the browser: dials, talks and presses keys over one web socket. Without a microphone it still listens and presses keys.
import { texts, clockOf } from "./page.js";

const MUTED_BEFORE_KEY_MS = 150;   // what the microphone said before must be through
const KEY_SHOWN_MS = 2000;          // then a dot: it may be of a password
const KEYS_SHOWN = 24;
const OVER = ["busy", "no_answer", "ended"];
const root = document.getElementById("handset");

class Telephone {
  constructor() {
    this.find();
    this.line = null;
    this.talkingSince = 0;
    this.keysUnderWay = 0;
    this.call.addEventListener("click", () => this.press());
    this.hangUp.addEventListener("click", () => this.end());
    this.flash.addEventListener("click", () => this.send({ do: "flash" }));
    this.who.addEventListener("change", () => this.showWho());
    for (const key of root.querySelectorAll(".pad-key")) key.addEventListener("click", () => this.key(key.dataset.key));
    document.addEventListener("keydown", (event) => this.keyboard(event));
    window.addEventListener("pagehide", () => this.end());
    setInterval(() => this.tick(), 500);
    this.showWho();
  }

  find() {
    for (const name of ["call", "hang-up", "flash", "who", "number", "caller", "state", "time", "keys", "note", "call-text"]) {
      this[name.replace(/-(.)/, (_, letter) => letter.toUpperCase())] = document.getElementById(`handset-${name}`);
    }
    this.micMeter = document.getElementById("meter-mic");
    this.earMeter = document.getElementById("meter-ear");
  }

  get asSet() { return this.who.value !== ""; }

  showWho() {
    for (const field of root.querySelectorAll(".outside-only")) field.hidden = this.asSet;
    this.flash.hidden = !this.asSet;
    this.callText.textContent = this.asSet ? texts.handset_connect : texts.handset_call;
  }

  // The green button: dial, or take the set over, or pick it up.
  press() {
    if (this.line) this.send({ do: "pick_up" });
    else this.dial();
  }

  async dial() {
    if (!this.asSet && !this.number.value.trim()) { this.warn(texts.handset_no_number); this.number.focus(); return; }
    this.warn("");
    this.keys.textContent = "";
    this.show("dialling");
    await this.openSound();
    const address = new URL(root.dataset.line, window.location.href);
    address.protocol = address.protocol.replace("http", "ws");
    this.keysUnderWay = 0;
    this.line = new WebSocket(address);
    this.line.binaryType = "arraybuffer";
    this.line.onopen = () => this.send(this.asSet
      ? { do: "set", channel: Number(this.who.value) }
      : { do: "dial", number: this.number.value.trim(), caller: this.caller.value.trim() });
    this.line.onmessage = (event) => this.told(event.data);
    this.line.onclose = () => this.closed();
    this.buttons();
  }

  told(message) {
    if (typeof message !== "string") { this.play(message); return; }
    const told = JSON.parse(message);
    if (told.fault) this.warn(this.faultOf(told));
    if (told.keys_sent) { this.keysUnderWay = Math.max(0, this.keysUnderWay - 1); this.muteForKeys(); }
    if (told.state && told.state !== "gone") this.show(told.state, told.detail);
  }

  faultOf(told) {
    const known = JSON.parse(document.getElementById("handset-faults").textContent)[told.fault];
    return known ? `${known} (${told.fault}: ${told.what})` : `${told.what} (${told.fault}). ${told.remedy}`;
  }

  closed() {
    this.line = null;
    this.closeSound();
    if (["dialling", "ringing", "talking"].includes(root.dataset.state)) this.show("ended");
    this.buttons();
  }

  // A set goes on the hook and stays taken over; an outside telephone goes away.
  end() {
    if (!this.line) return;
    this.send({ do: "hang_up" });
    if (this.asSet && root.dataset.state !== "idle") return;
    this.line.close();
  }

  key(key) {
    if (this.line) { this.sendKey(key); this.showKey(key); }
    else if (!this.asSet) this.number.value += key;
  }

  showKey(key) {
    const shown = document.createElement("span");
    shown.textContent = key;
    this.keys.append(shown);
    if (this.keys.childElementCount > KEYS_SHOWN) this.keys.firstElementChild.remove();
    setTimeout(() => { shown.textContent = "•"; }, KEY_SHOWN_MS);
  }

  // As a real telephone does, the microphone is off while a key sounds: speech over a tone hides it.
  sendKey(key) {
    this.keysUnderWay += 1;
    this.muteForKeys();
    setTimeout(() => this.send({ do: "keys", keys: key }), MUTED_BEFORE_KEY_MS);
  }

  muteForKeys() { if (this.worklet) this.worklet.port.postMessage({ muted: this.keysUnderWay > 0 }); }

  keyboard(event) {
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9*#]$/.test(event.key)) { event.preventDefault(); this.key(event.key); }
  }

  send(wish) { if (this.line && this.line.readyState === WebSocket.OPEN) this.line.send(JSON.stringify(wish)); }

  show(state, detail = "") {
    root.dataset.state = state;
    if (state === "talking" && !this.talkingSince) this.talkingSince = Date.now();
    if (state !== "talking") this.talkingSince = 0;
    const text = this.asSet && texts[`handset_set_${state}`] ? texts[`handset_set_${state}`] : texts[`handset_${state}`] || state;
    this.state.textContent = detail && OVER.includes(state) ? `${text} (${detail})` : text;
    this.buttons();
  }

  buttons() {
    const state = root.dataset.state;
    const inUse = Boolean(this.line);
    this.call.disabled = inUse && !(this.asSet && ["idle", "ringing"].includes(state));
    this.hangUp.disabled = !inUse;
    this.flash.disabled = !inUse || state !== "talking";
    this.who.disabled = inUse;
    this.callText.textContent = inUse && this.asSet ? texts.handset_pick_up : this.asSet ? texts.handset_connect : texts.handset_call;
  }

  warn(text) { this.note.textContent = text; this.note.hidden = !text; }

  tick() { this.time.textContent = this.talkingSince ? clockOf(Date.now() - this.talkingSince) : ""; }

  // Sound: through the browser's audio thread where the page may use it; else by queued buffers, to listen only.
  async openSound() {
    this.sound = new AudioContext();
    await this.sound.resume();
    if (!this.sound.audioWorklet) { this.warn(texts.handset_insecure); this.playFrom = 0; return; }
    await this.sound.audioWorklet.addModule(root.dataset.worklet);
    this.worklet = new AudioWorkletNode(this.sound, "handset", { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1] });
    this.worklet.port.onmessage = (event) => this.fromWorklet(event.data);
    this.worklet.connect(this.sound.destination);
    await this.openMicrophone();
  }

  async openMicrophone() {
    try {
      this.microphone = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: false, autoGainControl: false } });
      this.sound.createMediaStreamSource(this.microphone).connect(this.worklet);
    } catch {
      this.warn(texts.handset_no_microphone);
    }
  }

  fromWorklet(message) {
    if (message.samples && this.line && this.line.readyState === WebSocket.OPEN) this.line.send(message.samples);
    if (message.levels) { this.micMeter.value = Math.sqrt(message.levels.mic); this.earMeter.value = Math.sqrt(message.levels.ear); }
  }

  play(samples) {
    if (this.worklet) { this.worklet.port.postMessage(samples, [samples]); return; }
    if (this.sound) this.playPlainly(new Uint8Array(samples));
  }

  playPlainly(codes) {
    const buffer = this.sound.createBuffer(1, codes.length, 8000);
    const pcm = buffer.getChannelData(0);
    let loudest = 0;
    codes.forEach((code, at) => { pcm[at] = fromALaw(code); loudest = Math.max(loudest, Math.abs(pcm[at])); });
    const source = this.sound.createBufferSource();
    source.buffer = buffer;
    source.connect(this.sound.destination);
    const now = this.sound.currentTime;
    if (this.playFrom < now || this.playFrom > now + 0.5) this.playFrom = now + 0.1;
    source.start(this.playFrom);
    this.playFrom += buffer.duration;
    this.earMeter.value = Math.sqrt(loudest);
  }

  closeSound() {
    if (this.microphone) for (const track of this.microphone.getTracks()) track.stop();
    if (this.sound) this.sound.close();
    this.sound = this.worklet = this.microphone = null;
    this.micMeter.value = this.earMeter.value = 0;
  }
}

function fromALaw(code) {
  const flipped = code ^ 0x55;
  const segment = (flipped >> 4) & 7;
  const interval = flipped & 15;
  const size = segment ? ((interval << 4) + 0x108) << (segment - 1) : (interval << 4) + 8;
  return ((flipped & 0x80) ? size : -size) / 32768;
}

if (root) new Telephone();
