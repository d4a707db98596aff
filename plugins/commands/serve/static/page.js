// The page: sends photos or webcam frames to POST /v1/score and draws the verdicts.
import { captureFrame, drawPicture } from "./draw.js";
import { addTile, takeImages } from "./tile.js";
import { fetchWithToken } from "./token.js";
import { VERDICTS, byId, formatNumber, showDetails, showHeading, showMessage, showScale } from "./verdict.js";

const MIN_INTERVAL = 200; // milliseconds between two webcam frames
const MAX_FRAME = 1280; // pixels of the longer side of a webcam frame
const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

const tiles = new Map(); // modality -> {name, element, canvas, prompt, input, file, picture}
let model = null;
let camera = null; // the video element while the webcam is on
let latestRequest = 0; // answers to older requests are ignored

async function start() {
  model = await (await fetchWithToken("/v1/model")).json();
  byId("model").textContent =
    `${model.file}: ${model.modalities.join(", ")}; live when score ≥ ${formatNumber(model.reject?.high ?? model.threshold)} (${model.reject?.policy ?? model.policy})${model.note ? `. Note: ${model.note}` : ""}`;
  model.modalities.forEach(addTileOf);
  const webcamIsEnough = model.modalities.length === 1 || (model.partial && model.modalities.includes("rgb"));
  byId("webcam").hidden = !(webcamIsEnough && navigator.mediaDevices);
  if (model.modalities.length > 1) {
    byId("hint").textContent = model.partial
      ? "One image is enough; more of them make the verdict more reliable. They must be taken at the same time."
      : "All images are needed. They must be taken at the same time.";
  } else if (!navigator.mediaDevices) {
    byId("hint").textContent = "The webcam needs HTTPS, or this page opened on the service’s own machine.";
  }
}

function addTileOf(name) {
  const tile = Object.assign(addTile(name, choose), { file: null, picture: null });
  tiles.set(name, tile);
  updateLabel(tile);
}

function updateLabel(tile) {
  const [first, other] = model.modalities.length > 1
    ? [`the ${tile.name} image`, `${tile.name} image`]
    : ["a photo", "photo"];
  const fileName = tile.file && tile.canvas.hidden ? `${tile.file.name}\n` : "";
  tile.prompt.textContent = tile.file ? `${fileName}Another ${other}` : `Drop ${first} here\nor choose a file`;
  tile.element.classList.toggle("full", !tile.canvas.hidden);
  tile.element.querySelector("label").hidden = Boolean(camera);
}

async function choose(tile, file) {
  if (!file) return;
  stopCamera();
  tile.file = file;
  tile.picture = await createImageBitmap(file).catch(() => null); // e.g. TIFF, which browsers do not show
  drawPicture(tile.canvas, tile.picture, null);
  updateLabel(tile);
  byId("clear").disabled = false;
  await scoreFiles();
}

async function scoreFiles() {
  const chosen = [...tiles.values()].filter(tile => tile.file);
  const missing = model.modalities.filter(name => !tiles.get(name).file);
  if (!chosen.length) return;
  if (missing.length && !model.partial) {
    showMessage(`Now the ${missing[0]} image`);
    return;
  }
  const answer = await score(new Map(chosen.map(tile => [tile.name, tile.file])));
  if (!answer) return;
  drawPicture(chosen[0].canvas, chosen[0].picture, answer.error ? null : answer);
  updateLabel(chosen[0]);
}

// Sends one request. Returns null if a newer one was sent in the meantime.
async function score(files) {
  const number = ++latestRequest;
  const form = new FormData();
  for (const [name, file] of files) form.append(name, file, "image");
  byId("result").ariaBusy = "true";
  const began = performance.now();
  let answer;
  let busy = false;
  try {
    const response = await fetchWithToken(`/v1/score?detect=${byId("detect").checked}`, { method: "POST", body: form });
    busy = response.status === 503;
    answer = await response.json();
  } catch {
    answer = { error: "offline", message: "The service does not answer." };
  }
  if (number !== latestRequest) return null;
  byId("result").ariaBusy = "false";
  if (answer.error) {
    showMessage(answer.error === "no_face" ? "No face found" : "No verdict", answer.message);
  } else {
    showVerdict(answer, performance.now() - began);
  }
  return { ...answer, busy };
}

function showVerdict(answer, milliseconds) {
  const guess = answer.novelty?.novel ? "Unlike the training data: what the model says of it is a guess." : "";
  const reason = [answer.reason && `No verdict: ${answer.reason}.`, guess].filter(Boolean).join(" ");
  showHeading(answer.verdict, VERDICTS[answer.verdict], reason);
  showScale(answer.score, answer.threshold);
  showDetails({
    Score: formatNumber(answer.score),
    Threshold: `${formatNumber(answer.threshold)} (${answer.policy})`,
    ...(answer.reject && { Uncertain: `${formatNumber(answer.reject.low)} to ${formatNumber(answer.reject.high)}` }),
    ...(answer.novelty && { Novelty: `${formatNumber(answer.novelty.distance)}, limit ${formatNumber(answer.novelty.limit)}` }),
    Image: `${answer.width} × ${answer.height}`,
    ...(answer.box && { Face: `${answer.box.map(Math.round).join(", ")}${answer.faces > 1 ? `, largest of ${answer.faces}` : ""}` }),
    Time: `${Math.round(milliseconds)} ms`,
  });
}

async function startCamera() {
  clear();
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    await video.play();
  } catch (error) {
    showMessage("No webcam", error.name === "NotAllowedError" ? "The browser did not allow access to it." : error.message);
    return;
  }
  camera = video;
  byId("webcam").textContent = "Stop the webcam";
  byId("clear").disabled = false;
  const tile = tiles.get(model.modalities.includes("rgb") ? "rgb" : model.modalities[0]);
  updateLabel(tile);
  await scoreCamera(video, tile);
}

// Sends one frame after another and shows each with its own verdict.
async function scoreCamera(video, tile) {
  while (camera === video) {
    const began = performance.now();
    const frame = captureFrame(video, MAX_FRAME);
    const picture = await new Promise(done => frame.toBlob(done, "image/jpeg", 0.92));
    const answer = await score(new Map([[tile.name, picture]]));
    if (camera !== video) return;
    drawPicture(tile.canvas, frame, answer && !answer.error ? answer : null);
    updateLabel(tile);
    await pause(answer?.busy ? 1000 : Math.max(MIN_INTERVAL - (performance.now() - began), 0));
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
  latestRequest += 1;
  for (const tile of tiles.values()) {
    tile.file = tile.picture = null;
    tile.input.value = "";
    tile.canvas.hidden = true;
    updateLabel(tile);
  }
  byId("clear").disabled = true;
  byId("result").ariaBusy = "false";
  showMessage("Choose a photo");
}

byId("webcam").addEventListener("click", () => (camera ? stopCamera() : startCamera()));
byId("clear").addEventListener("click", () => (camera ? stopCamera() : clear()));
byId("detect").addEventListener("change", () => camera || scoreFiles());
takeImages(tiles, choose);
start().catch(() => showMessage("No service", "The service does not answer: is it still running?"));
