// The drawing pad: pointer strokes in, the best candidates out.

import { ask } from "./server.js";

const PAUSE = 450; // milliseconds after a stroke until it is read
const MOST = 5; // candidates shown
const THICK = 5; // of the line, in pixels of the page

export class DrawPanel {
  #get = (id) => document.getElementById(id);
  #pad = this.#get("pad");
  #strokes = [];
  #pointer = null;
  #timer = 0;
  #frame = 0;
  #question = null;
  #candidates = [];
  #app;

  /** @param app {text, alphabet(), showDrawn(candidates, choose), changed(), announcer} */
  constructor(app) {
    this.#app = app;
    const pad = this.#pad;
    pad.addEventListener("pointerdown", (event) => this.#down(event));
    pad.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) pad.addEventListener(name, (event) => this.#up(event));
    this.#get("undo-stroke").addEventListener("click", () => this.undo());
    this.#get("clear-pad").addEventListener("click", () => this.clear());
    this.#get("add").addEventListener("click", () => this.#add(this.#candidates[0][0]));
    new ResizeObserver(() => this.#draw()).observe(pad);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  get candidates() {
    return this.#candidates;
  }

  /** Show the candidates anew, and buttons for what can be done now. */
  show() {
    this.#get("ghost").hidden = this.#strokes.length > 0;
    this.#get("undo-stroke").disabled = this.#get("clear-pad").disabled = !this.#strokes.length;
    const best = this.#candidates[0]?.[0];
    this.#get("add").disabled = !best;
    this.#get("add").textContent = best ? `Add ${best}` : "Add to the text";
    this.#app.showDrawn(this.#candidates, (label) => this.#add(label));
  }

  undo() {
    this.#strokes.pop();
    this.#changed();
  }

  clear() {
    this.#strokes = [];
    this.#changed();
  }

  /** Ask once more: the alphabet is another one. */
  readAgain() {
    if (this.#strokes.length) this.#read();
  }

  #down(event) {
    if (this.#pointer !== null || event.button > 0) return;
    event.preventDefault();
    this.#pointer = event.pointerId;
    this.#pad.setPointerCapture(event.pointerId);
    clearTimeout(this.#timer);
    this.#strokes.push([this.#place(event)]);
    this.#get("ghost").hidden = true;
    this.#draw();
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const stroke = this.#strokes.at(-1);
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) {
      const point = this.#place(each);
      const [x, y] = stroke.at(-1);
      if (Math.hypot(point[0] - x, point[1] - y) >= 1) stroke.push(point);
    }
    this.#draw();
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#changed();
  }

  #place(event) {
    const { left, top } = this.#pad.getBoundingClientRect();
    return [Math.round(10 * (event.clientX - left)) / 10, Math.round(10 * (event.clientY - top)) / 10];
  }

  #changed() {
    this.#question?.abort();
    clearTimeout(this.#timer);
    this.#draw();
    if (this.#strokes.length) {
      this.#timer = setTimeout(() => this.#read(), PAUSE);
    } else {
      this.#candidates = [];
      this.#say("");
    }
    this.show();
  }

  async #read() {
    this.#question?.abort();
    this.#question = new AbortController();
    try {
      const question = { strokes: this.#strokes, alphabet: this.#app.alphabet() };
      const answer = await ask("v1/strokes", question, this.#question.signal);
      const labels = Object.entries(answer.probabilities ?? Object.fromEntries(answer.candidates));
      this.#candidates = labels.sort(([, one], [, other]) => other - one).slice(0, MOST);
      this.#say("");
      const [[label, share]] = this.#candidates;
      this.#app.announcer.settle("drawn", `Drawn: ${label}, ${Math.round(100 * share)} %`, 300);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#candidates = [];
      this.#say(error.message);
    }
    this.show();
  }

  #say(sentence) {
    this.#get("draw-said").textContent = sentence;
    this.#get("draw-said").classList.toggle("wrong", Boolean(sentence));
    if (sentence) this.#app.announcer.say(sentence);
  }

  #add(label) {
    this.#app.text.add(label);
    this.#app.changed();
    this.clear();
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const pad = this.#pad;
    const fine = devicePixelRatio;
    const [width, height] = [Math.round(pad.clientWidth * fine), Math.round(pad.clientHeight * fine)];
    if (pad.width !== width || pad.height !== height) [pad.width, pad.height] = [width, height];
    const context = pad.getContext("2d", { desynchronized: true });
    context.setTransform(fine, 0, 0, fine, 0, 0);
    context.clearRect(0, 0, width, height);
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = getComputedStyle(pad).color;
    context.lineWidth = THICK;
    for (const stroke of this.#strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
      context.stroke();
    }
  }
}
