// The model: its card, onnxruntime-web with one thread, and the verdict on a score.
import * as ort from "./runtime/ort.wasm.min.js";
import { prepare } from "./resize.js";

ort.env.wasm.numThreads = 1; // more need headers that few web servers send
ort.env.wasm.wasmPaths = {
  mjs: new URL("runtime/ort-wasm-simd-threaded.js", import.meta.url).href,
  wasm: new URL("runtime/ort-wasm-simd-threaded.wasm", import.meta.url).href,
};

export async function openModel() {
  const [card, content] = await Promise.all([load("card.json"), load("model.onnx")]);
  const session = await ort.InferenceSession.create(new Uint8Array(content), { executionProviders: ["wasm"] });
  return new Model(JSON.parse(new TextDecoder().decode(card)), session);
}

// Returns the bytes of a file. The server is asked whether a stored copy is still the newest: the two must belong together.
async function load(name) {
  const answer = await fetch(name, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${name}: the server answered ${answer.status}`);
  return answer.arrayBuffer();
}

class Model {
  constructor(card, session) {
    this.card = card;
    this.session = session;
    this.size = card.input_size;
    this.threshold = card.threshold?.value ?? null;
    this.reject = card.threshold?.reject ?? null;
  }

  // Returns RGB bytes as the model takes them, of an RGBA picture of a face.
  prepare(picture) {
    return prepare(picture, this.size, this.card.resize.crop);
  }

  // Returns {score, verdict, novelty} of RGB bytes by modality; a model that does without some takes a part of them.
  async score(faces) {
    const { modalities, partial } = this.card;
    const shape = [1, this.size, this.size, 3];
    const blank = new Uint8Array(3 * this.size ** 2);
    const feeds = Object.fromEntries(
      modalities.map(name => [name, new ort.Tensor("uint8", faces.get(name) ?? blank, shape)])
    );
    if (partial) {
      const presence = Uint8Array.from(modalities, name => Number(faces.has(name)));
      feeds.presence = new ort.Tensor("bool", presence, [1, modalities.length]);
    }
    const outputs = await this.session.run(feeds);
    const score = outputs.score.data[0];
    return { score, verdict: this.judge(score), novelty: outputs.novelty?.data[0] };
  }

  judge(score) {
    if (!Number.isFinite(score) || this.threshold === null) return null;
    if (this.reject && this.reject.low <= score && score < this.reject.high) return "uncertain";
    return score >= this.threshold ? "live" : "attack";
  }

  // Returns whether an image of one modality is enough; the webcam then is.
  takesOne() {
    const { modalities, partial } = this.card;
    return modalities.length === 1 || (partial && modalities.includes("rgb"));
  }
}
