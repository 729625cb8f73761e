// The server's addresses, its token, and single questions to it.

/** An address of the service, which may stand below a path of its host. */
export const address = (path) => new URL(path, document.baseURI.split("#")[0]);

const KEY = "hcr-live-token";
let token = fromAddress() ?? sessionStorage.getItem(KEY) ?? "";
let asking = null;

export const currentToken = () => token;

/** The token after # is kept for this tab and taken out of the address, which others may see. */
function fromAddress() {
  const given = decodeURIComponent(location.hash.slice(1)).replace(/^token=/, "");
  if (!given || document.getElementById(given)) return null;
  sessionStorage.setItem(KEY, given);
  history.replaceState(null, "", location.pathname + location.search);
  return given;
}

/** Ask for the token; resolves to whether one was given. */
export function askToken() {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("ask-token");
    const field = document.getElementById("token");
    if (token) document.getElementById("token-reason").textContent = "That token was not the right one.";
    field.value = "";
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      asking = null;
      const given = dialog.returnValue === "use" ? field.value.trim() : "";
      if (given) {
        token = given;
        sessionStorage.setItem(KEY, token);
      }
      resolve(Boolean(given));
    }, { once: true });
    document.getElementById("token-cancel").onclick = () => dialog.close("");
    dialog.showModal();
  });
  return asking;
}

/**
 * Ask the server one question.
 * @param {string} path such as "v1/read"
 * @param {FormData | object} question an object goes as JSON
 * @returns {Promise<object>} rejects with an Error whose message is one sentence
 */
export async function ask(path, question, signal) {
  const isForm = question instanceof FormData;
  const headers = isForm ? {} : { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const body = isForm ? question : JSON.stringify(question);
  let answer;
  try {
    answer = await fetch(address(path), { method: "POST", body, headers, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached: check the connection and try again.");
  }
  if (answer.ok) return answer.json();
  if (answer.status === 401 && (await askToken())) return ask(path, question, signal);
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail || `The server answered ${answer.status}.`);
}
