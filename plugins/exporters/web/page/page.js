// The page: scores photos or frames of the webcam by the model beside it, in this browser alone.
import { drawGuide, startCamera } from "./camera.js";
import { openModel } from "./model.js";
import { addTile, takeImages } from "./tile.js";
import { VERDICTS, byId, formatNumber, showDetails, showHeading, showMessage, showScale } from "./verdict.js";

const MIN_INTERVAL = 100; // milliseconds between two frames of the webcam
const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

const tiles = new Map(); // modality -> {name, element, canvas, context, prompt, input, picture, choice}
let model = null;
let camera = null; // while the webcam is on
let latest = 0; // number of the newest pictures: verdicts on older ones are not shown

async function start() {
  model = await openModel();
  byId("model").textContent = describeModel();
  model.card.modalities.forEach(addTileOf);
  byId("webcam").hidden = !(model.takesOne() && navigator.mediaDevices);
  byId("result").ariaBusy = "false";
  clear();
}

function describeModel() {
  const { modalities, threshold, note } = model.card;
  const limit = threshold && `; live when score ≥ ${formatNumber(model.reject?.high ?? threshold.value)}`;
  const policy = threshold && ` (${model.reject?.policy ?? threshold.policy})`;
  return `${modalities.join(", ")}${limit ?? ""}${policy ?? ""}${note ? `. Note: ${note}` : ""}`;
}

function describeUse() {
  if (camera) return "Bring the face into the oval. Whatever is in the square is scored: the page does not look for faces.";
  const { modalities, threshold, partial } = model.card;
  const lines = ["A photo is scored as it is: crop it to the face first."];
  if (modalities.length > 1) {
    lines.push(partial ? "One image is enough; more are more reliable." : "All images are needed, taken at the same time.");
  }
  if (model.takesOne() && !navigator.mediaDevices) {
    lines.push("The webcam needs HTTPS, or this page opened from this machine (localhost).");
  }
  if (!threshold) lines.push("The model has no threshold: there are scores, and no verdicts.");
  return lines.join(" ");
}

function addTileOf(name) {
  const tile = addTile(name, choose);
  const context = tile.canvas.getContext("2d", { willReadFrequently: true });
  tiles.set(name, Object.assign(tile, { context, picture: null, choice: null }));
}

function updateTiles() {
  for (const { name, element, canvas, prompt, picture } of tiles.values()) {
    const [first, other] = tiles.size > 1 ? [`the ${name} image`, `${name} image`] : ["a photo of a face", "photo"];
    canvas.hidden = !picture;
    element.classList.toggle("full", Boolean(picture));
    prompt.textContent = picture ? `Another ${other}` : `Drop ${first} here\nor choose a file`;
  }
  byId("hint").textContent = describeUse();
  byId("tiles").hidden = Boolean(camera);
  byId("camera").hidden = !camera;
  byId("webcam").textContent = camera ? "Stop the webcam" : "Use the webcam";
  byId("clear").disabled = !camera && ![...tiles.values()].some(tile => tile.picture);
}

async function choose(tile, file) {
  if (!file || !model) return;
  if (camera) clear();
  const choice = tile.choice = {};
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    refuse("No picture", `${file.name}: this browser cannot show it.`);
    return;
  }
  if (tile.choice !== choice) return; // another file was chosen in the meantime
  [tile.canvas.width, tile.canvas.height] = [bitmap.width, bitmap.height];
  tile.context.drawImage(bitmap, 0, 0);
  tile.picture = tile.context.getImageData(0, 0, bitmap.width, bitmap.height);
  updateTiles();
  await scorePhotos(++latest);
}

async function scorePhotos(number) {
  const missing = [...tiles.values()].find(tile => !tile.picture);
  if (missing && !model.card.partial) {
    refuse(`Now the ${missing.name} image`);
    return;
  }
  const pictures = [...tiles.values()].filter(tile => tile.picture).map(tile => [tile.name, tile.picture]);
  await score(new Map(pictures), number);
}

// Scores RGBA pictures by modality and shows the verdict, unless newer pictures came in the meantime.
async function score(pictures, number) {
  const began = performance.now();
  const faces = new Map([...pictures].map(([name, picture]) => [name, model.prepare(picture)]));
  const prepared = performance.now();
  const answer = await model.score(faces).catch(error => ({ error }));
  const ended = performance.now();
  if (number !== latest) return;
  if (answer.error) {
    refuse("No verdict", `The model failed: ${answer.error.message}`);
    return;
  }
  showVerdict({ ...answer, resizing: prepared - began, scoring: ended - prepared });
  showFaces(faces);
}

function refuse(heading, detail) {
  showMessage(heading, detail);
  byId("seen").hidden = true;
  delete byId("result").dataset.score;
}

function showVerdict({ score, verdict, novelty, resizing, scoring }) {
  if (!Number.isFinite(score)) {
    refuse("No verdict", "The model’s score is not a finite number.");
    return;
  }
  const limit = model.card.novelty?.limit ?? null;
  const isNovel = limit !== null && !(novelty <= limit);
  const guess = isNovel ? "Unlike the training data: what the model says of it is a guess." : "";
  showHeading(verdict ?? "", VERDICTS[verdict] ?? "No threshold", guess);
  showScale(score, model.threshold);
  const [threshold, reject] = [model.card.threshold, model.reject];
  showDetails({
    Score: formatNumber(score),
    ...(threshold && { Threshold: `${formatNumber(threshold.value)} (${threshold.policy})` }),
    ...(reject && { Uncertain: `${formatNumber(reject.low)} to ${formatNumber(reject.high)}` }),
    ...(limit !== null && { Novelty: `${formatNumber(novelty)}, limit ${formatNumber(limit)}` }),
    Time: `${(resizing + scoring).toFixed(1)} ms (network ${scoring.toFixed(1)})`,
  });
  Object.assign(byId("result").dataset, { score, resizing, scoring });
}

// Draws the very pixels that the model was given.
function showFaces(faces) {
  const canvases = [...byId("seen").querySelectorAll("canvas")];
  [...faces.values()].forEach((rgb, index) => {
    const canvas = canvases[index] ?? byId("seen").appendChild(document.createElement("canvas"));
    if (canvas.width !== model.size) canvas.width = canvas.height = model.size;
    const image = new ImageData(model.size, model.size);
    image.data.fill(255);
    for (let pixel = 0; pixel < model.size ** 2; pixel++) {
      image.data.set(rgb.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  });
  canvases.slice(faces.size).forEach(canvas => canvas.remove());
  byId("seen").hidden = false;
}

async function useCamera() {
  clear();
  let started;
  try {
    started = await startCamera(byId("camera"));
  } catch (error) {
    refuse("No webcam", error.name === "NotAllowedError" ? "The browser did not allow access to it." : error.message);
    return;
  }
  camera = started;
  updateTiles();
  const name = model.card.modalities.includes("rgb") ? "rgb" : model.card.modalities[0];
  while (camera === started) {
    const began = performance.now();
    await score(new Map([[name, camera.capture()]]), ++latest);
    await pause(Math.max(MIN_INTERVAL - (performance.now() - began), 10)); // the page stays responsive
  }
}

function clear() {
  latest += 1;
  camera?.stop();
  camera = null;
  for (const tile of tiles.values()) {
    tile.picture = tile.choice = null;
    tile.input.value = "";
  }
  updateTiles();
  refuse("Nothing scored yet");
}

byId("webcam").addEventListener("click", () => (camera ? clear() : useCamera()));
byId("clear").addEventListener("click", clear);
byId("camera").querySelector("video").addEventListener("resize", ({ target }) => { // a phone was turned
  if (camera) drawGuide(byId("camera").querySelector("svg"), camera.region(), target.videoWidth, target.videoHeight);
});
takeImages(tiles, choose);
start().catch(error => refuse("The model cannot be opened", error.message));
