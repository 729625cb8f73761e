// Draws what the server saw in a frame: the answer to one view event, onto a canvas that shows the
// same frame. Everything of the event is in pixels of the unmirrored frame.

const GREEN = "#4fe08a";
const AMBER = "#ffbe3c";
const CYAN = "#50dcff";
const RED = "#ff5b52";
const GREY = "#c9d1d6";
const DARK = "rgb(0 0 0 / 65%)";
export const SURE = 0.7; // a still picture's character is shown as certain from here on
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

/**
 * Draw marks, sheet, trail and pen.
 * @param {CanvasRenderingContext2D} context
 * @param {object} view the event
 * @param {{mirror: boolean, unit: number}} look `unit`: pixels of the canvas for one of the page
 */
export function drawView(context, view, { mirror, unit }) {
  const { width, height } = context.canvas;
  const scale = width / view.width;
  const at = ([x, y]) => [mirror ? width - x * scale : x * scale, y * scale];
  const boxAt = ([x, y, w, h]) => [mirror ? width - (x + w) * scale : x * scale, y * scale, w * scale, h * scale];
  const pen = new Pen(context, unit, width, height);
  context.save();
  context.lineJoin = context.lineCap = "round";
  if (view.outline) pen.line(view.outline.map(at), CYAN, 2, true);
  if (view.guide) drawGuide(pen, boxAt(view.guide));
  for (const box of view.joined) pen.box(boxAt(box), GREY, true);
  const marks = view.marks.map((mark) => ({ ...mark, box: boxAt(mark.box) }));
  for (const mark of marks) pen.box(mark.box, mark.settled ? GREEN : AMBER, !mark.settled);
  drawLabels(pen, marks);
  for (const stroke of view.trail) pen.curve(stroke.map(at), CYAN, 5);
  if (view.tip) drawTip(pen, view, at(view.tip));
  context.restore();
}

/** Draw the boxes of a still picture's characters; `chosen` is one of them or null. */
export function drawReading(context, reading, chosen, unit) {
  const { width, height } = context.canvas;
  const pen = new Pen(context, unit, width, height);
  const marks = reading.characters.map((one) => ({ ...one, settled: one.confidence >= SURE, isChosen: one === chosen }));
  for (const box of reading.joined) pen.box(box, GREY, true);
  for (const mark of marks) pen.box(mark.box, mark.isChosen ? CYAN : mark.settled ? GREEN : AMBER, !mark.settled);
  drawLabels(pen, marks);
}

/** Draw the text and one line below it, for the recording. */
export function drawCaption(context, text, hint, unit) {
  const { width, height } = context.canvas;
  const pen = new Pen(context, unit, width, height);
  const line = text.replaceAll("\n", "  /  ");
  const size = 26;
  const top = height - (hint ? 68 : 46) * unit;
  context.save();
  context.fillStyle = "rgb(10 14 17 / 74%)";
  context.fillRect(0, top, width, height - top);
  pen.write(pen.fitEnd(line, size, width - 28 * unit), 14 * unit, top + 33 * unit, size, "#fff", 650);
  if (hint) pen.write(hint, 14 * unit, height - 12 * unit, 14, "#d5dde2", 400);
  context.restore();
}

class Pen {
  constructor(context, unit, width, height) {
    Object.assign(this, { context, unit, width, height });
  }

  /** Trace a path twice: a dark edge, then the colour, so that it shows on any picture. */
  #stroke(colour, thick) {
    const { context, unit } = this;
    context.lineWidth = (thick + 2.5) * unit;
    context.strokeStyle = DARK;
    context.stroke();
    context.lineWidth = thick * unit;
    context.strokeStyle = colour;
    context.stroke();
  }

  line(points, colour, thick, closed = false) {
    const { context } = this;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    if (closed) context.closePath();
    this.#stroke(colour, thick);
  }

  /** A round line: through the middles between the points, bent at the points. */
  curve(points, colour, thick) {
    const { context } = this;
    if (!points.length) return;
    const last = points.at(-1);
    context.beginPath();
    context.moveTo(...points[0]);
    for (let index = 1; index + 1 < points.length; index++) {
      const [x, y] = points[index];
      const [nextX, nextY] = points[index + 1];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    context.lineTo(...last);
    this.#stroke(colour, thick);
  }

  box([x, y, w, h], colour, dashed) {
    const { context, unit } = this;
    context.beginPath();
    context.roundRect(x, y, w, h, Math.min(5 * unit, w / 3, h / 3));
    context.setLineDash(dashed ? [7 * unit, 5 * unit] : []);
    this.#stroke(colour, 2);
    context.setLineDash([]);
  }

  circle([x, y], radius, colour, thick, share = 1) {
    const { context, unit } = this;
    const start = -Math.PI / 2;
    context.beginPath();
    context.arc(x, y, radius * unit, start, start + 2 * Math.PI);
    context.lineWidth = (thick + 2) * unit;
    context.strokeStyle = DARK;
    context.stroke();
    context.beginPath();
    context.arc(x, y, radius * unit, start, start + 2 * Math.PI * Math.min(1, share));
    context.lineWidth = thick * unit;
    context.strokeStyle = colour;
    context.stroke();
  }

  dot([x, y], radius, colour) {
    const { context, unit } = this;
    context.beginPath();
    context.arc(x, y, radius * unit, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
  }

  panel(x, y, w, h) {
    const { context, unit } = this;
    context.beginPath();
    context.roundRect(x, y, w, h, 5 * unit);
    context.fillStyle = "rgb(10 14 17 / 78%)";
    context.fill();
  }

  #font(size, weight) {
    this.context.font = `${weight} ${size * this.unit}px ${FONT}`;
  }

  measure(text, size, weight) {
    this.#font(size, weight);
    return this.context.measureText(text).width;
  }

  write(text, x, y, size, colour, weight) {
    this.#font(size, weight);
    this.context.fillStyle = colour;
    this.context.fillText(text, x, y);
  }

  fitEnd(text, size, width) {
    let end = text;
    while (end && this.measure(end, size, 650) > width) end = end.slice(Math.ceil(end.length / 20));
    return end === text ? text : `…${end}`;
  }
}

function drawGuide(pen, [x, y, w, h]) {
  const arm = Math.min(w, h) / 7;
  for (const [cornerX, dx] of [[x, arm], [x + w, -arm]]) {
    for (const [cornerY, dy] of [[y, arm], [y + h, -arm]]) {
      pen.line([[cornerX + dx, cornerY], [cornerX, cornerY], [cornerX, cornerY + dy]], "#fff", 2.5);
    }
  }
}

/**
 * The letter above each box with a bar of how sure it is; the number beside or below the letter,
 * for all of them alike, where all have room for it.
 */
function drawLabels(pen, marks) {
  const { unit } = pen;
  const gap = 5 * unit;
  const labels = marks.filter(({ text }) => text).map((mark) => {
    const above = headroom(mark, marks) / unit - 4;
    const size = Math.min(32, Math.max(15, Math.min((0.5 * mark.box[3]) / unit, above - 9)));
    const share = `${Math.round(100 * mark.confidence)}%`;
    return { mark, size, share, above, letter: pen.measure(mark.text, size, 700), room: roomFor(mark, marks) };
  });
  const number = pen.measure("100%", 12, 400);
  let place = "none";
  if (labels.every(({ letter, room }) => letter + number + 3 * gap <= room)) place = "beside";
  else if (labels.every(({ size, above, room }) => number + 2 * gap <= room && size + 23 <= above)) place = "below";
  for (const label of labels) drawLabel(pen, label, place, number, gap);
}

function drawLabel(pen, { mark, size, share, letter }, place, number, gap) {
  const { context, unit } = pen;
  const [x, y, , h] = mark.box;
  const colour = mark.settled ? GREEN : AMBER;
  const inner = place === "beside" ? letter + gap + number : place === "below" ? Math.max(letter, number) : letter;
  const width = inner + 2 * gap;
  const height = (size + (place === "below" ? 23 : 9)) * unit;
  const left = Math.max(0, Math.min(x, pen.width - width));
  let top = y - height - 4 * unit;
  if (top < 0) top = Math.min(y + h + 4 * unit, pen.height - height);
  const base = top + size * unit * 0.93;
  pen.panel(left, top, width, height);
  pen.write(mark.text, left + gap, base, size, colour, 700);
  if (place === "beside") pen.write(share, left + letter + 2 * gap, base, 12, "#fff", 400);
  if (place === "below") pen.write(share, left + gap, base + 14 * unit, 12, "#fff", 400);
  const bar = top + height - 5.5 * unit;
  context.fillStyle = "rgb(255 255 255 / 25%)";
  context.fillRect(left + gap, bar, inner, 3 * unit);
  context.fillStyle = colour;
  context.fillRect(left + gap, bar, inner * mark.confidence, 3 * unit);
}

/** Pixels from the left of a box to where the next one on its line begins. */
function roomFor({ box: [x, y, , h] }, all) {
  const onLine = all.map(({ box }) => box).filter(([nextX, nextY, , nextH]) => nextX > x && nextY < y + h && nextY + nextH > y);
  return Math.min(...onLine.map(([nextX]) => nextX - x)); // of none: Infinity
}

/** Pixels between a box and the one above it. */
function headroom({ box: [x, y, w] }, all) {
  const above = all.map(({ box }) => box).filter(([otherX, otherY, otherW]) => otherY < y && otherX < x + w && otherX + otherW > x);
  return Math.min(...above.map(([, otherY, , otherH]) => Math.max(0, y - otherY - otherH)));
}

/** The pen: filled while it writes; around it how much of the pause, or of a gesture, has passed. */
function drawTip(pen, view, place) {
  pen.circle(place, 9, view.pen === "down" ? GREEN : "#fff", 3);
  if (view.pen === "down") pen.dot(place, 8, GREEN);
  if (view.pause > 0) pen.circle(place, 16, AMBER, 4, view.pause);
  if (!view.coming) return;
  const { unit } = pen;
  pen.circle(place, 27, RED, 5, view.hold);
  const width = pen.measure(view.coming, 18, 700);
  const [x, y] = place;
  const left = Math.max(0, Math.min(x - width / 2, pen.width - width));
  const base = y - 42 * unit < 70 * unit ? y + 58 * unit : y - 42 * unit;
  pen.panel(left - 8 * unit, base - 20 * unit, width + 16 * unit, 28 * unit);
  pen.write(view.coming, left, base, 18, "#fff", 700);
}
