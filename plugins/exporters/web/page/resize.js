// Pictures as the model takes them: the rule of `fas predict`, in whole pixels and rounded as OpenCV rounds.

const TINY = 1e-3; // pixels of overlap that OpenCV leaves out
const WHOLE = 2048; // sum of two weights between pixels

// Returns the central square of an RGBA picture, `crop` of its shorter side, as RGB bytes of `size` x `size`.
export function prepare({ data, width, height }, size, crop) {
  const side = Math.max(roundHalfEven(Math.min(width, height) * crop), 1);
  const [left, top] = [Math.floor((width - side) / 2), Math.floor((height - side) / 2)];
  const starts = Int32Array.from({ length: side }, (_, y) => 4 * ((top + y) * width + left));
  return side >= size ? shrink(data, starts, size) : enlarge(data, starts, size);
}

// Averages areas of a square whose rows begin at `starts`, in floating point.
function shrink(data, starts, size) {
  const taps = listAreas(starts.length, size);
  const round = starts.length === 2 * size ? roundHalfUp : roundHalfEven;
  const [result, row, sums] = [new Uint8Array(3 * size * size), new Float32Array(3 * size), new Float32Array(3 * size)];
  for (let y = 0; y < size; y++) {
    sums.fill(0);
    const { first, weights } = taps[y];
    for (let step = 0; step < weights.length; step++) {
      resizeRow(data, starts[first + step], taps, row);
      for (let index = 0; index < row.length; index++) sums[index] += weights[step] * row[index];
    }
    for (let index = 0; index < row.length; index++) result[3 * size * y + index] = round(sums[index]);
  }
  return result;
}

// Interpolates between pixels, in whole numbers: OpenCV's weights have 11 bits, and its products lose their last ones.
function enlarge(data, starts, size) {
  const taps = listNeighbours(starts.length, size);
  const [result, row, sums] = [new Uint8Array(3 * size * size), new Int32Array(3 * size), new Int32Array(3 * size)];
  for (let y = 0; y < size; y++) {
    sums.fill(0);
    const { first, weights } = taps[y];
    for (let step = 0; step < weights.length; step++) {
      resizeRow(data, starts[first + step], taps, row);
      for (let index = 0; index < row.length; index++) sums[index] += (weights[step] * (row[index] >> 4)) >> 16;
    }
    for (let index = 0; index < row.length; index++) result[3 * size * y + index] = (sums[index] + 2) >> 2;
  }
  return result;
}

// Resizes a row of RGBA pixels from `start` on to the RGB values of `row`.
function resizeRow(data, start, taps, row) {
  for (let x = 0; x < taps.length; x++) {
    const { first, weights } = taps[x];
    let [red, green, blue] = [0, 0, 0];
    for (let step = 0, pixel = start + 4 * first; step < weights.length; step++, pixel += 4) {
      const weight = weights[step];
      red += weight * data[pixel];
      green += weight * data[pixel + 1];
      blue += weight * data[pixel + 2];
    }
    row[3 * x] = red;
    row[3 * x + 1] = green;
    row[3 * x + 2] = blue;
  }
}

// To shrink: for each of `size` pixels, the first source pixel that it covers, and the shares of this and the next ones.
function listAreas(side, size) {
  const scale = side / size;
  return Array.from({ length: size }, (_, index) => {
    const [start, end] = [index * scale, Math.min((index + 1) * scale, side)];
    const overlap = source => Math.min(end, source + 1) - Math.max(start, source);
    let [first, last] = [Math.floor(start), Math.ceil(end) - 1];
    if (overlap(first) <= TINY) first += 1;
    if (overlap(last) <= TINY) last -= 1;
    const weights = Float64Array.from({ length: last - first + 1 }, (_, step) => overlap(first + step) / (end - start));
    return { first, weights };
  });
}

// To enlarge: for each of `size` pixels, the first of the two source pixels whose centres are nearest, and their weights.
function listNeighbours(side, size) {
  return Array.from({ length: size }, (_, index) => {
    const position = Math.min(Math.max((index + 0.5) * side / size - 0.5, 0), side - 1);
    const first = Math.min(Math.floor(position), Math.max(side - 2, 0));
    const second = roundHalfEven((position - first) * WHOLE);
    return { first, weights: Int32Array.from(side === 1 ? [WHOLE] : [WHOLE - second, second]) };
  });
}

function roundHalfUp(value) {
  return Math.floor(value + 0.5);
}

function roundHalfEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}
