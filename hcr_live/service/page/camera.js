// The camera: opened, switched, closed.

const isTouch = () => matchMedia("(pointer: coarse)").matches;

export class Camera {
  #video;
  #stream = null;
  #facing = "user";
  #device = "";
  #onEnd;

  /** @param {HTMLVideoElement} video @param {() => void} onEnd the camera went away by itself */
  constructor(video, onEnd) {
    this.#video = video;
    this.#onEnd = onEnd;
  }

  get isOpen() {
    return this.#stream !== null;
  }

  /** Whether the camera faces whoever looks at the screen; it is assumed unless it says otherwise. */
  get facesUser() {
    return this.#stream?.getVideoTracks()[0].getSettings().facingMode !== "environment";
  }

  get name() {
    return this.#stream?.getVideoTracks()[0].label || "camera";
  }

  /** Rejects with the browser's error, or one named InsecureContext. */
  async open() {
    this.close();
    if (!navigator.mediaDevices?.getUserMedia) {
      const error = new Error("no camera here");
      error.name = isSecureContext ? "NotSupported" : "InsecureContext";
      throw error;
    }
    const which = this.#device ? { deviceId: { ideal: this.#device } } : { facingMode: { ideal: this.#facing } };
    // On a phone 4:3 leaves more of the height to the text.
    const size = isTouch() ? { width: { ideal: 960 }, height: { ideal: 720 } } : { width: { ideal: 1280 }, height: { ideal: 720 } };
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { ...which, ...size, frameRate: { ideal: 30, max: 30 } },
    });
    this.#stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (this.#stream !== stream) return;
      this.close();
      this.#onEnd();
    });
    this.#video.srcObject = stream;
    await this.#video.play();
  }

  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }

  /** How many cameras there are. */
  async count() {
    return (await this.#list()).length;
  }

  /** Go on to the other side of a phone, or to the next camera of a desk. */
  async switch() {
    if (isTouch()) {
      this.#facing = this.facesUser ? "environment" : "user";
    } else {
      const cameras = await this.#list();
      const now = this.#stream?.getVideoTracks()[0].getSettings().deviceId;
      const index = cameras.findIndex((camera) => camera.deviceId === now);
      this.#device = cameras[(index + 1) % cameras.length]?.deviceId ?? "";
    }
    await this.open();
  }

  async #list() {
    return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
  }
}
