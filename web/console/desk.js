// The desk at work: who sits, the frame, the verdict, what to say, what to do next; around it queue, last frames, health.
import { html } from "./markup.js";
import { mainAct, otherActs, retakesLeft, usedUp } from "./acts.js";
import { Picture } from "./overlay.js";
import { scan } from "./keys.js";
import { Live, shows } from "./live.js";
import { Scanning, scanning } from "./scanning.js";
import { DECISION, HALL, VERDICT, age, bytes } from "./words.js";

export function Desk({ view, act, pressed }) {
  return html`
    <main class="desk">
      <section class=${`stage ${tone(view)}`}>${stage(view)}</section>
      <section class="talk">${who(view)} ${said(view)}</section>
      <aside class=${scanning.on ? "rail watched" : "rail"}>${scanning.on ? html`<${Scanning} close=${() => act("webcam")} />` : null} ${queue(view)} ${recent(view)}</aside>
      <footer class="acts">${buttons(view, act, pressed)}</footer>
    </main>
  `;
}

function tone(view) {
  if (view.drift) return "stop";
  return view.frame?.verdict ?? "";
}

function stage(view) {
  if (view.frame) return html`<${Picture} frame=${view.frame} key=${view.frame.capture_id} /> ${seal(view.frame)}`;
  if (view.mode === "exposing") return html`<div class="nothing big"><span class="turning">◌</span>正在拍摄<small>Taking the picture</small></div>`;
  if (shows(view)) return html`<${Live} /><div class="nothing under"><span>看镜头，坐正</span><small>Look into the lens</small></div>`;
  return html`<div class="nothing">${silhouette()}<span>${view.seated ? "看镜头，坐正" : "座位空着"}</span><small>${view.seated ? "Look into the lens" : "Nobody is seated"}</small></div>`;
}

function silhouette() {
  return html`
    <svg class="silhouette" viewBox="0 0 200 260" aria-hidden="true">
      <ellipse cx="100" cy="96" rx="46" ry="60" />
      <path d="M14 260c4-62 40-88 86-88s82 26 86 88z" />
      <path class="guide" d="M20 36h160M20 84h160M20 156h160" />
    </svg>
  `;
}

function seal(frame) {
  if (!frame.verdict) return null;
  const word = VERDICT[frame.verdict];
  return html`<div class=${`seal ${frame.verdict}`}><b>${word.sign}</b></div>`;
}

function who(view) {
  const person = view.seated ?? (view.frame ? null : view.queue[0]);
  if (!person) {
    return html`<div class="who none"><div class="label">拍摄号 <i>Number</i></div><div class="number">${view.frame?.ticket ?? html`<span class="blank-number">无人排队<i>Nobody waits</i></span>`}</div></div>`;
  }
  return html`
    <div class=${view.seated ? "who" : "who next"}>
      <div class="label">${view.seated ? html`就座 <i>Seated</i>` : html`下一位 <i>Next</i>`}</div>
      <div class="number" data-test="ticket">${person.ticket}</div>
      <div class="class">${person.name_masked ? html`<b>${person.name_masked}</b>` : null}<b>${person.class_label ?? html`班级未知 <i>class unknown</i>`}</b></div>
      <div class="place">
        ${person.order_code ? html`<span>顺序代码 <i>order</i> <b>${person.order_code}</b></span>` : null}
        ${person.ordinal !== null ? html`<span>序号 <i>no.</i> <b>${person.ordinal}</b></span>` : null}
        ${view.seated ? retakes(view) : null}
        ${view.face_consent ? html`<span class="consent" data-test="consent">人脸比对 <i>faces</i> <b>${person.face_consent ? "✓ 已同意" : "— 未同意"}</b> <i>${person.face_consent ? "agreed" : "not agreed"}</i></span>` : null}
      </div>
    </div>
  `;
}

function retakes(view) {
  const limit = view.retake_limit ?? 0;
  const left = retakesLeft(view);
  const dots = Array.from({ length: Math.min(limit, 8) }, (_, i) => (i < limit - left ? "●" : "○")).join("");
  return html`<span class=${left ? "retakes" : "retakes none"}>重拍 <i>retakes</i> <b class="dots">${dots}</b> 还剩 <b>${left}</b> 次 <i>left</i></span>`;
}

function said(view) {
  if (view.drift) return null;
  const frame = view.frame;
  if (!frame) return html`<div class="said quiet">${quiet(view)}</div>`;
  if (!frame.verdict) return html`<div class="said quiet"><p>正在检查照片…<small>Looking at the photo…</small></p></div>`;
  const word = VERDICT[frame.verdict];
  return html`
    <div class=${`said ${frame.verdict}`} data-test="verdict">
      <div class="verdict"><b class="sign">${word.sign}</b><span>${word.zh}<i>${word.en}</i></span></div>
      ${frame.faces.map(face)}
      ${frame.reasons.slice(0, 3).map(why)}
      ${frame.reasons.length > 3 ? html`<p class="more">另有 ${frame.reasons.length - 3} 条 · ${frame.reasons.length - 3} more</p>` : null}
      ${frame.verdict === "accept" ? looked(frame) : advice(frame)}
    </div>
  `;
}

// Like or unlike: for a person to look at. It refuses nobody.
function face(told) {
  return html`<div class="why face" key=${told.code} data-face=${told.code}><div>${told.severity === "warn" ? "▲ " : ""}${told.zh}</div><small>${told.en}</small></div>`;
}

// What no machine judges, as a reminder where there is nothing else to read.
function looked(frame) {
  const bare = (words) => words.replace(/^人工判断：|^for a person: /, "");
  return html`
    <div class="looked">
      <div class="label">机器不判断，请看一眼 <i>for your own eyes</i></div>
      <ul>
        ${frame.for_a_person.slice(0, 8).map((one) => html`<li key=${one.rule}>${bare(one.zh)}<small>${bare(one.en)}</small></li>`)}
      </ul>
    </div>
  `;
}

function quiet(view) {
  if (usedUp(view)) return html`<p>没有留下照片：安排补拍，再来时重新签到<small>No photo was kept: plan a make-up; the student checks in anew</small></p>`;
  if (view.unshown) return html`<p>请扫描学生手中的小票<small>Scan the slip in the student's hand</small></p>`;
  if (view.seated) return html`<p>看好了就拍摄<small>Press when the student is ready</small></p>`;
  if (view.queue_length) return html`<p>核对学生手中的号，再请就座<small>See that the student holds this number, then seat them</small></p>`;
  return html`<p>扫码或刷卡签到<small>Scan a code to check a student in</small></p>`;
}

function why(reason) {
  const figures = reason.measured === null ? null : html`<em>${figure(reason)}</em>`;
  return html`<div class="why" key=${reason.rule}><div>${reason.zh}</div><small>${reason.en}${figures}</small></div>`;
}

const NO_UNITS = / (0–1|ratio|share|variance|channels|faces|other faces|quality factor)$/;

function figure(reason) {
  const limit = reason.limit.replace(NO_UNITS, "");
  return limit ? `实测 ${Number(reason.measured.toPrecision(3))}，应 ${limit}` : "";
}

function advice(frame) {
  const given = frame.reasons.filter((reason) => reason.advice_zh);
  const first = given[0];
  if (!first) return null;
  return html`<div class="advice" data-test="advice"><div class="label">对学生说 <i>Say</i></div><p>${first.advice_zh}</p><small>${first.advice_en}</small></div>`;
}

function queue(view) {
  return html`
    <div class="queue">
      <h2>排队 <i>Queue</i><b>${view.queue_length}</b></h2>
      <ol>
        ${view.queue.slice(view.seated || view.frame ? 0 : 1).slice(0, 5).map((person) => html`<li key=${person.ticket}><b>${person.ticket}</b><span>${person.order_code ?? ""} ${person.class_label ?? ""}</span></li>`)}
      </ol>
    </div>
  `;
}

function recent(view) {
  return html`
    <div class="recent">
      <h2>最近三张 <i>Last three</i></h2>
      <ul>
        ${view.recent.map(
          (frame) => html`
            <li key=${frame.capture_id}>
              ${frame.shown ? html`<img src=${`/console/frames/${frame.capture_id}.jpg`} alt="" />` : html`<span class="sent">↑</span>`}
              <div>
                <b>${frame.ticket ?? (frame.test_shot ? "试拍 test" : "—")}</b>
                <span class=${frame.decision}>${DECISION[frame.decision].sign} ${DECISION[frame.decision].zh} <i>${DECISION[frame.decision].en}</i></span>
                <small>${frame.state === "received" ? "↑ 已上传 sent" : "⋯ 待上传 waits"}</small>
              </div>
            </li>
          `,
        )}
      </ul>
    </div>
  `;
}

function buttons(view, act, pressed) {
  const main = mainAct(view);
  const quietly = (event) => event.preventDefault(); // a click takes no focus: the keyboard stays the scanner's
  return html`
    <button class=${`main ${main.tone ?? ""} ${pressed ? "pressed" : ""}`} data-act=${main.id} disabled=${!main.ready} tabindex="-1" onMousedown=${quietly} onClick=${() => act(main.id)}>
      <kbd>空格／踏板</kbd><span>${main.zh}<i>${main.en}</i></span>
    </button>
    ${otherActs(view).map(
      (other) => html`
        <button key=${other.id} data-act=${other.id} disabled=${!other.ready} tabindex="-1" onMousedown=${quietly} onClick=${() => act(other.id)}>
          <kbd>${other.key}</kbd><span>${other.zh}<i>${other.en}</i></span>
        </button>
      `,
    )}
  `;
}

export function Head({ view, act }) {
  const health = view.health;
  const camera = health.camera;
  const old = age(health.pack_age_s);
  const chips = [
    chip("相机", cameraSays(camera), cameraMore(camera), !camera.trouble, "keep"),
    health.reader ? chip("读卡", gearSays(health.reader), cardSays(health.reader), !health.reader.trouble) : null,
    health.printer ? chip("号条", slipSays(health.printer), paperSays(health.printer), !health.printer.trouble) : null,
    chip(
      health.online ? "联网" : "断网",
      health.backlog ? `待传 ${health.backlog}` : "已传完",
      health.online ? `${health.backlog} to send` : `offline, ${health.backlog} to send`,
      health.online,
    ),
    ...hall(health.hall),
    chip("磁盘", bytes(health.disk_free_bytes), "free", !health.disk_low),
    chip("名单", old.zh, old.en, !health.pack_expired && !health.pack_old && health.pack_entries > 0),
    chip("时钟", health.skew_s ? `差 ${health.skew_s} 秒` : "准", health.skew_s ? "corrected" : "right", true),
  ];
  return html`
    <header class=${health.reader || health.printer ? "head geared" : "head"}>
      <div class="desk-code"><b>${view.desk_code}</b><span>采集台<i>desk · ${view.campus_code}</i></span></div>
      ${chips}
      <div class="done"><b>${view.done}</b><span>已完成<i>done</i></span></div>
      <button class=${scan.text ? "scan hot" : "scan"} tabindex="-1" onMousedown=${(event) => event.preventDefault()} onClick=${() => act("type")}>
        <span class="dots">${scan.text ? "●".repeat(Math.min(12, scan.text.length)) : "扫码签到"}</span><i>${scan.text ? "Enter ↵" : "scan · F2"}</i>
      </button>
      <button class="help" tabindex="-1" onMousedown=${(event) => event.preventDefault()} onClick=${() => act("help")}>F1<i>?</i></button>
    </header>
  `;
}

function cameraSays(camera) {
  if (camera.trouble) return "故障";
  if (!camera.ready) return "连接中";
  const battery = camera.details.battery_percent;
  return battery === undefined ? "正常" : `电 ${battery}%`;
}

function cameraMore(camera) {
  if (camera.trouble) return "fault";
  if (!camera.ready) return "connecting";
  const frames = camera.details.frames;
  return frames === undefined ? camera.serial.slice(-10) : `${camera.serial.slice(-8)} #${frames}`;
}

const gearSays = (gear) => (gear.trouble ? "故障" : gear.ready ? "正常" : "连接中");
const cardSays = (reader) => reader.trouble ? "fault" : ({ read: "card read", again: "lay again" })[reader.details.card] ?? (reader.ready ? "no card" : "connecting");
const slipSays = (printer) => (printer.details.waiting ? `待打 ${printer.details.waiting}` : gearSays(printer));
const paperSays = (printer) => (printer.trouble ? "fault" : !printer.ready ? "connecting" : printer.details.paper === "near end" ? "paper low" : "paper ok");

// What this desk is to the others of its hall, and how many of them it hears.
function hall(state) {
  if (!state || state.part === "off") return [];
  const part = HALL[state.part];
  const heard = `${state.heard.length + 1}/${state.heard.length + state.silent.length + 1}`;
  const well = (state.part === "hub" || state.part === "member") && !state.silent.length && !state.doubles;
  const of = state.part === "member" ? ` ${state.hub}${state.via ? `（经 ${state.via}）` : ""}` : "";
  const away = state.silent.slice(0, 3).join(" ");
  return [chip("同厅", `${part.zh}${of} ${heard}`, away ? `缺 ${away} away` : part.en, well, away ? "keep" : "")];
}

function chip(name, value, english, well, more = "") {
  return html`<div class=${`chip ${well ? "" : "bad"} ${more}`} key=${name}><b>${well ? "✓" : "▲"} ${name}</b><span>${value}</span><i>${english}</i></div>`;
}

const SHOWN = 2; // more would push the student off the screen
const SIGNS = { stop: "■", warn: "▲", info: "i", accept: "✓", reject: "✗" };

export function Messages({ view, notice }) {
  const standing = (view?.messages ?? []).filter((one) => one.code !== notice?.code);
  const all = [...(notice ? [notice] : []), ...standing];
  const hidden = all.splice(SHOWN).length;
  return html`
    <div class="messages" role="status" aria-live="polite">
      ${all.map((one) => html`<div class=${`message ${one.severity}`} key=${one.code} data-code=${one.code}><b>${SIGNS[one.severity]}</b><span>${one.zh}<i>${one.en}</i></span></div>`)}
      ${hidden ? html`<div class="message more">另有 ${hidden} 条提示<i>${hidden} more</i></div>` : null}
    </div>
  `;
}
