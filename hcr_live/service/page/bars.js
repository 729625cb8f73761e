// Candidates as bars.

const percent = (share) => `${Math.round(100 * share)} %`;

/**
 * Show candidates, best first.
 * @param {HTMLElement} list
 * @param {[string, number][]} candidates label and share in [0, 1]
 * @param {(label: string) => void} [choose] makes each a button
 * @param {string} [none] shown where there are no candidates
 */
export function showBars(list, candidates, choose, none = "") {
  const rows = candidates.map(([label, share]) => {
    const name = document.createElement("b");
    name.textContent = label;
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = share;
    bar.setAttribute("aria-hidden", "true");
    const number = document.createElement("span");
    number.className = "share";
    number.textContent = percent(share);
    const row = document.createElement("li");
    if (!choose) {
      row.append(name, bar, number);
      return row;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `Add ${label}, ${percent(share)}`);
    button.append(name, bar, number);
    button.addEventListener("click", () => choose(label));
    row.append(button);
    return row;
  });
  if (!rows.length && none) {
    const row = document.createElement("li");
    row.className = "none";
    row.textContent = none;
    rows.push(row);
  }
  list.replaceChildren(...rows);
}
