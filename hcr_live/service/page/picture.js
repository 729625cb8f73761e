// The panel of still pictures: chosen, dropped or pasted, read, shown with boxes.

import { drawReading, SURE } from "./overlay.js";
import { ask } from "./server.js";

const LARGEST = 2560; // pixels of the longer side that are sent
const SENT_AS_THEY_ARE = ["image/jpeg", "image/png", "image/webp"];

export class PicturePanel {
  #get = (id) => document.getElementById(id);
  #canvas = this.#get("still");
  #picture = null;
  #sent = null;
  #reading = null;
  #chosen = null;
  #question = null;
  #written = null;
  #app;

  /** @param app {text, alphabet(), showLatest(prediction), changed(), announcer, open()} */
  constructor(app) {
    this.#app = app;
    const file = this.#get("file");
    file.addEventListener("change", () => {
      if (file.files[0]) this.read(file.files[0]);
      file.value = "";
    });
    const drop = this.#get("drop");
    for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
      addEventListener(name, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        drop.classList.toggle("over-it", name === "dragenter" || name === "dragover");
        const dropped = name === "drop" && event.dataTransfer.files[0];
        if (dropped) this.read(dropped);
      });
    }
    addEventListener("paste", (event) => {
      const pasted = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
      if (pasted) this.read(pasted);
    });
    new ResizeObserver(() => this.#draw()).observe(drop);
  }

  /** Read a picture file and write its text. */
  async read(file) {
    this.#app.open();
    this.#written = null;
    let sent = file;
    let picture = null;
    try {
      picture = await createImageBitmap(file);
      [picture, sent] = await this.#prepare(picture, file);
    } catch {
      // A format that only the server may know: its text is read all the same.
    }
    this.#picture = picture;
    await this.#ask(sent);
  }

  /** Read the same picture again, with another alphabet. */
  async readAgain() {
    if (this.#sent) await this.#ask(this.#sent);
  }

  /** Photos are sent no larger than they have to be. */
  async #prepare(picture, file) {
    const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
    if (scale === 1 && SENT_AS_THEY_ARE.includes(file.type)) return [picture, file];
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const context = canvas.getContext("2d", { alpha: false });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const sent = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
    return [canvas, sent];
  }

  async #ask(sent) {
    this.#sent = sent;
    this.#reading = this.#chosen = null;
    this.#show();
    this.#say("");
    this.#get("busy").hidden = false;
    this.#question?.abort();
    const question = new AbortController();
    this.#question = question;
    const form = new FormData();
    form.append("image", sent, "picture");
    form.append("alphabet", this.#app.alphabet());
    try {
      this.#reading = await ask("v1/read", form, question.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#say(error.message, true);
    }
    this.#get("busy").hidden = true;
    this.#show();
    if (this.#reading) this.#write();
  }

  #write() {
    const { text, characters, joined } = this.#reading;
    if (text) {
      this.#written = (this.#written && this.#app.text.replace(this.#written, text)) ?? this.#app.text.add(text, true);
      this.#app.changed();
      this.#say(`${characters.length} ${characters.length === 1 ? "character" : "characters"} read and added to the text.`);
      this.#choose([...characters].sort((one, other) => one.confidence - other.confidence)[0]);
    } else {
      this.#say(joined.length ? "Joined writing is not read: write the letters apart." : "No writing was found on this picture.");
    }
  }

  #say(sentence, wrong = false) {
    const said = this.#get("picture-said");
    said.textContent = sentence;
    said.classList.toggle("wrong", wrong);
    if (sentence) this.#app.announcer.say(sentence);
  }

  #choose(character) {
    this.#chosen = character;
    this.#app.showLatest(character);
    for (const button of this.#get("letters").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.character === character));
    }
    this.#draw();
  }

  #show() {
    const hasPicture = Boolean(this.#picture);
    this.#canvas.hidden = !hasPicture;
    this.#get("ask").hidden = hasPicture;
    this.#get("drop").classList.toggle("full", hasPicture);
    const rows = (this.#reading?.characters ?? []).map((character) => {
      const row = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.character = character;
      button.textContent = character.text;
      button.className = character.confidence < SURE ? "unsure" : "";
      button.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-label", `${character.text}, ${Math.round(100 * character.confidence)} %`);
      button.addEventListener("click", () => this.#choose(character));
      row.append(button);
      return row;
    });
    this.#get("letters").replaceChildren(...rows);
    this.#draw();
  }

  #draw() {
    if (!this.#picture) return;
    const { width, height } = this.#picture;
    // Small crops are enlarged, so that the letters on them can be read.
    const scale = Math.max(1, Math.ceil(480 / width));
    if (this.#canvas.width !== width * scale || this.#canvas.height !== height * scale) {
      [this.#canvas.width, this.#canvas.height] = [width * scale, height * scale];
    }
    const context = this.#canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.drawImage(this.#picture, 0, 0, this.#canvas.width, this.#canvas.height);
    if (!this.#reading) return;
    const unit = Math.max(this.#canvas.width / this.#canvas.clientWidth, this.#canvas.height / this.#canvas.clientHeight);
    const scaled = (box) => box.map((value) => value * scale);
    const enlarged = new Map(this.#reading.characters.map((one) => [one, { ...one, box: scaled(one.box) }]));
    const reading = { joined: this.#reading.joined.map(scaled), characters: [...enlarged.values()] };
    drawReading(context, reading, enlarged.get(this.#chosen) ?? null, Number.isFinite(unit) ? unit : 1);
  }
}
