// The webcam, and the square of its pictures in which the face has to be.

const SHARE = 0.8; // side of the square, of the shorter side of the picture
const FACE = { width: 0.62, height: 0.83 }; // of the square: with a margin of 0.1 around a face, as training crops have
const WANTED = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } };

// Starts the webcam in `view`, a video below an SVG for the guide. Throws where there is none, or no leave to use it.
export async function startCamera(view) {
  const video = view.querySelector("video");
  const stream = await navigator.mediaDevices.getUserMedia({ video: WANTED });
  try {
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    stream.getTracks().forEach(track => track.stop());
    throw error;
  }
  const camera = new Camera(video, stream);
  const { facingMode } = stream.getVideoTracks()[0].getSettings();
  view.classList.toggle("mirrored", facingMode !== "environment");
  drawGuide(view.querySelector("svg"), camera.region(), video.videoWidth, video.videoHeight);
  view.hidden = false;
  return camera;
}

class Camera {
  constructor(video, stream) {
    this.video = video;
    this.stream = stream;
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  // Returns the square as {left, top, side} in pixels of the picture. A phone that is turned changes them.
  region() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const side = Math.round(SHARE * Math.min(width, height));
    return { left: (width - side) >> 1, top: (height - side) >> 1, side };
  }

  // Returns the pixels in the square now, RGBA, neither scaled nor mirrored.
  capture() {
    const { left, top, side } = this.region();
    this.canvas.width = this.canvas.height = side;
    this.context.drawImage(this.video, left, top, side, side, 0, 0, side, side);
    return this.context.getImageData(0, 0, side, side);
  }

  stop() {
    this.stream.getTracks().forEach(track => track.stop());
    this.video.srcObject = null;
  }
}

export function drawGuide(svg, { left, top, side }, width, height) {
  const [path, ellipse, rect] = ["path", "ellipse", "rect"].map(name => svg.querySelector(name));
  const set = (element, values) => Object.entries(values).forEach(([key, value]) => element.setAttribute(key, value));
  set(svg, { viewBox: `0 0 ${width} ${height}` });
  set(path, { d: `M0 0H${width}V${height}H0ZM${left} ${top}V${top + side}H${left + side}V${top}Z` });
  set(rect, { x: left, y: top, width: side, height: side });
  const [rx, ry] = [side * FACE.width / 2, side * FACE.height / 2];
  set(ellipse, { cx: left + side / 2, cy: top + side / 2, rx, ry });
}
