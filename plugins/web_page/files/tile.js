// A tile of a page takes the image of one modality: dropped on it, or chosen.
import { byId } from "./verdict.js";

// Adds a tile to the page; `choose(tile, file)` is called with each image that it is given.
export function addTile(name, choose) {
  const element = byId("tile").content.cloneNode(true).firstElementChild;
  const tile = { name, element };
  tile.canvas = element.querySelector("canvas");
  tile.prompt = element.querySelector(".prompt");
  tile.input = element.querySelector("input");
  tile.input.id = `file-${name}`;
  tile.input.addEventListener("change", () => choose(tile, tile.input.files[0]));
  for (const [event, highlighted] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    element.addEventListener(event, dropEvent => {
      dropEvent.preventDefault();
      element.classList.toggle("over", highlighted);
      if (event === "drop") choose(tile, dropEvent.dataTransfer.files[0]);
    });
  }
  byId("tiles").append(element);
  return tile;
}

// Takes images that are pasted, for the first tile, and keeps one dropped beside a tile from replacing the page.
export function takeImages(tiles, choose) {
  for (const event of ["dragover", "drop"]) addEventListener(event, dropEvent => dropEvent.preventDefault());
  addEventListener("paste", pasteEvent => choose(tiles.values().next().value, pasteEvent.clipboardData.files[0]));
}
