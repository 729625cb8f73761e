// What a screen reader is told: only what has stayed the same for a moment, and never twice.

const CALM = 1500; // milliseconds without a change until something is said

export class Announcer {
  #element;
  #waiting = new Map(); // topic -> timer
  #said = new Map(); // topic -> what was said last

  constructor(element) {
    this.#element = element;
  }

  /** Say something at once. */
  say(sentence) {
    // The same sentence twice in a row is a change too.
    this.#element.textContent = this.#element.textContent === sentence ? `${sentence} ` : sentence;
  }

  /** Say it once it has not changed for a moment; "" takes back what is still to be said. */
  settle(topic, sentence, calm = CALM) {
    clearTimeout(this.#waiting.get(topic)?.timer);
    if (!sentence || sentence === this.#said.get(topic)) {
      this.#waiting.delete(topic);
      return;
    }
    const tell = () => {
      this.#said.set(topic, sentence);
      this.say(sentence);
    };
    this.#waiting.set(topic, { timer: setTimeout(tell, calm) });
  }
}
