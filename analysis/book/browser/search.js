/* The search page: loads the index, in two parts, when there is something to look for, and shows what was found with its words around it. */
(function () {
  "use strict";
  const FIRST = 40;
  const AROUND = 90;
  const parts = document.currentScript.dataset.index.split(" ");
  let awaited = parts.length;
  const entries = [];
  let waiting;

  /* Lower case, no accents, no commas inside of numbers: 2,150 is found by 2150 and the other way round. */
  function plain(text) {
    return text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/(\d),(?=\d{3})/g, "$1").replace(/[\u2010-\u2015\u2212]/g, "-");
  }

  function escaped(text) {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }

  /* A word at its beginning; a number as a whole. */
  function sought(text) {
    return plain(text).split(/\s+/).filter(Boolean).map((word) => {
      const end = /\d$/.test(word) ? "(?![\\d])" : "";
      const start = /^\d/.test(word) ? "(?<![\\d.])" : /^[a-z]/.test(word) ? "(?<![a-z])" : "";
      return new RegExp(start + escaped(word) + end, "g");
    });
  }

  function times(word, text) {
    return Math.min((text.match(word) || []).length, 5);
  }

  function score(entry, words) {
    let total = 0;
    for (const word of words) {
      const [inTitle, inText] = [times(word, entry.title), times(word, entry.text)];
      if (!inTitle && !inText) return 0;
      total += (inTitle ? 20 : 0) + inText;
    }
    return total;
  }

  /* The text around the first word, with every word marked. */
  function excerpt(text, words) {
    const read = plain(text);
    const places = words.map((word) => read.search(new RegExp(word.source))).filter((place) => place >= 0);
    const begin = Math.max(0, (places.length ? Math.min(...places) : 0) - AROUND);
    const part = text.slice(begin, begin + 2 * AROUND + 60);
    const paragraph = document.createElement("p");
    paragraph.append(begin ? "… " : "");
    marked(paragraph, part, words);
    paragraph.append(begin + part.length < text.length ? " …" : "");
    return paragraph;
  }

  function marked(parent, text, words) {
    const every = new RegExp(words.map((word) => "(?:" + word.source.replace(/(\d)(?=\d{3}(?!\d))/g, "$1,?") + ")").join("|"), "gi");
    let last = 0;
    for (const found of text.matchAll(every)) {
      parent.append(text.slice(last, found.index));
      parent.appendChild(document.createElement("mark")).textContent = found[0];
      last = found.index + found[0].length;
    }
    parent.append(text.slice(last));
  }

  function item(entry, words) {
    const row = document.createElement("li");
    const head = row.appendChild(document.createElement("p"));
    const kind = head.appendChild(document.createElement("span"));
    kind.className = "mw-found-kind";
    kind.textContent = entry.kind;
    const link = document.createElement("a");
    link.href = entry.place;
    marked(link, entry.shown, words);
    head.append(" ", link);
    row.append(excerpt(entry.words, words));
    return row;
  }

  function show(asked) {
    const place = document.getElementById("search-results");
    const words = sought(asked);
    const status = document.createElement("p");
    status.setAttribute("role", "status");
    place.replaceChildren(status);
    if (!words.length) return;
    const found = entries.map((entry) => [score(entry, words), entry]).filter(([value]) => value);
    found.sort((a, b) => b[0] - a[0]); /* what is equal stays in the order of the index */
    status.textContent = found.length
      ? found.length + (found.length === 1 ? " place" : " places") + " for " + asked.trim() + "."
      : "Nothing in the book has " + asked.trim() + ". Try fewer or shorter words.";
    const list = document.createElement("ul");
    list.className = "mw-found";
    const add = (from, to) => list.append(...found.slice(from, to).map(([, entry]) => item(entry, words)));
    add(0, FIRST);
    place.append(list);
    if (found.length > FIRST) {
      const more = document.createElement("button");
      more.type = "button";
      more.textContent = "Show all " + found.length;
      more.addEventListener("click", () => {
        add(FIRST, found.length);
        more.remove();
      });
      place.append(more);
    }
  }

  function look(asked) {
    if (!awaited) show(asked);
    else if (!waiting && asked.trim()) {
      for (const part of parts) {
        const script = document.createElement("script");
        script.src = part;
        script.async = false; /* in their order */
        document.head.append(script);
      }
    }
    waiting = asked;
  }

  window.mwIndex = (rows) => {
    entries.push(...rows.map(([kind, title, place, words]) => ({ kind, place, words, shown: title, title: plain(title), text: plain(words) })));
    if (!--awaited) show(waiting);
  };

  document.addEventListener("DOMContentLoaded", () => {
    const asked = new URLSearchParams(location.search).get("q") || "";
    const field = document.querySelector("main input[name=q], article input[name=q]");
    if (field) {
      field.value = asked;
      field.addEventListener("input", () => {
        look(field.value);
        try {
          history.replaceState(null, "", "?q=" + encodeURIComponent(field.value));
        } catch {
          /* a browser that lets a page from a disk keep its address */
        }
      });
      if (!asked) field.focus();
    }
    look(asked);
  });
})();
