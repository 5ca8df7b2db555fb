/* Draws a compiled chart with Vega: no editor, no menus, and no eval.  Appended to the bundle of the library. */
(function () {
  "use strict";
  const { parse, View, expressionInterpreter } = window.mwVega;

  /* ---- tooltips: text only, whatever the data holds ---------------------------------------------------------------------- */

  const MARGIN = 12;

  function tip() {
    let found = document.getElementById("vg-tooltip-element");
    if (!found) {
      found = document.createElement("div");
      found.id = "vg-tooltip-element";
      found.className = "vg-tooltip";
      found.setAttribute("role", "tooltip");
      document.body.append(found);
    }
    return found;
  }

  function row(name, value) {
    const line = document.createElement("tr");
    for (const [kind, text] of [["key", name], ["value", value]]) {
      const cell = document.createElement("td");
      cell.className = kind;
      cell.textContent = String(text);
      line.append(cell);
    }
    return line;
  }

  function filled(value) {
    if (typeof value !== "object" || Array.isArray(value)) return [document.createTextNode(String(value))];
    const { title, ...rest } = value;
    const table = document.createElement("table");
    table.append(...Object.entries(rest).filter(([, shown]) => shown !== undefined).map(([name, shown]) => row(name, shown)));
    if (!title) return [table];
    const heading = document.createElement("h2");
    heading.textContent = String(title);
    return [heading, table];
  }

  function tooltip(_handler, event, _item, value) {
    const element = tip();
    element.classList.toggle("visible", value !== null && value !== undefined && value !== "");
    if (!element.classList.contains("visible")) return;
    element.replaceChildren(...filled(value));
    const { width, height } = element.getBoundingClientRect();
    const left = event.clientX + MARGIN + width > window.innerWidth ? event.clientX - width - MARGIN : event.clientX + MARGIN;
    const top = event.clientY + MARGIN + height > window.innerHeight ? event.clientY - height - MARGIN : event.clientY + MARGIN;
    element.style.left = Math.max(0, left) + "px";
    element.style.top = Math.max(0, top) + "px";
  }

  /* ---- drawing ------------------------------------------------------------------------------------------------------------ */

  const drawn = new WeakMap();

  window.mwEmbed = async function (element, specification) {
    if (drawn.has(element)) drawn.get(element).finalize();
    element.replaceChildren();
    element.classList.add("vega-embed");
    const runtime = parse(specification, {}, { ast: true });
    const view = new View(runtime, { renderer: "svg", expr: expressionInterpreter, tooltip });
    drawn.set(element, view);
    await view.initialize(element).runAsync();
    return { view };
  };
})();
