// Where the tiles go: as large as they can be, all of one size, whatever the shape of the window.

/** Width by height of a tile at most and at least. Cameras send 16:9; what a narrower tile cuts off at the sides is seldom a face. */
const WIDEST = 16 / 9;
const NARROWEST = { landscape: 4 / 3, portrait: 1 };

/** Gap between tiles in CSS pixels, as in the style sheet. */
const GAP = 8;

export class Grid {
  #element;

  constructor(element) {
    this.#element = element;
    new ResizeObserver(() => this.layOut()).observe(element);
    new MutationObserver(() => this.layOut()).observe(element, { childList: true });
  }

  layOut() {
    const { clientWidth, clientHeight, children } = this.#element;
    if (!children.length || !clientWidth) return;
    const { width, height } = bestFit(children.length, clientWidth, clientHeight);
    this.#element.style.setProperty("--tile-width", `${Math.floor(width)}px`);
    this.#element.style.setProperty("--tile-height", `${Math.floor(height)}px`);
  }
}

/** The number of columns that shows the most. */
function bestFit(count, fullWidth, fullHeight) {
  const narrowest = NARROWEST[fullWidth < fullHeight ? "portrait" : "landscape"];
  let best = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (fullWidth - GAP * (columns - 1)) / columns;
    const cellHeight = (fullHeight - GAP * (rows - 1)) / rows;
    const width = Math.min(cellWidth, cellHeight * WIDEST);
    const height = Math.min(cellHeight, width / narrowest);
    if (width * height > best.width * best.height) best = { columns, width, height };
  }
  return best;
}
