// The growing text: what the server's session wrote, and what was added here (drawn letters, the
// text of pictures, what an earlier connection had written). No document, no network.

const MOST_UNDONE = 200;

export class Text {
  #live = ""; // the text of the present connection's session
  #hidden = ""; // a beginning of it that is not shown (see `clear` and `resume`)
  #cleared = false; // hidden only until the server has cleared it
  #pieces = []; // {at, text}: added here, after `at` characters of the live text that is shown
  #joint = ""; // parts the text of two connections; null until the second one writes
  #history = []; // of what was done here; the server keeps its own
  #session = 0;

  get value() {
    const live = this.#shown;
    let value = "";
    let from = 0;
    for (const piece of this.#pieces) {
      const at = Math.min(piece.at, live.length);
      value += live.slice(from, at) + piece.text;
      from = at;
    }
    const rest = live.slice(from);
    const parted = !rest || /\s$/.test(value) || /^\s/.test(rest);
    return value + (parted ? "" : (this.#joint ?? "")) + rest;
  }

  /** The text that the server's session has by now; `mode` is "paper" or "air". */
  setLive(live, mode) {
    if (live === this.#live) return;
    this.#live = live;
    const repeats = live.startsWith(this.#hidden) || (mode === "paper" && this.#hidden.startsWith(live));
    if (this.#cleared || (live && !repeats)) this.#hidden = "";
    this.#cleared = false;
    if (this.#shown && this.#joint === null) this.#joint = mode === "paper" ? "\n" : "";
  }

  /** The connection ended: its text stays, and the next one's goes after it. */
  resume(wasLost) {
    const { value } = this;
    // A sheet that was held up all the while is read anew: that is the same text, not more of it.
    this.#hidden = wasLost ? this.#live || this.#hidden : "";
    this.#live = "";
    this.#cleared = false;
    this.#pieces = value ? [{ at: 0, text: value }] : [];
    this.#joint = value ? null : "";
    this.#session += 1;
  }

  /** Append text, on a line of its own where it is to stand apart; returns the piece. */
  add(text, apart = false) {
    this.#remember(this.#live);
    const { value } = this;
    const piece = { at: this.#shown.length, text: (apart && value && !/\s$/.test(value) ? "\n" : "") + text };
    this.#pieces = [...this.#pieces, piece];
    return piece;
  }

  /** Put other text in the place of a piece; returns the new piece, null where it is gone. */
  replace(piece, text) {
    if (!this.#pieces.includes(piece)) return null;
    this.#remember(this.#live);
    const changed = { at: piece.at, text: (piece.text.startsWith("\n") ? "\n" : "") + text };
    this.#pieces = this.#pieces.map((other) => (other === piece ? changed : other));
    return changed;
  }

  /** Append a space. This and the edits below return true where the server's session has to act. */
  space() {
    if (!this.#endsHere) return true;
    if (this.value && !/\s$/.test(this.value)) this.add(" ");
    return false;
  }

  /** Delete the last character. */
  delete() {
    if (!this.#endsHere) return true;
    const last = this.#pieces.at(-1);
    if (last) {
      this.#remember(this.#live);
      const text = [...last.text].slice(0, -1).join("");
      this.#pieces = [...this.#pieces.slice(0, -1), ...(text ? [{ at: last.at, text }] : [])];
    }
    return false;
  }

  /** Delete everything. */
  clear() {
    if (!this.value) return false;
    this.#remember("", Boolean(this.#live));
    this.#pieces = [];
    this.#joint = "";
    this.#hidden = this.#live; // until the server's answer is here
    this.#cleared = Boolean(this.#live);
    return this.#cleared;
  }

  /** Take back the last edit, of those made here and those made by the server. */
  undo() {
    const last = this.#history.at(-1);
    const isLast = last && (last.session === this.#session ? last.after === this.#live : !this.#live);
    if (!isLast) return true;
    this.#history.pop();
    if (last.session !== this.#session) {
      this.#pieces = last.value ? [{ at: 0, text: last.value }] : [];
      return false;
    }
    this.#pieces = last.pieces;
    this.#joint = last.joint;
    return last.server;
  }

  get #shown() {
    if (!this.#hidden) return this.#live;
    return this.#live.startsWith(this.#hidden) ? this.#live.slice(this.#hidden.length) : "";
  }

  get #endsHere() {
    const live = this.#shown;
    return !live || (this.#pieces.at(-1)?.at ?? -1) >= live.length;
  }

  #remember(after, server = false) {
    const entry = { pieces: this.#pieces, joint: this.#joint, value: this.value, after, server, session: this.#session };
    this.#history = [...this.#history.slice(1 - MOST_UNDONE), entry];
  }
}
