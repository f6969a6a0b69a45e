// The console: what the station says is shown whole; what the operator does is sent, and nothing is kept in the browser.
import { createApp, html, reactive, watch } from "./markup.js";
import { ARM_MS, mainAct, otherActs } from "./acts.js";
import { Desk, Head, Messages } from "./desk.js";
import * as dialogs from "./dialogs.js";
import { listen } from "./keys.js";
import { on, toggle } from "./live.js";
import { scanning, toggle as toggleWebcam } from "./scanning.js";
import { choose as choosePicture } from "./pictures.js";
import { play } from "./sounds.js";
import { Dialog, Drift } from "./questions.js";
import { connect, post, station, take } from "./station.js";
import { Wizard } from "./wizard.js";
import { LINK } from "./words.js";

const NOTICE_MS = 9000;
const ui = reactive({ busy: false, notice: null, dialog: null, driftAt: -1, wizard: false, pressed: false, tried: 0, now: Date.now() });
let noticeTimer = 0;
let heardVerdict = "";

function notice(severity, said) {
  ui.notice = { severity, code: said.code ?? "notice", zh: said.zh, en: said.en };
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (ui.notice = null), NOTICE_MS);
}

// One thing at a time: what is pressed while the station works is not meant.
async function doing(path, body, wrong = null) {
  if (ui.busy) return null;
  ui.busy = true;
  try {
    const answer = await post(path, body);
    ui.notice = null;
    return answer;
  } catch (problem) {
    wrong?.(problem);
    refused(problem);
    return null;
  } finally {
    ui.busy = false;
  }
}

async function changed(path, body) {
  const view = await doing(path, body);
  if (view) take(view);
  return view !== null;
}

const ACTS = {
  seat: () => changed("seat"),
  shutter: () => changed("shutter"),
  keep: () => decide("keep"),
  retake: () => decide("retake"),
  unbound: () => decide("unbound"),
  override: () => (ui.dialog = dialogs.overrideDialog(station.view.frame)),
  giveUp: () => (ui.dialog = dialogs.giveUpDialog(station.view.frame)),
  release: () => (ui.dialog = dialogs.releaseDialog(station.view.seated.ticket)),
  consent: () => (ui.dialog = dialogs.consentDialog(station.view)),
  call: () => (ui.dialog = dialogs.callDialog(station.view)),
  seal: () => (ui.dialog = dialogs.sealDialog(station.view)),
  help: () => (ui.dialog = dialogs.helpDialog()),
  type: () => (ui.dialog = dialogs.typeDialog(scanning.on)),
  webcam: () => toggleWebcam(WEBCAM),
  letIn: () => (ui.dialog = dialogs.letInDialog(station.view.turned_away)),
  devices: () => (ui.dialog = dialogs.devicesDialog(station.view, on(station.view))),
  slip: printSlip,
};

async function printSlip() {
  const ticket = station.view.seated?.ticket ?? station.view.last_ticket;
  const answer = await doing("slips", { ticket });
  if (answer) notice("info", { code: "slip", zh: `${answer.ticket} 的号条已送打印`, en: `the slip of ${answer.ticket} is at the printer` });
}

const decide = (decision, more = {}, frame = station.view.frame) =>
  changed("decisions", { capture_id: frame.capture_id, decision, ...more });

function act(id) {
  if (station.link === "live" && !ui.dialog && !ui.busy) ACTS[id]?.();
}

function possible(id) {
  const main = mainAct(station.view);
  return (main.id === id && main.ready) || otherActs(station.view).some((other) => other.id === id && other.ready);
}

function main() {
  if (ui.wizard || station.view?.phase !== "work") return;
  if (station.view.drift) return answerDrift();
  if (ui.dialog) return confirmDialog();
  const next = mainAct(station.view);
  const armed = performance.now() - station.changedAt > (next.arm ?? ARM_MS);
  if (!next.ready || !armed || ui.busy) return;
  ui.pressed = true;
  setTimeout(() => (ui.pressed = false), 150);
  act(next.id);
}

function retake() {
  const way = station.view?.phase === "work" && !station.view.drift && !ui.dialog ? mainAct(station.view).id : "";
  return way === "retake" ? main() : named("retake")();
}

const working = () => station.view?.phase === "work" && !ui.wizard;

function named(id) {
  return () => {
    if (working() && !ui.dialog && possible(id)) act(id);
  };
}

// Scans wait for each other and for nothing else: one that comes while the station looks at a photo is not lost.
let scans = Promise.resolve();

function scanned(text) {
  if (station.view?.phase !== "work" || ui.wizard) ui.tried = text.length;
  else scans = scans.then(() => admit(text));
}

// An input method stood between scanner and page.
function unread() {
  refused({ code: "scan-unread", zh: "这次扫码被输入法截住，没有读到。请再扫一次", en: "An input method took that scan: it was not read. Scan once more" });
}

function pictured(picture) {
  if (station.view?.phase !== "work" || ui.wizard) return;
  if (ui.dialog?.kind === "type") ui.dialog = null;
  scans = scans.then(() => admitted("checkins/picture", picture));
}

// What a webcam shows is a scan like any other; while a photo is taken or looked at, the machine is the photo's, and
// while a question stands nobody else comes in between.
const WEBCAM = {
  send: (frame) => post("checkins/webcam", frame),
  busy: () => {
    const view = station.view;
    return station.link !== "live" || view?.phase !== "work" || ui.wizard || Boolean(ui.dialog) || view.mode === "exposing" || Boolean(view.frame && !view.frame.verdict);
  },
  read: (said) => (said.desk ? received(said) : refused(said)),
};

const admit = (text) => admitted("checkins", { scan: text });

async function admitted(path, body) {
  const answer = await post(path, body).catch(refused);
  if (answer) received(answer);
}

function refused(problem) {
  notice("stop", problem);
  play("reject");
}

function received(answer) {
  take(answer.desk);
  told(answer.answer);
}

const GOOD = { issued: "accept", shown: "accept", already_ticketed: "warn", problem: "stop" };

function told(answer) {
  notice(GOOD[answer.outcome] ?? "reject", answer);
  play(["issued", "already_ticketed", "shown"].includes(answer.outcome) ? "scan" : "reject");
}

// A card on the reader is answered by the station; the page tells it once. What was before the page is old news.
let announced = null;

function announce(view) {
  if (view?.phase !== "work") return;
  const stamp = view.arrival?.stamp ?? 0;
  if (announced !== null && stamp && stamp !== announced) told(view.arrival);
  announced = stamp;
}

// ---- dialogs
function choose(way) {
  if (station.view?.drift) {
    const count = station.view.drift.ways.length;
    ui.driftAt = (ui.driftAt + way + (ui.driftAt < 0 && way < 0 ? 1 : 0) + count) % count;
  } else if (ui.dialog) {
    const count = dialogs.step(ui.dialog)?.options.length ?? 0;
    if (count) ui.dialog.at = (ui.dialog.at + way + (ui.dialog.at < 0 && way < 0 ? 1 : 0) + count) % count;
  }
}

async function answerDrift() {
  const way = station.view.drift.ways[ui.driftAt];
  if (way) await changed("drift", { drift_id: station.view.drift.drift_id, resolution: way.resolution });
}

function confirmDialog(at = ui.dialog.at) {
  const option = dialogs.step(ui.dialog)?.options[at];
  if (option) answerDialog(option);
}

function answerDialog(answer) {
  const dialog = ui.dialog;
  if (answer.again) return dialogs.again(dialog);
  dialog.answers.push(answer);
  dialog.at = -1;
  if (dialog.answers.length < dialog.steps.length) return;
  ui.dialog = null;
  FINISH[dialog.kind]?.(dialog, ...dialog.answers);
}

// Codes and numbers are taken as they were typed; a reason goes on record, and a scanner's Enter is no yes.
function typed(text) {
  const now = dialogs.step(ui.dialog);
  if (now.typed === "reason") dialogs.propose(ui.dialog, text);
  else answerDialog({ zh: text, en: "" });
}

// Of this desk's own numbers the figure is enough. What is no number is not sent: it may be somebody's code.
function numberOf(text) {
  const written = text.trim().toUpperCase();
  const number = /^\d{1,4}$/.test(written) ? `${station.view.desk_code}-${written.padStart(4, "0")}` : written;
  return /^[^\s-]{1,12}-\d{4,6}$/.test(number) ? number : null;
}

const NO_NUMBER = { code: "no-number", zh: "这不是拍摄号。请输入小票上的号，例如 A-0031 或 31", en: "This is no number. Type the slip's, as A-0031 or 31" };

const callNumber = (ticket) => (ticket ? changed("seat", { ticket }) : refused(NO_NUMBER));

const OTHER_WAYS = { picture: () => choosePicture(pictured), webcam: () => ACTS.webcam() };

const FINISH = {
  override: (dialog, who, why) => decide("override", { role: who.role, reason: why.zh }, dialog.frame),
  giveUp: (dialog, answer) => answer.id === "yes" && decide("unbound", {}, dialog.frame),
  release: (dialog, why) => changed("releases", { ticket: dialog.ticket, reason: why.zh }),
  consent: (dialog, answer) => changed("consents", { ticket: dialog.ticket, given: answer.given }),
  call: (dialog, whom) => callNumber(whom.ticket ?? numberOf(whom.zh)),
  type: (dialog, typed) => (OTHER_WAYS[typed.id] ?? (() => scanned(typed.zh)))(),
  letIn: (dialog, who, why) => admitted("checkins/let-in", { turned_away: dialog.turnedAway, role: who.role, reason: why.zh }),
  devices: (dialog, answer) => answer.id === "live" && toggle(station.view),
  async seal(dialog, answer) {
    if (answer.id !== "yes") return;
    const sealed = await doing("seals");
    if (sealed) ui.dialog = dialogs.sealedDialog(sealed, station.view);
  },
};

function cancel() {
  if (ui.dialog) ui.dialog = null;
  else if (ui.wizard) ui.wizard = false;
}

function openWizard() {
  if (station.view?.mode === "idle" && !ui.dialog) ui.wizard = !ui.wizard;
}

// ---- the page
function App() {
  const { view, link } = station;
  hear(view);
  if (!view) return html`<div class="blank"><div><span class="turning">◌</span>${LINK[link]?.zh}<i>${LINK[link]?.en}</i></div></div>`;
  const wizard = view.phase === "setup" || ui.wizard;
  return html`
    <div class=${`page link-${link}`} data-link=${link}>
      ${link === "live" ? null : gone(link)}
      ${wizard ? html`<${Wizard} view=${view} doing=${doing} tried=${ui.tried} close=${() => (ui.wizard = false)} />` : html`
        <${Head} view=${view} act=${act} />
        <${Messages} view=${view} notice=${ui.notice} />
        <${Desk} view=${view} act=${act} pressed=${ui.pressed} />
        ${view.drift ? html`<${Drift} drift=${view.drift} at=${ui.driftAt} choose=${(i) => { ui.driftAt = i; answerDrift(); }} />` : null}
        ${ui.dialog && !view.drift ? html`<${Dialog} dialog=${ui.dialog} view=${view} choose=${confirmDialog} cancel=${cancel} typed=${typed} />` : null}
      `}
      ${wizard && ui.notice ? html`<${Messages} view=${null} notice=${ui.notice} />` : null}
    </div>
  `;
}

function gone(link) {
  const said = LINK[link] ?? LINK.gone;
  const seconds = station.lostAt ? Math.max(0, Math.round((ui.now - station.lostAt) / 1000)) : 0;
  return html`
    <div class="gone" role="alert" data-test="gone">
      <div><b>■</b><h1>${said.zh}<i>${said.en}</i></h1>
      ${said.more_zh ? html`<p>${said.more_zh}<small>${said.more_en}</small></p>` : null}
      <p class="count">${seconds} s</p></div>
    </div>
  `;
}

function hear(view) {
  const verdict = view?.frame?.verdict ? `${view.frame.capture_id} ${view.frame.verdict}` : "";
  if (verdict && verdict !== heardVerdict) play(view.frame.verdict);
  heardVerdict = verdict;
}

// A desk that has just been enrolled goes on to its test shot.
watch(
  () => station.view?.phase,
  (phase, before) => {
    if (before === "setup" && phase === "work") ui.wizard = true;
  },
);
watch(() => station.view, announce);
watch(() => station.view?.drift?.drift_id, () => (ui.driftAt = -1)); // what was marked was another question's answer
setInterval(() => station.link !== "live" && (ui.now = Date.now()), 500);
listen(
  { main, retake, scanned, unread, cancel, choose, picture: pictured },
  {
    F1: () => act("help"), F2: () => !ui.wizard && act("type"), F3: named("slip"), F4: named("override"),
    F5: named("letIn"), F6: () => working() && named(possible("giveUp") ? "giveUp" : "release")(), F7: named("consent"), F8: named("call"), F9: openWizard,
    F10: named("seal"), Insert: () => station.view?.phase === "work" && !ui.wizard && act("devices"),
  },
);
connect();
createApp({ render: App }).mount("#console");
