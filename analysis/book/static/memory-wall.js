/* The book's own script: draws charts where the chart bundle is loaded, sorts and filters tables.  Pages read the same without it. */
(function () {
  "use strict";
  const PHONE = 600;
  const TALL = 450; // a taller chart has named rows, which need their height on a phone too

  function mode() {
    return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
  }

  /* ---- charts -------------------------------------------------------------------------------------------------------------- */

  function laidOut(content, width) {
    const spec = JSON.parse(JSON.stringify(content.spec));
    const narrow = width <= PHONE;
    spec.config = JSON.parse(JSON.stringify(window.mwThemes[mode()]));
    if (narrow) spec.config.legend.columns = 3;
    if (spec.facet) {
      const columns = narrow ? 1 : content.layout.columns || 2;
      spec.columns = columns;
      spec.spec.width = Math.floor((width - 70 * columns) / columns);
      spec.spec.height = columns > 1 || content.layout.height > TALL ? content.layout.height * 0.6 : 180;
    } else if (!spec.hconcat && !spec.vconcat && !spec.concat && !spec.repeat) {
      spec.width = width;
      spec.height = narrow && content.layout.height <= TALL ? Math.min(content.layout.height, 320) : content.layout.height;
      spec.autosize = { type: "fit-x", contains: "padding" };
    }
    return spec;
  }

  async function draw(chart) {
    const live = chart.querySelector(".mw-live");
    const content = JSON.parse(chart.querySelector(".mw-spec").textContent);
    const width = chart.clientWidth;
    chart.dataset.width = width;
    try {
      live.hidden = false;
      await window.mwEmbed(live, laidOut(content, width), { actions: false, renderer: "svg", tooltip: { theme: mode() } });
      const picture = live.querySelector("svg.marks");
      const image = chart.querySelector(".mw-static img");
      if (picture && image) {
        picture.setAttribute("role", "graphics-document");
        picture.setAttribute("aria-label", image.alt);
      }
      chart.classList.add("mw-drawn");
    } catch (error) {
      live.hidden = true;
      chart.classList.remove("mw-drawn");
      console.error("chart " + chart.dataset.figure + ": " + error);
    }
  }

  function startCharts() {
    const charts = [...document.querySelectorAll(".mw-chart")];
    if (!charts.length || !window.mwEmbed) return;
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) {
          seen.unobserve(entry.target);
          draw(entry.target);
        }
      }
    }, { rootMargin: "400px" });
    charts.forEach((chart) => seen.observe(chart));
    const again = () => charts.filter((chart) => chart.dataset.width).forEach(draw);
    let shown = mode();
    new MutationObserver(() => {
      if (mode() !== shown) {
        shown = mode();
        again();
      }
    }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    let waiting;
    window.addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        charts.filter((chart) => chart.dataset.width && +chart.dataset.width !== chart.clientWidth).forEach(draw);
      }, 200);
    });
    window.addEventListener("beforeprint", () => charts.forEach((chart) => chart.classList.remove("mw-drawn")));
    window.addEventListener("afterprint", again);
  }

  /* ---- tables -------------------------------------------------------------------------------------------------------------- */

  function cellValue(row, index) {
    const cell = row.cells[index];
    return cell.dataset.value === undefined ? cell.textContent.trim().toLowerCase() : Number(cell.dataset.value);
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b, "en");
  }

  function sortable(table) {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") === "descending" || !head.hasAttribute("aria-sort") && !head.classList.contains("mw-number");
        [...table.tHead.rows[0].cells].forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...body.rows].sort((a, b) => (up ? 1 : -1) * compare(cellValue(a, index), cellValue(b, index)));
        body.append(...rows);
      });
    });
  }

  function menu(table, index, apply) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    const values = [...new Set([...table.tBodies[0].rows].map((row) => row.cells[index].textContent.trim()))].sort();
    select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    select.addEventListener("change", apply);
    label.append(table.tHead.rows[0].cells[index].textContent.trim() + " ", select);
    return { label, keeps: (row) => !select.value || row.cells[index].textContent.trim() === select.value };
  }

  function filterable(table) {
    const rows = [...table.tBodies[0].rows];
    const asked = (table.dataset.filters || "").split(" ").filter(Boolean).map(Number);
    if (rows.length < 12 && !asked.length) return;
    const bar = document.createElement("div");
    bar.className = "mw-table-bar";
    const search = document.createElement("input");
    search.type = "search";
    search.placeholder = "Filter rows";
    search.setAttribute("aria-label", "Filter rows");
    const count = document.createElement("output");
    const apply = () => {
      const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !(words.every((word) => text.includes(word)) && menus.every((one) => one.keeps(row)));
        shown += row.hidden ? 0 : 1;
      }
      count.textContent = shown + " of " + rows.length + " rows";
    };
    const menus = asked.map((index) => menu(table, index, apply));
    search.addEventListener("input", apply);
    bar.append(search, ...menus.map((one) => one.label), count);
    table.parentElement.before(bar);
    apply();
  }

  function start() {
    document.querySelectorAll("table.mw-table").forEach((table) => {
      filterable(table);
      sortable(table);
    });
    startCharts();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
