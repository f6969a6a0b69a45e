"use strict";
// Thousands of photos: what is seen is built, the rest waits as data. Nothing is asked of any network.
const AT_ONCE = 60;
const VERDICTS = { reject: "不合格 reject", review: "人工复核 review", accept: "合格 accept" };
const ORDER = Object.keys(VERDICTS);
const words = JSON.parse(document.getElementById("words").textContent);
const photos = JSON.parse(document.getElementById("photos").textContent);
photos.sort((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict)); // stable: the files' own order within
const wanted = { verdict: "", rule: "", name: "" };
const cards = document.getElementById("cards");
const more = document.getElementById("more");
const shown = document.getElementById("shown");
let found = [];
let built = 0;

function element(tag, className, ...inside) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...inside);
  return made;
}

function stands(photo) {
  return (!wanted.verdict || photo.verdict === wanted.verdict)
    && (!wanted.rule || photo.found.some((one) => one.rule === wanted.rule))
    && (!wanted.name || photo.name.toLowerCase().includes(wanted.name));
}

function reason(one) {
  const said = words[one.said];
  const line = element("li", "", element("span", one.severity, `${one.rule} ${said.zh}`), " ", element("small", "", said.en));
  if (one.measured) line.append(" ", element("small", "", one.measured));
  if (said.advice_zh) line.append(element("br", ""), said.advice_zh, " ", element("small", "", said.advice_en));
  return line;
}

function card(photo) {
  const picture = element(photo.jpeg ? "img" : "div", photo.jpeg ? "" : "none");
  if (photo.jpeg) {
    picture.alt = "";
    picture.decoding = "async";
    picture.src = "data:image/jpeg;base64," + photo.jpeg;
  }
  const told = element("div", "", element("b", "", photo.name), element("ul", "", ...photo.found.map(reason)));
  return element("div", "card " + photo.verdict, picture, told);
}

function build() {
  const next = found.slice(built, built + AT_ONCE);
  cards.append(...next.map(card));
  built += next.length;
  more.hidden = built === found.length;
  shown.textContent = `${found.length} / ${photos.length} 张`;
}

function filter() {
  found = photos.filter(stands);
  built = 0;
  cards.replaceChildren();
  build();
}

for (const button of document.querySelectorAll("#filters button")) {
  button.addEventListener("click", () => {
    wanted.verdict = button.value;
    for (const other of document.querySelectorAll("#filters button")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    filter();
  });
}
document.getElementById("rule").addEventListener("change", (event) => {
  wanted.rule = event.target.value;
  filter();
});
document.getElementById("name").addEventListener("input", (event) => {
  wanted.name = event.target.value.trim().toLowerCase();
  filter();
});
more.addEventListener("click", build);
new IntersectionObserver((seen) => {
  if (seen.some((one) => one.isIntersecting) && built < found.length) build();
}, { rootMargin: "1200px" }).observe(more);
filter();
