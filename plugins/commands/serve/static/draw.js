// Draws pictures with their verdicts.
import { formatNumber } from "./verdict.js";

const [MIN_SIDE, MAX_SIDE] = [640, 1600]; // pixels of the longer side of the canvas

const COLOURS = { live: "#0a5fa3", attack: "#b24503", uncertain: "#585e67" };

// Returns the current frame of a video, its longer side at most `maxSide` pixels.
export function captureFrame(video, maxSide) {
  const scale = Math.min(maxSide / Math.max(video.videoWidth, video.videoHeight), 1);
  const frame = document.createElement("canvas");
  frame.width = Math.round(video.videoWidth * scale);
  frame.height = Math.round(video.videoHeight * scale);
  frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
  return frame;
}

// Draws a picture (null if the browser cannot show it) with the box and label of a verdict (null for none).
export function drawPicture(canvas, picture, answer) {
  canvas.hidden = !(picture || answer);
  if (canvas.hidden) return;
  const [width, height] = picture ? [picture.width, picture.height] : [answer.width, answer.height];
  const longest = Math.max(width, height);
  const scale = Math.min(Math.max(longest, MIN_SIDE), MAX_SIDE) / longest;
  canvas.width = Math.max(Math.round(width * scale), 1);
  canvas.height = Math.max(Math.round(height * scale), 1);
  const context = canvas.getContext("2d");
  if (picture) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.role = "img";
  canvas.ariaLabel = answer ? `${answer.verdict}, score ${formatNumber(answer.score)}` : "not scored";
  if (answer) drawVerdict(context, canvas, answer, scale);
}

function drawVerdict(context, canvas, answer, scale) {
  const unit = Math.max(canvas.width, canvas.height) / 640;
  const [x, y, w, h] = (answer.box ?? [0, 0, answer.width, answer.height]).map(value => Math.round(value * scale));
  const colour = COLOURS[answer.verdict];
  const text = `${answer.verdict} ${formatNumber(answer.score)}`;
  context.lineWidth = Math.max(2 * Math.round(2 * unit), 2); // an even width gives sharp edges
  context.strokeStyle = colour;
  context.strokeRect(x, y, w, h);
  context.font = `600 ${20 * unit}px system-ui, sans-serif`;
  const labelWidth = context.measureText(text).width + 16 * unit;
  const labelHeight = 30 * unit;
  const top = y >= labelHeight ? y - labelHeight : y; // above the face if there is room
  const left = Math.max(Math.min(x - 2 * unit, canvas.width - labelWidth), 0);
  context.fillStyle = colour;
  context.fillRect(left, top, labelWidth, labelHeight);
  context.fillStyle = "#ffffff";
  context.textBaseline = "middle";
  context.fillText(text, left + 8 * unit, top + labelHeight / 2);
}
