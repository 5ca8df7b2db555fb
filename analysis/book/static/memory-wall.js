/* The book's own script: draws charts where the chart bundle is loaded, sorts and filters tables.  Pages read the same without it. */
(function () {
  "use strict";
  const PHONE = window.matchMedia("(max-width: 560px)"); /* as the pictures have it */

  function mode() {
    return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
  }

  /* ---- charts -------------------------------------------------------------------------------------------------------------- */

  /* Data as rows; a page holds them column by column. */
  function byRow(data) {
    if (Array.isArray(data)) return data;
    const names = Object.keys(data);
    const length = names.length ? data[names[0]].length : 0;
    return Array.from({ length }, (_, index) => Object.fromEntries(names.map((name) => [name, data[name][index]])));
  }

  /* The compiled chart with its data, in the colours of this page, as its controls were left; as wide as its picture, and like it scaled
     to the column: nothing grows, shrinks or moves where one takes the other's place. */
  function laidOut(content, state) {
    let text = JSON.stringify(PHONE.matches ? content.phone : content.wide);
    if (mode() === "dark") for (const [light, dark] of Object.entries(window.mwDark)) text = text.replaceAll(light, dark);
    const spec = JSON.parse(text);
    for (const data of spec.data) if (content.datasets[data.name]) data.values = byRow(content.datasets[data.name]);
    for (const signal of controls(spec)) if (signal.name in state) signal.value = state[signal.name];
    return spec;
  }

  /* ---- controls: what is chosen outlives a change of theme or width, stands in the address, and is said ---- */

  const chosen = new WeakMap();

  function controls(spec) {
    return (spec.signals || []).filter((signal) => signal.bind && signal.bind.input);
  }

  /* What the address says of a control, where that is something it can be set to. */
  function fromAddress(signal, text) {
    const bind = signal.bind;
    if (text === null) return undefined;
    if (bind.options) return bind.options.find((option) => String(option) === text);
    if (bind.input === "checkbox") return text === "true";
    const value = Number(text);
    return text.trim() && value >= bind.min && value <= bind.max ? value : undefined;
  }

  function stateOf(chart, spec) {
    if (!chosen.has(chart)) {
      const given = new URLSearchParams(location.search);
      const read = controls(spec).map((signal) => [signal.name, fromAddress(signal, given.get(chart.dataset.figure + "." + signal.name))]);
      chosen.set(chart, Object.fromEntries(read.filter(([, value]) => value !== undefined)));
    }
    return chosen.get(chart);
  }

  /* The query of an address with what is chosen in one figure. */
  function query(chart, before) {
    const parts = new URLSearchParams(before);
    [...parts.keys()].filter((key) => key.startsWith(chart.dataset.figure + ".")).forEach((key) => parts.delete(key));
    for (const [name, value] of Object.entries(chosen.get(chart) || {})) parts.set(chart.dataset.figure + "." + name, String(value));
    const text = parts.toString();
    return text && "?" + text;
  }

  function reads(signal, value) {
    const { name, options, labels } = signal.bind;
    const index = options ? options.indexOf(value) : -1;
    return (name || signal.name).trim() + ": " + (labels && index >= 0 ? labels[index] : typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 4 }) : value === null ? "all" : value);
  }

  /* On the page of a figure the title is the page's heading. */
  function titleOf(chart) {
    return chart.parentElement.querySelector(".mw-figure-title") || document.querySelector("h1.mw-figure-title");
  }

  /* Title, subtitle and description speak of the settings the book chose: they say so as soon as others are shown. */
  function stepBack(chart, spec) {
    const state = chosen.get(chart);
    const moved = controls(spec).filter((signal) => signal.name in state);
    const title = titleOf(chart);
    const image = chart.querySelector(".mw-static img");
    const said = moved.map((signal) => reads(signal, state[signal.name])).join("; ");
    let mark = title.querySelector(".mw-default");
    if (moved.length && !mark) {
      mark = document.createElement("span");
      mark.className = "mw-default";
      mark.textContent = "With the default settings: ";
      title.prepend(mark);
    } else if (!moved.length && mark) mark.remove();
    let shown = chart.parentElement.querySelector(".mw-shown");
    if (!shown) {
      shown = document.createElement("p");
      shown.className = "mw-shown";
      shown.setAttribute("role", "status");
      chart.before(shown);
    }
    shown.textContent = moved.length ? "Shown now, with other settings: " + said + ". Title, subtitle and text are of the default ones." : "";
    const name = moved.length ? "Shown with other settings (" + said + "). With the default settings: " + image.alt : image.alt;
    chart.querySelector(".mw-live").setAttribute("aria-label", name);
  }

  function listen(chart, view, spec, defaults) {
    for (const signal of controls(spec)) view.addSignalListener(signal.name, (name, value) => {
      const state = chosen.get(chart);
      if (value === defaults[name]) delete state[name];
      else state[name] = value;
      stepBack(chart, spec);
      try {
        history.replaceState(null, "", location.pathname + query(chart, location.search) + location.hash);
      } catch {
        /* a browser that lets a page from a disk keep its address */
      }
    });
  }

  /* A slider says its value itself, so its name does not; groups of marks without marks are nothing to speak of. */
  function speakOnce(live) {
    for (const slider of live.querySelectorAll("input[type=range]")) {
      slider.setAttribute("aria-label", slider.closest("label").querySelector(".vega-bind-name").textContent);
    }
    for (const empty of live.querySelectorAll("[role=graphics-symbol]:not([aria-label])")) ["role", "aria-roledescription"].forEach((name) => empty.removeAttribute(name));
  }

  /* What a chart is drawn from: a script in the folder of its figure, which comes when it is needed. */
  function specification(chart) {
    return new Promise((done, failed) => {
      const known = () => (window.mwSpecs || {})[chart.dataset.figure];
      if (known()) return done(known());
      const script = document.createElement("script");
      script.src = chart.dataset.spec;
      script.onload = () => done(known());
      script.onerror = () => failed(new Error(script.src + " could not be loaded"));
      document.head.append(script);
    });
  }

  async function draw(chart) {
    const live = chart.querySelector(".mw-live");
    chart.dataset.begun = "";
    try {
      const content = await specification(chart);
      live.hidden = false;
      const compiled = PHONE.matches ? content.phone : content.wide;
      const defaults = Object.fromEntries(controls(compiled).map((signal) => [signal.name, signal.value]));
      const { view } = await window.mwEmbed(live, laidOut(content, stateOf(chart, compiled)));
      speakOnce(live);
      stepBack(chart, compiled);
      listen(chart, view, compiled, defaults);
      chart.classList.add("mw-drawn");
    } catch (error) {
      live.hidden = true;
      chart.classList.remove("mw-drawn");
      console.error("chart " + chart.dataset.figure + ": " + error);
    }
  }

  /* The pictures are there already; what lets them be played with is fetched at the first sign of a reader. */
  const SIGNS = ["pointermove", "pointerdown", "touchstart", "wheel", "scroll", "keydown", "focusin"];
  const bundle = document.currentScript && document.currentScript.dataset.charts;

  function awaitReader() {
    if (!bundle || !document.querySelector(".mw-chart")) return;
    const come = () => {
      SIGNS.forEach((sign) => window.removeEventListener(sign, come));
      const script = document.createElement("script");
      script.src = bundle;
      script.onload = startCharts;
      document.head.append(script);
    };
    if ([...document.querySelectorAll(".mw-chart")].some((chart) => location.search.includes(chart.dataset.figure + "."))) come();
    else SIGNS.forEach((sign) => window.addEventListener(sign, come, { passive: true }));
  }

  function startCharts() {
    const charts = [...document.querySelectorAll(".mw-chart")];
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) {
          seen.unobserve(entry.target);
          draw(entry.target);
        }
      }
    }, { rootMargin: "400px" });
    charts.forEach((chart) => seen.observe(chart));
    const again = () => charts.filter((chart) => "begun" in chart.dataset).forEach(draw);
    let shown = mode();
    new MutationObserver(() => {
      if (mode() !== shown) {
        shown = mode();
        again();
      }
    }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    PHONE.addEventListener("change", again);
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

  /* what a cell says, without the quiet line under it */
  function said(row, index) {
    const cell = row.cells[index];
    return (cell.querySelector(".mw-badge, a") || cell).textContent.trim();
  }

  function menu(table, index, apply) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    const values = [...new Set([...table.tBodies[0].rows].map((row) => said(row, index)))].sort();
    select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    select.addEventListener("change", apply);
    label.append(table.tHead.rows[0].cells[index].textContent.trim() + " ", select);
    return { label, keeps: (row) => !select.value || said(row, index) === select.value };
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

  /* A table that fits is no box of its own, and its head stays in sight while its rows pass; one that does not says so. */
  function fitted() {
    for (const box of document.querySelectorAll(".mw-table-scroll")) {
      if (!box.clientWidth) continue; /* folded away: it stays one that can be scrolled */
      box.classList.remove("mw-fits");
      const over = box.scrollWidth - box.clientWidth;
      box.classList.toggle("mw-fits", over < 1);
      box.classList.toggle("mw-cut", over >= 1);
      box.onscroll = () => box.classList.toggle("mw-end", box.scrollLeft >= over - 1);
    }
  }

  function handy(table) {
    filterable(table);
    sortable(table);
  }

  /* A long table shows its first rows; the others are a script, loaded on request. */
  function completable(table, note) {
    const button = note.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", (event) => {
      if (window.mwRows) return; /* those of another table are on their way */
      button.disabled = true;
      window.mwRows = (rows) => {
        delete window.mwRows;
        table.tBodies[0].insertAdjacentHTML("beforeend", rows.join(""));
        note.remove();
        handy(table);
        fitted();
        if (event.isTrusted) table.parentElement.previousElementSibling.querySelector("input").focus();
        else showRow();
      };
      const script = document.createElement("script");
      script.src = button.dataset.rows;
      script.dataset.asked = button.dataset.asked;
      script.onerror = () => { delete window.mwRows; button.disabled = false; };
      document.head.append(script);
    });
  }

  /* ---- chart or table ------------------------------------------------------------------------------------------------------ */

  function choose(tab) {
    for (const one of document.querySelectorAll("[role=tab]")) {
      one.setAttribute("aria-selected", one === tab);
      one.tabIndex = one === tab ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).classList.toggle("mw-off", one !== tab);
    }
    window.dispatchEvent(new Event("resize")); /* a table that was hidden is measured */
  }

  /* What an address names may stand in a panel that is not shown. */
  function openPanel(element) {
    const panel = element && element.closest(".mw-off");
    if (!panel) return;
    choose(document.getElementById(panel.getAttribute("aria-labelledby")));
    element.scrollIntoView();
  }

  function startTabs() {
    const tabs = [...document.querySelectorAll("[role=tab]")];
    tabs.forEach((tab, index) => {
      tab.addEventListener("click", () => choose(tab));
      tab.addEventListener("keydown", (event) => {
        const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: -1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const next = tabs.at(to % tabs.length);
        choose(next);
        next.focus();
      });
    });
    const follow = (hash) => openPanel(document.getElementById(decodeURIComponent(hash.slice(1))));
    window.addEventListener("hashchange", () => follow(location.hash));
    /* A link to where the address already is changes nothing, and yet leads there. */
    if (tabs.length) document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href*='#']");
      if (link && link.pathname === location.pathname) follow(link.hash);
    });
    follow(location.hash);
  }

  /* An address may name a row by what stands in its first cell: tables/devices.html#rtx-4090-24gb.  Where it is not among the first
     rows, the others are fetched. */
  function showRow() {
    const name = decodeURIComponent(location.hash.slice(1));
    if (!name || document.getElementById(name)) return;
    const rows = [...document.querySelectorAll("table.mw-table tbody tr")];
    const row = rows.find((one) => one.cells[0].textContent.trim() === name);
    document.querySelectorAll(".mw-sought").forEach((one) => one.classList.remove("mw-sought"));
    if (!row) {
      const more = document.querySelector(".mw-more button:not(:disabled)");
      if (more) more.click();
      return;
    }
    row.classList.add("mw-sought");
    openPanel(row);
    row.scrollIntoView({ block: "center" });
  }

  /* ---- copying, numbers, gallery ------------------------------------------------------------------------------------------- */

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.style.position = "fixed";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  const COLUMN = 660; /* of an article, in pixels */

  /* As high as title, controls and chart are at the width of a column, and the line of sources below them: nothing is cut off. */
  function frameHeight(chart) {
    if (!chart || !chart.offsetHeight) return 640;
    const title = titleOf(chart);
    const parts = [title, title.nextElementSibling, ...chart.parentElement.querySelectorAll(".mw-shown")];
    const drawn = chart.offsetHeight * Math.min(1, COLUMN / chart.clientWidth);
    const high = parts.reduce((sum, part) => sum + part.offsetHeight + 8, drawn + 8);
    return Math.max(400, Math.ceil((high + 130) / 20) * 20);
  }

  /* A frame says how high its figure is at its width, and the article gives it as much; without scripts the height of a column stays. */
  const LISTENER = '<script>addEventListener("message",function(e){if(e.data&&e.data.memoryWall>0)' +
    'document.querySelectorAll("iframe").forEach(function(f){if(f.contentWindow===e.source)f.style.height=e.data.memoryWall+"px"})})<\/script>';

  function startFrame() {
    if (window.parent === window || !document.body.classList.contains("mw-embed")) return;
    const figure = document.querySelector("figure");
    const tell = () => window.parent.postMessage({ memoryWall: Math.ceil(figure.getBoundingClientRect().bottom + window.scrollY) + 12 }, "*");
    new ResizeObserver(tell).observe(figure);
  }

  function copyable(button) {
    const named = new URL(button.dataset.link || button.dataset.embed || "", location.href).pathname.match(/\/figures\/([^/]+)\/[^/]*$/);
    const chart = named && document.querySelector('.mw-chart[data-figure="' + named[1] + '"]');
    const absolute = (address) => new URL(address + (chart ? query(chart, "") : ""), location.href).href;
    if (button.dataset.link) return absolute(button.dataset.link);
    if (button.dataset.embed) {
      const title = chart && titleOf(chart);
      const name = (title ? title.textContent : document.title).replace(/&/g, "&amp;").replace(/"/g, "&quot;");
      return '<iframe src="' + absolute(button.dataset.embed).replace(/&/g, "&amp;") + '" title="' + name + '" width="100%" height="' + frameHeight(chart) + '" style="border:0" loading="lazy"></iframe>' + LISTENER;
    }
    return "number" in button.dataset ? cited(button.closest(".mw-entry")) : button.dataset.text;
  }

  /* The citation of a number: its title stands on the page, what is around it once for all numbers. */
  function cited(entry) {
    const around = entry.closest("[data-before]").dataset;
    const [name, about] = [...entry.querySelectorAll("h3, h3 + p")].map((one) => one.textContent);
    const title = (about ? name + ": " + about : name) + (entry.dataset.run || "");
    return around.before + title + (/[.?!]$/.test(title) ? "" : ".") + around.after.replace("[id]", entry.id);
  }

  function startMenus() {
    document.addEventListener("click", async (event) => {
      const button = event.target.closest(".mw-copy");
      if (button) {
        await copy(copyable(button));
        button.classList.add("mw-copied");
        setTimeout(() => button.classList.remove("mw-copied"), 2500);
      }
      document.querySelectorAll(".mw-menu[open]").forEach((menu) => {
        if (!menu.contains(event.target)) menu.open = false;
      });
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      document.querySelectorAll(".mw-menu[open]").forEach((menu) => {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
      hidePopover();
    });
  }

  let popover;

  function hidePopover() {
    if (popover) popover.remove();
    document.querySelectorAll(".mw-value[aria-describedby]").forEach((value) => value.removeAttribute("aria-describedby"));
    popover = undefined;
  }

  function line(parent, text, tag) {
    if (!text) return;
    const paragraph = document.createElement("p");
    const inner = tag ? paragraph.appendChild(document.createElement(tag)) : paragraph;
    inner.textContent = text;
    parent.append(paragraph);
  }

  function showPopover(value) {
    hidePopover();
    popover = document.createElement("div");
    popover.className = "mw-popover";
    popover.id = "mw-popover";
    value.setAttribute("aria-describedby", popover.id);
    popover.setAttribute("role", "tooltip");
    line(popover, value.dataset.definition);
    line(popover, value.dataset.formula, "code");
    line(popover, value.dataset.inputs);
    line(popover, value.dataset.sources);
    const more = document.createElement("a");
    more.href = value.href;
    more.textContent = value.dataset.more || "Definition, inputs, how to cite";
    popover.append(more);
    (value.closest("main") || document.body).append(popover);
    const box = value.getBoundingClientRect();
    const around = (popover.offsetParent || document.body).getBoundingClientRect();
    const left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - popover.offsetWidth - 8));
    popover.style.left = left - around.left + "px";
    popover.style.top = box.bottom - around.top + 6 + "px";
  }

  function startValues() {
    let leaving;
    const keep = () => clearTimeout(leaving);
    const leave = () => { leaving = setTimeout(hidePopover, 250); };
    document.querySelectorAll("a.mw-value").forEach((value) => {
      value.removeAttribute("title");
      const show = () => {
        keep();
        showPopover(value);
        popover.addEventListener("mouseenter", keep);
        popover.addEventListener("mouseleave", leave);
      };
      value.addEventListener("mouseenter", show);
      value.addEventListener("mouseleave", leave);
      value.addEventListener("focus", show);
      value.addEventListener("blur", leave);
      /* A first tap shows what a mouse would show; a second one, or the link in it, leads on. */
      let first = false;
      value.addEventListener("pointerdown", (event) => {
        first = event.pointerType !== "mouse" && !value.hasAttribute("aria-describedby");
      });
      value.addEventListener("click", (event) => {
        if (first) {
          event.preventDefault();
          show();
        }
      });
    });
  }

  /* One switch shows the code of a page, where the first of it would be: a reader of the argument is not stopped by each cell. */
  function startCode() {
    const cells = [...document.querySelectorAll("details.hide.above-input")];
    if (!cells.length) return;
    const button = document.createElement("button");
    const set = (on) => {
      document.documentElement.classList.toggle("mw-code", on);
      cells.forEach((cell) => { cell.open = on; });
      button.textContent = on ? "Hide the code" : "Show the code of this page";
      button.setAttribute("aria-pressed", on);
    };
    button.type = "button";
    button.className = "mw-code-switch";
    button.addEventListener("click", () => set(!document.documentElement.classList.contains("mw-code")));
    cells[0].before(button);
    set(false);
  }

  /* ---- the margin: what a paragraph's marks say stands beside it where the screen has room, and folds into them where not ------ */

  const NAMED = 2; /* numbers that a note names before their sources */
  const ROOMY = window.matchMedia("(min-width: 1360px)");

  /* What is said of a paragraph: its verdicts, its terms, where its numbers come from. */
  function remarks(paragraph) {
    const said = new Map();
    const from = new Map();
    for (const mark of paragraph.querySelectorAll("a.mw-verdict, a.mw-value[data-definition]")) {
      const { definition, sources, more } = mark.dataset;
      if (mark.matches(".mw-verdict")) said.set(mark.title, mark.querySelector(".mw-badge").textContent + ". The article: ");
      else if (more) said.set(definition, mark.textContent + ": ");
      if (sources) from.set(sources, [...(from.get(sources) || []), mark.matches(".mw-verdict") ? "The verdict" : mark.textContent]);
    }
    /* sources alone would be of nothing: they name what they are of */
    const of = (shown) => shown.slice(0, NAMED).join(", ") + (shown.length > NAMED ? ` and ${shown.length - NAMED} more: ` : ": ");
    const rest = [...from].map(([text, shown]) => [text, of([...new Set(shown)])]);
    return [...said, ...rest].map(([text, head]) => {
      const line = document.createElement("p");
      if (head) line.appendChild(document.createElement("strong")).textContent = head;
      line.append(text);
      return line;
    });
  }

  /* Notes lie beside the text and move nothing; a note for which there is no room before the next wide block is left out. */
  function sideNotes() {
    document.querySelectorAll(".mw-side").forEach((note) => note.remove());
    const article = document.querySelector(".bd-article");
    if (!article || !ROOMY.matches || !document.getElementById("pst-secondary-sidebar")) return;
    const notes = [...article.querySelectorAll("section > p, section > .mw-answer > p, section > ul, section > ol")].map((paragraph) => {
      const note = document.createElement("div");
      note.className = "mw-side";
      note.setAttribute("aria-hidden", "true"); /* the marks say the same */
      note.append(...remarks(paragraph));
      return { paragraph, note };
    }).filter(({ note }) => note.firstChild);
    notes.forEach(({ paragraph, note }) => paragraph.before(note));
    if (!notes.length) return;
    const edge = notes[0].note.getBoundingClientRect().left;
    const wide = [...article.querySelectorAll("section > :not(.mw-side, section), section > .cell > *")].map((block) => block.getBoundingClientRect()).filter((box) => box.height && box.right > edge + 9);
    const sized = notes.map(({ paragraph, note }) => ({
      note, top: paragraph.getBoundingClientRect().top, lines: [...note.children].map((line) => [line, line.offsetHeight]),
    }));
    let free = -Infinity;
    for (const { note, top, lines } of sized) {
      const start = Math.max(top, free);
      let end = start;
      const floor = Math.min(...wide.filter((box) => box.bottom > top).map((box) => box.top));
      for (const [line, height] of lines) {
        if (end + height > floor || start > top + 200) line.remove();
        else end += height;
      }
      note.style.marginTop = start - top + "px";
      if (end > start) free = end + 12;
    }
  }

  function startGallery() {
    const bar = document.querySelector(".mw-gallery-bar");
    if (!bar) return;
    const cards = [...document.querySelectorAll(".mw-gallery .mw-card, .mw-entry")];
    const parts = [...document.querySelectorAll(".mw-numbers > section")];
    const search = bar.querySelector("input");
    const select = bar.querySelector("select");
    const count = bar.querySelector("output");
    const apply = () => {
      const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      cards.forEach((card) => {
        const text = [card.textContent, card.dataset.words, card.id].join(" ").toLowerCase();
        card.hidden = !(words.every((word) => text.includes(word)) && (!select.value || card.closest("[data-chapter]").dataset.chapter === select.value));
        shown += card.hidden ? 0 : 1;
      });
      parts.forEach((part) => { part.hidden = ![...part.querySelectorAll(".mw-entry")].some((entry) => !entry.hidden); });
      count.textContent = shown + " of " + cards.length;
    };
    search.addEventListener("input", apply);
    select.addEventListener("change", apply);
    bar.hidden = false;
    apply();
  }

  function start() {
    document.documentElement.classList.add("mw-script");
    startMenus();
    startFrame();
    startValues();
    startCode();
    startGallery();
    sideNotes();
    ROOMY.addEventListener("change", sideNotes);
    document.querySelectorAll("table.mw-table").forEach((table) => {
      const note = table.parentElement.previousElementSibling;
      if (note && note.classList.contains("mw-more")) completable(table, note);
      else handy(table);
    });
    startTabs();
    fitted();
    window.addEventListener("resize", fitted);
    showRow();
    window.addEventListener("hashchange", showRow);
    awaitReader();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();

  /* Scripts of single pieces of a page, beside the pages. */
  for (const piece of document.querySelectorAll("[data-script]")) {
    const script = document.createElement("script");
    script.src = piece.dataset.script;
    document.head.append(script);
  }
})();
