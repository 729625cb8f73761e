// What to do where the browser gives no camera.

const BROWSERS = [
  ["iOS", "Safari on iPhone or iPad", "Tap the button at the left of the address, then Website Settings (or the three dots), and set Camera to Allow. If it is not offered: Settings, Apps, Safari, Camera."],
  ["Android", "Chrome on Android", "Tap the icon at the left of the address, then Permissions, Camera, Allow. If it stays off: the phone's Settings, Apps, Chrome, Permissions, Camera."],
  ["Firefox", "Firefox", "Click the crossed-out camera at the left of the address and remove the block with the ×. On Android: the lock, then Camera."],
  ["Safari", "Safari on a Mac", "In the menu bar choose Safari, Settings for This Website, and set Camera to Allow."],
  ["Chrome", "Chrome, Edge and other Chromium browsers", "Click the icon at the left of the address and switch Camera on."],
];

const PROBLEMS = {
  NotAllowedError: ["The browser keeps the camera off", "It was told to, by you just now or by a setting. This page can't ask again by itself:"],
  NotFoundError: ["No camera was found", "Connect one, or switch on the one that is there (some laptops have a key or a slide for it), then try again."],
  NotReadableError: ["The camera is in use", "Another program or another tab has it, or the system doesn't hand it out. Close that, then try again."],
  InsecureContext: ["The camera needs a safe address", "Browsers give the camera only to pages on https:// or on localhost, and this page came another way:"],
  Ended: ["The camera has gone", "It was unplugged, or the system took it back."],
};
const OTHER = ["The camera can't be used", "The browser says:"];

/** Which of BROWSERS this is, by what it calls itself. */
export function browserName(agent) {
  if (/iPhone|iPad/.test(agent)) return "iOS";
  if (/Firefox/.test(agent)) return "Firefox";
  if (/Android/.test(agent)) return "Android";
  return /Safari/.test(agent) && !/Chrom/.test(agent) ? "Safari" : "Chrome";
}

const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });

/** Fill the help for an error of getUserMedia. */
export function fillHelp({ name, message }) {
  const [title, reason] = PROBLEMS[name === "SecurityError" ? "NotAllowedError" : name] ?? OTHER;
  const refused = title === PROBLEMS.NotAllowedError[0];
  const mine = browserName(navigator.userAgent);
  const steps = [];
  if (refused) {
    steps.push(BROWSERS.find(([key]) => key === mine)[2], "Then press Try again, or reload the page.");
  } else if (name === "InsecureContext") {
    const local = `http://localhost${location.port ? `:${location.port}` : ""}`;
    steps.push(`On the computer that runs the server, open ${local}.`);
    steps.push("From another device, let the server be reached over https: docs/deploy.md of the program says how.");
  }
  const get = (id) => document.getElementById(id);
  get("help-title").textContent = title;
  get("help-reason").textContent = PROBLEMS[name] || refused ? reason : `${reason} ${message || name}`;
  get("help-steps").replaceChildren(...steps.map((step) => element("li", step)));
  get("help-others").hidden = !refused;
  const others = BROWSERS.filter(([key]) => key !== mine);
  get("help-others").querySelector("dl").replaceChildren(
    ...others.flatMap(([, browser, step]) => [element("dt", browser), element("dd", step)]),
  );
}
