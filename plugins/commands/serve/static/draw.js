// Pictures with what was said of them.

const [LEAST, LARGEST] = [640, 1600]; // pixels of the longer side of what is drawn

export const shown = value => Number(value.toPrecision(4)).toString();

// The video's present frame, at most so many pixels long.
export function frameOf(video, longest) {
  const scale = Math.min(longest / Math.max(video.videoWidth, video.videoHeight), 1);
  const frame = document.createElement("canvas");
  frame.width = Math.round(video.videoWidth * scale);
  frame.height = Math.round(video.videoHeight * scale);
  frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
  return frame;
}

// The picture (null where the browser cannot show it) with the frame and label of a verdict (null: none).
export function draw(canvas, picture, answer) {
  canvas.hidden = !(picture || answer);
  if (canvas.hidden) return;
  const [width, height] = picture ? [picture.width, picture.height] : [answer.width, answer.height];
  const longest = Math.max(width, height);
  const scale = Math.min(Math.max(longest, LEAST), LARGEST) / longest;
  canvas.width = Math.max(Math.round(width * scale), 1);
  canvas.height = Math.max(Math.round(height * scale), 1);
  const context = canvas.getContext("2d");
  if (picture) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.role = "img";
  canvas.ariaLabel = answer ? `${answer.verdict}, score ${shown(answer.score)}` : "not scored";
  if (answer) mark(context, canvas, answer, scale);
}

function mark(context, canvas, answer, scale) {
  const unit = Math.max(canvas.width, canvas.height) / 640;
  const [x, y, w, h] = (answer.box ?? [0, 0, answer.width, answer.height]).map(value => Math.round(value * scale));
  const colour = answer.verdict === "live" ? "#0a5fa3" : "#b24503";
  const text = `${answer.verdict} ${shown(answer.score)}`;
  context.lineWidth = Math.max(2 * Math.round(2 * unit), 2); // even, so that it is sharp
  context.strokeStyle = colour;
  context.strokeRect(x, y, w, h);
  context.font = `600 ${20 * unit}px system-ui, sans-serif`;
  const wide = context.measureText(text).width + 16 * unit;
  const tall = 30 * unit;
  const top = y >= tall ? y - tall : y; // above the face where there is room
  const left = Math.max(Math.min(x - 2 * unit, canvas.width - wide), 0);
  context.fillStyle = colour;
  context.fillRect(left, top, wide, tall);
  context.fillStyle = "#ffffff";
  context.textBaseline = "middle";
  context.fillText(text, left + 8 * unit, top + tall / 2);
}
