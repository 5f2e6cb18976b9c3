// Runs in the browser's audio thread: microphone to A-law at 8000 Hz in blocks of 160, and back, at whatever rate the browser works.
const RATE_HZ = 8000;
const BLOCK = 160;
const AHEAD_SAMPLES = 480;      // 60 ms wait before the first sound, against uneven arrival
const MOST_WAITING = 3200;      // over 400 ms: skip to what is new

function aLaw(sample) {
  // ITU-T G.711 table 1a
  const sign = sample < 0 ? 0 : 0x80;
  const value = Math.min(32767, Math.round(Math.abs(sample) * 32768)) >> 3;
  let segment = 0;
  for (let top = value >> 5; top; top >>= 1) segment += 1;
  const interval = segment < 2 ? (value >> 1) & 15 : (value >> segment) & 15;
  return ((sign | (segment << 4) | interval) ^ 0x55) & 0xff;
}

function linear(code) {
  const flipped = code ^ 0x55;
  const segment = (flipped >> 4) & 7;
  const interval = flipped & 15;
  const size = segment ? ((interval << 4) + 0x108) << (segment - 1) : (interval << 4) + 8;
  return ((flipped & 0x80) ? size : -size) / 32768;
}

// A low-pass of 4th order (two Butterworth sections) at 3.4 kHz: keeps what telephony carries, removes what would fold back.
class LowPass {
  constructor(rateHz) {
    this.sections = [0.5412, 1.3066].map((q) => LowPass.section(rateHz, 3400, q));
  }

  static section(rateHz, cutHz, q) {
    const w = (2 * Math.PI * cutHz) / rateHz;
    const alpha = Math.sin(w) / (2 * q);
    const a0 = 1 + alpha;
    const b1 = (1 - Math.cos(w)) / a0;
    return { b0: b1 / 2, b1, a1: (-2 * Math.cos(w)) / a0, a2: (1 - alpha) / a0, x1: 0, x2: 0, y1: 0, y2: 0 };
  }

  next(sample) {
    let value = sample;
    for (const s of this.sections) {
      const out = s.b0 * value + s.b1 * s.x1 + s.b0 * s.x2 - s.a1 * s.y1 - s.a2 * s.y2;
      s.x2 = s.x1; s.x1 = value; s.y2 = s.y1; s.y1 = out;
      value = out;
    }
    return value;
  }
}

class Handset extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = RATE_HZ / sampleRate;
    this.micFilter = new LowPass(sampleRate);
    this.earFilter = new LowPass(sampleRate);
    this.block = new Uint8Array(BLOCK);
    this.filled = 0;
    this.micPhase = 0;
    this.waiting = [];
    this.waitingSamples = 0;
    this.earPhase = 0;
    this.now = 0;
    this.next = 0;
    this.playing = false;
    this.levels = { mic: 0, ear: 0, frames: 0 };
    this.muted = false;
    this.port.onmessage = (event) => this.told(event.data);
  }

  told(message) {
    if (message instanceof ArrayBuffer) this.heard(new Uint8Array(message));
    else this.muted = message.muted;
  }

  heard(samples) {
    this.waiting.push({ samples, at: 0 });
    this.waitingSamples += samples.length;
    while (this.waitingSamples > MOST_WAITING) this.waitingSamples -= this.waiting.shift().samples.length;
  }

  take() {
    const first = this.waiting[0];
    if (!first) { this.playing = false; return 0; }
    const sample = linear(first.samples[first.at]);
    first.at += 1;
    if (first.at === first.samples.length) { this.waiting.shift(); this.waitingSamples -= first.samples.length; }
    return sample;
  }

  speak(sample) {
    const filtered = this.micFilter.next(sample);
    this.levels.mic = Math.max(this.levels.mic, Math.abs(filtered));
    this.micPhase += this.step;
    if (this.micPhase < 1) return;
    this.micPhase -= 1;
    this.block[this.filled] = aLaw(filtered);
    this.filled += 1;
    if (this.filled === BLOCK) { this.port.postMessage({ samples: this.block.slice() }); this.filled = 0; }
  }

  listen() {
    if (!this.playing) {
      if (this.waitingSamples < AHEAD_SAMPLES) return this.earFilter.next(0);
      this.playing = true;
    }
    this.earPhase += this.step;
    if (this.earPhase >= 1) { this.earPhase -= 1; this.now = this.next; this.next = this.take(); }
    const out = this.earFilter.next(this.now + (this.next - this.now) * this.earPhase);
    this.levels.ear = Math.max(this.levels.ear, Math.abs(out));
    return out;
  }

  process(inputs, outputs) {
    const mic = inputs[0] && inputs[0][0];
    const ear = outputs[0][0];
    for (let i = 0; i < ear.length; i += 1) {
      if (mic) this.speak(this.muted ? 0 : mic[i]);
      ear[i] = this.listen();
    }
    this.levels.frames += ear.length;
    if (this.levels.frames >= sampleRate / 10) {
      this.port.postMessage({ levels: { mic: this.levels.mic, ear: this.levels.ear } });
      this.levels = { mic: 0, ear: 0, frames: 0 };
    }
    return true;
  }
}

registerProcessor("handset", Handset);
