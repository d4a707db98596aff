// Requests with the service's token, where it asks for one: the visitor enters it once, and it is kept until the tab closes.

const KEY = "fas-serve-token";

export async function fetchWithToken(path, options = {}) {
  for (;;) {
    const token = sessionStorage.getItem(KEY);
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const response = await fetch(path, { ...options, headers });
    if (response.status !== 401) return response;
    if (sessionStorage.getItem(KEY) === token) sessionStorage.setItem(KEY, await askForToken(token !== null));
  }
}

function askForToken(again) {
  const dialog = document.createElement("dialog");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const button = document.createElement("button");
  label.textContent = again ? "This is not the token of the service. Access token" : "Access token of the service";
  [input.type, input.id, input.autocomplete] = ["password", "token", "off"];
  [button.type, button.id, button.textContent] = ["button", "send-token", "Continue"];
  label.append(input);
  dialog.append(label, button);
  document.body.append(dialog);
  dialog.addEventListener("cancel", event => event.preventDefault()); // nothing works without the token
  dialog.showModal();
  return new Promise(resolve => {
    const finish = () => {
      if (!input.value.trim()) return;
      dialog.remove();
      resolve(input.value.trim());
    };
    button.addEventListener("click", finish);
    input.addEventListener("keydown", event => event.key === "Enter" && finish());
  });
}
