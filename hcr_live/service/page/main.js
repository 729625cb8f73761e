// The page: joins camera, connection, stage, panels and text.

import { Announcer } from "./announce.js";
import { showBars } from "./bars.js";
import { Camera } from "./camera.js";
import { Connection } from "./connection.js";
import { DrawPanel } from "./draw.js";
import { fillHelp } from "./help.js";
import { Live } from "./live.js";
import { PicturePanel } from "./picture.js";
import { Recording } from "./record.js";
import { Text } from "./text.js";

const get = (id) => document.getElementById(id);
const text = new Text();
const announcer = new Announcer(get("announcer"));
const TABS = ["camera", "picture", "draw"];

const choices = {
  get mode() {
    return document.querySelector("input[name=mode]:checked").value;
  },
  get alphabet() {
    return get("alphabet").value;
  },
};

// ---- the text -----------------------------------------------------------------------------

let suggested = [];

function showText() {
  const { value } = text;
  if (get("text-value").textContent !== value) {
    get("text-value").textContent = value;
    get("text").scrollTop = get("text").scrollHeight;
    announcer.settle("text", value ? `Text: ${value}` : "The text is empty.");
  }
  for (const id of ["copy", "delete", "clear"]) get(id).disabled = !value;
  if (live.caption) live.caption.text = value;
}

function edit(action, number = 0) {
  connection.send({ type: "edit", action, ...(action === "accept" && { number }) });
}

function editText(action) {
  if (text[action]()) edit(action);
  showText();
}

async function copy() {
  const { value } = text;
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    // Without https the clipboard is closed to pages, but not to a selection.
    const range = document.createRange();
    range.selectNodeContents(get("text-value"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    if (!document.execCommand("copy")) return announcer.say("Copying failed; the text is selected.");
  }
  const label = get("copy").querySelector("span");
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = "Copy"), 1500);
  announcer.say("Text copied.");
}

function showSuggestions(words) {
  if (words.join() === suggested.join()) return;
  suggested = words;
  const rows = words.map((word, number) => {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = word;
    button.addEventListener("click", () => edit("accept", number));
    row.append(button);
    return row;
  });
  get("suggestions").replaceChildren(...rows);
}

// ---- the last character -------------------------------------------------------------------

let latest; // undefined: something else is shown

function showLatest(prediction) {
  if (JSON.stringify(prediction) === JSON.stringify(latest)) return;
  latest = prediction;
  get("latest-title").textContent = "Last character";
  get("glyph").textContent = prediction?.text ?? "";
  showBars(get("bars"), prediction?.candidates ?? [], null, "Nothing read yet.");
}

function showDrawn(candidates, choose) {
  latest = undefined;
  get("latest-title").textContent = "Your drawing";
  get("glyph").textContent = candidates[0]?.[0] ?? "";
  showBars(get("bars"), candidates, choose, "Draw one character.");
}

// ---- the live picture ---------------------------------------------------------------------

const camera = new Camera(get("video"), () => {
  stopCamera();
  showHelp({ name: "Ended" });
});
const connection = new Connection(
  () => ({ mode: choices.mode, alphabet: choices.alphabet, mirror: live.mirror }),
  {
    open() {
      get("lost").hidden = true;
      live.forget();
    },
    event: takeEvent,
    lost(why, seconds) {
      keepText(true);
      const again = seconds === null ? "" : ` Trying again ${seconds < 1.5 ? "now" : `in ${Math.round(seconds)} seconds`}; your text is kept.`;
      get("lost-text").textContent = why + again;
      get("lost").hidden = false;
      get("hint").hidden = true;
      announcer.settle("connection", `${why} Your text is kept.`, 0);
    },
  },
);
const live = new Live(get("video"), get("picture"), connection);
let recording = null;
let resumesCamera = false;
let awake = null;

function takeEvent(event) {
  if (event.event === "text" || event.event === "end") {
    text.setLive(event.text, live.view?.mode ?? "paper");
    showText();
  } else if (event.event === "error") {
    if ("frame" in event) live.answered(event.frame);
  } else if (event.event === "view") {
    live.show(event);
    text.setLive(event.text, event.mode);
    showText();
    showSuggestions(event.suggestions);
    if (event.latest) showLatest(event.latest);
    showHint(event.hint);
    showState(event);
    announcer.settle("connection", "", 0);
  }
}

/** The session has ended, what it wrote stays. */
function keepText(wasLost) {
  text.resume(wasLost);
  live.forget();
  showSuggestions([]);
  showText();
}

function showHint(hint) {
  if (get("hint").textContent !== hint) get("hint").textContent = hint;
  get("hint").hidden = !hint || Boolean(live.caption);
  if (live.caption) live.caption.hint = hint;
  if (hint !== hinted) announcer.settle("hint", hint, 4000);
  hinted = hint;
}

let hinted = "";
let stateShown = 0;

function showState(view) {
  const now = performance.now();
  if (now - stateShown < 500) return; // figures that flicker can't be read
  stateShown = now;
  const mode = document.createElement("b");
  mode.textContent = view.mode === "air" ? "Air" : "Paper";
  const { rate, delay } = live.figures;
  const parts = [mode, ` ${Math.round(rate)}/s · ${Math.round(1000 * delay)} ms`];
  if (recording) {
    const time = Math.floor(recording.seconds);
    const mark = document.createElement("span");
    mark.className = "live";
    mark.textContent = ` ● ${Math.floor(time / 60)}:${String(time % 60).padStart(2, "0")}`;
    parts.push(mark);
    if (recording.isTooLong) toggleRecording();
  }
  get("state").replaceChildren(...parts);
  get("state").hidden = false;
}

async function startCamera() {
  get("start-camera").disabled = true;
  try {
    await camera.open();
  } catch (error) {
    showHelp(error);
    return;
  } finally {
    get("start-camera").disabled = false;
  }
  get("start").hidden = get("help").hidden = true;
  get("stage").dataset.state = "on";
  get("tools").hidden = false;
  get("record").hidden = !Recording.isPossible;
  camera.count().then((count) => (get("switch-camera").hidden = count < 2));
  setMirror(camera.facesUser);
  live.start();
  connection.open();
  showHint("Waiting for the server…");
  get("picture").focus({ preventScroll: true }); // the button that had the focus is gone
  announcer.say("The camera is on.");
  awake = await navigator.wakeLock?.request("screen").catch(() => null);
}

function stopCamera() {
  const wasOn = camera.isOpen;
  recording?.stop();
  connection.close();
  camera.close();
  live.stop();
  keepText(false);
  awake?.release();
  awake = null;
  get("stage").dataset.state = "off";
  for (const id of ["tools", "state", "hint", "lost", "help"]) get(id).hidden = true;
  get("start").hidden = false;
  if (wasOn) announcer.say("The camera is off.");
}

async function switchCamera() {
  try {
    await camera.switch();
    setMirror(camera.facesUser);
    announcer.say(`Now: ${camera.name}.`);
  } catch (error) {
    stopCamera();
    showHelp(error);
  }
}

function setMirror(mirror) {
  live.mirror = mirror;
  get("mirror").setAttribute("aria-pressed", String(mirror));
  connection.send({ type: "set", mirror });
}

function showHelp(error) {
  fillHelp(error);
  get("stage").dataset.state = "help";
  get("start").hidden = true;
  get("help").hidden = false;
  get("help-title").focus();
}

function toggleRecording() {
  if (recording) {
    recording.stop();
    return;
  }
  live.caption = { text: text.value, hint: "" };
  recording = new Recording(get("picture"), (file) => {
    recording = live.caption = null;
    showRecording(false);
    save(file);
  });
  showRecording(true);
  announcer.say("Recording.");
}

function showRecording(isOn) {
  get("record").setAttribute("aria-pressed", String(isOn));
  get("record").querySelector("span").textContent = isOn ? "Stop recording" : "Record";
}

function save(file) {
  const link = get("saved-link");
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.textContent = `Save ${file.name} again`;
  get("saved").hidden = false;
  link.click();
  announcer.say(`The recording is saved as ${file.name}.`);
}

// ---- tabs ---------------------------------------------------------------------------------

function openTab(name) {
  if (get(`tab-${name}`).getAttribute("aria-selected") === "true") return;
  for (const other of TABS) {
    const tab = get(`tab-${other}`);
    tab.setAttribute("aria-selected", String(other === name));
    tab.tabIndex = other === name ? 0 : -1;
    get(`panel-${other}`).hidden = other !== name;
  }
  document.body.dataset.tab = name;
  get("modes").hidden = name !== "camera";
  // Nobody is filmed while nobody looks.
  if (name === "camera" && resumesCamera) startCamera();
  resumesCamera = name !== "camera" && camera.isOpen;
  if (resumesCamera) stopCamera();
  if (name === "draw") draw.show();
  else if (latest === undefined) showLatest(null);
}

function focusTab(name) {
  openTab(name);
  get(`tab-${name}`).focus();
}

for (const name of TABS) {
  get(`tab-${name}`).addEventListener("click", () => openTab(name));
  get(`tab-${name}`).addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -TABS.indexOf(name), End: 2 - TABS.indexOf(name) }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(name) + step + 3) % 3];
    focusTab(next);
  });
}

// ---- everything at work ---------------------------------------------------------------------

const app = { text, announcer, showLatest, showDrawn, changed: showText, alphabet: () => choices.alphabet };
const picture = new PicturePanel({ ...app, open: () => openTab("picture") });
const draw = new DrawPanel(app);

for (const [id, act] of Object.entries({
  "start-camera": startCamera,
  "try-again": startCamera,
  stop: () => {
    stopCamera();
    get("start-camera").focus();
  },
  "switch-camera": switchCamera,
  mirror: () => setMirror(!live.mirror),
  record: toggleRecording,
  "try-now": () => connection.tryNow(),
  "instead-picture": () => focusTab("picture"),
  "instead-draw": () => focusTab("draw"),
  copy,
  undo: () => editText("undo"),
  space: () => editText("space"),
  delete: () => editText("delete"),
  clear: () => editText("clear"),
})) {
  get(id).addEventListener("click", act);
}
get("modes").addEventListener("change", () => connection.send({ type: "set", mode: choices.mode }));
get("alphabet").addEventListener("change", () => {
  connection.send({ type: "set", alphabet: choices.alphabet });
  if (!get("panel-picture").hidden) picture.readAgain();
  if (!get("panel-draw").hidden) draw.readAgain();
});
document.addEventListener("visibilitychange", async () => {
  if (document.visibilityState === "visible" && camera.isOpen) {
    awake = await navigator.wakeLock?.request("screen").catch(() => null);
  }
});
// A page that the browser kept while another one was shown comes back without its connection.
addEventListener("pageshow", ({ persisted }) => persisted && stopCamera());

const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
get("privacy").textContent = isLocal
  ? "The pictures stay on this computer: it reads them itself."
  : `The pictures go to ${location.host}, which reads them in memory and keeps none.`;
showLatest(null);
showText();
