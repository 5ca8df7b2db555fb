/* What moves on a page: colour mode, search box, the two sidebars, the place in the contents.  In place of the theme's scripts and Bootstrap. */
(function () {
  "use strict";
  const WIDE = window.matchMedia("(min-width: 992px)");
  const DARK = window.matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  function kept(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      /* a browser that keeps nothing */
    }
  }

  function setMode(mode) {
    root.dataset.mode = mode;
    root.dataset.theme = mode === "auto" ? (DARK.matches ? "dark" : "light") : mode;
    kept("mode", mode);
    kept("theme", root.dataset.theme);
  }

  function modes() {
    const order = DARK.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
    const button = document.querySelector(".theme-switch-button");
    if (button) button.addEventListener("click", () => setMode(order[(order.indexOf(root.dataset.mode) + 1) % order.length]));
    DARK.addEventListener("change", () => setMode(root.dataset.mode));
  }

  function closable(dialog, closed) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    if (closed) dialog.addEventListener("close", closed);
  }

  function search() {
    const dialog = document.getElementById("pst-search-dialog");
    if (!dialog) return;
    const open = () => {
      dialog.showModal();
      dialog.querySelector("input").select();
    };
    closable(dialog);
    document.querySelectorAll(".search-button__button").forEach((button) => button.addEventListener("click", open));
    window.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        if (dialog.open) dialog.close();
        else open();
      }
    });
  }

  /* On a narrow screen a sidebar is shown in a dialog, which lends it focus, backdrop and the escape key. */
  function sidebar(name, hides) {
    const button = document.querySelector("." + name + "-toggle");
    const bar = document.getElementById("pst-" + name + "-sidebar");
    const dialog = document.getElementById("pst-" + name + "-sidebar-modal");
    if (!button || !bar || !dialog) return;
    const back = () => bar.append(...dialog.childNodes);
    closable(dialog, back);
    dialog.addEventListener("click", (event) => {
      if (event.target.closest("a")) dialog.close();
    });
    button.addEventListener("click", () => {
      if (hides && WIDE.matches) bar.classList.toggle("pst-sidebar-hidden");
      else {
        dialog.append(...bar.childNodes);
        dialog.className = bar.className;
        dialog.showModal();
      }
    });
  }

  /* The entry of the contents whose section is being read. */
  function place() {
    const links = [...document.querySelectorAll("#pst-page-toc-nav a[href^='#']")];
    const sections = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1)))).filter(Boolean);
    if (!sections.length) return;
    const mark = () => {
      const line = window.innerHeight / 4;
      const read = sections.filter((section) => section.getBoundingClientRect().top <= line).pop();
      for (const link of links) link.classList.toggle("active", Boolean(read) && link.hash === "#" + encodeURIComponent(read.id));
    };
    /* It tells where things stand at once, too: nothing has to be laid out before its time. */
    new IntersectionObserver(mark, { rootMargin: "0px 0px -75% 0px", threshold: [0, 1] }).observe(sections[0]);
    let waiting = false;
    document.addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        mark();
      });
    }, { passive: true });
  }

  modes();
  search();
  sidebar("primary", true);
  sidebar("secondary", false);
  place();
})();
