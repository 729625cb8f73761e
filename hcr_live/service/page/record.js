// The stage, picture and overlay together, as a video file.

// MP4 plays on every phone it is sent to; VP8 is the lightest of the others.
const FORMATS = ["video/mp4;codecs=avc1.42E01F", "video/webm;codecs=vp8", "video/webm", "video/mp4"];
const LONGEST = 10 * 60; // seconds: it is kept in memory until it is saved

export class Recording {
  #recorder;
  #parts = [];
  #began = performance.now();

  static get isPossible() {
    return typeof MediaRecorder === "function" && "captureStream" in HTMLCanvasElement.prototype;
  }

  /** @param {HTMLCanvasElement} canvas @param {(file: File) => void} onFile once it has ended */
  constructor(canvas, onFile) {
    const format = FORMATS.find((type) => MediaRecorder.isTypeSupported(type));
    const stream = canvas.captureStream(30);
    this.#recorder = new MediaRecorder(stream, { mimeType: format, videoBitsPerSecond: 4_000_000 });
    this.#recorder.ondataavailable = ({ data }) => data.size && this.#parts.push(data);
    this.#recorder.onstop = () => {
      for (const track of stream.getTracks()) track.stop();
      const type = this.#recorder.mimeType.split(";")[0];
      const ending = type === "video/mp4" ? "mp4" : "webm";
      const when = new Date(Date.now() - 60_000 * new Date().getTimezoneOffset()).toISOString();
      const name = `hcr-live-${when.slice(0, 19).replace("T", "-").replaceAll(":", "")}.${ending}`;
      onFile(new File(this.#parts, name, { type }));
    };
    this.#recorder.start(1000);
  }

  get seconds() {
    return (performance.now() - this.#began) / 1000;
  }

  get isTooLong() {
    return this.seconds > LONGEST;
  }

  stop() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }
}
