for (const table of document.querySelectorAll(".sortable table")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((head) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      const text = (row) => (row.cells[head.cellIndex].firstChild || {textContent: ""}).textContent.trim();
      const number = (row) => parseFloat(text(row).replace(/,/g, ""));
      const numeric = head.classList.contains("numeric");
      const order = (a, b) => {
        if (!numeric) return text(a).localeCompare(text(b), "en", {numeric: true});
        const [x, y] = [number(a), number(b)];
        if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y) ? (isNaN(x) - isNaN(y)) * (rising ? 1 : -1) : 0;
        return x - y;
      };
      body.append(...[...body.rows].sort((a, b) => (rising ? order(a, b) : order(b, a))));
      table.querySelectorAll("[aria-sort]").forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    });
  });
}
