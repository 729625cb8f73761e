// One WebSocket to /v1/live that comes back by itself.

import { address, askToken, currentToken } from "./server.js";

const FIRST_WAIT = 0.5; // seconds until the first new attempt, doubled by each that fails
const LONGEST_WAIT = 15;
const PATIENCE = 20_000; // milliseconds for an answer: the first one waits for the networks

export class Connection {
  #socket = null;
  #wanted = false;
  #failures = 0;
  #timer = 0;
  #lastHeard = 0;
  #sent = 0;
  #answered = 0;
  #on;
  #options;

  /**
   * @param {() => object} options of the message "start"
   * @param {{event: (event: object) => void, open: () => void, lost: (why: string, seconds: number | null) => void}} on
   */
  constructor(options, on) {
    this.#options = options;
    this.#on = on;
    addEventListener("online", () => this.tryNow());
    addEventListener("pagehide", () => this.close());
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Whether pictures wait in the browser already, since the network is slow. */
  get isFull() {
    return this.#socket.bufferedAmount > 100_000;
  }

  open() {
    this.#wanted = true;
    this.#connect();
  }

  /** Ask for what is still to come, then end. */
  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    if (this.isOpen) this.send({ type: "end" });
    this.#forget();
  }

  tryNow() {
    if (!this.#wanted || this.isOpen) return;
    this.#connect();
  }

  send(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }

  /** Send one picture, taken at `time` in seconds; returns its number. */
  sendPicture(picture, time) {
    if (this.#sent === this.#answered) this.#lastHeard = performance.now();
    this.send({ type: "frame", time });
    this.#socket.send(picture);
    return this.#sent++;
  }

  /** To be called now and then: gives up a connection that has gone silent. */
  check() {
    const silent = performance.now() - this.#lastHeard;
    if (this.isOpen && this.#sent > this.#answered && silent > PATIENCE) {
      this.#forget();
      this.#retry("The server does not answer.");
    }
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#forget();
    const url = address("v1/live");
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#sent = this.#answered = 0;
    socket.onopen = () => {
      const token = currentToken();
      socket.send(JSON.stringify({ type: "start", ...this.#options(), ...(token && { token }) }));
      this.#on.open();
    };
    socket.onmessage = (message) => {
      const event = JSON.parse(message.data);
      this.#lastHeard = performance.now();
      if ("frame" in event && (event.event === "view" || event.event === "error")) this.#answered = event.frame + 1;
      if (event.event === "view") this.#failures = 0;
      this.#on.event(event);
    };
    socket.onclose = (close) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (this.#wanted) this.#closed(close);
    };
  }

  async #closed({ code, reason }) {
    if (code === 1008 && /token/i.test(reason)) {
      if (await askToken()) this.#connect();
      else this.#on.lost("The server asks for a token.", null);
    } else if (code === 1008) {
      this.#on.lost(reason || "The server refused the connection.", null);
    } else if (code === 1013) {
      this.#retry("The server is busy.");
    } else {
      this.#retry(navigator.onLine === false ? "There is no network." : "The connection to the server is lost.");
    }
  }

  #retry(why) {
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures) * (0.75 + Math.random() / 2);
    this.#failures += 1;
    this.#on.lost(why, wait);
    this.#timer = setTimeout(() => this.#connect(), 1000 * wait);
  }

  #forget() {
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onmessage = socket.onclose = socket.onopen = null;
      socket.close();
    }
  }
}
