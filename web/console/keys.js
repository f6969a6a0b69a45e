// The keyboard. Scanners type like a keyboard and end with Enter, so what is printable always belongs to a scan, also
// while a dialog is open; acts lie on keys that no code contains. Without a field there is no input method either, which
// would swallow a scanner's letters; the few fields that there are tell a scan by its speed.
import { scannedInto } from "./bursts.js";
import { pictures } from "./pictures.js";
import { reactive } from "/web/vendor/vue-3.5.45.runtime.esm-browser.prod.js";

const FORGET_MS = 8000; // half a scan is no scan

export const scan = reactive({ text: "" });
let forgetting = 0;

function keep(text) {
  scan.text = text;
  clearTimeout(forgetting);
  if (text) forgetting = setTimeout(() => (scan.text = ""), FORGET_MS);
}

export function clearScan() {
  keep("");
}

// `on`: what to do for main, retake, scanned(text), unread, cancel, choose(step), and the keys in `named`.
export function listen(on, named) {
  pictures(on.picture);
  window.addEventListener("keydown", (event) => {
    if (inField(event.target)) return inFieldKey(event, on);
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (chooses(event)) return;
    const act = meaning(event, on, named);
    if (!act) return;
    event.preventDefault();
    if (!event.repeat) act();
  });
}

// In the wizard the focus moves as on any page: space and Enter press the button that has it.
function chooses(event) {
  const widget = event.target instanceof Element && event.target.closest(".wizard button, .wizard input, .wizard select, .wizard summary");
  return Boolean(widget) && !scan.text && [" ", "Enter", "ArrowUp", "ArrowDown"].includes(event.key);
}

function meaning(event, on, named) {
  const key = event.key;
  if (key === "Enter") return scan.text ? () => hand(on.scanned) : on.main;
  if (key === " ") return scan.text ? () => keep(`${scan.text} `) : on.main;
  if (key === "PageDown") return on.main;
  if (key === "PageUp") return on.retake;
  if (key === "Backspace" || key === "Delete") return scan.text ? () => keep(scan.text.slice(0, -1)) : on.retake;
  if (key === "Escape") return scan.text ? clearScan : on.cancel;
  if (key === "ArrowDown" || key === "ArrowRight") return () => on.choose(1);
  if (key === "ArrowUp" || key === "ArrowLeft") return () => on.choose(-1);
  if (key in named) return named[key];
  if (key.length === 1) return () => keep(scan.text + key);
  return null;
}

function hand(scanned) {
  const text = scan.text;
  clearScan();
  scanned(text);
}

function inField(target) {
  return target instanceof HTMLInputElement && target.type !== "radio";
}

// A field for codes takes them as they come; any other field of a question holds somebody's words, and no scan.
function inFieldKey(event, on) {
  if (event.key === "Escape") return on.cancel();
  if (!event.target.matches(".dialog [data-words]")) return;
  const scanned = scannedInto(event);
  if (!scanned) return;
  event.preventDefault();
  if (scanned.text === null) on.unread();
  else on.scanned(scanned.text);
}
