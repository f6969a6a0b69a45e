// The line to the station: one stream of what is, one POST for each thing done. It comes back by itself.
import { reactive } from "/web/vendor/vue-3.5.45.runtime.esm-browser.prod.js";

const SILENCE_MS = 3000; // the station gives a sign of life every second
const AGAIN_MS = 700;

export const station = reactive({ view: null, link: "connecting", lostAt: 0, changedAt: 0 });

let source = null;
let silence = 0;

export function connect() {
  source?.close();
  source = new EventSource("/console/events");
  source.addEventListener("view", (event) => take(JSON.parse(event.data)));
  source.addEventListener("pulse", heard);
  source.onerror = lost;
}

function heard() {
  station.link = "live";
  clearTimeout(silence);
  silence = setTimeout(lost, SILENCE_MS);
}

// An answer may be overtaken by the stream, and the other way round: the newer one stays.
export function take(view) {
  heard();
  if (view.stamp < (station.view?.stamp ?? 0)) return;
  if (view.mode !== station.view?.mode || view.frame?.verdict !== station.view?.frame?.verdict) {
    station.changedAt = performance.now();
  }
  station.view = view;
}

async function lost() {
  source?.close();
  clearTimeout(silence);
  if (station.view) station.view.stamp = 0; // another life of the station counts anew
  if (station.link === "live") station.lostAt = Date.now();
  if (station.link !== "refused") station.link = station.view ? "gone" : "connecting";
  // EventSource does not say why; a plain request does.
  const status = await fetch("/console/admitted").then((answer) => answer.status, () => 0);
  if (status === 401) station.link = "refused";
  setTimeout(connect, AGAIN_MS);
}

// Throws the station's problem ({code, zh, en, params}) when it says no. A picture is sent as it is.
export async function post(path, body = {}) {
  const picture = body instanceof Blob;
  const kind = picture ? body.type || "application/octet-stream" : "application/json";
  const sent = { method: "POST", headers: { "content-type": kind }, body: picture ? body : JSON.stringify(body) };
  const answer = await fetch(`/console/${path}`, sent).catch(() => null);
  if (answer === null) {
    lost();
    throw { code: "gone", zh: "台站程序没有响应", en: "The station does not answer" };
  }
  const content = await answer.json();
  if (!answer.ok) throw content;
  return content;
}
