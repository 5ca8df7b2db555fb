/* The form "can mine run it?": what a reader chooses, the answer in words, a memory bar, a speed axis, two lists.  answer() and GIVEN stand above. */
const box = document.getElementById("mw-ask");
const at = (name) => box.querySelector(`[data-ask="${name}"]`);
const GIB = 2 ** 30;
const PLACE = Object.fromEntries(GIVEN.answer.map((name, place) => [name, place]));
const byName = (rows) => new Map(rows.map((row) => [row[1].toLowerCase(), row]));
const devices = GIVEN.devices.filter((row) => row[2] !== "own");
const deviceNames = byName(devices);
const modelNames = byName(GIVEN.models);
const plain = (text) => text.toLowerCase().replace(/[^a-z0-9.]+/g, "");

/* Made once for each number of decimals: to make one takes longer than all else that an answer costs. */
const writers = {};
function written(value, places = 0) {
  writers[places] = writers[places] || new Intl.NumberFormat("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
  return writers[places].format(value);
}
function digits(value, count) {
  const rounded = Number(value.toPrecision(count));
  const places = Math.max(0, count - 1 - Math.floor(Math.log10(Math.abs(rounded) || 1)));
  return written(rounded, places);
}
const number = (value) => digits(value, 3);
const gib = (byte) => `${number(byte / GIB)} GiB`;
const seconds = (value) => (value < 1 ? `${digits(value * 1000, 2)} ms` : `${digits(value, 2)} s`);
const filled = (text, values) => text.replace(/\[(\w+)\]/g, (_, name) => values[name]);

const tokens = (text) => text.toLowerCase().match(/[a-z]+|\d+(?:\.\d+)?/g) || [];

/* A name as people type it: itself, its id, or all of its words, before rows that are another variant of it; nothing where several are meant. */
function found(rows, names, text) {
  const exact = names.get(text.trim().toLowerCase()) || rows.find((row) => row[0] === text.trim());
  if (exact) return exact;
  const same = rows.filter((row) => plain(row[1]) === plain(text));
  if (same.length === 1) return same[0];
  const typed = tokens(text);
  const held = rows.filter((row) => typed.length && typed.every((word) => tokens(`${row[1]} ${row[0]}`).includes(word)));
  const bare = held.filter((row) => tokens(row[1]).every((word) => !GIVEN.variants.includes(word) || typed.includes(word)));
  return held.length === 1 ? held[0] : bare.length === 1 ? bare[0] : null;
}

function like(rows, text) {
  const typed = tokens(text);
  const score = (row) => typed.filter((word) => tokens(row[1]).includes(word)).length;
  return rows.map((row) => [score(row), row]).filter(([hits]) => hits).sort((a, b) => b[0] - a[0]).slice(0, 4).map(([, row]) => row[1]);
}

/* The device that is meant: one of the book's, or a stand-in of the software stack with a reader's own numbers. */
function device() {
  if (!at("own").open) return found(devices, deviceNames, at("device").value);
  const stand = GIVEN.devices.find((row) => row[0] === `own ${at("stack").value}`);
  const own = [...stand[6]];
  const set = (name, value) => (own[GIVEN.fixed.indexOf(name)] = value);
  set("bandwidth_byte_per_s", Number(at("bandwidth").value) * 1e9);
  const [low, share, high, keptLow, kept, keptHigh] = limits(at("stack").value, Number(at("memory").value));
  const capacity = Number(at("memory").value) * GIB;
  set("usable_low_byte", Math.max(capacity * low - Math.max(keptHigh, kept), 0));
  set("usable_byte", Math.max(capacity * share - kept, 0));
  set("usable_high_byte", Math.max(capacity * high - Math.min(keptLow, kept), 0));
  return [stand[0], `${number(Number(at("bandwidth").value))} GB/s and ${number(capacity / GIB)} GiB`, "own", stand[3], stand[4], stand[5], own, stand[7]];
}

/* Bandwidth of so many channels of a kind of memory, as the command has it; none for what is no such kind. */
function fromType() {
  const typed = at("type").value.trim();
  const kind = typed.match(new RegExp(`^${GIVEN.memoryType}$`, "i"));
  if (typed) at("bandwidth").value = kind ? (Number(kind[1]) * GIVEN.channelByte * Number(at("channels").value)) / 1000 : "";
}

function limits(stack, memory) {
  const rows = GIVEN.limits[stack].filter((row) => row[0] <= memory);
  return (rows[rows.length - 1] || GIVEN.limits[stack][0]).slice(1);
}

/* The arguments of answer(), in its order: of the kind of software and format, of the device, of the model, of what is asked. */
function told(one, model, format, context, prompt) {
  const [, , bit, packing] = format;
  const kind = GIVEN.kinds[one[7][packing]].map((value) => (value === null ? NaN : value));
  const missing = (values) => values.map((value) => (value === null ? NaN : value));
  const fixed = missing(one[6]);
  const [low, high] = fixed.slice(-2);
  const ends = model[6][2] ? [Math.min(low, GIVEN.experts[0]), Math.max(high, GIVEN.experts[1]), ...kind.slice(-2)] : [low, high, ...kind.slice(-4, -2)];
  const whole = model[4][format[0]] || (model[2] * bit) / 8;
  const [read, experts] = model[3].at(format[0] === GIVEN.expert ? -1 : 0).map((share) => whole * share);
  const values = answer([...kind.slice(0, -4), ...fixed.slice(0, -2), ...ends, ...missing(model[6]), whole, read, experts, bit, 1, context, prompt]);
  return Object.fromEntries([...GIVEN.answer.map((name) => [name, values[PLACE[name]]]), ["whole_byte", whole]]);
}

function binds(said) {
  const parts = [["overhead", said.overhead_s], ["bandwidth", said.reading_s], ["compute", said.arithmetic_s]];
  return parts.reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

const WORDS = ["no", "barely", "yes"];

function sentences(one, model, format, said, context, prompt) {
  const usable = one[6][GIVEN.fixed.indexOf("usable_byte")];
  const fits = Number.isNaN(said.grade) ? "" : WORDS[said.grade];
  const over = fits === "barely" && said.needs_byte > usable;
  const lines = [`${GIVEN.words.fits[fits]} ${filled(over ? GIVEN.words.over : GIVEN.words.room, { needs: gib(said.needs_byte), has: usable === null ? "an unknown amount" : gib(usable) })}`];
  if (said.token_per_s > 0) {
    const values = { speed: number(said.token_per_s), low: number(said.token_per_s_low), high: number(said.token_per_s_high), limit: number(said.limit_token_per_s), ratio: digits(said.token_per_s / GIVEN.reading, 2) };
    lines.push(filled(GIVEN.words.speed, values));
    if (said.first_token_s > 0) lines.push(filled(GIVEN.words.first, { prompt: written(prompt), first: seconds(said.first_token_s), low: seconds(said.first_token_s_low), high: seconds(said.first_token_s_high) }));
    lines.push(GIVEN.words.binds[binds(said)]);
  } else if (said.limit_token_per_s > 0) lines.push(filled(GIVEN.words.none, { limit: number(said.limit_token_per_s) }));
  if (said.longest_context_token > 0) lines.push(filled(over ? GIVEN.words.shorter : GIVEN.words.longest[longestBy(model, said)], { longest: written(said.longest_context_token) }));
  return lines;
}

/* Tokens that a model is made for; null where nobody says. */
const madeFor = (model) => model[6][GIVEN.arguments.indexOf("context_limit") - GIVEN.arguments.indexOf("active_param")];
const longestBy = (model, said) => (madeFor(model) !== null && said.longest_context_token >= madeFor(model) ? "model" : "memory");

function element(tag, parts, text) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(parts)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function memoryBar(one, said) {
  const low = GIVEN.fixed.indexOf("usable_byte");
  const usable = one[6][low] || 0;
  const whole = Math.max(usable, said.needs_byte);
  const share = (byte) => `width:${(100 * byte) / whole}%`;
  const free = usable - said.needs_byte;
  const parts = [["weights", "mw-ask-weights", said.whole_byte], ["KV cache", "mw-ask-cache", said.needs_byte - said.whole_byte], ["free", "mw-ask-free", Math.max(free, 0)]].filter((part) => part[2] > 0);
  at("memory-bar").replaceChildren(...parts.map(([, kind, byte]) => element("span", { class: kind, style: share(byte) })));
  at("memory-key").replaceChildren(...parts.map(([name, kind, byte]) => element("span", { class: kind }, `${name} ${gib(byte)}`)));
  at("memory-bar").style.setProperty("--end", `${(100 * usable) / whole}%`);
  at("memory-bar").classList.toggle("mw-ask-over", free < 0);
}

/* One speed axis on a logarithmic scale from 0.1 to 1,000 tokens per second. */
function speedAxis(said) {
  const place = (value) => `${(100 * (Math.log10(Math.min(Math.max(value, 0.1), 1000)) + 1)) / 4}%`;
  const marks = [];
  if (said.token_per_s_low > 0) marks.push(element("span", { class: "mw-ask-band", style: `left:${place(said.token_per_s_low)};right:calc(100% - ${place(said.token_per_s_high)})` }));
  if (said.token_per_s > 0) marks.push(element("span", { class: "mw-ask-expected", style: `left:${place(said.token_per_s)}` }, number(said.token_per_s)));
  if (said.limit_token_per_s > 0) marks.push(element("span", { class: "mw-ask-limit", style: `left:${place(said.limit_token_per_s)}`, title: "limit" }));
  marks.push(element("span", { class: "mw-ask-reading", style: `left:${place(GIVEN.reading)}` }, "reading"));
  for (const tick of [0.1, 1, 10, 100, 1000]) marks.push(element("span", { class: "mw-ask-tick", style: `left:${place(tick)}` }, written(tick, tick < 1 ? 1 : 0)));
  at("speed-axis").replaceChildren(...marks);
}

function list(name, rows, href) {
  const head = element("tr", {});
  for (const title of ["", "fits", "token/s", "80 %", "first token"]) head.append(element("th", { scope: "col" }, title));
  const body = rows.map(([row, said]) => {
    const line = element("tr", {});
    const label = element("th", { scope: "row" });
    label.append(element("button", { type: "button", "data-choose": row[1], "data-into": href }, row[1]));
    line.append(label, element("td", {}, Number.isNaN(said.grade) ? "?" : WORDS[said.grade]));
    line.append(element("td", { class: "mw-number" }, said.token_per_s > 0 ? number(said.token_per_s) : "–"));
    line.append(element("td", { class: "mw-number" }, said.token_per_s_low > 0 ? `${number(said.token_per_s_low)}–${number(said.token_per_s_high)}` : "–"));
    line.append(element("td", { class: "mw-number" }, said.first_token_s > 0 ? seconds(said.first_token_s) : "–"));
    return line;
  });
  const table = element("table", { class: "mw-table" });
  const top = element("thead", {});
  top.append(head);
  const rest = element("tbody", {});
  rest.append(...body);
  table.append(top, rest);
  at(name).replaceChildren(table);
}

/* Without its last bits, which two ways to compute it need not share. */
const settled = (value) => Number(value.toPrecision(12));

/* What is held, as the command ranks it: what fits before what barely does, the largest number first, ids where all else is the same. */
function ranked(pairs, by) {
  const held = pairs.filter(([, said]) => said.grade > 0);
  return held.sort(([a, one], [b, other]) => other.grade - one.grade || settled(by(b, other)) - settled(by(a, one)) || (a[0] < b[0] ? -1 : 1));
}

function lists(one, model, format, context, prompt) {
  const of = (rows, make, by) => ranked(rows.map((row) => [row, make(row)]), by);
  if (at("runs").closest("details").open) list("runs", of(GIVEN.models, (row) => told(one, row, format, context, prompt), (row) => row[2]), "model");
  if (at("run-by").closest("details").open) list("run-by", of(devices, (row) => told(row, model, format, context, prompt), (row, said) => said.token_per_s), "device");
}

function unclear(kind, rows, text) {
  const near = like(rows, text);
  const told = element("p", {}, `No one ${kind} is called “${text}”.${near.length ? " Did you mean one of these? " : ""}`);
  near.forEach((name) => told.append(element("button", { type: "button", "data-choose": name, "data-into": kind }, name), " "));
  at("answer").replaceChildren(told);
  at("more").hidden = true;
}

function show() {
  if (at("own").open && !(Number(at("bandwidth").value) > 0 && Number(at("memory").value) > 0)) {
    at("answer").replaceChildren(element("p", {}, "Enter bandwidth and memory of your device, or its kind of memory as DDR3, DDR4 or DDR5 with the rate: DDR5-5600."));
    at("more").hidden = true;
    return;
  }
  const one = device();
  const model = found(GIVEN.models, modelNames, at("model").value);
  if (!one) return unclear("device", devices, at("device").value);
  if (!model) return unclear("model", GIVEN.models, at("model").value);
  const format = GIVEN.formats.find((row) => row[0] === at("format").value);
  const [context, prompt] = [Number(at("context").value), Number(at("prompt").value)];
  const said = told(one, model, format, context, prompt);
  const lines = sentences(one, model, format, said, context, prompt);
  const head = `${model[1]} in ${format[1]} on ${one[1]}`;
  const limit = madeFor(model);
  const notes = [one[5], ...model[5].map((name) => GIVEN.notes[name]), limit !== null && context + prompt > limit && GIVEN.notes.context, format[2] > model[7] && GIVEN.notes.published].filter(Boolean).join("; ");
  at("answer").replaceChildren(
    element("p", { class: "mw-ask-head" }, head), ...lines.map((line) => element("p", {}, line)),
    ...(notes ? [element("p", { class: "mw-note" }, `${notes}.`)] : []),
  );
  at("more").hidden = false;
  at("engine").textContent = `${one[4]}, ${one[3]}`;
  memoryBar(one, said);
  speedAxis(said);
  lists(one, model, format, context, prompt);
  keep();  // the address that is copied is that of this answer
  at("cite").dataset.text = `${head}: ${lines.join(" ")} ${GIVEN.words.cite} ${location.href}`;
}

const KEPT = { d: "device", m: "model", f: "format", c: "context", p: "prompt", b: "bandwidth", g: "memory", s: "stack" };

function keep() {
  const own = at("own").open;
  const given = new URLSearchParams();
  for (const [key, name] of Object.entries(KEPT)) if ("bgs".includes(key) ? own : key !== "d" || !own) given.set(key, at(name).value);
  if (changed) history.replaceState(null, "", `#${given}`);
}

/* What the address says, where it says something that is there. */
function restore() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (![...given.keys()].some((key) => key in KEPT)) return false;
  at("own").open = given.has("b");
  for (const [key, name] of Object.entries(KEPT)) {
    const field = at(name);
    const value = given.get(key);
    if (value !== null && (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value))) field.value = value;
  }
  return true;
}

/* For other scripts: the numbers of a device and a model by their ids. */
window.mwAsk = (device, model, format, context, prompt) => {
  const [one, other, third] = [[GIVEN.devices, device], [GIVEN.models, model], [GIVEN.formats, format]].map(([rows, id]) => rows.find((row) => row[0] === id));
  return told(one, other, third, context, prompt);
};

let changed = false;

function begin() {
  /* Names to choose from are only there once somebody chooses. */
  for (const [name, rows] of [["device", devices], ["model", GIVEN.models]])
    at(name).addEventListener("focus", () => at(`${name}s`).append(...rows.map((row) => element("option", { value: row[1] }))), { once: true });
  for (const row of GIVEN.formats) if (row[0] !== at("format").value) at("format").append(element("option", { value: row[0] }, row[1]));
  changed = restore();
  show();
  box.addEventListener("input", (event) => {
    if (["type", "channels"].includes(event.target.dataset.ask)) fromType();
    changed = true;
    show();
  });
  box.addEventListener("toggle", () => show(), true);
  box.addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose]");
    if (button) {
      if (button.dataset.into === "device") at("own").open = false;
      at(button.dataset.into).value = button.dataset.choose;
      changed = true;
      show();
      box.scrollIntoView();
    }
  });
  window.addEventListener("hashchange", () => restore() && show());
}

/* ---- rows of a table on the page of a model: the devices that hold it, as the page's first rows are written --------------------------- */

const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${{ "&": "38", "<": "60", ">": "62", '"': "34", "'": "39" }[sign]};`);

/* So many decimals of a number's exact value; what lies half way goes to the even digit, as everywhere in the book. */
function decimals(value, places) {
  const [whole, rest] = value.toFixed(places + 40).split(".");
  const kept = places ? `${whole}.${rest.slice(0, places)}` : whole;
  return /^50*$/.test(rest.slice(places)) && Number(kept.slice(-1)) % 2 === 0 ? kept : value.toFixed(places);
}

function fixed(value, places) {
  if (value && Math.abs(value) < 5 * 10 ** -(places + 1)) return digits(value, 2);
  const [front, ...back] = decimals(value, places).split(".");
  return [front.replace(/\B(?=(\d{3})+$)/g, ","), ...back].join(".");
}

function cell(value, places, more = {}) {
  if (!(Math.abs(value) >= 0)) return "<td><span class=mw-missing>–</span></td>";
  const short = (one) => Number(settled(one).toPrecision(6));
  const ends = (more.between || []).every((end) => Math.abs(end) >= 0) && more.between;
  const told = ends ? ends.map((end) => fixed(short(end), places)).join(" to ") : more.note;
  const note = told ? `<div class="mw-note">${told}</div>` : "";
  const bar = more.of ? ` style="--bar:${decimals(Math.min((100 * short(value)) / short(more.of), 100), 1)}%"` : "";
  return `<td class="mw-number${more.of ? " mw-bar" : ""}" data-value="${short(value)}"${bar}>${fixed(short(value), places)}${note}</td>`;
}

function row(one, model, said, places) {
  const [, , needs, speed, limit, first, longest] = places;
  const usable = one[6][GIVEN.fixed.indexOf("usable_byte")] / GIB;
  return `<tr>${[
    `<th scope="row"><a href="../devices/${one[0]}.html">${escaped(one[1])}</a></th>`, `<td>${WORDS[said.grade]}</td>`,
    cell(said.needs_byte / GIB, needs, { of: usable }),
    cell(said.token_per_s, speed, { between: [said.token_per_s_low, said.token_per_s_high] }), cell(said.limit_token_per_s, limit),
    cell(said.first_token_s, first, { between: [said.first_token_s_low, said.first_token_s_high] }), cell(said.longest_context_token, longest, { note: longestBy(model, said) }),
  ].join("\n")}</tr>`;
}

function rows(id, places) {
  const model = GIVEN.models.find((one) => one[0] === id);
  const format = GIVEN.formats.find((one) => one[0] === GIVEN.usual.format);
  const held = devices.map((one) => [one, told(one, model, format, GIVEN.usual.context, GIVEN.usual.prompt)]);
  return ranked(held, (one, said) => said.token_per_s).map(([one, said]) => row(one, model, said, places));
}

if (document.currentScript.dataset.asked) {
  const [id, written, places] = JSON.parse(document.currentScript.dataset.asked);
  window.mwRows(rows(id, places).slice(written));
} else begin();
