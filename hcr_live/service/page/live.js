// The loop of the live picture: camera -> server -> stage.
//
// The stage shows each frame together with what was seen in that very frame, so that boxes and
// trail never trail behind. Where answers take too long for that, it shows the newest frame of the
// camera with the newest answer: a picture that lags is worse than boxes that do.

import { drawCaption, drawView } from "./overlay.js";

const IN_FLIGHT = 2; // pictures on their way: the server reads one while the next one travels
const PIXELS = 640 * 480; // of the picture sent
const QUALITY = 0.85;
const NARROWEST = 640; // of the stage, in pixels
const WIDEST = 1280;
const TOGETHER = 0.25; // seconds from a frame to its answer, up to which they are shown together
const STALE = 1.0; // seconds after which an answer says nothing about the newest frame
const HAS_CALLBACK = "requestVideoFrameCallback" in HTMLVideoElement.prototype;

export class Live {
  #video;
  #stage;
  #context;
  #connection;
  #sketch = new Sketch();
  #spare = [];
  #waiting = new Map(); // number of a picture sent -> {canvas, taken}
  #encoding = false;
  #view = null;
  #viewed = 0; // when the newest answer came
  #shown = 0; // when the frame on the stage was taken
  #drawn = 0; // when the stage was drawn last
  #delay = 0; // seconds from a frame to its answer, smoothed
  #rate = 0; // answers a second, smoothed
  #callback = 0;
  #round = 0;

  /** How the stage looks: mirrored or not, with `caption` {text, hint} while it is recorded. */
  mirror = true;
  caption = null;

  constructor(video, stage, connection) {
    this.#video = video;
    this.#stage = stage;
    this.#context = stage.getContext("2d", { alpha: false });
    this.#connection = connection;
  }

  get view() {
    return this.#view;
  }

  /** Answers a second, and seconds from a frame to its answer. */
  get figures() {
    return { rate: this.#rate, delay: this.#delay };
  }

  start() {
    this.stop();
    this.#fit();
    this.#next();
  }

  stop() {
    if (HAS_CALLBACK) this.#video.cancelVideoFrameCallback(this.#callback);
    else cancelAnimationFrame(this.#callback);
    this.forget();
    this.#view = null;
  }

  /** What is on its way will not be answered: the connection is another one. */
  forget() {
    this.#round += 1;
    for (const { canvas } of this.#waiting.values()) this.#spare.push(canvas);
    this.#waiting.clear();
    this.#rate = this.#delay = 0;
  }

  /** A picture sent will get no view, since it could not be read. */
  answered(number) {
    this.#take(number);
  }

  /** A view event came. */
  show(view) {
    const frame = this.#take(view.frame);
    const now = performance.now();
    if (frame) {
      const delay = (now - frame.taken) / 1000;
      this.#delay = this.#delay ? 0.9 * this.#delay + 0.1 * delay : delay;
    }
    if (this.#view) this.#rate = 0.9 * this.#rate + 0.1 * Math.min(60, 1000 / Math.max(1, now - this.#viewed));
    this.#view = view;
    this.#viewed = now;
    if (frame && this.#together && frame.taken >= this.#shown) this.#draw(frame.canvas, frame.taken);
    else this.#draw(this.#video, now);
    if (frame) this.#spare.push(frame.canvas);
  }

  get #together() {
    return this.#connection.isOpen && this.#delay < TOGETHER;
  }

  #take(number) {
    const frame = this.#waiting.get(number);
    for (const [other, { canvas }] of this.#waiting) {
      if (other > number) continue;
      this.#waiting.delete(other);
      if (other !== number) this.#spare.push(canvas); // dropped on its way
    }
    return frame;
  }

  #next() {
    const step = (now, metadata) => {
      this.#next();
      this.#step(metadata?.captureTime ?? now);
    };
    this.#callback = HAS_CALLBACK ? this.#video.requestVideoFrameCallback(step) : requestAnimationFrame(step);
  }

  /** A new frame of the camera, taken at `taken` in milliseconds. */
  #step(taken) {
    if (this.#video.videoWidth === 0) return;
    this.#connection.check();
    const now = performance.now();
    const idle = now - this.#drawn > 1000 * TOGETHER;
    if (!this.#together || idle || !this.#view) this.#draw(this.#video, now);
    if (this.#connection.isOpen && !this.#connection.isFull && !this.#encoding && this.#waiting.size < IN_FLIGHT) {
      this.#send(taken, now);
    }
  }

  async #send(taken, now) {
    this.#fit();
    const round = this.#round;
    const canvas = this.#spare.pop() ?? document.createElement("canvas");
    if (canvas.width !== this.#stage.width || canvas.height !== this.#stage.height) {
      [canvas.width, canvas.height] = [this.#stage.width, this.#stage.height];
    }
    canvas.getContext("2d", { alpha: false }).drawImage(this.#video, 0, 0, canvas.width, canvas.height);
    this.#encoding = true;
    const picture = await this.#sketch.encode(canvas).catch(() => null);
    this.#encoding = false;
    if (!picture || round !== this.#round || !this.#connection.isOpen) this.#spare.push(canvas);
    else this.#waiting.set(this.#connection.sendPicture(picture, taken / 1000), { canvas, taken: now });
  }

  /** Give the stage the camera's shape, no finer than it is shown. A recording keeps its size. */
  #fit() {
    const { videoWidth, videoHeight } = this.#video;
    if (!videoWidth || this.caption) return;
    const shown = this.#stage.clientWidth * devicePixelRatio;
    const width = 2 * Math.round(Math.min(WIDEST, Math.max(NARROWEST, shown)) / 2);
    const height = 2 * Math.round((width * videoHeight) / videoWidth / 2);
    if (this.#stage.width !== width || this.#stage.height !== height) {
      [this.#stage.width, this.#stage.height] = [width, height];
    }
  }

  #draw(picture, taken) {
    const { width, height } = this.#stage;
    const context = this.#context;
    context.save();
    if (this.mirror) {
      context.translate(width, 0);
      context.scale(-1, 1);
    }
    context.drawImage(picture, 0, 0, width, height);
    context.restore();
    // A stage that is fitted into its place shows fewer pixels of the page than it is wide.
    const unit = Math.max(width / this.#stage.clientWidth, height / this.#stage.clientHeight) || 1;
    const now = performance.now();
    if (this.#view && now - this.#viewed < 1000 * STALE) drawView(context, this.#view, { mirror: this.mirror, unit });
    if (this.caption) drawCaption(context, this.caption.text, this.caption.hint, unit);
    this.#shown = taken;
    this.#drawn = now;
  }
}

/** Makes the pictures that are sent: small, as JPEG. */
class Sketch {
  #worker = null;
  #canvas = null;

  constructor() {
    if (typeof OffscreenCanvas === "function") {
      this.#worker = new Worker(new URL("encoder.js", import.meta.url));
    } else {
      this.#canvas = document.createElement("canvas");
    }
  }

  /** One at a time. */
  async encode(picture) {
    const scale = Math.min(1, Math.sqrt(PIXELS / (picture.width * picture.height)));
    const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
    if (!this.#worker) {
      [this.#canvas.width, this.#canvas.height] = [width, height];
      this.#canvas.getContext("2d", { alpha: false }).drawImage(picture, 0, 0, width, height);
      return new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", QUALITY));
    }
    const options = { resizeWidth: width, resizeHeight: height, resizeQuality: "medium" };
    const frame = await createImageBitmap(picture, options);
    return new Promise((resolve) => {
      this.#worker.onmessage = ({ data }) => resolve(data);
      this.#worker.postMessage({ frame, quality: QUALITY }, [frame]);
    });
  }
}
