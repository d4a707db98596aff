// A click on a column's header sorts the table by it; rows of limits stay below their row.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (head.tagName !== "TH") return;
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const body = table.tBodies[0], groups = [];
      for (const row of body.rows) {
        if (row.classList.contains("dim") && groups.length) groups.at(-1).push(row);
        else groups.push([row]);
      }
      const text = rows => rows[0].cells[column].textContent.trim();
      const number = rows => Number.parseFloat(text(rows).replace("<", ""));
      const numeric = groups.every(rows => text(rows) === "" || text(rows) === "-" || !Number.isNaN(number(rows)));
      const compare = (a, b) => numeric ? (number(a) || 0) - (number(b) || 0) : text(a).localeCompare(text(b));
      groups.sort((a, b) => falling ? compare(b, a) : compare(a, b));
      body.append(...groups.flat());
    });
  });
}
