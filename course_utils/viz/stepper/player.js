// Turns a picture that carries its steps into a player of these steps.
// The page hands over `img`, which is replaced, `svg`, what was in it, and `data`: the
// style of the player, and the steps of every view.
(() => {
  const { img, svg, data } = document.currentScript;
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
      element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const button = (text, label, action) => {
    const element = make("button", { type: "button", "aria-label": label, title: label },
      text);
    element.onclick = action;
    return element;
  };

  const host = make("div", { "data-lm-suppress-shortcuts": "true", class: "stepping" });
  const views = [...svg.querySelectorAll(":scope > g")];
  const slider = make("input", { type: "range", min: 0, step: 1, "aria-label": "step" });
  const count = make("output");
  const say = make("p", { class: "say", role: "status", "aria-live": "polite",
    "aria-atomic": "true" });
  const stage = make("div", { class: "stage", tabindex: 0, role: "region",
    "aria-label": "graph, scrolls with the arrow keys" }, svg);
  const first = button("⇤", "first step (Home)", () => go(0));
  const back = button("←", "one step back (left arrow)", () => go(at - 1));
  const next = button("→", "one step on (right arrow)", () =>
    go(at < steps.length - 1 ? at + 1 : 0));
  const last = button("⇥", "last step (End)", () => go(steps.length - 1));
  const part = make("select", { "aria-label": "part of the graph" });
  const bar = make("div", { class: "bar" }, first, back, slider, next, last, count,
    button("−", "smaller (minus)", () => zoom(1 / 1.25)),
    button("+", "larger (plus)", () => zoom(1.25)),
    button("fit", "as large as fits (0)", () => { zoomed = false; fit(); }));
  const box = make("div", { class: "stepper", role: "group" }, stage, bar, say);
  let steps, at, nodes, edges, heads, finish, width, scale = 1, zoomed = false;

  // --- steps ---

  function open(k) {
    views.forEach((view, i) => view.setAttribute("display", i === k ? "inline" : "none"));
    ({ steps, heads, size: [width] } = data.views[k]);
    svg.setAttribute("viewBox", `0 0 ${data.views[k].size.join(" ")}`);
    nodes = [...views[k].querySelectorAll(".n")];
    edges = [...views[k].querySelectorAll(".e")];
    finish = new Map(steps.map((step, i) => [step.vertex, i]));
    slider.max = steps.length - 1;
    part.value = k;
    zoomed = false;
    fit();
    go(steps.length - 1);
  }

  function go(k) {
    at = Math.max(0, Math.min(steps.length - 1, k));
    const now = steps[at], shown = new Set(), grads = new Map(), told = new Set();
    for (const step of steps.slice(0, at + 1)) {
      step.shows.forEach(i => shown.add(i));
      told.add(step.edge);
      if (step.grad) grads.set(step.vertex, step.grad);
    }
    nodes.forEach((node, i) => {
      node.classList.toggle("idle", !shown.has(i));
      node.classList.toggle("part", at < (finish.get(i) ?? 0));
      node.classList.toggle("now", i === now.vertex);
      const text = node.querySelector("text.g");
      if (text) text.textContent = grads.get(i) ?? "";
    });
    edges.forEach((edge, i) => {
      const enters = now.shows.length > 0 && heads[i] === now.vertex;
      edge.classList.toggle("quiet", !told.has(i));
      edge.classList.toggle("now", i === now.edge || enters);
    });
    tell(now);
    follow();
  }

  function tell(now) {
    say.textContent = now.say;
    slider.value = at;
    slider.setAttribute("aria-valuetext", `step ${at + 1} of ${steps.length}`);
    count.textContent = `${at + 1} / ${steps.length}`;
    const held = host.shadowRoot.activeElement;
    first.disabled = back.disabled = at === 0;
    last.disabled = at === steps.length - 1;
    if (held?.disabled) slider.focus(); // a button that is off cannot keep the focus
    next.textContent = last.disabled ? "↺" : "→";
    next.title = last.disabled ? "from the start" : "one step on (right arrow)";
    next.setAttribute("aria-label", next.title);
  }

  // --- zoom and pan ---

  function fit() {
    // Words stay readable: what does not fit then is reached by scrolling.
    const room = stage.clientWidth || host.clientWidth;
    scale = room ? Math.min(1, Math.max(room / width, 0.8)) : 1;
    resize();
  }

  function zoom(factor) {
    zoomed = true;
    scale = Math.max(0.3, Math.min(4, scale * factor));
    resize();
    follow();
  }

  function resize() {
    svg.style.width = `${width * scale}px`;
    svg.style.height = "auto";
    stage.classList.toggle("wide", stage.scrollWidth > stage.clientWidth + 1);
  }

  function follow() {
    const now = [...svg.querySelectorAll('[display="inline"] .now')];
    if (at === 0) stage.scrollTo(0, 0);
    if (!now.length) return;
    const room = stage.getBoundingClientRect();
    const ends = now.map(element => element.getBoundingClientRect());
    const push = (low, high, from, to) => low < from ? low - from - 12 :
      high > to ? Math.min(high - to + 12, low - from - 12) : 0;
    stage.scrollLeft += push(Math.min(...ends.map(r => r.left)),
      Math.max(...ends.map(r => r.right)), room.left, room.right);
    stage.scrollTop += push(Math.min(...ends.map(r => r.top)),
      Math.max(...ends.map(r => r.bottom)), room.top, room.bottom);
  }

  let drag = null;
  stage.onpointerdown = event => {
    if (event.pointerType === "mouse" && event.button === 0)
      drag = { x: event.clientX + stage.scrollLeft, y: event.clientY + stage.scrollTop };
  };
  stage.onpointermove = event => {
    if (!drag || !event.buttons) return;
    stage.scrollLeft = drag.x - event.clientX;
    stage.scrollTop = drag.y - event.clientY;
  };
  stage.onpointerup = stage.onpointerleave = () => { drag = null; };

  // --- keys ---

  const keys = {
    ArrowLeft: () => go(at - 1), ArrowRight: () => go(at + 1), Home: () => go(0),
    End: () => go(steps.length - 1), "+": () => zoom(1.25), "-": () => zoom(1 / 1.25),
    0: () => { zoomed = false; fit(); },
  };
  box.onkeydown = event => {
    const scrolls = event.target === stage && stage.classList.contains("wide");
    const native = event.target === part || scrolls && event.key.startsWith("Arrow");
    if (native || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.key in keys)) return;
    keys[event.key]();
    event.preventDefault();
    event.stopPropagation();
  };
  slider.oninput = () => go(Number(slider.value));

  // --- modules that can be opened ---

  data.views.forEach(({ name }, k) => part.append(make("option", { value: k },
    k ? `inside ${name}` : "whole graph")));
  part.onchange = () => open(Number(part.value));
  svg.querySelectorAll(".module").forEach(node => {
    const k = data.views.findIndex(({ name }) => name === node.dataset.name);
    if (k > 0) node.ondblclick = () => open(k);
  });
  if (views.length > 1) bar.append(part);

  // --- into the page ---

  const shade = () => {
    const [r, g, b] = getComputedStyle(host.parentElement ?? document.body).color
      .match(/[\d.]+/g).map(Number);
    box.classList.toggle("dark", 0.3 * r + 0.59 * g + 0.11 * b > 140);
  };
  const watch = new MutationObserver(shade);
  for (const element of [document.documentElement, document.body])
    watch.observe(element, { attributes: true });
  box.setAttribute("aria-label", `step through: ${data.views[0].name || "a computation"}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", img.alt);
  host.attachShadow({ mode: "open" }).append(
    svg.querySelector("style"), make("style", {}, data.style), box);
  img.replaceWith(host);
  shade();
  open(0);
  new ResizeObserver(() => { if (!zoomed) fit(); }).observe(host);
  addEventListener("beforeprint", () => go(steps.length - 1));
})();
