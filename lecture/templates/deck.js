// A deck before it is shown: every slide says below where it belongs, and pictures that
// stand without their code are as large as the slide allows.
const [WIDE, HIGH, MOST] = [1250, 660, 1.6];

function where() {
  const named = (heading) => {
    const copy = heading.cloneNode(true);
    copy.querySelectorAll(".anchor-link, mjx-assistive-mml").forEach((a) => a.remove());
    return copy.innerHTML;
  };
  let names = [];
  for (const slide of document.querySelectorAll(".slides section:not(:has(section))")) {
    for (const heading of slide.querySelectorAll("h1, h2, h3")) {
      names = [...names.slice(0, heading.tagName[1] - 1), named(heading)];
    }
    const foot = document.createElement("div");
    foot.className = "deck-where";
    foot.setAttribute("aria-hidden", "true");
    foot.innerHTML = names.filter(Boolean).join(" &ensp;›&ensp; ");
    slide.append(foot);
  }
}

// A stepping view is as wide as the page; what it draws is not.
const drawn = (part) => part.shadowRoot?.querySelector(".stepper") ?? part;

function enlarge() {
  const slides = document.querySelector(".slides");
  slides.classList.add("deck-measured"); // what is hidden has no size
  for (const cell of document.querySelectorAll(".celltag_deck-no-code")) {
    const parts = [...cell.querySelectorAll("img, .stepping")];
    const wide = parts.reduce((sum, part) => sum + drawn(part).offsetWidth + 12, 0);
    const high = Math.max(...parts.map((part) => part.offsetHeight));
    if (!wide || !high) continue;
    const others = [...cell.parentElement.children].filter((c) => c !== cell);
    const rest = others.reduce((sum, other) => sum + other.offsetHeight, 0);
    const zoom = Math.min(MOST, WIDE / wide, (HIGH - rest) / high);
    for (const part of parts) part.style.zoom = Math.max(1, zoom);
  }
  slides.classList.remove("deck-measured");
}

const loaded = new Promise((done) => addEventListener("load", done));

async function prepared() {
  await Promise.all([MathJax.startup.promise, loaded]);
  enlarge();
  where();
}
