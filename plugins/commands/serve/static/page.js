// The page: photos or the webcam go to POST /v1/score, and what comes back is drawn.
import { draw, frameOf, shown } from "./draw.js";

const LEAST_INTERVAL = 200; // milliseconds between two frames of the webcam
const LARGEST_FRAME = 1280; // pixels of its longer side
const byId = id => document.getElementById(id);
const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

const tiles = new Map(); // modality -> {element, canvas, ask, input, file, picture}
let model = null;
let camera = null; // the video while the webcam is on
let latest = 0; // number of the newest request: older answers are not shown

async function start() {
  model = await (await fetch("/v1/model")).json();
  byId("model").textContent =
    `${model.file}: ${model.modalities.join(", ")}; live when score ≥ ${shown(model.threshold)} (${model.policy})`;
  model.modalities.forEach(addTile);
  const alone = model.modalities.length === 1 || (model.partial && model.modalities.includes("rgb"));
  byId("webcam").hidden = !(alone && navigator.mediaDevices);
  if (model.modalities.length > 1) {
    byId("hint").textContent = model.partial
      ? "Any of the images is enough; all of them tell more. They must show the same moment."
      : "All of the images are needed. They must show the same moment.";
  } else if (!navigator.mediaDevices) {
    byId("hint").textContent = "The webcam needs HTTPS, or this page opened on the service’s own machine.";
  }
}

function addTile(name) {
  const element = byId("tile").content.cloneNode(true).firstElementChild;
  const tile = { name, element, file: null, picture: null };
  tile.canvas = element.querySelector("canvas");
  tile.ask = element.querySelector(".ask");
  tile.input = element.querySelector("input");
  tile.input.id = `file-${name}`;
  tile.input.addEventListener("change", () => choose(tile, tile.input.files[0]));
  for (const [event, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    element.addEventListener(event, action => {
      action.preventDefault();
      element.classList.toggle("over", over);
      if (event === "drop") choose(tile, action.dataTransfer.files[0]);
    });
  }
  tiles.set(name, tile);
  byId("tiles").append(element);
  label(tile);
}

function label(tile) {
  const [first, other] = model.modalities.length > 1
    ? [`the ${tile.name} image`, `${tile.name} image`]
    : ["a photo", "photo"];
  const unseen = tile.file && tile.canvas.hidden ? `${tile.file.name}\n` : "";
  tile.ask.textContent = tile.file ? `${unseen}Another ${other}` : `Drop ${first} here\nor choose a file`;
  tile.element.classList.toggle("full", !tile.canvas.hidden);
  tile.element.querySelector("label").hidden = Boolean(camera);
}

async function choose(tile, file) {
  if (!file) return;
  stopCamera();
  tile.file = file;
  tile.picture = await createImageBitmap(file).catch(() => null); // e.g. TIFF, which browsers do not show
  draw(tile.canvas, tile.picture, null);
  label(tile);
  byId("clear").disabled = false;
  await scoreFiles();
}

async function scoreFiles() {
  const chosen = [...tiles.values()].filter(tile => tile.file);
  const missing = model.modalities.filter(name => !tiles.get(name).file);
  if (!chosen.length) return;
  if (missing.length && !model.partial) {
    say(`Now the ${missing[0]} image`);
    return;
  }
  const answer = await score(new Map(chosen.map(tile => [tile.name, tile.file])));
  if (!answer) return;
  draw(chosen[0].canvas, chosen[0].picture, answer.error ? null : answer);
  label(chosen[0]);
}

// One request; null when a newer one has been sent meanwhile.
async function score(files) {
  const number = ++latest;
  const form = new FormData();
  for (const [name, file] of files) form.append(name, file, "image");
  byId("result").ariaBusy = "true";
  const began = performance.now();
  let answer;
  let busy = false;
  try {
    const response = await fetch(`/v1/score?detect=${byId("detect").checked}`, { method: "POST", body: form });
    busy = response.status === 503;
    answer = await response.json();
  } catch {
    answer = { error: "offline", message: "The service does not answer." };
  }
  if (number !== latest) return null;
  byId("result").ariaBusy = "false";
  if (answer.error) {
    say(answer.error === "no_face" ? "No face found" : "No verdict", answer.message);
  } else {
    show(answer, performance.now() - began);
  }
  return { ...answer, busy };
}

function say(text, message = "") {
  byId("verdict").className = "";
  byId("verdict").textContent = text;
  byId("error").textContent = message;
  byId("scale").hidden = true;
  byId("details").replaceChildren();
}

function show(answer, milliseconds) {
  byId("verdict").className = answer.verdict;
  byId("verdict").textContent = answer.verdict === "live" ? "Live" : "Attack";
  byId("error").textContent = "";
  const scale = byId("scale");
  scale.hidden = false;
  scale.ariaLabel = `Score ${shown(answer.score)}, threshold ${shown(answer.threshold)}`;
  const inside = value => Math.min(Math.max(value, 0), 1);
  scale.style.setProperty("--score", inside(answer.score));
  scale.style.setProperty("--threshold", inside(answer.threshold));
  const details = {
    Score: shown(answer.score),
    Threshold: `${shown(answer.threshold)} (${answer.policy})`,
    Image: `${answer.width} × ${answer.height}`,
    ...(answer.box && { Face: `${answer.box.map(Math.round).join(", ")}${answer.faces > 1 ? `, largest of ${answer.faces}` : ""}` }),
    Time: `${Math.round(milliseconds)} ms`,
  };
  byId("details").replaceChildren(...Object.entries(details).flatMap(([term, text]) => {
    const [name, value] = [document.createElement("dt"), document.createElement("dd")];
    [name.textContent, value.textContent] = [term, text];
    return [name, value];
  }));
}

async function startCamera() {
  clear();
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    await video.play();
  } catch (error) {
    say("No webcam", error.name === "NotAllowedError" ? "The browser was told not to share it." : error.message);
    return;
  }
  camera = video;
  byId("webcam").textContent = "Stop the webcam";
  byId("clear").disabled = false;
  const tile = tiles.get(model.modalities.includes("rgb") ? "rgb" : model.modalities[0]);
  label(tile);
  await watch(video, tile);
}

// Frame after frame: each is sent, and shown with its own verdict.
async function watch(video, tile) {
  while (camera === video) {
    const began = performance.now();
    const frame = frameOf(video, LARGEST_FRAME);
    const picture = await new Promise(done => frame.toBlob(done, "image/jpeg", 0.92));
    const answer = await score(new Map([[tile.name, picture]]));
    if (camera !== video) return;
    draw(tile.canvas, frame, answer && !answer.error ? answer : null);
    label(tile);
    await pause(answer?.busy ? 1000 : Math.max(LEAST_INTERVAL - (performance.now() - began), 0));
  }
}

function stopCamera() {
  if (!camera) return;
  camera.srcObject.getTracks().forEach(track => track.stop());
  camera = null;
  byId("webcam").textContent = "Use the webcam";
  clear();
}

function clear() {
  latest += 1;
  for (const tile of tiles.values()) {
    tile.file = tile.picture = null;
    tile.input.value = "";
    tile.canvas.hidden = true;
    label(tile);
  }
  byId("clear").disabled = true;
  byId("result").ariaBusy = "false";
  say("Choose a photo");
}

byId("webcam").addEventListener("click", () => (camera ? stopCamera() : startCamera()));
byId("clear").addEventListener("click", () => (camera ? stopCamera() : clear()));
byId("detect").addEventListener("change", () => camera || scoreFiles());
addEventListener("dragover", action => action.preventDefault()); // a photo dropped beside a tile
addEventListener("drop", action => action.preventDefault()); // would replace the page
addEventListener("paste", action => choose(tiles.values().next().value, action.clipboardData.files[0]));
start().catch(() => say("No service", "The service does not answer: is it still running?"));
